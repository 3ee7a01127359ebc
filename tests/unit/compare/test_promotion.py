"""Promoting a run changes what it measured, says so, and loses nothing else that was accepted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.compare.baselines import load
from benchsuite.compare.entries import SESSIONS_KEPT, entry_of
from benchsuite.compare.findings import Finding
from benchsuite.compare.promotion import promote
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.errors import UsageError
from benchsuite.testing import (
    make_accuracy,
    make_case,
    make_latency,
    make_machine,
    make_metrics,
    make_noise,
    make_ran,
    make_record,
    make_run,
    make_together,
)
from tests.unit.compare.conftest import CALLED, INT8, KEY, ONNX, accepted_at, folder_at, run_of


def test_sessions_add_up_to_twenty(tmp_path: Path) -> None:
    """Each promoted run adds its median; after twenty the oldest goes, and promoting twice counts once."""
    for number in range(1, SESSIONS_KEPT + 3):
        promote(run_of([make_record(total_ms=40 + number)], number), tmp_path)
    promote(run_of([make_record(total_ms=99)], SESSIONS_KEPT + 2), tmp_path)
    timing = accepted_at(tmp_path).models["yolo26n"].entries[KEY].timing
    assert [it.total_p50_ms for it in timing] == [*(40 + number for number in range(3, SESSIONS_KEPT + 2)), 99]


def test_deterministic_figures_are_replaced(tmp_path: Path) -> None:
    """The newest promotion decides accuracy, while timings add up."""
    promote(run_of([make_record(map50_95=0.6)], 1), tmp_path)
    promote(run_of([make_record(map50_95=0.7)], 2), tmp_path)
    entry = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    assert not isinstance(entry.accuracy, Absent)
    assert entry.accuracy.map50_95 == 0.7
    assert len(entry.timing) == 2


def test_what_was_not_measured_stays_as_accepted(tmp_path: Path) -> None:
    """A run without accuracy and proof leaves the accepted ones standing."""
    promote(run_of([make_record()], 1), tmp_path)
    second = make_record()
    second = replace(
        second,
        metrics=replace(second.metrics, accuracy=NOT_SELECTED, parity=NOT_SELECTED),
        validity=replace(second.validity, ran=NOT_SELECTED),
    )
    promote(run_of([second], 2), tmp_path)
    entry = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    assert not isinstance(entry.accuracy, Absent)
    assert not isinstance(entry.parity, Absent)
    assert entry.kernels == {"Conv": 64, "MaxPool": 3}


def _without(record: Record, why: Absent) -> Record:
    metrics = replace(record.metrics, accuracy=why, parity=why, complexity=why, latency=why)
    return replace(record, metrics=metrics, validity=replace(record.validity, ran=why))


def test_what_a_run_could_not_measure_stays_as_accepted_and_says_so(tmp_path: Path) -> None:
    """Labels that are missing for once take no accuracy from the baseline, nor does a proof that failed its kernels."""
    promote(run_of([make_record()], 1), tmp_path)
    before = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    said: list[str] = []
    lacking = _without(make_record(), Absent("labels are missing"))
    lacking = replace(lacking, artifact=Absent("it lies elsewhere"))
    lacking = replace(lacking, validity=replace(lacking.validity, policy={"threads": "2", "spin": "false"}))
    here = make_machine(cpu="Other CPU")
    promote(run_of([lacking], 2, machine=here), tmp_path, make_machine().slug, said.append)
    entry = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    # Kernels stay with the machine and runtime that they were counted on, sessions with their policy.
    assert replace(entry, run=before.run, machine=None) == before
    assert entry.machine == make_machine()
    assert f"kept mAP50-95 of {CALLED}: labels are missing" in said
    assert f"kept kernel counts of {CALLED}: labels are missing" in said


def test_case_that_was_only_built_leaves_what_was_measured(tmp_path: Path) -> None:
    """A machine without a GPU builds an engine and takes no figure from the baseline of those that run it."""
    promote(run_of([make_record()], 1), tmp_path)
    before = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    said: list[str] = []
    promote(run_of([make_record(outcome="built", reason="no GPU")], 2), tmp_path, say=said.append)
    assert accepted_at(tmp_path).models["yolo26n"].entries[KEY] == before
    assert said == [f"kept {CALLED} as it was measured: 20260131-120002 only built it"]


def test_case_that_cannot_run_on_so_many_threads_stays_at_others(tmp_path: Path) -> None:
    """Skipped at four threads says nothing of what was accepted at one."""
    single, four = replace(ONNX, threads=1), replace(ONNX, threads=4)
    promote(run_of([make_record(single)], 1), tmp_path)
    promote(run_of([make_record(four, "skipped", "it needs 8 cores"), make_record(INT8)], 2), tmp_path)
    assert {entry.case.threads for entry in accepted_at(tmp_path).entries(ONNX.id)} == {1}


def test_runs_that_share_a_name_are_sessions_of_their_own(tmp_path: Path) -> None:
    """Four machines of CI each write their run into `reports/run`; promoting one of them twice counts once."""
    for number in (0, 1, 2, 3, 3):
        promote(make_run([make_record(total_ms=40 + number)], folder=Path(f"host{number}/run")), tmp_path)
    timing = accepted_at(tmp_path).models["yolo26n"].entries[KEY].timing
    assert [it.total_p50_ms for it in timing] == [40, 41, 42, 43]
    for cpu in ("A", "B"):
        machine = make_machine(cpu=cpu)
        record = make_record(environment=machine.fingerprint)
        promote(make_run([record], machine=machine), tmp_path, "ci")
    assert len(load(tmp_path / "ci").models["yolo26n"].entries[KEY].timing) == 2


def test_entries_name_their_machine_where_it_is_not_that_of_the_file(tmp_path: Path) -> None:
    """What one machine promotes keeps its name when another adds cases, and loses it once measured again there."""
    one, other = make_machine(), make_machine(cpu="Other CPU")
    promote(run_of([make_record(ONNX)], 1, machine=one), tmp_path, "ci")
    assert '"machine"' not in json.dumps(json.loads((tmp_path / "ci" / "yolo26n.json").read_text())["entries"])
    promote(run_of([make_record(INT8)], 2, machine=other), tmp_path, "ci")
    model = load(tmp_path / "ci").models["yolo26n"]
    assert {key: model.machine_of(entry).cpu for key, entry in model.entries.items()} == {
        KEY: "Example CPU 9000",
        f"{INT8.id} one2many t2": "Other CPU",
    }
    promote(run_of([make_record(ONNX)], 3, machine=other), tmp_path, "ci")
    assert all(entry.machine is None for entry in load(tmp_path / "ci").models["yolo26n"].entries.values())


def test_file_of_which_nothing_was_promoted_is_left_alone(tmp_path: Path) -> None:
    """A model that the run does not have keeps its file as it is, and is not among those written."""
    promote(run_of([make_record(ONNX), make_record(make_case(model="yolo11n"))], 1), tmp_path)
    other = folder_at(tmp_path) / "yolo11n.json"
    other.write_text(other.read_text() + "\n")
    before = other.read_text()
    paths = promote(run_of([make_record(ONNX)], 2, notes=()), tmp_path)
    assert [path.name for path in paths] == ["yolo26n.json"]
    assert other.read_text() == before


def test_cases_that_a_run_did_not_select_stay(tmp_path: Path) -> None:
    """Promoting one case does not touch the others, nor other models' files."""
    promote(run_of([make_record(ONNX), make_record(INT8), make_record(make_case(model="yolo11n"))], 1), tmp_path)
    other = (folder_at(tmp_path) / "yolo11n.json").read_text()
    promote(run_of([make_record(INT8)], 2), tmp_path)
    assert len(accepted_at(tmp_path).models["yolo26n"].entries) == 2
    assert (folder_at(tmp_path) / "yolo11n.json").read_text() == other


def test_selected_case_that_cannot_run_any_more_goes(tmp_path: Path) -> None:
    """Promoting accepts that a selected case is skipped now; a model without entries loses its file."""
    lonely = make_case(model="yolo11n")
    promote(run_of([make_record(ONNX), make_record(INT8), make_record(lonely)], 1), tmp_path)
    promote(run_of([make_record(ONNX), make_record(INT8, "skipped"), make_record(lonely, "skipped")], 2), tmp_path)
    baseline = accepted_at(tmp_path)
    assert set(baseline.models) == {"yolo26n"}
    assert set(baseline.models["yolo26n"].entries) == {KEY}


def test_promotion_says_what_it_adds_changes_and_removes(tmp_path: Path) -> None:
    """Nothing goes from a baseline without a line that says why, and what stays as it was gets none."""
    said: list[str] = []
    promote(run_of([make_record(ONNX), make_record(INT8)], 1), tmp_path, say=said.append)
    assert said == [f"added {ONNX.id} (2 threads)", f"added {INT8.id} (2 threads)"]
    said.clear()
    second = [make_record(ONNX), make_record(INT8, "skipped", "it needs AVX-512")]
    promote(run_of(second, 2), tmp_path, say=said.append)
    assert said == [f"changed {ONNX.id} (2 threads)", f"removed {INT8.id} (2 threads): it needs AVX-512"]
    said.clear()
    promote(run_of(second, 2), tmp_path, say=said.append)
    assert said == []


def test_run_that_broke_its_own_limits_is_refused(tmp_path: Path) -> None:
    """Its cases are named once each; worse than the baseline, or with an expired waiver, a run may be right."""
    findings = [Finding(ONNX.id, it, "OVER_LIMIT", "", "", "", "", fails=True) for it in ("latency", "memory")]
    sentence = rf"1 of its cases broke the limits of the run \({ONNX.id}\); mend them, or give --over-limits"
    with pytest.raises(UsageError, match=sentence):
        promote(run_of([make_record(ONNX)]), tmp_path, findings=findings)
    assert not list(tmp_path.iterdir())
    others = [replace(findings[0], verdict="REGRESSED"), replace(findings[0], metric="waiver")]
    assert promote(run_of([make_record(ONNX)]), tmp_path, findings=others)


def test_run_under_contention_is_refused(tmp_path: Path) -> None:
    """Times that were taken beside other programs are no baseline, unless somebody says so."""
    latency = make_latency(together=make_together(noise=make_noise(contention=True)))
    run = run_of([make_record(metrics=make_metrics(latency=latency))])
    with pytest.raises(UsageError, match="other programs took the cores while it was timed; stop them and measure"):
        promote(run, tmp_path)
    assert not list(tmp_path.iterdir())
    assert promote(run, tmp_path, under_contention=True)


def test_promotion_of_a_network_that_finds_nothing_says_so(tmp_path: Path) -> None:
    """Its speed may be gated; nobody shall think that an accuracy was accepted."""
    record = make_record()
    record = replace(record, metrics=replace(record.metrics, accuracy=make_accuracy(0.0, map50=0.0)))
    lines: list[str] = []
    assert promote(make_run([record]), tmp_path, say=lines.append)
    assert lines[-1].startswith(f"{record.case.id}: it finds next to nothing of what is labelled")


def test_run_that_lost_a_record_leaves_the_baseline_as_it_was(tmp_path: Path) -> None:
    """A finished run whose last line was cut is refused, and the file of the case that it lacks stays."""
    promote(run_of([make_record(ONNX)], 1), tmp_path)
    before = {path: path.read_text() for path in folder_at(tmp_path).iterdir()}
    with pytest.raises(UsageError, match="no record of 1 of its 1 cases"):
        promote(run_of([], 2, selected_ids=(ONNX.id,)), tmp_path)
    assert {path: path.read_text() for path in folder_at(tmp_path).iterdir()} == before


@pytest.mark.parametrize(
    ("made", "changes", "message"),
    [
        ([make_record(), make_record(INT8, "failed")], {}, "1 of its cases failed .*int8"),
        ([], {}, "no case of it was measured"),
        ([make_record(outcome="skipped")], {}, "no case of it was measured"),
        ([make_record()], {"state": "interrupted"}, "the run is interrupted, with 1 of 1 cases recorded; finish it"),
        ([make_record()], {"state": "running"}, "the run is running"),
        (
            [make_record()],
            {"selected_ids": (ONNX.id, INT8.id)},
            "it is called finished and has no record of 1 of its 2 cases .*int8.*a line of records.jsonl was lost",
        ),
    ],
)
def test_unfit_run_is_refused(tmp_path: Path, made: list[Record], changes: dict[str, object], message: str) -> None:
    """A failed, empty or unfinished run is refused before anything is written."""
    with pytest.raises(UsageError, match=message):
        promote(run_of(made, **changes), tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_runtime_or_policy_starts_a_new_series() -> None:
    """The set-up of a timing changes with artifact, runtime and policy, and with nothing else."""
    record = make_record()
    setups = {
        name: entry_of(changed, "run").timing[0].setup
        for name, changed in {
            "same": make_record(total_ms=50, map50_95=0.1),
            "runtime": replace(record, validity=replace(record.validity, ran=make_ran(runtime="onnx 2.0"))),
            "policy": replace(record, validity=replace(record.validity, policy={"spin": "false"})),
        }.items()
    }
    base = entry_of(record, "other run").timing[0].setup
    assert setups["same"] == base
    assert len({base, setups["runtime"], setups["policy"]}) == 3
