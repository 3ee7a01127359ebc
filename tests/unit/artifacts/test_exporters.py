"""What artifacts are made from, and what cannot be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.artifacts.engine import engine_options
from benchsuite.artifacts.exporters import EXPORTERS, OPEN_BATCH, Order, build, parent_recipe
from benchsuite.artifacts.recipe import Calibration, Recipe
from benchsuite.backends import backend
from benchsuite.backends.interface import ArtifactChoices
from benchsuite.backends.offers import tools_for
from benchsuite.backends.schemes import SYMMETRIC
from benchsuite.backends.tensorrt.flavours import RTX, TENSORRT, EngineOptions, Flavour
from benchsuite.backends.tools import OBSERVED
from benchsuite.terms.errors import BuildError
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import make_case, make_machine

VERSIONS = {
    name: "1"
    for artifact_format, precision, _ in EXPORTERS
    for name in tools_for(artifact_format, precision)
    if name != "onnxruntime-gpu"
}


def recipe(artifact_format: str, precision: str, scheme: str = "") -> Recipe:
    """Put a recipe together as a run does, from what is installed of the tools."""
    tools = {name: VERSIONS[name] for name in tools_for(artifact_format, precision) if name in VERSIONS}
    calibration = Calibration("c" * 64, 64, "default") if scheme else None
    return Recipe(
        artifact_format, precision, "w" * 64, "one2many", InputSize.square(320), 2, scheme, calibration, tools
    )


@pytest.mark.parametrize(
    ("made", "parent"),
    [
        (recipe("onnx", "fp16"), recipe("onnx", "fp32")),
        (recipe("openvino", "fp32"), recipe("onnx", "fp32")),
        (recipe("openvino", "fp16"), recipe("openvino", "fp32")),
        (recipe("openvino", "int8", "nncf-mixed"), recipe("openvino", "fp32")),
        (recipe("trt", "bf16"), recipe("onnx", "bf16")),
        (recipe("trt", "int8", SYMMETRIC), recipe("onnx", "int8", SYMMETRIC)),
    ],
)
def test_parent_is_what_its_own_case_makes(made: Recipe, parent: Recipe) -> None:
    """The recipe of the parent equals, to the digest, that of the row that measures it."""
    found = parent_recipe(made)
    assert found == parent
    assert found is not None
    assert found.digest == parent.digest


@pytest.mark.parametrize("artifact_format", ["onnx", "ncnn"])
def test_schemes_and_methods_share_what_was_observed(artifact_format: str) -> None:
    """Two INT8 recipes of the same images have one parent, which is made from the FP32 artifact."""
    scheme = backend(artifact_format).schemes[0]
    made = recipe(artifact_format, "int8", scheme)
    assert made.calibration is not None
    other = replace(made, scheme=f"{scheme}~neck", calibration=replace(made.calibration, method="minmax"))
    observed = parent_recipe(made)
    assert observed is not None
    assert observed == parent_recipe(other)
    assert observed.precision == OBSERVED
    assert parent_recipe(observed) == recipe(artifact_format, "fp32")


def test_other_images_are_observed_anew() -> None:
    """What was observed of one calibration set is not taken for another's."""
    made = recipe("onnx", "int8", "qdq-u8s8")
    assert made.calibration is not None
    other = replace(made, calibration=replace(made.calibration, images_sha256="d" * 64))
    assert parent_recipe(made) != parent_recipe(other)


def test_uncalibrated_schemes_are_made_from_fp32() -> None:
    """Dynamic quantisation needs no images, so nothing was observed for it."""
    made = replace(recipe("onnx", "int8", "dynamic-u8u8"), calibration=None)
    assert parent_recipe(made) == recipe("onnx", "fp32")


@pytest.mark.parametrize("made", [recipe("onnx", "fp32"), recipe("ncnn", "fp16"), recipe("torch", "fp32")])
def test_made_from_the_weights(made: Recipe) -> None:
    """The first artifact of each line has no parent."""
    assert parent_recipe(made) is None


def test_tools_of_a_case_are_the_table_s() -> None:
    """A backend names the same packages as the table from which parents are told."""
    need = backend("openvino").need(make_case(backend="openvino", precision="int8"), make_machine(), ArtifactChoices())
    assert need.tools == tools_for("openvino", "int8")
    assert {"ultralytics", "torch", "onnx", "openvino", "nncf"} <= set(need.tools)


def test_an_engine_is_made_by_one_tensorrt() -> None:
    """Where both are installed and no GPU is found, only the one that builds without a GPU stands in the recipe."""
    packages = {"tensorrt": "11", "tensorrt-rtx-cu13-bindings": "1", "onnxruntime": "1"}
    case = make_case(backend="trt", precision="int8", device="cuda:0")
    need = backend("trt").need(case, make_machine(packages=packages), ArtifactChoices())
    assert "tensorrt-rtx-cu13-bindings" in need.tools
    assert "tensorrt" not in need.tools
    assert (need.format, need.scheme, need.calibrated) == ("trt", SYMMETRIC, True)


def test_unknown_scheme_is_refused(tmp_path: Path) -> None:
    """A recipe that nothing builds is told as such."""
    order = Order(recipe("onnx", "int8", "magic"), tmp_path, (), tmp_path)
    with pytest.raises(BuildError, match="nothing builds onnx int8 magic"):
        build(order)


def test_missing_source_is_one_sentence(tmp_path: Path) -> None:
    """A file that is not there is told by its name, without a traceback."""
    order = Order(recipe("torch", "fp32"), tmp_path / "gone.pt", (), tmp_path)
    with pytest.raises(BuildError, match=r"could not be read or written: .*gone\.pt"):
        build(order)


def test_an_engine_s_onnx_file_knows_no_gpu() -> None:
    """What decides only the engine is no part of its ONNX file, whose batch is open for every profile."""
    built = {"gpu": "Card A", "driver": "580", "level": "5", "rebuild": "2"}
    assert parent_recipe(replace(recipe("trt", "fp16"), build=built)) == recipe("onnx", "fp16")
    profiled = parent_recipe(replace(recipe("trt", "int8", SYMMETRIC), build={**built, "batches": "1,4,8"}))
    while profiled is not None:
        assert profiled.build == OPEN_BATCH
        profiled = parent_recipe(profiled)


def test_engine_options_come_from_the_recipe(tmp_path: Path) -> None:
    """Timings are kept by version, GPU and driver, only for TensorRT proper, and never used for a rebuild."""

    def options(build: Mapping[str, str], flavour: Flavour) -> EngineOptions:
        engine = replace(recipe("trt", "fp32"), build=build, tools={"onnx": "1.19", "tensorrt-cu13": "10.14.1"})
        return engine_options(engine, flavour, tmp_path)

    gpu = {"gpu": "Card A/B", "driver": "580.1"}
    assert options(gpu, TENSORRT) == EngineOptions(timing_cache=tmp_path / "tensorrt-10.14.1-Card_A_B-580.1.cache")
    for decided, flavour in ((gpu, RTX), ({}, TENSORRT), ({**gpu, "rebuild": "2"}, TENSORRT)):
        assert options(decided, flavour) == EngineOptions()
    chosen = {"level": "5", "workspace": "1024", "batches": "1,4,8"}
    assert options(chosen, RTX) == EngineOptions(5, 1024, (1, 4, 8))
