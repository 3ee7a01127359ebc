"""A run against its baseline: what is worse fails, what cannot be compared says why, nothing vanishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.compare.baselines import Baseline, load
from benchsuite.compare.comparison import compare, compare_runs
from benchsuite.compare.findings import Finding
from benchsuite.compare.promotion import promote
from benchsuite.machine.facts import Machine
from benchsuite.measure.measurement import Complexity
from benchsuite.runs.figures import Tolerance
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.testing import (
    make_accuracy,
    make_artifact,
    make_case,
    make_machine,
    make_parity,
    make_ran,
    make_record,
    make_run,
)

TOLERANCES: Mapping[str, Tolerance] = {
    "artifact_bytes": Tolerance(1.0, "percent", "names vary in length"),
    "params": Tolerance(0.0, "percent", "counted"),
    "gflops": Tolerance(0.1, "percent", "counted"),
    "kernels": Tolerance(0.0, "count", "same kernels"),
    "map50_95": Tolerance(0.5, "points", "rounding"),
    "map50": Tolerance(1.0, "points", "rounding"),
    "parity": Tolerance(1.0, "points", "threshold"),
}


def _baseline(root: Path, *made: Record, machine: Machine | None = None) -> Baseline:
    run = make_run(made or (make_record(),), machine=machine or make_machine())
    return load(promote(run, root, "here")[0].parent)


def _with(record: Record, **metrics: object) -> Record:
    return replace(record, metrics=replace(record.metrics, **metrics))


def _by_metric(findings: tuple[Finding, ...]) -> dict[str, Finding]:
    assert len({finding.metric for finding in findings}) == len(findings)
    return {finding.metric: finding for finding in findings}


def _compare(root: Path, record: Record, **changes: object) -> dict[str, Finding]:
    return _by_metric(compare(make_run([record], **changes), _baseline(root), TOLERANCES))


def test_unchanged_run_passes(tmp_path: Path) -> None:
    """Equal figures pass on every metric, and the one promoted session is too little for timing."""
    findings = _compare(tmp_path, make_record())
    verdicts = {metric: finding.verdict for metric, finding in findings.items()}
    assert verdicts == {**dict.fromkeys(TOLERANCES, "PASS"), "latency": "INCONCLUSIVE"}
    assert not any(finding.fails for finding in findings.values())


@pytest.mark.parametrize(
    ("metric", "worse", "verdict", "current"),
    [
        ("artifact_bytes", {"artifact": make_artifact(size_bytes=9_890_000)}, "PASS", "9.89 MB (+0.92 %)"),
        ("artifact_bytes", {"artifact": make_artifact(size_bytes=9_900_000)}, "REGRESSED", "9.90 MB (+1.02 %)"),
        ("artifact_bytes", {"artifact": make_artifact(size_bytes=5_000_000)}, "IMPROVED", "5.00 MB (−48.98 %)"),
        ("params", {"complexity": Complexity(2_400_001, 5.48)}, "REGRESSED", "2,400,001 (0.00 %)"),
        ("params", {"complexity": Complexity(2_399_999, 5.48)}, "IMPROVED", "2,399,999 (0.00 %)"),
        ("gflops", {"complexity": Complexity(2_400_000, 5.485)}, "PASS", "5.485 (+0.09 %)"),
        ("gflops", {"complexity": Complexity(2_400_000, 5.49)}, "REGRESSED", "5.49 (+0.18 %)"),
        ("map50_95", {"accuracy": make_accuracy(0.645)}, "PASS", "0.6450 (−0.50 points)"),
        ("map50_95", {"accuracy": make_accuracy(0.6449)}, "REGRESSED", "0.6449 (−0.51 points)"),
        ("map50_95", {"accuracy": make_accuracy(0.7)}, "IMPROVED", "0.7000 (+5.00 points)"),
        ("map50", {"accuracy": make_accuracy(0.65, map50=0.83)}, "REGRESSED", "0.8300 (−2.00 points)"),
        ("parity", {"parity": make_parity(0.98)}, "REGRESSED", "0.9800 (−1.50 points)"),
    ],
)
def test_change_is_judged_by_its_tolerance(
    tmp_path: Path, metric: str, worse: dict[str, object], verdict: str, current: str
) -> None:
    """Up to the tolerance passes, beyond it for the worse fails, beyond it for the better is reported."""
    record = make_record()
    record = replace(record, **worse) if "artifact" in worse else _with(record, **worse)
    finding = _compare(tmp_path, record)[metric]
    assert (finding.verdict, finding.current, finding.fails) == (verdict, current, verdict == "REGRESSED")


def test_changed_kernels_fail_either_way(tmp_path: Path) -> None:
    """A kernel more or fewer is a change to look at; only the kinds that changed are shown."""
    record = make_record()
    ran = make_ran(kernels={"Conv": 63, "MaxPool": 3, "Sigmoid": 1})
    finding = _compare(tmp_path, replace(record, validity=replace(record.validity, ran=ran)))["kernels"]
    assert (finding.verdict, finding.fails) == ("REGRESSED", True)
    assert (finding.baseline, finding.current) == ("Conv 64, Sigmoid 0", "Conv 63, Sigmoid 1")


def test_kernels_of_another_release_are_not_compared(tmp_path: Path) -> None:
    """An upgrade of the runtime may pick other kernels: both counts are shown, and nothing fails by them."""
    record = make_record()
    ran = make_ran(runtime="onnx 2.0", kernels={"Conv": 63, "MaxPool": 3})
    finding = _compare(tmp_path, replace(record, validity=replace(record.validity, ran=ran)))["kernels"]
    assert (finding.verdict, finding.fails) == ("NOT_COMPARABLE", False)
    assert "onnx 1.0 then and by onnx 2.0 now" in finding.sentence


def test_kernels_of_other_processors_are_not_compared(tmp_path: Path) -> None:
    """Another instruction set picks other kernels; size and accuracy are compared all the same."""
    machine = make_machine(isa=("avx2", "amx_int8"))
    record = make_record(map50_95=0.5, environment=machine.fingerprint)
    findings = _by_metric(compare(make_run([record], machine=machine), _baseline(tmp_path), TOLERANCES))
    assert findings["kernels"].verdict == "NOT_COMPARABLE"
    assert findings["latency"].verdict == "NOT_COMPARABLE"
    assert findings["artifact_bytes"].verdict == "PASS"
    assert findings["map50_95"].verdict == "REGRESSED"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data_sha256": "ee" * 32}, "other data: dadadadadada then, eeeeeeeeeeee now"),
        ({"images": 64}, "on 200 images then, on 64 now"),
        ({"settings": {"conf": 0.25}}, "other settings: conf 0.001, iou 0.7, max_det 300 then, conf 0.25 now"),
    ],
)
def test_accuracy_on_other_terms_is_not_compared(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    """Accuracy on other data, fewer images or other settings is no regression and no pass."""
    findings = _compare(tmp_path, _with(make_record(), accuracy=make_accuracy(0.1, **changes)))
    for metric in ("map50_95", "map50"):
        assert findings[metric].verdict == "NOT_COMPARABLE"
        assert reason in findings[metric].sentence
        assert findings[metric].fails is False


def test_any_figure_is_more_than_one_of_nothing(tmp_path: Path) -> None:
    """A growth from 0 has no per cent, and is still one; so is the way back."""
    none = _with(make_record(), complexity=Complexity(2_400_000, 0.0))
    grown = _by_metric(compare(make_run([make_record()]), _baseline(tmp_path / "a", none), TOLERANCES))["gflops"]
    assert (grown.verdict, grown.baseline, grown.current) == ("REGRESSED", "0", "5.48")
    same = _by_metric(compare(make_run([none]), _baseline(tmp_path / "b", none), TOLERANCES))["gflops"]
    assert same.verdict == "PASS"


def test_a_change_of_one_byte_shows_in_its_digits() -> None:
    """Two sizes that differ never look the same."""
    old, new = make_record(), make_record()
    new = replace(new, artifact=make_artifact(new.case, 9_800_001))
    (finding,) = (it for it in compare_runs(make_run([old]), make_run([new])) if it.metric == "artifact_bytes")
    assert (finding.verdict, finding.baseline) == ("REGRESSED", "9,800,000 bytes")
    assert finding.current.startswith("9,800,001 bytes (")


def test_kernels_are_held_against_the_machine_that_counted_them(tmp_path: Path) -> None:
    """Promoting another case on another processor must not claim that processor for what was not measured again."""
    first, other = make_record(), make_record(make_case(backend="openvino"))
    elsewhere = make_machine(cpu="Other CPU")
    promote(make_run([first]), tmp_path, "ci")
    promote(make_run([other], folder=Path("reports/20260201-120000"), machine=elsewhere), tmp_path, "ci")
    baseline = load(tmp_path / "ci")
    changed = replace(first, validity=replace(first.validity, ran=make_ran(kernels={"Conv": 60})))
    for machine, verdict in ((elsewhere, "NOT_COMPARABLE"), (make_machine(), "REGRESSED")):
        kernels = _by_metric(compare(make_run([changed], machine=machine), baseline, TOLERANCES))["kernels"]
        assert kernels.verdict == verdict
        assert kernels.environment == (() if verdict == "REGRESSED" else ("cpu: Example CPU 9000 -> Other CPU",))


def test_parity_with_another_reference_is_not_compared(tmp_path: Path) -> None:
    """Agreement with something else than before says nothing."""
    finding = _compare(tmp_path, _with(make_record(), parity=make_parity(0.1, reference="onnx fp32")))["parity"]
    assert finding.verdict == "NOT_COMPARABLE"
    assert "torch fp32 on 200 images then, with onnx fp32" in finding.sentence


def test_metric_that_was_lost_fails(tmp_path: Path) -> None:
    """Accuracy that was asked for and is not there is red; accuracy that nobody asked for is no finding."""
    lost = _compare(tmp_path / "a", _with(make_record(), accuracy=Absent("the evaluation crashed")))
    assert (lost["map50_95"].verdict, lost["map50_95"].fails) == ("MISSING", True)
    assert lost["map50_95"].sentence == "the evaluation crashed"
    assert (lost["map50_95"].accept, bool(lost["parity"].accept)) == ("", True)
    silent = _compare(tmp_path / "b", _with(make_record(), accuracy=NOT_SELECTED, complexity=NOT_SELECTED))
    assert not {"map50_95", "map50", "params", "gflops"} & set(silent)


@pytest.mark.parametrize(
    ("made", "current", "why"),
    [
        ([], "no record", "the run ended before it"),
        ([make_record(outcome="failed", reason="worker died")], "failed", "worker died"),
        ([make_record(outcome="skipped", reason="onnxruntime is not installed")], "skipped", "not installed"),
        ([make_record(outcome="built", reason="no GPU")], "built", "built the case and did not measure it: no GPU"),
    ],
)
def test_case_that_the_run_lacks_is_red(tmp_path: Path, made: list[Record], current: str, why: str) -> None:
    """A selected case that the baseline has and the run lacks fails; promoting one that only built it is no way out."""
    run = make_run(made, selected_ids=(make_case().id,))
    (finding,) = compare(run, _baseline(tmp_path), TOLERANCES)
    assert (finding.metric, finding.verdict, finding.fails) == ("case", "MISSING", True)
    assert finding.current == current
    assert why in finding.sentence
    assert bool(finding.accept) is (current != "built")
    assert "--case yolo26n-onnx-fp32-cpu-640-b1" in finding.rerun


def test_case_that_was_not_selected_is_not_missed(tmp_path: Path) -> None:
    """A run of one case says nothing about the baseline's other cases."""
    baseline = _baseline(tmp_path, make_record(), make_record(make_case(backend="ncnn")))
    findings = compare(make_run([make_record()]), baseline, TOLERANCES)
    assert {finding.case_id for finding in findings} == {make_case().id}


def test_case_that_the_baseline_lacks_is_said(tmp_path: Path) -> None:
    """A new case is not comparable and does not fail; one that cannot run here is not worth a word."""
    new, skipped = make_case(backend="ncnn"), make_case(backend="trt")
    run = make_run([make_record(new), make_record(skipped, "skipped")])
    (finding,) = compare(run, _baseline(tmp_path), TOLERANCES)
    assert (finding.case_id, finding.verdict, finding.fails) == (new.id, "NOT_COMPARABLE", False)


def test_other_threads_or_head_are_never_paired(tmp_path: Path) -> None:
    """The same id on other threads is told as such, not compared and not missed."""
    (finding,) = compare(make_run([make_record(make_case(threads=1))]), _baseline(tmp_path), TOLERANCES)
    assert finding.verdict == "NOT_COMPARABLE"
    assert "head one2many and 2 threads, this run with head one2many and 1 thread" in finding.sentence


def test_faster_and_wrong_is_not_improved(tmp_path: Path) -> None:
    """A case that lost its accuracy is void, however fast."""
    for number in range(5):
        run = make_run([make_record(total_ms=40 + number / 10)], folder=Path(f"reports/2026013{number}-120000"))
        promote(run, tmp_path, "here")
    baseline = load(tmp_path / "here")
    right = _by_metric(compare(make_run([make_record(total_ms=20)]), baseline, TOLERANCES))
    wrong = _by_metric(compare(make_run([make_record(total_ms=20, map50_95=0.1)]), baseline, TOLERANCES))
    assert right["latency"].verdict == "IMPROVED"
    assert wrong["latency"].verdict == "INCONCLUSIVE"
    assert wrong["latency"].sentence == "Faster, and void: mAP50-95, mAP50 failed."


def test_faster_and_blind_is_not_improved_where_no_accuracy_was_accepted(tmp_path: Path) -> None:
    """What finds nothing is void by itself; an accuracy that nobody measured leaves the speed to be judged."""
    for number in range(5):
        record = _with(make_record(total_ms=40 + number / 10), accuracy=NOT_SELECTED, parity=NOT_SELECTED)
        promote(make_run([record], folder=Path(f"reports/2026013{number}-120000")), tmp_path, "here")
    baseline = load(tmp_path / "here")
    for accuracy, verdict in ((NOT_SELECTED, "IMPROVED"), (make_accuracy(0.0, map50=0.0), "INCONCLUSIVE")):
        fast = _with(make_record(total_ms=20), accuracy=accuracy)
        latency = _by_metric(compare(make_run([fast]), baseline, TOLERANCES))["latency"]
        assert latency.verdict == verdict
    assert latency.sentence.startswith("Faster, and void: it finds next to nothing")


def test_finding_carries_what_changed_and_what_to_type(tmp_path: Path) -> None:
    """Each finding lists the changes of the environment, the line that reruns it and the line that accepts it."""
    machine = make_machine(packages={"onnxruntime": "1.33.0"}, kernel="6.2.0")
    run = make_run(
        [make_record(map50_95=0.5)],
        machine=machine,
        options={"data": "my data.yaml", "machine": "ci", "model": "a/YOLO26n.pt"},
    )
    finding = _by_metric(compare(run, _baseline(tmp_path), TOLERANCES))["map50_95"]
    assert "onnxruntime: 1.32.0 -> 1.33.0" in finding.environment
    assert "kernel: 6.1.0 -> 6.2.0" in finding.environment
    assert finding.accept == "benchsuite promote reports/20260131-120000 --machine ci"
    assert finding.rerun == (
        "pytest bench/ --case yolo26n-onnx-fp32-cpu-640-b1 --model a/YOLO26n.pt --threads 2 --effort standard "
        "--data 'my data.yaml' --machine ci"
    )


def _pair(before: list[Record], after: list[Record], **changes: object) -> tuple[Run, Run]:
    return make_run(before), make_run(after, folder=Path("reports/20260201-120000"), **changes)


def test_two_runs_side_by_side_never_fail() -> None:
    """Between two runs deterministic figures are compared exactly, timing gets a ratio and no verdict."""
    findings = _by_metric(compare_runs(*_pair([make_record()], [make_record(total_ms=38, map50_95=0.6499)])))
    assert findings["map50_95"].verdict == "REGRESSED"
    assert findings["artifact_bytes"].verdict == "PASS"
    assert findings["latency"].verdict == "INCONCLUSIVE"
    assert findings["latency"].sentence == "−5.0 % in time; unpaired, so no verdict on speed."
    assert not any(finding.fails for finding in findings.values())


def test_runs_of_two_machines_share_no_ratio() -> None:
    """Across fingerprints timing is not comparable, and the reason lists what differs."""
    machine = make_machine(governor="powersave")
    after = [make_record(total_ms=38, environment=machine.fingerprint)]
    findings = _by_metric(compare_runs(*_pair([make_record()], after, machine=machine)))
    assert findings["latency"].verdict == "NOT_COMPARABLE"
    assert "governor: performance -> powersave" in findings["latency"].sentence
    assert findings["latency"].environment == ("governor: performance -> powersave",)


def test_runs_under_two_policies_share_no_ratio() -> None:
    """Threads that spin are not set against threads that do not."""
    record = make_record()
    other = replace(record, validity=replace(record.validity, policy={"spin": "false"}))
    findings = _by_metric(compare_runs(*_pair([record], [other])))
    assert findings["latency"].verdict == "NOT_COMPARABLE"
    assert "spin true, threads 2; spin false" in findings["latency"].sentence


def test_rows_of_two_runs_pair_by_case_head_and_threads_only() -> None:
    """Another size is another case, another thread count is never paired, a lost case is missing."""
    before = [make_record(make_case(imgsz=640)), make_record(make_case(precision="int8", threads=2))]
    after = [make_record(make_case(imgsz=320)), make_record(make_case(precision="int8", threads=1))]
    verdicts = {finding.case_id: finding.verdict for finding in compare_runs(*_pair(before, after))}
    assert verdicts == {
        before[0].case.id: "MISSING",
        before[1].case.id: "NOT_COMPARABLE",
        after[0].case.id: "NOT_COMPARABLE",
    }
