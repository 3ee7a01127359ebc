"""Detections of one artifact against another's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchsuite.detect.detections import Detections
from benchsuite.detect.parity import Parity, beyond_limits, compare
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_parity

NAMES = ("cat", "dog", "fish")
BOX = (100.0, 100.0, 200.0, 200.0)
FAR = (300.0, 300.0, 400.0, 400.0)

Found = tuple[tuple[float, float, float, float], float, int]


def found(*items: Found) -> Detections:
    return Detections(
        np.array([box for box, _, _ in items], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in items], np.float32),
        np.array([number for _, _, number in items], np.int64),
    )


def compared(reference: list[Detections], candidate: list[Detections], name: str = "r") -> Parity:
    """Compare two sides of which the reference found something."""
    parity = compare(reference, candidate, NAMES, name)
    assert isinstance(parity, Parity)
    return parity


@st.composite
def images(draw: st.DrawFn) -> Detections:
    count = draw(st.integers(0, 8))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    low = rng.integers(0, 40, (count, 2))
    boxes = np.concatenate([low, low + rng.integers(1, 40, (count, 2))], 1).astype(np.float32)
    return Detections(boxes, np.sort(rng.random(count, np.float32))[::-1], rng.integers(0, 3, count))


def test_matched_added_and_dropped_are_counted() -> None:
    """A box both sides found is matched, one that only the candidate found is added, the other way round dropped."""
    reference = [found((BOX, 0.9, 0), (FAR, 0.8, 0)), found((BOX, 0.7, 1))]
    candidate = [found((BOX, 0.8, 0)), found((BOX, 0.75, 1), (FAR, 0.5, 2))]
    parity = compared(reference, candidate, "torch fp32")
    assert (parity.images, parity.matched, parity.added, parity.dropped) == (2, 2, 1, 1)
    assert parity.agreement == 0.5
    assert parity.score_shift_mean == pytest.approx(0.075)
    assert parity.score_shift_max == pytest.approx(0.1)
    assert parity.score_shift_median == pytest.approx(0.075)
    assert (parity.worst_class, parity.worst_class_agreement) == ("fish", 0.0)
    assert parity.reference == "torch fp32"


def test_another_class_or_place_is_another_object() -> None:
    """A box of another class, of another image, or with less than half overlap does not match."""
    moved = (151.0, 100.0, 251.0, 200.0)
    for reference, candidate in (
        ([found((BOX, 0.9, 0))], [found((BOX, 0.9, 1))]),
        ([found((BOX, 0.9, 0))], [found((moved, 0.9, 0))]),
        ([found((BOX, 0.9, 0)), found()], [found(), found((BOX, 0.9, 0))]),
    ):
        parity = compared(reference, candidate)
        assert (parity.matched, parity.added, parity.dropped, parity.agreement) == (0, 1, 1, 0)
        assert parity.score_shift_mean == parity.score_shift_max == Absent("no detections matched")


def test_closest_free_box_is_taken_in_order_of_score() -> None:
    """The better candidate chooses first, and chooses the closest; each reference is taken once."""
    near = (105.0, 100.0, 205.0, 200.0)
    parity = compared([found((near, 0.9, 0), (BOX, 0.6, 0))], [found((BOX, 0.5, 0), (near, 0.9, 0))])
    assert parity.matched == 2
    assert parity.score_shift_max == pytest.approx(0.1)
    twice = compared([found((BOX, 0.9, 0))], [found((BOX, 0.9, 0), (near, 0.5, 0))])
    assert (twice.matched, twice.added) == (1, 1)
    assert compared([found((BOX, 0.9, 0))], [found((near, 0.5, 0), (BOX, 0.9, 0))]).score_shift_max == 0


def test_a_reference_that_finds_nothing_leaves_nothing_to_agree_on() -> None:
    """Agreement with no boxes means nothing, whatever the candidate finds; that it finds nothing either is said."""
    nothing = [found(), found()]
    reason = "r finds nothing in the 2 images, so that there is nothing to agree on; this case finds 1 boxes"
    assert compare(nothing, [found((BOX, 0.9, 0)), found()], NAMES, "r") == Absent(reason)
    assert compare(nothing, nothing, NAMES, "r") == Absent("neither r nor this case finds anything in the 2 images")


def test_agreement_of_no_boxes_in_an_older_record_is_none() -> None:
    """Releases before called it 1.0; it is read, and shown as absent."""
    older = make_parity(1.0, matched=0, added=0, dropped=0)
    assert isinstance(older.known_agreement, Absent)
    assert make_parity(0.5).known_agreement == 0.5


def test_worst_class_among_equals_has_the_most_boxes() -> None:
    """Of classes that agree equally badly, the one with the most boxes is named, then the first."""
    other = (500.0, 500.0, 600.0, 600.0)
    reference = [found((BOX, 0.9, 0), (BOX, 0.9, 1), (FAR, 0.9, 1), (BOX, 0.9, 2))]
    assert compared(reference, [found((BOX, 0.9, 2))]).worst_class == "dog"
    even = [found((BOX, 0.9, 2), (FAR, 0.9, 1))]
    assert compared(even, [found((other, 0.9, 1))]).worst_class == "dog"
    assert compared(even, [found()]).worst_class == "dog"


def test_images_must_pair_up() -> None:
    """Comparing different numbers of images is an error."""
    with pytest.raises(ValueError, match="zip"):
        compare([found()], [found(), found()], NAMES, "r")


@given(st.lists(images(), max_size=4))
def test_detections_agree_with_themselves(same: list[Detections]) -> None:
    """Anything compared with itself matches completely, without a shift."""
    boxes = sum(len(one.scores) for one in same)
    if not boxes:
        assert isinstance(compare(same, same, NAMES, "r"), Absent)
        return
    parity = compared(same, same)
    assert (parity.matched, parity.added, parity.dropped) == (boxes, 0, 0)
    assert parity.agreement == 1.0
    assert parity.score_shift_max == 0.0


@given(st.lists(st.tuples(images(), images()), min_size=1, max_size=4))
def test_every_detection_is_counted_once(pairs: list[tuple[Detections, Detections]]) -> None:
    """Matched and dropped make up the reference, matched and added the candidate."""
    reference, candidate = [one for one, _ in pairs], [other for _, other in pairs]
    assume(any(len(one.scores) for one in reference))
    parity = compared(reference, candidate)
    assert parity.matched + parity.dropped == sum(len(one.scores) for one, _ in pairs)
    assert parity.matched + parity.added == sum(len(other.scores) for _, other in pairs)
    assert 0 <= parity.agreement <= 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"matched": 900, "dropped": 100, "added": 100, "score_shift_median": 0.05}, ""),
        ({"matched": 899, "dropped": 101, "added": 0}, "89.9% of the boxes are found again (at least 90%)"),
        ({"matched": 1000, "dropped": 0, "added": 101}, "10.1% are added (at most 10%)"),
        ({"score_shift_median": 0.051}, "scores shift by 0.051 in the median (at most 0.05)"),
        ({"matched": 0, "dropped": 0, "added": 5}, ""),
    ],
)
def test_limits_of_parity_are_sharp(changes: dict[str, float], sentence: str) -> None:
    """A limit that is just kept says nothing, one that is just broken says by how much; without boxes there is none."""
    found = beyond_limits(make_parity(**changes))
    assert sentence in found
    assert bool(found) == bool(sentence)
