"""The recommended case is the fastest one that keeps the accuracy, and says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.compare.findings import Finding
from benchsuite.measure.measurement import ALONE
from benchsuite.report.recommendation import name_of, recommend, void_reason
from benchsuite.runs.records import Record
from benchsuite.runs.worth import reference_of
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.testing import (
    make_accuracy,
    make_case,
    make_latency,
    make_loss,
    make_memory,
    make_noise,
    make_ran,
    make_record,
    make_together,
)


def _record(scheme: str, total_ms: float, map50_95: float | None = 0.65) -> Record:
    backend, precision = scheme.split()
    record = make_record(make_case(backend=backend, precision=precision), total_ms=total_ms, map50_95=map50_95 or 0.1)
    if map50_95 is None:
        lost = Absent("the evaluation crashed")
        record = replace(record, metrics=replace(record.metrics, accuracy=lost, parity=lost))
    return record


def _chosen(*made: Record, findings: tuple[Finding, ...] = (), drop: float = 1.0) -> str | None:
    record = recommend(made, findings, drop).record
    return record.case.row_name if record else None


TORCH = _record("torch fp32", 50)


def test_fastest_within_the_drop_is_chosen() -> None:
    """A faster case that loses too much is passed over, and the reason names its loss."""
    lossy, kept = _record("ncnn int8", 10, 0.60), _record("openvino int8", 20, 0.645)
    advice = recommend([TORCH, lossy, kept], (), 1.0)
    assert advice.record == kept
    assert advice.reason == (
        "It took least time, 20.0 ms in total, of the cases that keep the accuracy: "
        "−0.50 points of mAP50-95 against torch fp32 (−0.60 to −0.40 by its 200 images); a loss of 1 is allowed."
    )
    assert advice.faster_but == (
        "ncnn int8, 2.00 (1.92 to 2.08) times as fast: it loses 5.00 points of mAP50-95 (4.90 to 5.10) where 1 may be "
        "lost",
    )


def test_loss_that_so_few_images_leave_open_is_not_recommended() -> None:
    """The fastest case whose loss is proved to be small enough is chosen, not the one whose loss only looks small."""
    unproved = _record("ncnn int8", 10)
    unproved = replace(unproved, metrics=replace(unproved.metrics, loss=make_loss(0.42, ci95=(-0.6, 1.4), images=8)))
    advice = recommend([TORCH, unproved, _record("onnx fp32", 30)], (), 1.0)
    assert advice.record is not None
    assert advice.record.case.row_name == "onnx fp32"
    assert "3.00 (2.88 to 3.12) times as fast: whether it keeps the accuracy is not told at 8" in advice.faster_but[0]


def test_network_that_finds_nothing_is_not_recommended() -> None:
    """Where nothing is found there is no recommendation, and the reason stands once for all cases that share it."""
    made = []
    for scheme, total_ms in (("torch fp32", 50), ("onnx fp32", 20)):
        record = _record(scheme, total_ms)
        nothing = replace(record.metrics, accuracy=make_accuracy(0.0, map50=0.0), loss=make_loss(0.0))
        made.append(replace(record, metrics=nothing))
    advice = recommend(made, (), 1.0)
    assert advice.record is None
    assert advice.reason == (
        "No recommendation: onnx fp32, torch fp32: void: it finds next to nothing of what is labelled (mAP50 0.000 on "
        "200 images): there is no accuracy to keep."
    )


@pytest.mark.parametrize(("map50_95", "chosen"), [(0.641, "onnx int8"), (0.6409, "torch fp32"), (0.66, "onnx int8")])
def test_drop_is_inclusive(map50_95: float, chosen: str) -> None:
    """An interval that ends exactly at one point is within one point; a hair more is not; a gain never hurts."""
    assert _chosen(TORCH, _record("onnx int8", 20, map50_95)) == chosen


def test_drop_can_be_chosen() -> None:
    """No allowed loss keeps the reference, a large one takes the fastest."""
    fast = _record("onnx int8", 20, 0.62)
    assert _chosen(TORCH, fast, drop=0.0) == "torch fp32"
    assert _chosen(TORCH, fast, drop=3.2) == "onnx int8"


def test_speed_without_accuracy_is_void() -> None:
    """A case whose accuracy is not known is not recommended, and the reason says so."""
    advice = recommend([TORCH, _record("ncnn fp32", 5, None)], (), 1.0)
    assert advice.record == TORCH
    assert advice.faster_but == (
        "ncnn fp32, 10.00 (9.61 to 10.40) times as fast: void: its accuracy is not known (the evaluation crashed)",
    )


@pytest.mark.parametrize("metric", ["map50_95", "map50", "parity", "accuracy"])
def test_speed_with_failed_accuracy_is_void(metric: str) -> None:
    """A case whose accuracy fails its baseline or its limit is void, a finding that does not fail changes nothing."""
    fast = _record("onnx int8", 20)
    finding = Finding(fast.case.id, metric, "REGRESSED", "0.65", "0.60", "", "why", fails=True)
    assert _chosen(TORCH, fast, findings=(finding,)) == "torch fp32"
    assert void_reason(fast, [finding]).startswith("void: ")
    assert void_reason(fast, [replace(finding, fails=False)]) == ""
    assert void_reason(TORCH, [finding]) == ""


def test_case_that_fails_otherwise_is_not_chosen_and_not_void() -> None:
    """A broken memory limit rules a case out; its speed stays a speed."""
    fast = _record("onnx int8", 20)
    finding = Finding(fast.case.id, "memory", "OVER_LIMIT", "", "900 MB", "500 MB", "why", fails=True)
    advice = recommend([TORCH, fast], (finding,), 1.0)
    assert advice.record == TORCH
    assert advice.faster_but == ("onnx int8, 2.50 (2.40 to 2.60) times as fast: it fails on peak memory",)
    assert void_reason(fast, [finding]) == ""


def test_precision_that_is_only_stored_goes_by_what_it_is() -> None:
    """FP16 storage with FP32 arithmetic can be chosen, under the name of what ran."""
    record = _record("ncnn fp16", 20)
    ran = make_ran(record.case, compute="fp32")
    record = replace(record, validity=replace(record.validity, ran=ran, label=ran.label))
    assert name_of(record) == "ncnn fp16 (fp16 storage, fp32 compute)"
    assert name_of(TORCH) == "torch fp32"
    advice = recommend([TORCH, record], (), 1.0)
    assert advice.record == record


def test_highest_precision_stands_in_for_torch() -> None:
    """Without torch fp32 the highest precision with an accuracy is the reference, and the reason says so."""
    made = [_record("openvino int8", 10, 0.644), _record("onnx fp32", 30), _record("ncnn bf16", 20, 0.60)]
    reference = reference_of(made)
    assert reference is not None
    assert reference.case.row_name == "onnx fp32"
    older = [replace(it, metrics=replace(it.metrics, loss=Absent("none"))) for it in made]
    advice = recommend(older, (), 1.0)
    assert advice.record == older[1]
    assert "itself the reference for accuracy (torch fp32 has no accuracy here; onnx fp32 stands in" in advice.reason


def test_torch_without_accuracy_is_no_reference() -> None:
    """A torch fp32 that crashed in evaluation is passed over as reference."""
    reference = reference_of([_record("torch fp32", 50, None), _record("onnx fp32", 30)])
    assert reference is not None
    assert reference.case.backend == "onnx"


def test_reference_that_is_fastest_recommends_itself() -> None:
    """Where nothing is faster the reference is recommended as such."""
    advice = recommend([TORCH, _record("onnx fp32", 60)], (), 1.0)
    assert advice.record == TORCH
    assert advice.reason.endswith("and is itself the reference for accuracy.")


def test_what_is_proved_is_said_with_its_ratio() -> None:
    """The next row stands with how many times as fast the chosen one is, and with the interval."""
    advice = recommend([TORCH, _record("onnx fp32", 30), _record("ncnn fp32", 36)], (), 1.0)
    assert advice.proved
    assert advice.proof == "1.20 (1.15 to 1.25) times as fast as the next, ncnn fp32; proved."


def test_what_cannot_be_told_apart_is_named() -> None:
    """Rows that launches do not tell from the fastest are named, with what is cheaper among them."""
    near = _record("ncnn fp32", 30.2, 0.655)
    near = replace(near, metrics=replace(near.metrics, memory=make_memory(peak_rss_bytes=100_000_000)))
    advice = recommend([TORCH, _record("onnx fp32", 30.0), near, _record("ncnn bf16", 36)], (), 1.0)
    assert not advice.proved
    assert advice.proof == (
        "It cannot be told from ncnn fp32, 0.99 (0.96 to 1.03) times as fast. "
        "Of these ncnn fp32 takes least memory, 100 MB. Of these ncnn fp32 has the best mAP50-95, 0.655."
    )


def test_nothing_is_proved_under_contention() -> None:
    """While other programs took the cores, the ranking holds for that load only."""
    together = {"noise": make_noise(contention=True, disturbed={"programs": 20}, others=0.4)}
    made = []
    for scheme, total_ms in (("torch fp32", 50.0), ("onnx fp32", 20.0)):
        record = _record(scheme, total_ms)
        latency = make_latency(total_ms, together=make_together(total_ms, **together))
        made.append(replace(record, metrics=replace(record.metrics, latency=latency)))
    advice = recommend(made, (), 1.0)
    assert advice.record == made[1]
    assert not advice.proved
    assert advice.proof.startswith("It cannot be told from torch fp32, 0.40")
    assert advice.proof.endswith("the ranking holds for that load, and nothing of it is proved.")


def test_rows_that_were_not_timed_together_are_not_ranked() -> None:
    """Of rows timed one after the other none is recommended, unless only one of them keeps the accuracy."""
    alone = []
    for record in (TORCH, _record("onnx fp32", 30), _record("onnx int8", 10, 0.60)):
        latency = replace(record.metrics.latency, together=ALONE)
        alone.append(replace(record, metrics=replace(record.metrics, latency=latency)))
    advice = recommend(alone, (), 1.0)
    assert advice.record is None
    assert advice.reason == (
        "No recommendation: these cases keep the accuracy and were not timed together: torch fp32, onnx fp32."
    )
    assert recommend([alone[0], alone[2]], (), 1.0).record == alone[0]


def test_a_row_of_another_timing_is_named_and_not_ranked() -> None:
    """A resumed run has two timings: the recommendation speaks of the larger one, and proves nothing of the rest."""
    late = _record("ncnn fp32", 5)
    latency = make_latency(5, together=make_together(5, timing="turns-2"))
    late = replace(late, metrics=replace(late.metrics, latency=latency))
    advice = recommend([TORCH, _record("onnx fp32", 30), late], (), 1.0)
    assert advice.record is not None
    assert advice.record.case.row_name == "onnx fp32"
    assert not advice.proved
    assert advice.proof.endswith("ncnn fp32 were not timed together with it and are not ranked.")


def test_times_alone_are_ranked_where_nobody_asked_for_accuracy() -> None:
    """Without accuracy nothing is recommended, and yet the rows have their places by time; one that failed has none."""
    asked = [_record("onnx fp32", 40), _record("onnx int8", 20), _record("ncnn int8", 10)]
    alone = [replace(it, metrics=replace(it.metrics, accuracy=NOT_SELECTED, loss=NOT_SELECTED)) for it in asked[:2]]
    failed = replace(asked[2], metrics=replace(asked[2].metrics, accuracy=Absent("the labels are missing")))
    advice = recommend([*alone, failed], (), 1.0)
    assert advice.record is None
    assert not isinstance(advice.ranked, Absent)
    assert advice.ranked.order == tuple(it.case.id for it in reversed(alone))
    assert advice.ranked.rows[failed.case.id].place is None


def test_nothing_to_recommend_says_why() -> None:
    """Without accuracy, without latency or with failures everywhere there is no recommendation but a reason."""
    assert recommend([], (), 1.0).reason.endswith("no case of this group has its accuracy measured.")
    untimed = replace(TORCH, metrics=replace(TORCH.metrics, latency=NOT_SELECTED))
    assert recommend([untimed], (), 1.0).reason.endswith("no case of this group has its latency measured.")
    finding = Finding(TORCH.case.id, "latency", "OVER_LIMIT", "", "50 ms", "10 ms", "why", fails=True)
    advice = recommend([TORCH], (finding,), 1.0)
    assert advice.record is None
    assert advice.reason == "No recommendation: torch fp32: it fails on total latency."


def test_row_without_latency_is_no_candidate() -> None:
    """A case that was only scored serves as reference and is never chosen."""
    untimed = replace(TORCH, metrics=replace(TORCH.metrics, latency=NOT_SELECTED))
    slow = _record("onnx fp32", 90)
    slow = replace(slow, metrics=replace(slow.metrics, latency=make_latency(90)))
    assert _chosen(untimed, slow) == "onnx fp32"


def test_reason_says_what_calibrated_on_the_images_that_tell_its_loss() -> None:
    """Accuracy on the images that set the INT8 ranges flatters, and whoever deploys the case must know."""
    flattered = _record("onnx int8", 20)
    loss = make_loss(0.2, ci95=(-0.1, 0.5), images=8, calibrated_on=8)
    flattered = replace(flattered, metrics=replace(flattered.metrics, loss=loss))
    assert recommend([TORCH, flattered], (), 1.0).reason.endswith(
        "(−0.50 to +0.10 by its 8 images); a loss of 1 is allowed. 8 of these images it was calibrated on, which "
        "flatters it."
    )


def test_reference_that_its_exports_outdo_is_not_recommended() -> None:
    """Where two exports find far more than torch, nothing of the group is worth deploying, torch least of all."""
    made = [_record("torch fp32", 20, 0.05)]
    for scheme, points in (("onnx fp32", -40.0), ("openvino fp32", -40.1)):
        record = _record(scheme, 30, 0.45)
        loss = make_loss(points, ci95=(points - 2, points + 2))
        made.append(replace(record, metrics=replace(record.metrics, loss=loss)))
    advice = recommend(made, (), 1.0)
    assert advice.record is None
    assert "torch fp32: void: torch fp32 finds plainly less than onnx fp32, openvino fp32" in advice.reason
