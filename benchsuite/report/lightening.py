"""Lighter weights as tables and charts: what a recipe changed, and how much can be pruned."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.backends import BACKENDS
from benchsuite.detect.accuracy import Accuracy
from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.optimize.guide import NOTHING_ALIKE, SAFE_POINTS, Guide, GuideRow, verdict
from benchsuite.optimize.scoring import ScoredWeights, TimedArtifact
from benchsuite.report.chart import Axis, Chart, ChartSeries, ReferenceLine
from benchsuite.report.study import StudyTable, StudyView
from benchsuite.report.terminal import aligned, wrap
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.quantities import megabytes, signed
from benchsuite.terms.said import Sentence, counted, said

_SCORES = ("", "M params", "GFLOPs", "file MB", "mAP", "points lost")
_BELOW = Absent("the tables below have its figures")
_WHOLE, _ALIKE = "whole", "whole, trained"
# What others published, each a single run on COCO with the training that stands there: context, and no measurement.
OTHERS = (
    "Figures of others, not measured here: YOLOv8n on COCO after fine-tuning kept 34.9, 33.3 and 29.9 of 37.3 mAP with "
    "73, 59 and 43 % of its FLOPs left; YOLOv8s fell from 44.9 to 40.6 with 20 % of its filters pruned. In TensorRT "
    "FP16 on a T4, YOLOv8n took 2.02, 1.93 and 1.75 ms with 10, 20 and 30 % pruned, 1.84 ms whole: slower at first.",
)


def scores_table(scores: Sequence[ScoredWeights]) -> list[str]:
    """Return the lines of a table of checkpoints."""
    rows = [_SCORES, *map(_score, scores)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [aligned(row, widths, "  ").rstrip() for row in rows]


def _score(score: ScoredWeights, name: str = "") -> tuple[str, ...]:
    return (
        name or score.name,
        f"{score.complexity.params / 1e6:.2f}",
        f"{score.complexity.gflops:.2f}",
        megabytes(score.file_bytes),
        shown(score.accuracy, lambda it: f"{it.map50_95:.3f}"),
        shown(score.loss, _loss),
    )


def _loss(loss: AccuracyLoss) -> str:
    return f"{signed(loss.points)} ({signed(loss.ci95[0])} to {signed(loss.ci95[1])})"


def times_lines(name: str, artifacts: Sequence[TimedArtifact]) -> list[str]:
    """Return a line a runtime that says whether weights made it faster."""
    lines = []
    for it in artifacts:
        if isinstance(it.timed, Absent):
            lines += wrap(f"{name}, {it.backend} fp32: {it.timed.reason}", then="  ")
        else:
            lines.append(f"{name}, {it.backend} fp32: {_ratio(it.timed)} × the time, {verdict(it.timed)}")
    return lines


def _ratio(timed: Timed) -> str:
    low, high = timed.ratio_ci95
    return f"{timed.ratio:.2f} ({low:.2f}–{high:.2f})"


def guide_view(guide: Guide) -> StudyView:
    """Arrange a guide: what each share costs, what it gains in each runtime, and up to where that is safe."""
    recipe = guide.recipe
    training = recipe.training
    trained = (
        said("Each was trained for {1} on the same images in the same order.", _epochs(training.epochs))
        if not isinstance(training, Absent)
        else said("None was trained after the cut.")
    )
    facts = (
        said("mAP is mAP50-95 of PyTorch FP32 at {1} px on {2} images of {3}.", recipe.imgsz, guide.images, guide.data),
        trained,
        said(
            "Points lost are against the weights as they were given; by the cut, against the same training of the "
            "whole network. Training takes the minutes in the last column.",
        ),
        said(
            "Times are total latency of FP32, taken turn by turn with the weights as they were given, at effort {1}; "
            "intervals are 95 %, over launches and sessions for times and over images for mAP. FASTER and SLOWER: the "
            "whole interval says so.",
            guide.effort,
        ),
        *OTHERS,
    )
    tables = (_costs(guide), *(_times(guide, name) for name in _backends(guide)))
    return StudyView(
        title=said("How much of {1} can be pruned", recipe.weights),
        finished=guide.finished,
        command=guide.command,
        tables=tables,
        facts=facts,
        answers=_answers(guide),
        charts=(_cost_chart(guide), _time_chart(guide)),
    )


def _epochs(count: int) -> Sentence:
    return counted(count, "1 epoch", "{1} epochs")


def _answers(guide: Guide) -> tuple[Sentence, ...]:
    most = max((row.ratio for row in guide.cuts), default=0.0)
    if not guide.is_alike:
        return (_range(said("Against the weights as they were given"), guide.safe, most),)
    return (
        _range(said("Against the whole network after the same training"), guide.safe_cut, most),
        _range(said("Against the weights as they were given"), guide.safe, most),
    )


def _range(against: Sentence, safe: float | None, most: float) -> Sentence:
    if safe is None:
        return said(
            "{1}: no safe range, no share was tried that is shown to lose less than {2} point of mAP50-95.",
            against,
            f"{SAFE_POINTS:g}",
        )
    point = f"{SAFE_POINTS:g}"
    if most == safe:
        share = _percent(safe)
        return said("{1}: safe, less than {2} point of mAP50-95, up to {3} of the channels.", against, point, share)
    return said(
        "{1}: safe, less than {2} point of mAP50-95, up to {3} of the channels; aggressive beyond, up to {4}.",
        against,
        f"{SAFE_POINTS:g}",
        _percent(safe),
        _percent(most),
    )


def _costs(guide: Guide) -> StudyTable:
    columns = ("pruned", "M params", "GFLOPs", "file MB", "mAP untrained", "mAP", "points lost", "by the cut", "min")
    rows = [_cost_cells(_WHOLE, guide.given, guide.given.accuracy, NOTHING_ALIKE, "–")]
    for row in guide.rows:
        untrained = row.untrained if isinstance(row.untrained, Absent) else row.untrained.accuracy
        rows.append(_cost_cells(_name(row), row.trained, untrained, row.by_cut, f"{row.train_s / 60:.0f}"))
    return StudyTable(said("What a cut costs"), columns, tuple(rows), ())


def _cost_cells(
    name: str, score: ScoredWeights, untrained: Accuracy | Absent, by_cut: AccuracyLoss | Absent, minutes: str
) -> tuple[str, ...]:
    own = _score(score, name)
    return (*own[:4], shown(untrained, lambda it: f"{it.map50_95:.3f}"), *own[4:], shown(by_cut, _loss), minutes)


def _name(row: GuideRow) -> str:
    return _percent(row.ratio) if row.ratio else _ALIKE


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.0f} %"


def _backends(guide: Guide) -> Sequence[str]:
    return [it.backend for it in guide.given_artifacts]


def _of(artifacts: Sequence[TimedArtifact], backend: str) -> TimedArtifact:
    return next(it for it in artifacts if it.backend == backend)


def _times(guide: Guide, backend: str) -> StudyTable:
    rows, reasons = [], []
    every = ((_WHOLE, guide.given_artifacts), *((_name(row), row.times) for row in guide.rows if row.ratio))
    for name, artifacts in every:
        found = _of(artifacts, backend)
        timed = found.timed
        if isinstance(timed, Absent):
            reasons.append((name, timed.reason))
            continue
        rows.append((
            name,
            shown(found.bytes, megabytes),
            f"{timed.p50_ns / 1e6:.2f}",
            "1.00" if name == _WHOLE else _ratio(timed),
            "–" if name == _WHOLE else verdict(timed),
        ))  # fmt: skip
    heading = said("{1} fp32", backend)
    return StudyTable(heading, ("pruned", "MB", "p50 ms", "× the time", "verdict"), tuple(rows), tuple(reasons))


def _cost_chart(guide: Guide) -> Chart:
    rows = guide.cuts
    after = _points_of([(row.ratio, row.trained) for row in rows])
    before = _points_of([(row.ratio, it) for row in rows if not isinstance(it := row.untrained, Absent)])
    alike = next((row.trained for row in guide.rows if not row.ratio), None)
    lines = [ReferenceLine(_map(guide.given), "dot", said("as given"), end="left")]
    if alike is not None:
        lines.append(ReferenceLine(_map(alike), "dash", said("whole, after the same training")))
    return Chart(
        kind="xy",
        title="Accuracy against what is pruned",
        alternative="mAP50-95 by the share of channels that was pruned, before and after training",
        table=_BELOW,
        series=(
            ChartSeries("after training", after, colour="#1f77b4", join="straight", mark="circle", mark_px=9),
            ChartSeries("right after the cut", before, colour="#d62728", join="straight", dash="dot", mark="cross"),
        ),
        x=Axis("pruned channels", "%"),
        y=Axis("mAP50-95", format=".3f", from_zero=True),
        references=tuple(lines),
    )


def _points_of(scores: Sequence[tuple[float, ScoredWeights]]) -> tuple[tuple[float, float], ...]:
    return tuple((100 * ratio, _map(score)) for ratio, score in scores if not isinstance(score.accuracy, Absent))


def _map(score: ScoredWeights) -> float:
    return 0.0 if isinstance(score.accuracy, Absent) else score.accuracy.map50_95


def _time_chart(guide: Guide) -> Chart:
    return Chart(
        kind="xy",
        title="Time against what is pruned",
        alternative="Total latency of each runtime by the share of channels that was pruned, as a share of the whole "
        "network's",
        table=_BELOW,
        series=tuple(_time_series(guide, backend) for backend in _backends(guide)),
        x=Axis("pruned channels", "%", from_zero=True),
        y=Axis("× the time of the whole network", from_zero=True, format=".2f"),
        references=(ReferenceLine(1.0, "dot", said("as long as the whole network")),),
    )


def _time_series(guide: Guide, backend: str) -> ChartSeries:
    known = [(row.ratio, timed) for row in guide.cuts if isinstance(timed := _of(row.times, backend).timed, Timed)]
    return ChartSeries(
        backend,
        tuple((100 * ratio, timed.ratio) for ratio, timed in known),
        colour=BACKENDS[backend].colour,
        join="straight",
        mark="circle",
        mark_px=8,
        y_intervals=tuple(timed.ratio_ci95 for _, timed in known),
    )
