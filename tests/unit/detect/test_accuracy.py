"""Mean average precision on cases that can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchsuite.data.labels import Labels
from benchsuite.detect.accuracy import Accuracy, evaluate
from benchsuite.detect.detections import Detections
from benchsuite.detect.postprocess import EVAL
from benchsuite.terms.absence import Absent
from benchsuite.terms.input_size import InputSize

NAMES = ("cat", "dog", "fish")
BIG = (100, 100, 200, 200)
SMALL = (10, 10, 30, 30)
# All right: 101 points with trapezia between them miss the last half step, where precision falls from 1 to 0.
PERFECT = 0.995

Found = tuple[tuple[float, ...], float, int]
Truth = tuple[tuple[float, ...], int]


def score(*images: tuple[Sequence[Found], Sequence[Truth]], size: tuple[int, int] = (640, 640)) -> Accuracy | Absent:
    detections, labels = [], []
    for found, truth in images:
        best_first = sorted(found, key=lambda item: -item[1])
        detections.append(
            Detections(
                np.array([box for box, _, _ in best_first], np.float32).reshape(-1, 4),
                np.array([value for _, value, _ in best_first], np.float32),
                np.array([number for _, _, number in best_first], np.int64),
            )
        )
        labels.append(
            Labels(
                np.array([number for _, number in truth], np.int64),
                np.array([box for box, _ in truth], np.float32).reshape(-1, 4),
            )
        )
    return evaluate(detections, labels, [size] * len(images), NAMES, InputSize.square(640), "digest", EVAL)


def scored(*images: tuple[Sequence[Found], Sequence[Truth]], size: tuple[int, int] = (640, 640)) -> Accuracy:
    accuracy = score(*images, size=size)
    assert isinstance(accuracy, Accuracy)
    return accuracy


def test_exact_boxes_are_perfect() -> None:
    """Every label found, nothing else: all figures are as good as they get, and say what they were taken on."""
    accuracy = scored(([(BIG, 0.9, 0)], [(BIG, 0)]), ([(SMALL, 0.8, 1)], [(SMALL, 1)]), ([], []))
    assert (accuracy.images, accuracy.labels) == (3, 2)
    assert accuracy.map50 == pytest.approx(PERFECT)
    assert accuracy.map50_95 == pytest.approx(PERFECT)
    assert accuracy.map50_95_small == pytest.approx(PERFECT)
    assert accuracy.data_sha256 == "digest"
    assert accuracy.settings == {"conf": 0.001, "iou": 0.7, "max_det": 300.0, "multi_label": 1.0, "clip": 0.0}


def test_mean_runs_over_classes_with_labels() -> None:
    """A class without labels does not count, however often it was detected; a labelled one never found counts as 0."""
    accuracy = scored(([(BIG, 0.9, 0), (BIG, 0.9, 2)], [(BIG, 0), (BIG, 1)]))
    assert [(one.name, one.labels) for one in accuracy.per_class] == [("cat", 1), ("dog", 1)]
    assert [one.ap50 for one in accuracy.per_class] == pytest.approx([PERFECT, 0])
    assert accuracy.map50 == pytest.approx(PERFECT / 2)


def test_false_alarm_counts_by_its_rank() -> None:
    """A wrong detection above the right one halves precision; below it, it costs nothing."""
    wrong = (300, 300, 400, 400)
    before = scored(([(wrong, 0.9, 0), (BIG, 0.5, 0)], [(BIG, 0)]))
    after = scored(([(wrong, 0.1, 0), (BIG, 0.5, 0)], [(BIG, 0)]))
    # From precision 1 at recall 0 the curve falls to 1/2 at once: 98.5 of 100 steps at 1/2, and the first at 3/4.
    assert before.map50 == pytest.approx(0.5 * PERFECT, abs=0.003)
    assert after.map50 == pytest.approx(PERFECT)


def test_overlap_decides_how_many_thresholds_are_met() -> None:
    """A box that overlaps its label by 0.72 is right at 0.5 to 0.7: five thresholds of ten."""
    accuracy = scored(([((100, 100, 200, 172), 0.9, 0)], [(BIG, 0)]))
    assert accuracy.map50 == pytest.approx(PERFECT)
    assert accuracy.map50_95 == pytest.approx(PERFECT / 2)


def test_label_is_found_once() -> None:
    """The second detection of a label is wrong, and the class of a box must be right."""
    twice = scored(([(BIG, 0.9, 0), (BIG, 0.8, 0)], [(BIG, 0), ((300, 300, 400, 400), 0)]))
    # Recall ends at 1/2: 49 whole steps at precision 1 and half a step down to 0.
    assert twice.map50 == pytest.approx(0.495)
    assert scored(([(BIG, 0.9, 1)], [(BIG, 0)])).map50 == 0


def test_best_free_label_is_taken_at_each_threshold() -> None:
    """A detection takes the label it overlaps most among those that better detections left."""
    left, right = (100, 100, 200, 200), (120, 100, 220, 200)
    accuracy = scored(([(left, 0.9, 0), ((105, 100, 205, 200), 0.8, 0)], [(left, 0), (right, 0)]))
    assert accuracy.map50 == pytest.approx(PERFECT)


def test_no_labels_is_no_accuracy() -> None:
    """Without labels there is nothing to be right about, and no 0 pretends otherwise."""
    assert score(([(BIG, 0.9, 0)], []), ([], [])) == Absent("none of the 2 evaluated images has a label")
    notes = ("not scored, as Ultralytics' val leaves them out: 2 of 2 images (…)",)
    assert evaluate([], [], [], NAMES, InputSize.square(640), "digest", EVAL, notes) == Absent(notes[0])


def test_no_detections_is_zero() -> None:
    """A model that finds nothing has found none of the labels."""
    accuracy = scored(([], [(BIG, 0)]))
    assert (accuracy.map50, accuracy.map50_95) == (0, 0)


def test_small_objects_are_absent_where_there_are_none() -> None:
    """Without small labels their figure is absent, and says at which size it was looked for."""
    accuracy = scored(([(BIG, 0.9, 0)], [(BIG, 0)]))
    assert accuracy.map50_95_small == Absent("no label is smaller than 32 x 32 px at 640 px")


def test_small_is_measured_in_the_networks_pixels() -> None:
    """A 20 px object of a 320 px image is 40 px to the network, and not small."""
    assert isinstance(scored(([], [(SMALL, 0)]), size=(320, 320)).map50_95_small, Absent)
    assert scored(([], [(SMALL, 0)]), size=(640, 640)).map50_95_small == 0


@pytest.mark.parametrize(
    ("extra", "small"),
    [
        pytest.param((BIG, 0.95, 0), PERFECT, id="detection of a big label"),
        pytest.param(((300, 300, 400, 400), 0.95, 0), PERFECT, id="big false alarm"),
        pytest.param(((300, 300, 320, 320), 0.95, 0), PERFECT / 2, id="small false alarm"),
        # It takes the small label at 0.5 to 0.85 and is wrong above; the exact one then is wrong below.
        pytest.param(((10, 10, 30, 33), 0.95, 0), 0.9 * PERFECT, id="less exact detection of the small label"),
    ],
)
def test_small_figure_ignores_what_is_big(extra: Found, small: float) -> None:
    """As in COCO's tool, big labels, what was matched to them and unmatched big boxes are neither right nor wrong."""
    accuracy = scored(([extra, (SMALL, 0.9, 0)], [(SMALL, 0), (BIG, 0)]))
    assert accuracy.map50_95_small == pytest.approx(small, abs=0.003)


def test_small_detection_of_a_big_label_is_ignored() -> None:
    """A small box matched to a label that does not count is not a false alarm among the small ones."""
    nearly_small, box = (100, 100, 133, 133), (100, 100, 131, 131)
    accuracy = scored(([(box, 0.95, 0), (SMALL, 0.5, 0)], [(nearly_small, 0), (SMALL, 0)]))
    # Overlap 0.88: at 0.9 and 0.95 it matches nothing, is small, and then is a false alarm above the right one.
    assert accuracy.map50_95_small == pytest.approx(0.9 * PERFECT, abs=0.003)


def test_label_that_counts_comes_before_a_closer_one_that_does_not() -> None:
    """A detection of a small and a big label takes the small one, even if the big one overlaps more."""
    small, big, between = (100, 100, 131, 131), (100, 100, 133, 133), (100, 100, 133, 132)
    accuracy = scored(([(between, 0.9, 0)], [(big, 0), (small, 0)]))
    # Overlap with the small one is 0.91: nine thresholds; at the tenth only the big one is met, and nothing is found.
    assert accuracy.map50_95_small == pytest.approx(0.9 * PERFECT)


def test_equal_scores_count_in_the_order_of_images() -> None:
    """A quantised model's many ties are counted in the order of images, not as a sort happens to leave them."""
    rng = np.random.default_rng(0)
    boxes, levels = rng.integers(0, 2, 400), rng.integers(1, 5, 400) / 5
    tied, untied = (
        [
            ([((BIG, SMALL)[box], level - step * index, 0)], [(BIG, 0)])
            for index, (box, level) in enumerate(zip(boxes, levels, strict=True))
        ]
        for step in (0, 1e-5)
    )
    assert scored(*tied) == scored(*untied)
    assert scored(*tied) != scored(*tied[::-1])
