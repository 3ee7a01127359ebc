"""Make artifacts: one literal table from a recipe's format, precision and scheme to the function that builds it."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchsuite.artifacts.engine import write_engine
from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends import BACKENDS
from benchsuite.backends.interface import FloatArray
from benchsuite.backends.offers import calibration_method, tools_for
from benchsuite.backends.schemes import SYMMETRIC, split_scheme
from benchsuite.backends.tools import OBSERVED
from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.detect.postprocess import head_of
from benchsuite.machine.files import is_full
from benchsuite.machine.scratch import temporary_files_in
from benchsuite.networks.narrow import write_bf16, write_fp16
from benchsuite.networks.open_batch import only_batch_open
from benchsuite.networks.topology import FLOAT_GROUPS
from benchsuite.quantize.ncnn_int8 import FILES as NCNN_FILES
from benchsuite.quantize.ncnn_int8 import Int8Options, observe_ncnn, quantize_ncnn
from benchsuite.quantize.onnx_static import QdqOptions
from benchsuite.quantize.onnx_symmetric import quantize_symmetrically
from benchsuite.quantize.ranges import load_observed, save_observed
from benchsuite.terms.errors import BenchsuiteError, BuildError
from benchsuite.terms.said import said

RANGES_FILE = "ranges.npz"
_PREPARED = "prepared.onnx"
# What stands in the recipe of an ONNX file that takes any number of images.
OPEN_BATCH = {"batch": "open"}
# More than any detector's: the labels of calibration images are not looked at.
_MANY_CLASSES = 1000

# Schemes that are exported from the weights in one go.
_WHOLE = frozenset({"ultralytics"})


@dataclass(frozen=True)
class Order:
    """One artifact to build into `folder`, from `source` (the weights, or the parent's folder) and images."""

    recipe: Recipe
    source: Path
    images: tuple[Path, ...]
    folder: Path


def parent_recipe(recipe: Recipe) -> Recipe | None:
    """Return the recipe of the artifact that this one is made from; None for one that is made from the weights."""
    parent = BACKENDS[recipe.format].made_from.get(recipe.precision)
    if parent is None or recipe.scheme in _WHOLE:
        return None
    artifact_format, precision = parent
    if recipe.format == "trt":
        # An ONNX file knows nothing of GPUs, and an open batch is open for every profile.
        recipe = replace(recipe, build=OPEN_BATCH if "batches" in recipe.build else {})
    if precision == "int8":
        # The ONNX file is the same scheme and was calibrated in the same way.
        return replace(recipe, format=artifact_format, tools=_tools(recipe, artifact_format, precision))
    if precision == OBSERVED and recipe.calibration is None:
        # Ranges that are found in every call need no images.
        precision = "fp32"
    calibration = replace(recipe.calibration, method=OBSERVED) if recipe.calibration and precision == OBSERVED else None
    tools = _tools(recipe, artifact_format, precision)
    return replace(recipe, format=artifact_format, precision=precision, scheme="", calibration=calibration, tools=tools)


def _tools(recipe: Recipe, artifact_format: str, precision: str) -> Mapping[str, str]:
    return {name: recipe.tools[name] for name in tools_for(artifact_format, precision) if name in recipe.tools}


def build(order: Order) -> None:
    """Write an artifact's files; raise BuildError in one sentence, whatever the tools below raise."""
    recipe = order.recipe
    scheme, _ = split_scheme(recipe.scheme)
    exporter = EXPORTERS.get((recipe.format, recipe.precision, scheme))
    if exporter is None:
        asked = " ".join(filter(None, (recipe.format, recipe.precision, recipe.scheme)))
        raise BuildError(said("nothing builds {1}", asked))
    with temporary_files_in(order.folder.parent):
        try:
            exporter(order)
        except (BenchsuiteError, MemoryError):
            raise
        except Exception as error:  # Exporters raise whatever their authors chose.
            raise BuildError(_why_not_built(error, order.folder)) from error


def _why_not_built(error: Exception, folder: Path) -> str:
    if isinstance(error, OSError):
        # What could not be written on names no file.
        found = error if error.filename else f"{error.strerror or error}: {folder}"
        return said("a file could not be read or written: {1}", found)
    # The log may lie on the very disk that is full.
    with suppress(OSError):
        traceback.print_exception(error)
    lines = str(error).strip().splitlines() or ["no message"]
    found = said("{1}: {2}", type(error).__name__, lines[0])
    return said("no space is left on the disk of {1}: {2}", folder, found) if is_full(folder) else found


def _checkpoint(order: Order) -> None:
    shutil.copyfile(order.source, order.folder / "model.pt")


def _onnx(order: Order) -> None:
    import onnx

    open_batch = order.recipe.build == OPEN_BATCH
    with _exported(order, "onnx", dynamic=open_batch) as exported:
        model = onnx.load(exported)
    if open_batch:
        model = only_batch_open(model, order.recipe.imgsz)
    shape = tuple(dim.dim_value for dim in model.graph.output[0].type.tensor_type.shape.dim)
    if head_of(shape) != order.recipe.head:
        raise BuildError(said("the model has no {1} head: its output is {2}", order.recipe.head, shape))
    # The date would make two builds of one recipe differ.
    kept = [entry for entry in model.metadata_props if entry.key != "date"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    onnx.save(model, order.folder / "model.onnx")


def _onnx_narrow(write: Callable[[Path, Path], None], order: Order) -> None:
    write(order.source / "model.onnx", order.folder / "model.onnx")


def _onnx_observed(order: Order) -> None:
    from benchsuite.quantize.onnx_static import observe_onnx

    batches = (_batch(order, number) for number in range(_batch_count(order)))
    source, prepared = order.source / "model.onnx", order.folder / _PREPARED
    save_observed(order.folder / RANGES_FILE, observe_onnx(source, prepared, batches, len(order.images)))


def _onnx_int8(options: QdqOptions, order: Order) -> None:
    from benchsuite.quantize.onnx_static import quantize_onnx

    observed = load_observed(order.source / RANGES_FILE)
    options = replace(options, float_groups=(*options.float_groups, *split_scheme(order.recipe.scheme)[1]))
    quantize_onnx(order.source / _PREPARED, order.folder / "model.onnx", observed, options, _method(order))


def _onnx_symmetric(order: Order) -> None:
    observed = load_observed(order.source / RANGES_FILE)
    groups = (*FLOAT_GROUPS, *split_scheme(order.recipe.scheme)[1])
    quantize_symmetrically(order.source / _PREPARED, order.folder / "model.onnx", observed, groups, _method(order))


def _engine(order: Order) -> None:
    # Beside the artifacts of the store, from which this one's folder is filled.
    timings = order.folder.parents[2] / "timings"
    write_engine(order.recipe, order.source / "model.onnx", order.folder, timings)


def _onnx_dynamic(order: Order) -> None:
    from benchsuite.quantize.onnx_static import quantize_onnx_dynamically

    quantize_onnx_dynamically(order.source / "model.onnx", order.folder / "model.onnx")


def _onnx_ultralytics(order: Order) -> None:
    """Let Ultralytics quantise, on the same images, for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        listed, yaml = Path(folder) / "images.txt", Path(folder) / "data.yaml"
        listed.write_text("".join(f"{path.absolute()}\n" for path in order.images))
        # It calibrates on the val split.
        names = {number: str(number) for number in range(_MANY_CLASSES)}
        yaml.write_text(json.dumps({"train": str(listed), "val": str(listed), "names": names}))
        with _exported(order, "onnx", quantize=8, data=str(yaml), fraction=1.0) as exported:
            shutil.copyfile(exported, order.folder / "model.onnx")


def _openvino(order: Order) -> None:
    from benchsuite.backends.openvino.package import openvino

    model = openvino.convert_model(str(order.source / "model.onnx"))
    openvino.save_model(model, str(order.folder / "model.xml"), compress_to_fp16=False)


def _openvino_fp16(order: Order) -> None:
    from benchsuite.backends.openvino.package import openvino

    model = openvino.Core().read_model(str(order.source / "model.xml"))
    openvino.save_model(model, str(order.folder / "model.xml"), compress_to_fp16=True)


def _openvino_int8(preset: Any, correct_bias: bool, order: Order) -> None:
    from benchsuite.quantize.openvino import quantize_openvino

    source, target = order.source / "model.xml", order.folder / "model.xml"
    batch = partial(_batch, order)
    several = order.recipe.batch > 1
    quantize_openvino(source, target, _batch_count(order), batch, several, preset, correct_bias, _method(order))


def _ncnn(order: Order) -> None:
    with _exported(order, "ncnn", quantize=16 if order.recipe.precision == "fp16" else None) as exported:
        for name in NCNN_FILES:
            shutil.copyfile(exported / name, order.folder / name)


def _ncnn_observed(order: Order) -> None:
    images = (_batch(order, number)[0] for number in range(_batch_count(order)))
    for name in NCNN_FILES:
        shutil.copyfile(order.source / name, order.folder / name)
    save_observed(order.folder / RANGES_FILE, observe_ncnn(order.source, images))


def _ncnn_int8(options: Int8Options, order: Order) -> None:
    quantize_ncnn(order.source, order.folder, load_observed(order.source / RANGES_FILE), options, _method(order))


@contextmanager
def _exported(order: Order, artifact_format: str, **options: Any) -> Iterator[Path]:
    """Let Ultralytics export and yield the path of what it wrote, which it does beside the weights: a copy, here."""
    from ultralytics import YOLO

    recipe = order.recipe
    with tempfile.TemporaryDirectory() as scratch:
        weights = Path(scratch) / "model.pt"
        shutil.copyfile(order.source, weights)
        # None is the one-to-many head without NMS in the graph, False the NMS-free one.
        nms = False if recipe.head == "end2end" else None
        fixed = {
            "imgsz": list(recipe.imgsz.shape),
            "batch": recipe.batch,
            "nms": nms,
            "device": "cpu",
            "verbose": False,
        }
        yield Path(YOLO(weights).export(format=artifact_format, **fixed, **options))


def _batch_count(order: Order) -> int:
    if not order.images:
        raise BuildError(said("INT8 needs images to calibrate on, and none were given"))
    return math.ceil(len(order.images) / order.recipe.batch)


def _batch(order: Order, number: int) -> FloatArray:
    """Return calibration batch `number`; the last one is filled up from the first images."""
    first = number * order.recipe.batch
    paths = [order.images[index % len(order.images)] for index in range(first, first + order.recipe.batch)]
    return preprocess([read_image(path) for path in paths], order.recipe.imgsz)[0]


def _method(order: Order) -> str:
    calibration = order.recipe.calibration
    return calibration_method(order.recipe.format, calibration.method if calibration else "")


EXPORTERS: Mapping[tuple[str, str, str], Callable[[Order], None]] = {
    ("torch", "fp32", ""): _checkpoint,
    ("onnx", "fp32", ""): _onnx,
    ("onnx", "fp16", ""): partial(_onnx_narrow, write_fp16),
    ("onnx", "bf16", ""): partial(_onnx_narrow, write_bf16),
    ("onnx", OBSERVED, ""): _onnx_observed,
    ("onnx", "int8", "qdq-u8s8"): partial(_onnx_int8, QdqOptions()),
    ("onnx", "int8", "qdq-s8s8"): partial(_onnx_int8, QdqOptions(activations="s8")),
    ("onnx", "int8", "qdq-u8s7"): partial(_onnx_int8, QdqOptions(seven_bit_weights=True)),
    ("onnx", "int8", "qdq-u8s8-headfloat"): partial(_onnx_int8, QdqOptions(float_head="branches")),
    ("onnx", "int8", "qdq-u8s8-headint8"): partial(_onnx_int8, QdqOptions(float_head="decode")),
    ("onnx", "int8", "qdq-u8s8-most"): partial(_onnx_int8, QdqOptions(float_head="decode", float_groups=())),
    ("onnx", "int8", "qdq-u8s8-pertensor"): partial(_onnx_int8, QdqOptions(per_channel=False)),
    ("onnx", "int8", "qdq-u8s8-silu8"): partial(_onnx_int8, QdqOptions(integer_silu=True)),
    ("onnx", "int8", "qop-u8s8"): partial(_onnx_int8, QdqOptions(fused_operators=True)),
    ("onnx", "int8", SYMMETRIC): _onnx_symmetric,
    ("onnx", "int8", "dynamic-u8u8"): _onnx_dynamic,
    ("onnx", "int8", "ultralytics"): _onnx_ultralytics,
    ("openvino", "fp32", ""): _openvino,
    ("openvino", "fp16", ""): _openvino_fp16,
    ("openvino", "int8", "nncf-mixed"): partial(_openvino_int8, "mixed", False),
    ("openvino", "int8", "nncf-mixed-corrected"): partial(_openvino_int8, "mixed", True),
    ("openvino", "int8", "nncf-performance"): partial(_openvino_int8, "performance", False),
    ("ncnn", "fp32", ""): _ncnn,
    ("ncnn", "fp16", ""): _ncnn,
    ("ncnn", OBSERVED, ""): _ncnn_observed,
    ("ncnn", "int8", "ncnn-w8"): partial(_ncnn_int8, Int8Options()),
    ("ncnn", "int8", "ncnn-w8-depthwise"): partial(_ncnn_int8, Int8Options(float_depthwise=False)),
    ("ncnn", "int8", "ncnn-w8-ends"): partial(_ncnn_int8, Int8Options(float_ends=False)),
    ("ncnn", "int8", "ncnn-w8-early"): partial(_ncnn_int8, Int8Options(float_early=False)),
    ("trt", "fp32", ""): _engine,
    ("trt", "fp16", ""): _engine,
    ("trt", "bf16", ""): _engine,
    ("trt", "int8", SYMMETRIC): _engine,
}
