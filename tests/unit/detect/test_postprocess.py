"""From outputs to detections."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchsuite.data.letterbox import Placement, place
from benchsuite.detect.postprocess import (
    DEPLOY,
    EVAL,
    DetectSettings,
    capped,
    evaluation_settings,
    head_of,
    postprocess,
)
from benchsuite.terms.errors import SessionError
from benchsuite.terms.input_size import InputSize

ROOT = Path(__file__).parents[3]
SQUARE = place(640, 640, InputSize.square(640))


def raw_output(*anchors: tuple[float, ...], classes: int = 3, count: int = 20) -> npt.NDArray[np.float32]:
    """Make a (1, 4 + classes, count) output of `anchors` (x, y, w, h, scores) among anchors that found nothing."""
    output = np.zeros((1, 4 + classes, count), np.float32)
    for index, anchor in enumerate(anchors):
        output[0, :, 2 * index + 1] = anchor
    return output


def test_head_is_told_by_shape() -> None:
    """Six columns are final detections, anything else with room for a class is raw; the rest is no detector."""
    assert head_of((1, 300, 6)) == "end2end"
    assert head_of((8, 84, 8400)) == "one2many"
    assert head_of((1, 5, 21)) == "one2many"
    for shape in ((84, 8400), (1, 4, 8400), (1, 84, 80, 80), (1000,)):
        with pytest.raises(SessionError, match="the output's shape is"):
            head_of(shape)


def test_deployment_takes_the_best_class_of_a_box() -> None:
    """At deployment settings a box has one class, scores at or under 0.25 are dropped, and the best comes first."""
    output = raw_output((100, 100, 40, 20, 0.3, 0.6, 0.5), (300, 300, 10, 10, 0.25, 0, 0), (50, 50, 20, 20, 0, 0, 0.9))
    (found,) = postprocess(output, [SQUARE], DEPLOY)
    assert found.boxes.tolist() == [[40, 40, 60, 60], [80, 90, 120, 110]]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.classes.tolist() == [2, 1]
    assert [array.dtype.name for array in (found.boxes, found.scores, found.classes)] == ["float32", "float32", "int64"]


def test_evaluation_takes_every_class_of_a_box() -> None:
    """At evaluation settings a box counts once for each class over 0.001."""
    (found,) = postprocess(raw_output((100, 100, 40, 20, 0.3, 0.6, 0.001)), [SQUARE], EVAL)
    assert found.classes.tolist() == [1, 0]
    assert found.boxes.tolist() == [[80, 90, 120, 110]] * 2


def test_crowds_get_as_many_boxes_as_labels() -> None:
    """Like val, an evaluation takes 300 boxes an image, and more where an image has more labels; that is said."""
    assert evaluation_settings(0) == evaluation_settings(300) == EVAL
    crowd = evaluation_settings(592)
    assert crowd == replace(EVAL, max_det=592)
    raw, final = (1, 84, 8400), (1, 300, 6)
    assert capped(300, raw) == capped(300, final) == ()
    boxes = "an image has 592 labels, so 592 boxes an image are scored, as in Ultralytics' val, in place of 300"
    assert capped(592, raw) == capped(592, (1, 600, 6)) == (boxes,)
    (sentence,) = capped(592, final)
    assert sentence.startswith("an image has 592 labels, and the head without NMS gives 300 boxes")


def test_duplicates_of_one_class_are_suppressed() -> None:
    """Of two boxes that overlap by more than 0.7 the better stays, unless their classes differ."""
    output = raw_output((100, 100, 40, 40, 0.5, 0, 0), (101, 100, 40, 40, 0.8, 0, 0), (100, 101, 40, 40, 0, 0.4, 0))
    (found,) = postprocess(output, [SQUARE], DEPLOY)
    assert found.scores.tolist() == pytest.approx([0.8, 0.4])
    assert found.classes.tolist() == [0, 1]


def test_equal_scores_keep_the_order_of_anchors() -> None:
    """Quantised models give many equal scores: the first anchor wins, on every machine."""
    output = raw_output((100, 100, 40, 40, 0.5, 0, 0), (101, 100, 40, 40, 0.5, 0, 0))
    (found,) = postprocess(output, [SQUARE], DEPLOY)
    assert found.boxes.tolist() == [[80, 80, 120, 120]]


@pytest.mark.parametrize("settings", [DEPLOY, EVAL])
def test_number_of_detections_is_limited(settings: DetectSettings) -> None:
    """No image has more than 300 detections, and they are its best."""
    anchors = np.zeros((1, 5, 900), np.float32)
    anchors[0, 0] = np.arange(900) * 10
    anchors[0, 2:4] = 5
    anchors[0, 4] = np.linspace(0.3, 0.9, 900)
    (found,) = postprocess(anchors, [SQUARE], settings)
    assert len(found.scores) == 300
    assert found.scores.min() == anchors[0, 4, 600]


def test_end2end_rows_are_only_thresholded() -> None:
    """The NMS-free head's rows pass as they are: overlapping ones too."""
    output = np.zeros((1, 300, 6), np.float32)
    output[0, :3] = [(10, 10, 20, 20, 0.9, 2), (10, 10, 20, 21, 0.8, 2), (10, 10, 20, 20, 0.2, 1)]
    (found,) = postprocess(output, [SQUARE], DEPLOY)
    assert found.boxes.tolist() == [[10, 10, 20, 20], [10, 10, 20, 21]]
    assert found.classes.tolist() == [2, 2]
    (all_found,) = postprocess(output, [SQUARE], EVAL)
    assert all_found.classes.tolist() == [2, 2, 1]
    (first,) = postprocess(output, [SQUARE], replace(EVAL, max_det=1))
    assert first.classes.tolist() == [2]


@pytest.mark.parametrize("size", [(480, 640), (333, 500), (1080, 1920), (50, 20)])
def test_boxes_return_to_the_original_image(size: tuple[int, int]) -> None:
    """The whole image, seen by the network between its bars, is the whole image again in its own pixels."""
    placed = place(*size, InputSize.square(640))
    centre = (placed.pad_left + placed.resized_width / 2, placed.pad_top + placed.resized_height / 2)
    output = raw_output((*centre, placed.resized_width, placed.resized_height, 0.9, 0, 0))
    (found,) = postprocess(output, [placed], EVAL)
    np.testing.assert_allclose(found.boxes, [[0, 0, size[1], size[0]]], atol=1e-3)


def test_only_deployment_cuts_boxes_at_the_edge() -> None:
    """A box that reaches over the edge is cut for deployment, and left for evaluation as Ultralytics' val leaves it."""
    output = raw_output((0, 0, 40, 20, 0.9, 0, 0))
    assert postprocess(output, [SQUARE], DEPLOY)[0].boxes.tolist() == [[0, 0, 20, 10]]
    assert postprocess(output, [SQUARE], EVAL)[0].boxes.tolist() == [[-20, -10, 20, 10]]


def test_batch_gives_one_result_an_image() -> None:
    """Each image of a batch has its own detections and placement."""
    output = np.concatenate([raw_output((320, 320, 64, 64, 0.9, 0, 0)), raw_output()])
    first, second = postprocess(output, [place(320, 320, InputSize.square(640)), SQUARE], DEPLOY)
    assert first.boxes.tolist() == [[144, 144, 176, 176]]
    assert second.boxes.shape == (0, 4)
    assert second.scores.shape == second.classes.shape == (0,)


def test_batch_and_placements_must_pair_up() -> None:
    """A batch with more or fewer outputs than images is an error, not a shorter list."""
    with pytest.raises(ValueError, match="zip"):
        postprocess(raw_output(), [SQUARE, SQUARE], DEPLOY)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 5])
def test_values_that_are_not_finite_are_an_error(value: float, row: int) -> None:
    """A network that overflowed has failed, even where no score shows it."""
    output = raw_output()
    output[0, row, 3] = value
    with pytest.raises(SessionError, match="1 of the output's 140 values are not finite numbers"):
        postprocess(output, [Placement(640, 640, 640, 640, 0, 0)], DEPLOY)


def test_detecting_needs_no_torch() -> None:
    """From pixels to figures no module of a runtime is loaded, and none of OpenCV before the first image."""
    code = (
        "import sys, benchsuite.detect.accuracy, benchsuite.detect.parity\n"
        "import benchsuite.data.dataset, benchsuite.data.images\n"
        "import numpy as np\n"
        "from benchsuite.data.letterbox import preprocess\nfrom benchsuite.terms.input_size import InputSize\n"
        "before = 'cv2' in sys.modules\n"
        "from benchsuite.detect.postprocess import DEPLOY, postprocess\n"
        "_, placements = preprocess([np.zeros((9, 9, 3), np.uint8)], InputSize.square(64))\n"
        "postprocess(np.zeros((1, 84, 84), np.float32), placements, DEPLOY)\n"
        "print(before, [name for name in ('torch', 'torchvision', 'ultralytics', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False []"
