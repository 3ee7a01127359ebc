"""NCNN's INT8 against integers: every layer computes what its stored weights and scales say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchsuite.artifacts.recipe import Calibration, Recipe
from benchsuite.artifacts.store import Store
from benchsuite.backends.ncnn.winograd import overflowing
from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.networks.ncnn_network import Layer, Network, Weights, read_network, write_network
from benchsuite.networks.weights import BUNDLED, file_sha256
from benchsuite.quantize.ncnn_int8 import rounded
from benchsuite.terms.input_size import InputSize

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
SIZE = InputSize.square(320)
FloatArray = npt.NDArray[np.float32]
NAMES = "model.ncnn.param", "model.ncnn.bin"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Draw a few pictures of the bundled data set."""
    from benchsuite.data.dataset import load_dataset
    from benchsuite.data.shapes import ShapesSpec, shapes_data

    return load_dataset(shapes_data(tmp_path_factory.mktemp("data"), ShapesSpec(train=1, val=9, calib=1))).splits["val"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, images: tuple[Path, ...]) -> Path:
    """Build the bundled model's INT8 files from eight pictures."""
    weights = ROOT / "benchsuite" / "networks" / f"{BUNDLED}.pt"
    calibration = Calibration("", 8, "minmax")
    recipe = Recipe("ncnn", "int8", file_sha256(weights), "one2many", SIZE, 1, "ncnn-w8", calibration)
    return Path(Store(tmp_path_factory.mktemp("store")).get(recipe, weights, images[:8])[0].folder)


@pytest.fixture
def network(folder: Path) -> Network:
    """Read the INT8 network."""
    return read_network(*(folder / name for name in NAMES))


@pytest.fixture
def image(images: tuple[Path, ...]) -> FloatArray:
    """Return a picture that was not calibrated on."""
    batch: FloatArray = preprocess([read_image(images[8])], SIZE)[0][0]
    return batch


def extractor(folder: Path, image: FloatArray) -> Iterator[Callable[[str], FloatArray]]:
    """Run the picture and yield a function that returns any blob."""
    import ncnn

    net = ncnn.Net()
    net.opt.lightmode = False
    net.opt.use_winograd_convolution = False
    for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
        setattr(net.opt, name, False)
    assert net.load_param(str(folder / NAMES[0])) == 0
    assert net.load_model(str(folder / NAMES[1])) == 0
    running = net.create_extractor()
    running.set_light_mode(False)
    kept = ncnn.Mat(image)
    running.input(net.input_names()[0], kept)

    def extract(blob: str) -> FloatArray:
        code, values = running.extract(blob)
        assert code == 0
        return np.array(values)

    yield extract


def integers(layer: Layer, source: FloatArray) -> npt.NDArray[np.float64]:
    """Compute a convolution in float64 from the stored integers and scales."""
    weights = layer.weights
    assert isinstance(weights, Weights)
    assert weights.weight_scales is not None
    assert weights.input_scale is not None
    size, stride, pad = layer.number(1), layer.number(3, 1), layer.number(4)
    quantised = rounded(source * weights.input_scale[0]).astype(np.float64)
    padded = np.pad(quantised, ((0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]
    kernel = weights.weight.astype(np.float64).reshape(layer.channels, source.shape[0], size, size)
    sums = np.einsum("chwij,ocij->ohw", windows, kernel, optimize=True)
    scaled = sums / (weights.weight_scales.astype(np.float64) * weights.input_scale[0])[:, None, None]
    return scaled if weights.bias is None else scaled + weights.bias[:, None, None]


def test_every_integer_layer_computes_its_integers(folder: Path, network: Network, image: FloatArray) -> None:
    """The output of each int8 convolution is that of an integer computation on its input, to float32 rounding."""
    checked = 0
    for extract in extractor(folder, image):
        for layer in network.layers:
            if isinstance(layer.weights, Weights) and layer.weights.storage == "int8":
                wanted, found = integers(layer, extract(layer.inputs[0])), extract(layer.outputs[0])
                scale = float(np.abs(wanted).max())
                assert np.abs(wanted - found).max() <= 1e-3 * scale, layer.name
                checked += 1
    assert checked > 60


def test_stored_integers_are_those_that_ncnn_would_make(
    folder: Path, network: Network, image: FloatArray, tmp_path: Path
) -> None:
    """The same scales over float weights, which NCNN quantises itself as it loads them, give the same bits."""
    source = read_network(*(folder / name for name in NAMES))
    floats = tuple(_dequantised(layer) for layer in source.layers)
    write_network(Network(floats, source.blobs), *(tmp_path / name for name in NAMES))
    outputs = [layer.outputs[0] for layer in network.layers][-1:]
    for stored, loaded in zip(extractor(folder, image), extractor(tmp_path, image), strict=True):
        for blob in outputs:
            assert np.array_equal(stored(blob), loaded(blob))


def _dequantised(layer: Layer) -> Layer:
    """Store float weights that round to the layer's integers."""
    weights: Any = layer.weights
    if not isinstance(weights, Weights) or weights.storage != "int8":
        return layer
    assert weights.weight_scales is not None
    rows = weights.weight.astype(np.float32).reshape(len(weights.weight_scales), -1)
    return replace(
        layer, weights=replace(weights, storage="fp32", weight=(rows / weights.weight_scales[:, None]).ravel())
    )


def test_layers_that_winograd_could_wrap_are_found(network: Network) -> None:
    """A layer is found exactly where its largest sum of weights, times 127 and Winograd's 576, leaves 32 bits."""
    wrapping = set()
    for layer in network.layers:
        weights = layer.weights
        if not isinstance(weights, Weights) or weights.storage != "int8" or layer.number(1) != 3:
            continue
        largest = np.abs(weights.weight.astype(np.int64)).reshape(layer.channels, -1).sum(axis=1).max()
        if layer.number(3, 1) == 1 and largest * 127 * 576 > 2**31 - 1:
            wrapping.add(layer.name)
    found = set(overflowing(network))
    assert found == wrapping
    assert found <= {layer.name for layer in network.layers if layer.kind == "Convolution"}


def test_int8_files_are_a_third_of_fp32(folder: Path, network: Network) -> None:
    """Integers take a quarter of the room, and what stays float keeps the file under 35 %."""
    size = sum((folder / name).stat().st_size for name in NAMES)
    whole = 4 * sum(layer.weights.weight.size for layer in network.layers if isinstance(layer.weights, Weights))
    assert size < 0.35 * whole
