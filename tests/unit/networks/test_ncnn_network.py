"""NCNN's files are read to the last byte and written as they were."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from benchsuite.networks.ncnn_network import Weights, read_network, write_network
from benchsuite.terms.errors import BuildError

PARAM = """7767517
5 6
Input                    in0                      0 1 in0
Convolution              conv_0                   1 1 in0 1 0=2 1=3 4=1 5=1 6=54
Split                    split_0                  1 2 1 2 3
ConvolutionDepthWise     dw_0                     1 1 2 4 0=2 1=3 4=1 5=0 6=18 7=2
MemoryData               anchors                  0 1 5 0=3 1=2
"""


def write(folder: Path, param: str = PARAM, cut: int = 0, extra: bytes = b"") -> tuple[Path, Path]:
    """Write a network of an fp32 and an fp16 convolution and a constant."""
    floats = np.arange(100, dtype="<f4") / 7
    weights = struct.pack("<I", 0) + floats[:54].tobytes() + floats[:2].tobytes()
    weights += struct.pack("<I", 0x01306B47) + floats[:18].astype("<f2").tobytes()
    weights += floats[:6].tobytes() + extra
    paths = folder / "model.ncnn.param", folder / "model.ncnn.bin"
    paths[0].write_text(param)
    paths[1].write_bytes(weights[: len(weights) - cut])
    return paths


def test_layers_and_weights_are_read(tmp_path: Path) -> None:
    """Every layer has its ends, its parameters and what it loads."""
    network = read_network(*write(tmp_path))
    _, conv, split, depthwise, anchors = network.layers
    assert (conv.channels, conv.number(6), depthwise.groups, split.outputs) == (2, 54, 2, ("2", "3"))
    assert isinstance(conv.weights, Weights)
    assert isinstance(depthwise.weights, Weights)
    assert (conv.weights.storage, depthwise.weights.storage) == ("fp32", "fp16")
    assert conv.weights.bias is not None
    assert depthwise.weights.bias is None
    assert isinstance(anchors.weights, np.ndarray)
    assert anchors.weights.size == 6


def test_what_is_written_is_what_was_read(tmp_path: Path) -> None:
    """Weights come back byte for byte, and the text means the same."""
    source = write(tmp_path)
    target = tmp_path / "again.param", tmp_path / "again.bin"
    write_network(read_network(*source), *target)
    assert target[1].read_bytes() == source[1].read_bytes()
    assert [line.split() for line in target[0].read_text().splitlines()] == [
        line.split() for line in source[0].read_text().splitlines()
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cut": 3}, "ends inside layer anchors"),
        ({"cut": 60}, "ends inside layer dw_0"),
        ({"extra": b"1234"}, "4 bytes that belong to no layer"),
        ({"param": PARAM.replace("5 6", "6 6")}, "names 6 layers and has 5"),
        ({"param": PARAM.replace("7767517", "7767518")}, "does not begin with 7767517"),
        ({"param": PARAM.replace("Split ", "LSTM  ")}, "kind LSTM, which may carry weights"),
        ({"param": PARAM.replace("0=3 1=2", "0=3 1=2 21=0")}, "load type 0"),
        ({"param": PARAM.replace("6=54", "6=53")}, "unknown tag"),
    ],
)
def test_whatever_is_wrong_is_named(tmp_path: Path, changes: dict[str, object], problem: str) -> None:
    """Files cut short, left over or not understood are errors that name the layer."""
    with pytest.raises(BuildError, match=problem):
        read_network(*write(tmp_path, **changes))
