"""What two measurements were made from is compared in one place, and what tells most is said first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchsuite.artifacts.recipe import Calibration
from benchsuite.backends.tools import EXPORTER, QUANTISER
from benchsuite.compare.baselines import load
from benchsuite.compare.comparison import compare, compare_runs
from benchsuite.compare.findings import Finding
from benchsuite.compare.inputs import accepted_inputs, inputs_of, run_differences, what_differs
from benchsuite.compare.promotion import promote
from benchsuite.compare.tolerances import default_tolerances
from benchsuite.report.comparing import comparison_lines
from benchsuite.report.failures import render
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.language import language
from benchsuite.testing import (
    make_accuracy,
    make_artifact,
    make_case,
    make_machine,
    make_ran,
    make_recipe,
    make_record,
    make_run,
)

INT8 = make_case(precision="int8")
LATER = Path("reports/20260201-120000")


def made(record: Record, sha256: str = "cd" * 32, **recipe: Any) -> Record:
    """Return a record whose artifact was made by another recipe."""
    changed = make_recipe(record.case, **recipe)
    artifact = make_artifact(record.case, sha256=sha256, recipe=changed, recipe_digest=changed.digest)
    return replace(record, artifact=artifact)


def with_kernels(record: Record, **kernels: int) -> Record:
    return replace(record, validity=replace(record.validity, ran=make_ran(record.case, kernels=kernels)))


def differing(old: Record, new: Record, **machine: object) -> tuple[str, ...]:
    return what_differs((inputs_of(old, make_machine()), inputs_of(new, make_machine(**machine))))


def against_baseline(root: Path, old: Record, new: Record) -> dict[str, Finding]:
    baseline = load(promote(make_run([old]), root, "here")[0].parent)
    findings = compare(make_run([new], folder=LATER), baseline, default_tolerances())
    return {finding.metric: finding for finding in findings}


def test_what_tells_most_comes_first() -> None:
    """Weights, data, scheme and calibration stand before settings, versions and machine."""
    old = made(
        make_record(INT8),
        scheme="qdq-u8s8",
        calibration=Calibration("11" * 32, 64, "percentile"),
        tools={"onnx": "1.20", QUANTISER: "5"},
    )
    new = made(
        make_record(INT8, effort="quick"),
        "ee" * 32,
        weights_sha256="99" * 32,
        scheme="dynamic-u8u8",
        tools={"onnx": "1.21", QUANTISER: "6"},
        build={"batch": "open"},
    )
    new = replace(
        new,
        metrics=replace(new.metrics, accuracy=make_accuracy(data_sha256="bb" * 32, images=64, settings={"conf": 0.25})),
        validity=replace(new.validity, policy={"threads": "2", "spin": "false"}),
    )
    packages = {**make_machine().packages, "onnx": "1.21"}
    older = make_machine(packages={**packages, "onnx": "1.20"})
    found = what_differs((inputs_of(old, older), inputs_of(new, make_machine(packages=packages, kernel="6.2.0"))))
    assert found == (
        "weights of yolo26n: abababababab -> 999999999999",
        "evaluation data: dadadadadada -> bbbbbbbbbbbb",
        "evaluated images: 200 -> 64",
        "INT8 scheme of onnx: qdq-u8s8 -> dynamic-u8u8",
        "calibration of onnx: 64 images, percentile, 111111111111 -> none",
        "build of onnx, batch: none -> open",
        "evaluation, conf: 0.001 -> 0.25",
        "evaluation, iou: 0.7 -> none",
        "evaluation, max_det: 300 -> none",
        "policy, spin: true -> false",
        "effort: standard -> quick",
        "benchsuite-quantiser: 5 -> 6",
        "onnx: 1.20 -> 1.21",
        "kernel: 6.1.0 -> 6.2.0",
    )
    assert language("zh").say(found[0]) == "yolo26n 的权重：abababababab -> 999999999999"


def test_weights_of_two_names_are_said_with_both() -> None:
    """A gate may compare two models."""
    other = made(make_record(make_case(model="new")), weights_sha256="99" * 32)
    assert differing(make_record(), other) == ("weights: abababababab of yolo26n -> 999999999999 of new",)


def test_equal_inputs_differ_in_nothing() -> None:
    """The same recipe, bytes, data and machine are no difference, whatever came out."""
    assert differing(make_record(total_ms=40), make_record(total_ms=80, map50_95=0.1)) == ()


def test_other_bytes_of_one_recipe_are_said() -> None:
    """A build that is not deterministic is a change, though nothing that decides it is."""
    other = made(make_record(), "ee" * 32)
    assert differing(make_record(), other) == ("the same recipe made other bytes: cdcdcdcdcdcd -> eeeeeeeeeeee",)


def test_a_recipe_that_is_older_than_a_step_differs_only_once_the_step_does() -> None:
    """A baseline of an earlier release, whose recipes named fewer steps, is not changed by their being named."""
    old = made(make_record(), tools={"onnx": "1.20"})
    now, later = ({"onnx": "1.20", EXPORTER: version} for version in "12")
    assert differing(old, made(make_record(), tools=now)) == ()
    assert differing(old, made(make_record(), tools=later)) == ("benchsuite-exporter: 1 -> 2",)


def test_weights_replaced_under_one_name_head_the_baselines_findings(tmp_path: Path) -> None:
    """They are what changed; kernels of another network are shown and not judged, and nothing says one artifact ran."""
    old, new = make_record(), made(make_record(map50_95=0.5), "ee" * 32, weights_sha256="99" * 32)
    found = against_baseline(tmp_path, old, with_kernels(new, Conv=80))
    assert found["map50_95"].environment == ("weights of yolo26n: abababababab -> 999999999999",)
    assert "weights of yolo26n: abababababab -> 999999999999" in render([found["map50_95"]])
    kernels = found["kernels"]
    assert (kernels.verdict, kernels.fails) == ("NOT_COMPARABLE", False)
    assert "Another network has other kernels: weights of yolo26n" in kernels.sentence
    assert not any(finding.sentence.startswith("The same artifact") for finding in found.values())
    assert found["latency"].sentence.startswith("The sessions ran another artifact. 1 of the 5 sessions")


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (make_record(), "The same artifact on the same runtime picks the same kernels; a change of one is a lost or"),
        (
            made(make_record(), "ee" * 32, tools={"ultralytics": "8.5"}),
            "The artifact is not the same: ultralytics: 8.4",
        ),
        (made(make_record(), "ee" * 32), "The artifact is not the same: the same recipe made other bytes: cdcdcdcd"),
    ],
)
def test_changed_kernels_say_whether_the_artifact_is_the_same(tmp_path: Path, new: Record, sentence: str) -> None:
    """Of one network a kernel more is red; only of the same bytes it is the runtime's doing."""
    kernels = against_baseline(tmp_path, make_record(), with_kernels(new, Conv=65))["kernels"]
    assert (kernels.verdict, kernels.fails) == ("REGRESSED", True)
    assert kernels.sentence.startswith(sentence)


def test_another_scheme_has_other_kernels(tmp_path: Path) -> None:
    """A dynamic scheme is no lost fusion of the static one."""
    old, new = (made(make_record(INT8), scheme=scheme) for scheme in ("qdq-u8s8", "qdq-s8s8"))
    kernels = against_baseline(tmp_path, old, with_kernels(new, Conv=3))["kernels"]
    assert kernels.verdict == "NOT_COMPARABLE"
    assert "INT8 scheme of onnx: qdq-u8s8 -> qdq-s8s8" in kernels.sentence


def test_another_build_may_have_other_kernels(tmp_path: Path) -> None:
    """TensorRT on another driver picks anew: that is no other network, and no lost fusion."""
    engines = [made(make_record(make_case(backend="trt")), build={"gpu": "A", "driver": it}) for it in ("570", "580")]
    kernels = against_baseline(tmp_path, engines[0], with_kernels(engines[1], Conv=3))["kernels"]
    assert kernels.verdict == "NOT_COMPARABLE"
    assert kernels.sentence.startswith("Built in another way, which may pick other kernels: build of trt, driver: 570")


def test_what_was_promoted_before_ids_named_its_scheme_is_found_and_renamed(tmp_path: Path) -> None:
    """The id that names a scheme has the entry and sessions of the plain id; the next promotion files them there."""
    old = made(make_record(INT8), scheme="dynamic-u8u8")
    named = replace(old, case=replace(INT8, scheme="dynamic-u8u8"))
    found = against_baseline(tmp_path, old, named)
    assert found["artifact_bytes"].verdict == "PASS"
    assert found["latency"].verdict == "INCONCLUSIVE"
    promote(make_run([named], folder=LATER), tmp_path, "here")
    (entry,) = load(tmp_path / "here").models["yolo26n"].entries.values()
    assert entry.case == named.case
    assert [timing.run for timing in entry.timing] == ["20260131-120000", LATER.name]
    assert what_differs((accepted_inputs(entry, make_machine()), inputs_of(named, make_machine()))) == ()


def test_weights_that_the_baseline_has_under_another_name_are_said(tmp_path: Path) -> None:
    """As where a release named a file otherwise, or another file of the same name stands beside it now."""
    renamed = make_record(make_case(model="train3_best"))
    found = against_baseline(tmp_path, make_record(), renamed)["case"]
    assert (found.verdict, found.fails) == ("NOT_COMPARABLE", False)
    assert "the same weights under the name yolo26n: give them that name, as in --model yolo26n=PATH" in found.sentence
    other = against_baseline(tmp_path, make_record(), made(renamed, weights_sha256="99" * 32))["case"]
    assert other.sentence == "The baseline does not have this case yet; promoting a run adds it."


def test_the_usual_scheme_keeps_its_plain_id(tmp_path: Path) -> None:
    """A row of a scheme study may be the same artifact: promoting it takes nothing from the plain case."""
    plain = made(make_record(INT8), scheme="qdq-u8s8")
    promote(make_run([plain]), tmp_path, "here")
    promote(make_run([replace(plain, case=replace(INT8, scheme="qdq-u8s8"))], folder=LATER), tmp_path, "here")
    baseline = load(tmp_path / "here")
    assert [entry.case.scheme for entry in baseline.models["yolo26n"].entries.values()] == ["", "qdq-u8s8"]
    assert len(baseline.entries(INT8.id)) == 1


def pair(old: list[Record], new: list[Record], **changes: object) -> tuple[Run, Run]:
    return make_run(old), make_run(new, folder=LATER, **changes)


def test_two_runs_begin_with_what_differs() -> None:
    """Each thing is said once for all cases, and none of it where nothing differs."""
    cases = [make_case(), make_case(backend="ncnn")]
    old = [make_record(case) for case in cases]
    new = [made(make_record(case), "ee" * 32, weights_sha256="99" * 32) for case in cases]
    runs = pair(old, new, machine=make_machine(kernel="6.2.0"))
    assert run_differences(*runs) == (
        "weights of yolo26n: abababababab -> 999999999999", "kernel: 6.1.0 -> 6.2.0",
    )  # fmt: skip
    lines = comparison_lines(*runs)
    assert lines[1] == "  weights of yolo26n: abababababab -> 999999999999"
    assert {finding.verdict for finding in compare_runs(*runs) if finding.metric == "kernels"} == {"NOT_COMPARABLE"}
    assert comparison_lines(*pair(old, old))[1] == "  nothing that is recorded differs"


def test_two_runs_pair_a_scheme_by_its_old_id() -> None:
    """A run of before ids named schemes and one of after have the case in common."""
    old = made(make_record(INT8), scheme="dynamic-u8u8")
    named = replace(old, case=replace(INT8, scheme="dynamic-u8u8"))
    for before, after in ((old, named), (named, old)):
        assert {it.verdict for it in compare_runs(*pair([before], [after]))} == {"PASS", "INCONCLUSIVE"}
