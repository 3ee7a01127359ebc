"""A case's id, what is read back from it, and how model names are made fit for it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.backends import BACKENDS
from benchsuite.backends.offers import EVERY_SCHEME
from benchsuite.terms.cases import PRECISIONS, WAYS, Case, slug
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import UsageError
from benchsuite.terms.input_size import InputSize

CASE = Case("yolo26n_shapes", "onnx", "int8", "cpu", InputSize.square(640), 1, 2)
SIZES = st.integers(1, 200).map(lambda number: 32 * number)
CASES = st.builds(
    Case,
    model=st.text(min_size=1, max_size=20).map(slug),
    backend=st.sampled_from(sorted(BACKENDS)),
    precision=st.sampled_from(PRECISIONS),
    device=st.sampled_from(("cpu", "cuda:0", "cuda:11", "vulkan")),
    imgsz=st.builds(InputSize, SIZES, SIZES),
    batch=st.integers(1, 512),
    threads=st.integers(1, 256),
    head=st.sampled_from(("one2many", "end2end")),
    way=st.sampled_from(("", *WAYS)),
    rebuild=st.integers(0, 12),
    scheme=st.sampled_from(("", *EVERY_SCHEME, "qdq-u8s8~p3+neck", "percentile-100-s0")),
)


def test_id_joins_the_parts_that_tell_rows_apart() -> None:
    """An id reads model-backend-precision-device-imgsz-bN, with what departs from the plain case last."""
    assert CASE.id == "yolo26n_shapes-onnx-int8-cpu-640-b1"
    assert replace(CASE, head="end2end").id == f"{CASE.id}-end2end"
    assert replace(CASE, imgsz=InputSize(384, 640)).id == "yolo26n_shapes-onnx-int8-cpu-384x640-b1"
    assert replace(CASE, head="end2end", way="cudagraph", rebuild=2).variant == "end2end+cudagraph+rebuild2"
    assert replace(CASE, scheme="qdq-u8s8").id == f"{CASE.id}-qdq-u8s8"
    assert replace(CASE, way="compile", scheme="qdq-u8s8").variant == "compile-qdq-u8s8"


@given(CASES)
def test_an_id_is_read_back(case: Case) -> None:
    """Every case is found again from its id and its threads, and from what a file holds of it."""
    assert Case.parse(case.id, case.threads) == case
    assert from_builtins(to_builtins(case), Case) == case


@pytest.mark.parametrize(
    "text", ["", "yolo26n", "a-onnx-fp64-cpu-640-b1", "a-onnx-fp32-cpu-640x-b1", "a-onnx-fp32-cpu-640-b0", "a-b-c"]
)
def test_what_is_no_id_is_told(text: str) -> None:
    """A text that no case has as its id is refused with the grammar and an example."""
    with pytest.raises(UsageError, match=r"is no id of a case: .* yolo26n-onnx-int8-cpu-640-b1"):
        Case.parse(text)


def test_files_hold_a_case_as_they_always_did() -> None:
    """A square size is a number, and what departs from the plain case one text."""
    held = to_builtins(replace(CASE, head="end2end", way="trtep"))
    assert held == {
        "model": "yolo26n_shapes", "backend": "onnx", "precision": "int8", "device": "cpu", "imgsz": 640, "batch": 1,
        "threads": 2, "head": "end2end", "variant": "end2end+trtep",
    }  # fmt: skip
    assert list(held)[-1] == "variant"


def test_every_way_is_some_backends() -> None:
    """The ways to run that ids may name are those that backends have."""
    assert set(WAYS) == {way for backend in BACKENDS.values() for way in backend.ways}


def test_slug_leaves_no_dash_in_a_model_name() -> None:
    """Only `-` separates the parts of an id, so a model's name holds none, nor markup."""
    assert slug("YOLO26n-coco <b>") == "yolo26n_coco__b_"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("模型", "模型"),
        ("检测-v2", "检测_v2"),
        ("Modèle", "modèle"),
        ("Mode\u0300le", "modèle"),
        ("ДЕТЕКТОР", "детектор"),
        ("मॉडल", "मॉडल"),
        ("ยานพาหนะ ที่ 1", "ยานพาหนะ_ที่_1"),
        ("𠮷", "𠮷"),
    ],
)
def test_letters_of_every_script_stay_in_a_name(stem: str, name: str) -> None:
    """Two models of one script do not become one."""
    assert slug(stem) == name


@pytest.mark.parametrize("twins", [("🐱", "🐶"), ("模型！", "模型？"), ("m\udcff", "m\udcfe"), ("a\u202e", "a\u200b")])
def test_what_is_lost_of_a_name_leaves_a_digest(twins: tuple[str, str]) -> None:
    """Names that are left with the same letters are told apart."""
    one, other = map(slug, twins)
    assert one != other
    assert one.rstrip("0123456789abcdef") == other.rstrip("0123456789abcdef")


@given(st.text(alphabet=st.characters(max_codepoint=127), min_size=1, max_size=40))
def test_names_of_ascii_never_change(stem: str) -> None:
    """Baselines and reports go by these names."""
    assert slug(stem) == re.sub(r"[^a-z0-9_.]", "_", stem.lower())


@given(st.text(st.characters(), min_size=1, max_size=300))
def test_a_name_is_fit_for_files_shells_and_ids(stem: str) -> None:
    """It is the name of itself, holds nothing that separates or cannot be printed, and leaves room in a file's name."""
    name = slug(stem)
    assert slug(name) == name
    assert not set(name) & set('-/\\:*?"<>|,= \n\x00')
    assert len(name.encode()) <= 210
    case = replace(CASE, model=name, device="cuda:0", scheme="qdq-u8s8~p3+neck")
    assert Case.parse(unicodedata.normalize("NFD", case.id), case.threads) == case
    assert len(case.file_name.encode()) <= 240
    assert ":" not in case.file_name
