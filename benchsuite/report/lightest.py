"""The search for the lightest artifact as a page: the answer, what it was held against, and what each step gained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from benchsuite.backends import BACKENDS
from benchsuite.optimize.candidates import CandidateTime, Lightest, Scored
from benchsuite.report.chart import Axis, Chart, ChartSeries, ReferenceLine
from benchsuite.report.palette import MARKS
from benchsuite.report.pareto import pareto_front
from benchsuite.report.study import StudyTable, StudyView
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.cases import Case
from benchsuite.terms.quantities import NS_PER_MS, megabytes, milliseconds, signed
from benchsuite.terms.said import Sentence, joined, said

_BELOW = Absent("the table below has its figures")
_COLUMNS = ("", "MB", "p50 ms", "× the time", "mAP", "points lost")


def lightest_view(found: Lightest, made_by: Sequence[str]) -> StudyView:
    """Arrange what a search found; `made_by` are the commands that make the answer again."""
    original = _name(found.scored_as(found.original))
    facts = [
        said(
            "Accuracy is mAP50-95 on {1} images of {2}; what may be lost against {3}, with the whole 95 % interval "
            "over images, is {4}.",
            found.images, found.data, original,
            said("1 point") if found.max_map_drop == 1 else said("{1} points", f"{found.max_map_drop:g}"),
        ),
        said(
            "Times are total latency (preprocess, inference, postprocess), taken turn by turn at effort {1}: each is "
            "told by its ratio to {2}, which took turns each time. Intervals are 95 %, over launches and sessions.",
            found.effort, original,
        ),
        *(said("The machine while it timed {1}: {2}.", it.title, it.noise) for it in found.rounds if it.noise),
        *(said("Left out: {1}.", sentence) for sentence in found.left_out),
    ]  # fmt: skip
    timed = [it for it in found.scored if not isinstance(found.time_of(it.name), Absent)]
    return StudyView(
        title=said("The lightest {1} that keeps its accuracy here", found.weights),
        finished=found.finished,
        command=found.command,
        tables=(_table(found),),
        facts=tuple(facts),
        answers=_answers(found, made_by),
        charts=(_pareto(found, timed), _waterfall(found)) if found.answer else (),
    )


def _name(scored: Scored) -> str:
    """Return what tells a candidate from the others: `onnx int8, 640 px`, and what was pruned."""
    pruned = f", {100 * scored.ratio:.0f} % pruned" if scored.ratio else ""
    return f"{scored.case.row_name}, {scored.case.imgsz} px{pruned}"


def _answers(found: Lightest, made_by: Sequence[str]) -> tuple[Sentence, ...]:
    limit = found.goal.text.replace("<=", " ≤ ").replace("ms", " ms")
    if not found.answer:
        return (said("Nothing that was tried keeps the accuracy, so there is no answer."),)
    told, answer = found.time_of(found.answer), found.scored_as(found.answer)
    assert not isinstance(told, Absent)
    low, high = told.ratio_ci95
    what = said(
        "{1}: {2} as fast as {3} ({4}–{5}), {6}",
        _name(answer),
        f"{1 / told.ratio:.2f}×",
        _name(found.scored_as(found.original)),
        f"{1 / high:.2f}",
        f"{1 / low:.2f}",
        _loss_words(answer),
    )
    reached = shown(told.percentile_ns, lambda ns: f"{milliseconds(ns)} ms")
    if not limit:
        first = said("The answer is {1}.", what)
    elif found.meets:
        first = said("The goal {1} is met, with {2}: the answer is {3}.", limit, reached, what)
    else:
        first = said("The goal {1} cannot be met here: the nearest, with {2}, is {3}.", limit, reached, what)
    # The last time that it was the fastest of a round, it was held against all that could have won.
    won = next((it for it in reversed(found.rounds) if it.times and it.times[0].name == found.answer), None)
    names = set(won.close) - {found.answer, found.original} if won else set()
    close = [_name(it) for it in found.scored if it.name in names]
    tied = (said("Not told from it by its time: {1}.", joined(", ", close)),) if close else ()
    return (first, *tied, said("Made again by: {1}", joined("; ", made_by)))


def _loss_words(scored: Scored) -> Sentence:
    if isinstance(scored.loss, Absent):
        return scored.loss.reason
    low, high = scored.loss.ci95
    return said("{1} points of mAP50-95 lost ({2} to {3})", signed(scored.loss.points), signed(low), signed(high))


def _table(found: Lightest) -> StudyTable:
    rows, reasons = [], []
    for it in sorted(found.scored, key=lambda one: _ratio(found, one.name)):
        told = found.time_of(it.name)
        name = f"{_name(it)} *" if it.name == found.answer else _name(it)
        rows.append((
            name,
            shown(it.bytes, megabytes),
            shown(told, lambda one: milliseconds(_on_one_scale(found, one))),
            shown(told, lambda one: f"{one.ratio:.2f} ({one.ratio_ci95[0]:.2f}–{one.ratio_ci95[1]:.2f})"),
            shown(it.map50_95, "{:.3f}".format),
            shown(it.loss, lambda one: f"{signed(one.points)} ({signed(one.ci95[0])} to {signed(one.ci95[1])})"),
        ))  # fmt: skip
        if it.reason:
            reasons.append((_name(it), it.reason))
        elif isinstance(told, Absent):
            reasons.append((_name(it), _why_untimed(found, it)))
    heading = said("Every candidate, the fastest first; the answer has a star")
    return StudyTable(heading, _COLUMNS, tuple(rows), tuple(reasons))


def _why_untimed(found: Lightest, scored: Scored) -> Sentence:
    failed = [it.failures[scored.name] for it in found.rounds if scored.name in it.failures]
    if failed:
        return failed[-1]
    if isinstance(scored.loss, Absent):
        return said("not timed: {1}", scored.loss.reason)
    return said("not timed: it is not shown to keep the accuracy")


def _ratio(found: Lightest, name: str) -> float:
    told = found.time_of(name)
    return float("inf") if isinstance(told, Absent) else told.ratio


def _on_one_scale(found: Lightest, told: CandidateTime) -> float:
    """Return a time in ns as it would have been in the first round, where the original was timed first."""
    first = next(it.p50_ns for one in found.rounds for it in one.times if it.name == found.original)
    return told.ratio * first


def _place(found: Lightest, scored: Scored) -> tuple[float, float]:
    told = found.time_of(scored.name)
    assert not isinstance(told, Absent)
    assert not isinstance(scored.map50_95, Absent)
    return _on_one_scale(found, told) / NS_PER_MS, scored.map50_95


def _pareto(found: Lightest, timed: Sequence[Scored]) -> Chart:
    drawn = [it for it in timed if not isinstance(it.map50_95, Absent)]
    places = [_place(found, it) for it in drawn]
    front = pareto_front(places)
    original = found.scored_as(found.original).map50_95
    references: tuple[ReferenceLine, ...] = ()
    if not isinstance(original, Absent):
        under = "{1} point under {2}" if found.max_map_drop == 1 else "{1} points under {2}"
        note = said(under, f"{found.max_map_drop:g}", _name(found.scored_as(found.original)))
        references = (ReferenceLine(original - found.max_map_drop / 100, "dot", note, side="below"),)
    line = ChartSeries(
        "Pareto front", tuple(places[number] for number in front), join="steps", dash="dash", line_px=1.5,
        hover="nothing",
    )  # fmt: skip
    marks = [_mark(found, it, places[number], number in front) for number, it in enumerate(drawn)]
    return Chart(
        kind="xy",
        title="Latency against accuracy",
        alternative="Median total latency against mAP50-95 of every candidate that was timed",
        table=_BELOW,
        series=(line, *marks),
        x=Axis("p50 of total latency", "ms", from_zero=True),
        y=Axis("mAP50-95", format=".3f"),
        references=references,
        about="Up and to the left is better. What loses too much was not timed, and is not drawn.",
    )


def _mark(found: Lightest, scored: Scored, place: tuple[float, float], on_front: bool) -> ChartSeries:
    answer = scored.name == found.answer
    return ChartSeries(
        name=_name(scored),
        points=(place,),
        colour=BACKENDS[scored.case.backend].colour,
        mark=MARKS[scored.case.precision],
        mark_px=15 if answer else 10,
        faint=not (on_front or answer),
        labelled=answer,
        hover="notes",
        notes=(f"{_name(scored)}\n{place[0]:.1f} ms\nmAP50-95 {place[1]:.3f}",),
    )


def _waterfall(found: Lightest) -> Chart:
    """Return what each step from the original to the answer changed, as far as the steps between were timed."""
    steps = [(name, told) for name, told in _steps(found) if not isinstance(told, Absent)]
    points: list[tuple[str, float]] = []
    before = 0.0
    for name, told in steps:
        now = _on_one_scale(found, told) / NS_PER_MS
        points.append((name, now - before if points else now))
        before = now
    points.append((_name(found.scored_as(found.answer)), before))
    return Chart(
        kind="waterfall",
        title="From the weights as given to the answer",
        alternative="What each step changed of the median total latency, in ms",
        table=_BELOW,
        series=(ChartSeries("p50 ms", tuple(points), colour="#0072B2"),),
        x=Axis(scale="names"),
        y=Axis("p50 of total latency", "ms", from_zero=True),
    )


def _steps(found: Lightest) -> Sequence[tuple[str, CandidateTime | Absent]]:
    """Name the candidates between the original and the answer, one thing changed at a time."""
    answer, original = found.scored_as(found.answer).case, found.scored_as(found.original).case
    whole = Case(
        original.model, answer.backend, "fp32", answer.device, original.imgsz, answer.batch, answer.threads, answer.head
    )
    precise = replace(whole, precision=answer.precision)
    scheme = replace(precise, scheme=answer.scheme)
    smaller = replace(scheme, imgsz=answer.imgsz)
    steps = [
        (_name(found.scored_as(found.original)), original),
        ("runtime", whole),
        ("precision", precise),
        ("scheme", scheme),
        ("input size", smaller),
        ("pruning", answer),
    ]
    kept = [steps[0], *(step for before, step in pairwise(steps) if step[1].id != before[1].id)]
    return [(name, found.time_of(case.id)) for name, case in kept]
