"""A history lays runs along time, finds where a figure moved, and says what else changed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchsuite.commands.app import app
from benchsuite.detect.accuracy import Accuracy
from benchsuite.report.history import make_history, read_history
from benchsuite.report.history_page import history_page, sparkline
from benchsuite.runs.folder import Run
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import make_accuracy, make_case, make_machine, make_metrics, make_record, make_run, write_run

EVIL = "<script>alert('x')</script>"
NEWER = {**make_machine().packages, "onnxruntime": "1.33.0"}


def runs(times_ms: Sequence[float], upgraded_at: int = 99, **machine: object) -> list[Run]:
    """Build a run a day whose one case takes these times, on a machine that was upgraded at some place."""
    made = []
    for day, time_ms in enumerate(times_ms):
        packages = NEWER if day >= upgraded_at else make_machine().packages
        here = make_machine(packages=packages, **machine)
        record = replace(make_record(total_ms=time_ms), environment=here.fingerprint)
        started = f"2026-03-{day + 1:02}T12:00:00+00:00"
        made.append(make_run([record], machine=here, started=started, folder=Path(f"reports/2026030{day}-120000")))
    return made


def test_a_slower_level_names_its_run_and_what_changed_there() -> None:
    """The first run of the new level, both medians, whether that is worse, and the upgrade beside it."""
    history = make_history(runs([40, 40.1, 39.9, 40, 44, 44.1, 44], upgraded_at=4)[::-1])
    change = next(it for it in history.changes if it.figure.key == "latency")
    assert history.names[change.run] == "20260304-120000"
    assert (change.old, change.new, change.better, change.runs) == (40.0, 44.0, False, (4, 3))
    assert change.beside == ("onnxruntime: 1.32.0 -> 1.33.0",)
    assert {(it.figure.key, it.better) for it in history.changes} == {
        ("latency", False),
        ("p95", False),
        ("throughput", False),
    }


@pytest.mark.parametrize(("upgraded_at", "near"), [(1, False), (2, True), (4, True), (6, True), (7, False)])
def test_what_changed_up_to_two_runs_off_is_named(upgraded_at: int, near: bool) -> None:
    """Noise may move the place of a change, so an upgrade near it counts, and one further off does not."""
    history = make_history(runs([40, 40.1, 39.9, 40, 44, 44.1, 44, 43.9, 44], upgraded_at=upgraded_at))
    assert {it.run for it in history.changes} == {4}
    assert history.changes[0].beside == (("onnxruntime: 1.32.0 -> 1.33.0",) if near else ())


def test_an_accuracy_that_fell_to_nothing_is_a_change() -> None:
    """An mAP of 0 is a figure like others, and so is its way back."""
    made = [replace(run, records=(make_record(map50_95=0.65 if day in (0, 1, 2, 6, 7, 8) else 0.0),))
            for day, run in enumerate(runs([40] * 9))]  # fmt: skip
    history = make_history(made)
    assert [(it.figure.key, it.old, it.new, it.better) for it in history.changes] == [
        ("map50_95", 0.0, 0.65, True), ("map50_95", 0.65, 0.0, False),
    ]  # fmt: skip
    page = history_page(history)
    assert "−65.00 points" in page
    assert "+65.00 points" in page


def _with_accuracy(made: Sequence[Run], accuracies: Sequence[Accuracy | Absent]) -> list[Run]:
    return [
        replace(run, records=tuple(replace(it, metrics=replace(it.metrics, accuracy=accuracy)) for it in run.records))
        for run, accuracy in zip(made, accuracies, strict=True)
    ]


NOTHING = make_accuracy(0.0, map50=0.0)


def test_a_speed_that_counts_for_nothing_is_no_improvement() -> None:
    """A network that finds nothing is fast, and the way back from it is no loss; slower while void is worse."""
    broke = _with_accuracy(runs([40] * 4 + [10] * 4), [make_accuracy()] * 4 + [NOTHING] * 4)
    mended = _with_accuracy(runs([10] * 4 + [40] * 4), [NOTHING] * 4 + [make_accuracy()] * 4)
    for made in (broke, mended):
        latency = next(it for it in make_history(made).changes if it.figure.key == "latency")
        assert isinstance(latency.better, Absent)
        assert latency.better.reason.startswith("void: it finds next to nothing")
    page = history_page(make_history(broke))
    assert "not ranked" in page
    assert page.count("✓</span> better") == 0
    unknown = _with_accuracy(runs([40] * 4 + [50] * 4), [Absent("no labels")] * 8)
    assert [it.better for it in make_history(unknown).changes] == [False] * 3


def test_a_speed_is_void_by_the_reference_of_its_own_run() -> None:
    """An older record without a loss is held against the reference that was measured beside it."""
    torch = replace(make_record(make_case(backend="torch")), metrics=replace(make_metrics(), accuracy=NOTHING))
    made = []
    for number, run in enumerate(runs([40] * 4 + [10] * 4)):
        older = replace(run.records[0], metrics=replace(run.records[0].metrics, loss=Absent("an older release")))
        made.append(replace(run, records=(older, torch) if number >= 4 else (older,)))
    latency = next(it for it in make_history(made).changes if it.figure.key == "latency")
    assert isinstance(latency.better, Absent)


@pytest.mark.parametrize("other", [{"data_sha256": "ee" * 32}, {"images": 8}, {"settings": {"conf": 0.1}}])
def test_accuracy_on_other_data_is_neither_better_nor_worse(other: dict[str, Any]) -> None:
    """Two sets of images, or two ways to score them, are two questions."""
    made = _with_accuracy(runs([40] * 8), [make_accuracy(0.65)] * 4 + [make_accuracy(0.75, **other)] * 4)
    (change,) = make_history(made).changes
    assert (change.figure.key, change.old, change.new) == ("map50_95", 0.65, 0.75)
    assert isinstance(change.better, Absent)
    assert change.better.reason.startswith("Evaluated ")


def test_machines_and_thread_counts_have_courses_of_their_own() -> None:
    """A run on another machine, or with other threads, is no change of the case."""
    slow = runs([80] * 4, cpu="Slow CPU 1")
    single = [
        replace(run, records=tuple(replace(it, case=replace(it.case, threads=1)) for it in run.records))
        for run in runs([70] * 4)
    ]
    history = make_history([*runs([40] * 4), *slow, *single])
    assert [(one.machine, one.threads) for one in history.series] == [
        ("Example CPU 9000", 2), ("Slow CPU 1", 2), ("Example CPU 9000", 1),
    ]  # fmt: skip
    assert history.changes == ()


def test_machines_of_one_processor_are_told_apart() -> None:
    """Two machines may differ by their governor alone, which no row would show."""
    history = make_history([*runs([40] * 4), *runs([80] * 4, governor="powersave")])
    prints = [make_machine(governor=it).fingerprint[:8] for it in ("performance", "powersave")]
    assert [one.machine for one in history.series] == [f"Example CPU 9000 ({it})" for it in prints]


def test_runs_below_a_folder_are_read_and_the_others_named(tmp_path: Path) -> None:
    """Folders may be nested and hold a link to the latest run; what cannot be read is left out with its reason."""
    folders = [write_run(tmp_path / "laptop", run) for run in runs([40, 41])]
    (tmp_path / "laptop" / "latest").symlink_to(folders[-1].name)
    broken = write_run(tmp_path / "server", runs([40])[0])
    (broken / "run.json").write_text("{")
    history = read_history(tmp_path)
    assert len(history.runs) == 2
    assert len(history.left_out) == 1
    assert str(broken) in history.left_out[0]
    assert str(broken) in history_page(history)


def test_a_copy_counts_once_and_names_tell_runs_apart(tmp_path: Path) -> None:
    """A copied `latest` is left out; runs in folders of one name are told apart by the folders above."""
    made = runs([40, 41, 42])
    folders = [replace(run, folder=Path(f"ci/build-{place}/latest")) for place, run in enumerate(made)]
    copy = replace(made[2], folder=Path("ci/newest"))
    history = make_history([*folders, copy])
    assert history.names == ("build-0/latest", "build-1/latest", "build-2/latest")
    assert history.left_out == ("ci/newest: it is a copy of a run that is shown",)


def test_what_a_failed_case_left_is_no_level() -> None:
    """Figures of a case that failed are not taken for an improvement."""
    made = runs([40] * 4 + [20] * 4)
    made[4:] = [
        replace(run, records=tuple(replace(it, outcome="failed", reason="it ran bf16") for it in run.records))
        for run in made[4:]
    ]
    history = make_history(made)
    assert history.changes == ()
    assert len(history.series[0].courses["latency"].points) == 4


def test_a_history_without_figures_is_a_page(tmp_path: Path) -> None:
    """Runs that measured nothing are listed, and there is no chart to draw."""
    page = history_page(make_history([make_run([]), make_run([make_record(outcome="failed")])]))
    assert "No change of level" in page
    assert 'id="series"' not in page


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    """The sentence names the folder, and why nothing in it could be read."""
    with pytest.raises(UsageError, match="no run lies below it"):
        read_history(tmp_path)
    (write_run(tmp_path, runs([40])[0]) / "run.json").write_text("{")
    with pytest.raises(UsageError, match=r"no run below it could be read, as cannot read"):
        read_history(tmp_path)


def test_page_shows_changes_first_and_names_as_text() -> None:
    """The heading counts the changes; each row has its figures; markup in names stays text."""
    evil = [
        replace(run, records=tuple(replace(it, case=replace(it.case, model=EVIL)) for it in run.records))
        for run in runs([40] * 4 + [44] * 4)
    ]
    page = history_page(make_history(evil))
    assert "3 changes of level" in page
    assert EVIL not in page
    assert "+10.0 %" in page
    assert "No change of level" in history_page(make_history(runs([40] * 8)))


def test_sparkline_spans_its_box() -> None:
    """The smallest value lies at the foot, the largest at the top, the last at the right edge."""
    assert sparkline([1, 3, 2]) == "0.0,22.0 60.0,2.0 120.0,12.0"
    assert sparkline([5.0]) == "0.0,22.0"


def test_command_writes_the_page(tmp_path: Path) -> None:
    """It lies in the folder unless a name is given; runs beside the folder are refused."""
    for run in runs([40, 41]):
        write_run(tmp_path, run)
    done = CliRunner().invoke(app, ["report", "--history", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "No change of level" in (tmp_path / "history.html").read_text()
    done = CliRunner().invoke(
        app, ["report", "--history", str(tmp_path), "--lang", "zh", "-o", str(tmp_path / "zh.html")]
    )
    assert "水平没有变化" in (tmp_path / "zh.html").read_text()
    done = CliRunner().invoke(app, ["report", "x", "--history", str(tmp_path)])
    assert isinstance(done.exception, UsageError)
    assert isinstance(CliRunner().invoke(app, ["report"]).exception, UsageError)


def test_what_made_the_artifact_is_named_beside_a_change() -> None:
    """Another scheme, other weights, data and effort are what may have moved a figure."""
    made = runs([40] * 4 + [50] * 4)
    for place in range(4, 8):
        record = made[place].records[0]
        assert not isinstance(record.artifact, Absent)
        assert not isinstance(record.metrics.accuracy, Absent)
        recipe = replace(record.artifact.recipe, scheme="qdq-u8s8", weights_sha256="ef" * 32)
        changed = replace(
            record,
            artifact=replace(record.artifact, recipe=recipe),
            metrics=replace(record.metrics, accuracy=replace(record.metrics.accuracy, data_sha256="ab" * 32)),
            effort="quick",
        )
        made[place] = replace(made[place], records=(changed,))
    history = make_history(made)
    change = history.changes[0]
    assert change.beside == (
        "weights of yolo26n: abababababab -> efefefefefef",
        "evaluation data: dadadadadada -> abababababab",
        "INT8 scheme of onnx: none -> qdq-u8s8",
        "effort: standard -> quick",
    )
    assert make_case().id == history.series[change.series].case_id
