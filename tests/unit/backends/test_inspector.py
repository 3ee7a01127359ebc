"""What an engine's inspector says is held against the ONNX file's convolutions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchsuite.backends.tensorrt.inspector import inspect
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import SessionError


def layer(name: str, **parts: Any) -> dict[str, Any]:
    return {"Name": name, "LayerType": "CaskConvolution", "Inputs": [], "Outputs": [], "Metadata": "", **parts}


def look(*layers: Any, **macs: int) -> Any:
    return inspect(json.dumps({"Layers": layers}), macs or {"a": 100, "b": 300})


@pytest.mark.parametrize(
    ("parts", "precision"),
    [
        ({"Inputs": [{"Format/Datatype": "Thirty-two wide channel vectorized row major Int8 format"}]}, "int8"),
        ({"Inputs": [{"Format/Datatype": "Channel major FP16 format where channel % 8 == 0"}]}, "fp16"),
        ({"Inputs": [{"Format/Datatype": "Half"}]}, "fp16"),
        ({"Inputs": [{"Format/Datatype": "Row major linear FP32"}]}, "fp32"),
        ({"Inputs": [{"Format": "HWC8", "DataType": "Int8"}]}, "int8"),
        ({"Inputs": [{"Format": "LINEAR", "Datatype": "BFloat16"}]}, "bf16"),
        ({"Inputs": [{"DataType": "FP16"}], "Weights": {"Type": "Int8", "Count": 9}}, "int8"),
        ({"Inputs": [{"DataType": "Int8"}], "Weights": {"Type": "Half", "Count": 9}}, "fp16"),
        ({"Inputs": [{"DataType": "Something"}]}, "unknown"),
        ({"Inputs": []}, "unknown"),
    ],
)
def test_precision_of_a_layer(parts: dict[str, Any], precision: str) -> None:
    """Weights tell a layer's precision, and its first input where they do not, in either dialect."""
    assert look(layer("a", **parts), a=100).convolutions == {precision: 1}


def test_fused_layers_count_every_convolution_that_they_compute() -> None:
    """A layer owns the nodes that its metadata lists, or those that its name joins."""
    int8 = {"Weights": {"Type": "Int8"}}
    assert look(layer("a + PWN(act) || b + PWN(act_1)", **int8)).convolutions == {"int8": 2}
    assert look(layer("__myl_Conv_7", Metadata="[ONNX Layer: a][ONNX Layer: b]", **int8)).convolutions == {"int8": 2}


def test_share_is_by_multiply_adds_and_counts_what_no_layer_owns() -> None:
    """A convolution that cannot be found weighs against a claim, as does one in float."""
    found = look(layer("b", Weights={"Type": "Int8"}))
    assert found.convolutions == {"int8": 1, "unknown": 1}
    assert found.int8_mac_share == 0.75
    assert found.compute == "int8"
    assert look(layer("a", Weights={"Type": "Int8"})).compute == "unknown"
    assert isinstance(look(layer("b", Weights={"Type": "Half"})).int8_mac_share, Absent)


def test_a_reformat_of_a_convolution_s_input_computes_nothing() -> None:
    """Only the layer that computes says in what."""
    moves = layer("a", LayerType="Reformat", Inputs=[{"DataType": "FP32"}])
    computes = layer("a", Weights={"Type": "Int8"})
    for order in ((moves, computes), (computes, moves)):
        assert look(*order, a=1).convolutions == {"int8": 1}


def test_names_alone_prove_nothing() -> None:
    """An engine that was built without details says how to build it."""
    with pytest.raises(SessionError, match="build it with profiling verbosity DETAILED"):
        look("a", "b")
