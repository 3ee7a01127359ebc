"""What the accuracy of a case is worth: kept, lost, left open by so few images, unknown, or nothing at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.measure.measurement import AccuracyLoss
from benchsuite.runs.records import Record
from benchsuite.runs.worth import doubts_of, reference_of, why_void, worth_of
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_accuracy, make_case, make_loss, make_record

TORCH = make_record(make_case(backend="torch"))


def record_of(loss: AccuracyLoss | Absent, map50_95: float = 0.65) -> Record:
    """Build a record of a loss that was measured or was not."""
    made = make_record(make_case(precision="int8"), map50_95=map50_95)
    return replace(made, metrics=replace(made.metrics, loss=loss))


@pytest.mark.parametrize(
    ("points", "ci95", "standing"),
    [
        (0.0, (0.0, 0.0), "kept"),
        (0.42, (-0.1, 0.9), "kept"),
        (0.42, (-0.1, 1.0), "kept"),
        (0.42, (-0.6, 1.4), "not told"),
        (1.2, (0.8, 1.6), "not told"),
        (2.0, (1.1, 2.9), "lost"),
        (-0.8, (-1.5, -0.1), "kept"),
        (-4.0, (-6.0, -2.1), "broken"),
        (-4.0, (-8.0, -1.9), "kept"),
    ],
)
def test_interval_decides(points: float, ci95: tuple[float, float], standing: str) -> None:
    """Kept only where the whole interval lies within what may be lost; a gain that cannot be means something broken."""
    assert worth_of(record_of(make_loss(points, ci95=ci95)), 1.0).standing == standing


def test_open_case_says_at_how_many_images() -> None:
    """The sentence has loss, interval, images, what may be lost, and how many images it was calibrated on."""
    loss = make_loss(0.42, ci95=(-0.6, 1.4), images=8, calibrated_on=4)
    assert worth_of(record_of(loss), 1.0).sentence == (
        "whether it keeps the accuracy is not told at 8 images: it loses 0.42 points of mAP50-95 (−0.60 to 1.40) where "
        "1 may be lost; it was calibrated on 4 of the 8 images, which flatters it"
    )


def test_gain_is_not_told_as_a_negative_loss() -> None:
    """The sign is turned, and with it the ends of the interval."""
    loss = make_loss(-0.55, ci95=(-2.5, 1.4), images=8)
    assert worth_of(record_of(loss), 1.0).sentence == (
        "whether it keeps the accuracy is not told at 8 images: it gains 0.55 points of mAP50-95 (−1.40 to 2.50) where "
        "1 may be lost"
    )
    older = Absent("an older release noted no interval of it")
    assert "it gains 1.00 points of mAP50-95, with no" in worth_of(record_of(older, 0.66), 1.0, TORCH).sentence


def test_network_that_finds_nothing_is_broken() -> None:
    """Random weights have no accuracy to keep, though nothing is lost against themselves."""
    untrained = record_of(make_loss(0.0, ci95=(0.0, 0.0), reference_map50=0.0, reference_map50_95=0.0))
    nothing = make_accuracy(0.0, map50=0.0, images=85)
    untrained = replace(untrained, metrics=replace(untrained.metrics, accuracy=nothing))
    worth = worth_of(untrained, 1.0)
    assert worth.standing == "broken"
    assert worth.sentence == (
        "it finds next to nothing of what is labelled (mAP50 0.000 on 85 images): there is no accuracy to keep"
    )
    assert why_void(untrained) == worth


def test_broken_reference_breaks_what_is_held_against_it() -> None:
    """Where the reference finds nothing, a case that finds something has nothing to be held against."""
    worth = worth_of(record_of(make_loss(0.0, reference_map50=0.004)), 1.0)
    assert worth.standing == "broken"
    assert "torch fp32, which it is held against, finds next to nothing" in worth.sentence
    nothing = replace(TORCH, metrics=replace(TORCH.metrics, accuracy=make_accuracy(0.0, map50=0.0)))
    older = record_of(Absent("an older release"))
    assert worth_of(older, 1.0, nothing).standing == "broken"
    assert why_void(older, nothing) is not None


def test_unknown_accuracy_has_its_reason() -> None:
    """A case that could not be scored is unknown, with what kept it from being scored."""
    record = record_of(make_loss())
    record = replace(record, metrics=replace(record.metrics, accuracy=Absent("the classes differ")))
    assert worth_of(record, 1.0).standing == "unknown"
    assert worth_of(record, 1.0).sentence == "its accuracy is not known (the classes differ)"


def test_without_an_interval_nothing_is_kept_but_the_reference_itself() -> None:
    """A record of an older release can be told to lose too much, and is never told to keep the accuracy."""
    older = Absent("an older release noted no interval of it")
    lossy, close = record_of(older, 0.60), record_of(older, 0.645)
    assert worth_of(lossy, 1.0, TORCH).standing == "lost"
    assert worth_of(close, 1.0, TORCH).standing == "not told"
    assert worth_of(close, 1.0, TORCH).sentence == (
        "whether it keeps the accuracy is not told: it loses 0.50 points of mAP50-95, with no interval (an older "
        "release noted no interval of it)"
    )
    itself = replace(TORCH, metrics=replace(TORCH.metrics, loss=older))
    assert worth_of(itself, 1.0, itself).standing == "kept"


def test_only_what_is_broken_or_unknown_is_void() -> None:
    """A speed that costs accuracy is still a speed."""
    assert why_void(record_of(make_loss(5.0))) is None
    assert why_void(record_of(make_loss(0.42, ci95=(-0.6, 1.4)))) is None


def held(backend: str, points: float) -> Record:
    """Build an export that loses so many points of torch fp32, give or take one."""
    made = make_record(make_case(backend=backend), map50_95=0.4)
    return replace(made, metrics=replace(made.metrics, loss=make_loss(points, ci95=(points - 1, points + 1))))


@pytest.mark.parametrize(
    ("losses", "doubted"),
    [
        ((-40.0, -40.1), True),
        ((-40.0,), True),
        ((-40.0, 0.1), False),
        ((-40.0, -39.0, 0.1), True),
        ((-40.0, 20.0), True),
        ((-2.9, 0.0, 0.0), False),
        ((0.0, 20.0), False),
    ],
)
def test_reference_that_exports_outdo_is_void_with_all_that_is_held_against_it(
    losses: tuple[float, ...], doubted: bool
) -> None:
    """An export cannot find more than what it was made from: unless others bear it out, the reference is broken too."""
    exports = [held(backend, points) for backend, points in zip(("onnx", "openvino", "ncnn"), losses, strict=False)]
    doubts = doubts_of([TORCH, *exports])
    assert (worth_of(TORCH, 1.0, TORCH, doubts).standing == "broken") is doubted
    close, older = held("trt", 0.0), record_of(Absent("an older release"))
    assert (worth_of(close, 1.0, TORCH, doubts).standing == "broken") is doubted
    assert (why_void(older, TORCH, doubts) is not None) is doubted
    if doubted and len(losses) == 2 and losses[1] < 0:
        assert why_void(close, TORCH, doubts).sentence == (  # type: ignore[union-attr]  # Asserted by its standing.
            "torch fp32 finds plainly less than onnx fp32, openvino fp32 made from it, which cannot be: there is no "
            "accuracy to hold to"
        )


def test_the_references_own_runtime_does_not_bear_it_out() -> None:
    """Two precisions of PyTorch may be wrong in one way."""
    own = [replace(it, case=replace(it.case, precision=precision)) for precision in ("fp16", "bf16")
           for it in [held("torch", 0.0)]]  # fmt: skip
    assert set(doubts_of([TORCH, *own, held("onnx", -40.0)])) == {"torch fp32"}


def test_what_failed_is_no_reference_and_no_witness() -> None:
    """A row whose proof contradicts its name vouches for nothing, whatever figures it has left."""
    failed = replace(TORCH, outcome="failed", reason="it ran bf16")
    assert reference_of([failed]) is None
    assert doubts_of([TORCH, held("onnx", -40.0), replace(held("ncnn", 0.0), outcome="failed")])


def test_reference_keeps_its_own_accuracy_however_few_images_there_are() -> None:
    """PyTorch FP32 at another batch was scored on its own, and is still what others are held against."""
    itself = replace(TORCH, metrics=replace(TORCH.metrics, loss=make_loss(0.0, ci95=(-84.0, 84.0))))
    assert worth_of(itself, 1.0, itself).standing == "kept"
    assert worth_of(record_of(make_loss(0.0, ci95=(-84.0, 84.0))), 1.0, itself).standing == "not told"


def test_every_loss_is_quoted_with_the_images_that_calibrated_it() -> None:
    """A loss that its own calibration flatters says so, whatever it comes to."""
    for points, ci95 in ((2.0, (1.1, 2.9)), (-4.0, (-6.0, -2.1))):
        loss = make_loss(points, ci95=ci95, images=8, calibrated_on=8)
        assert worth_of(record_of(loss), 1.0).sentence.endswith(
            "; it was calibrated on 8 of the 8 images, which flatters it"
        )
