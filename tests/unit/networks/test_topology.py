"""The parts of a detector are found by how it is connected; names mean nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.networks.topology import GROUPS, Graph, Op, graph_of_openvino
from benchsuite.testing import save_onnx


def op(name: str, kind: str, *inputs: str) -> Op:
    """Build an operation with one output, named like itself."""
    return Op(name, kind, inputs, (name,))


def silu(name: str, tensor: str) -> list[Op]:
    """Build x * sigmoid(x)."""
    return [op(f"{name}s", "Sigmoid", tensor), op(name, "Mul", tensor, f"{name}s")]


def head(*, dfl: bool) -> list[Op]:
    """Build two levels of a box and a class branch, and their decode."""
    ops = []
    for level in ("p3", "p4"):
        for branch in ("box", "cls"):
            ops += [op(f"{level}{branch}1", "Conv", level), *silu(f"{level}{branch}a", f"{level}{branch}1")]
            ops += [op(f"{level}{branch}2", "Conv", f"{level}{branch}a")]
            ops += [op(f"{level}{branch}r", "Reshape", f"{level}{branch}2")]
    ops += [op("boxes", "Concat", "p3boxr", "p4boxr"), op("scores", "Concat", "p3clsr", "p4clsr")]
    last = "boxes"
    if dfl:
        ops += [
            op("shaped", "Reshape", "boxes"),
            op("softmax", "Softmax", "shaped"),
            op("turned", "Transpose", "softmax"),
        ]
        ops += [op("mean", "Conv", "turned")]
        last = "mean"
    ops += [op("scaled", "Mul", last), op("probability", "Sigmoid", "scores")]
    return [*ops, op("out", "Concat", "scaled", "probability")]


BACKBONE = [op("stem", "Conv", "images"), *silu("p3", "stem"), op("down", "Conv", "p3"), *silu("p4", "down")]
ENDS = {"p3box2", "p3cls2", "p4box2", "p4cls2"}


def test_decode_starts_after_the_last_convolutions() -> None:
    """Everything behind the branches' last convolutions decodes, and these are the ends."""
    graph = Graph([*BACKBONE, *head(dfl=False)], ["out"])
    reshapes = {f"{level}{branch}r" for level in ("p3", "p4") for branch in ("box", "cls")}
    assert graph.decode == {"boxes", "scores", "scaled", "probability", "out", *reshapes}
    assert graph.branch_ends == ENDS


def test_convolution_of_a_dfl_decodes() -> None:
    """The convolution that averages a softmax over distances is no branch's end."""
    graph = Graph([*BACKBONE, *head(dfl=True)], ["out"])
    assert {"mean", "turned", "softmax", "shaped"} <= graph.decode
    assert graph.branch_ends == ENDS


def test_branches_serve_one_end_each() -> None:
    """The head before its decode is what only one branch needs; what two need is the neck."""
    graph = Graph([*BACKBONE, *head(dfl=False)], ["out"])
    assert {"p3box1", "p3boxa", "p3box2", "p4cls1"} <= graph.branches
    assert not graph.branches & ({op.name for op in BACKBONE} | graph.decode)


def test_bias_in_an_operation_of_its_own_belongs_to_its_convolution() -> None:
    """OpenVINO adds biases apart: they end a branch like the convolution they follow."""
    ops = [op("conv", "Convolution", "images"), op("bias", "Add", "conv"), op("out", "Reshape", "bias")]
    graph = Graph(ops, ["out"])
    assert graph.decode == {"out"}
    assert graph.branch_ends == {"bias"}


def test_values_that_only_move_are_joined() -> None:
    """What Concat, Split, MaxPool and Resize move shares a range, through chains, but not through what computes."""
    ops = [
        op("a", "Conv", "images"),
        Op("halves", "Split", ("a",), ("left", "right")),
        op("b", "Conv", "right"),
        op("both", "Concat", "left", "b"),
        op("c", "Conv", "both"),
        op("pooled", "MaxPool", "c"),
        op("boxes", "Conv", "pooled"),
        op("scores", "Conv", "pooled"),
        op("out", "Concat", "boxes", "scores"),
    ]
    graph = Graph(ops, ["out"])
    assert set(graph.joined(frozenset({"out"}))) == {
        frozenset({"a", "left", "right", "b", "both"}), frozenset({"c", "pooled"}),
    }  # fmt: skip
    assert {"boxes", "scores", "out"} in graph.joined(frozenset())


def test_attention_reaches_to_the_convolutions_around_it() -> None:
    """Attention is what lies around a softmax, without the convolutions before and after."""
    ops = [
        op("qkv", "Conv", "images"),
        Op("split", "Split", ("qkv",), ("q", "k", "v")),
        op("weights", "MatMul", "q", "k"),
        op("softmax", "Softmax", "weights"),
        op("mixed", "MatMul", "v", "softmax"),
        op("position", "Conv", "v"),
        op("sum", "Add", "mixed", "position"),
        op("out", "Conv", "sum"),
    ]
    assert Graph(ops, ["out"]).attention == {"split", "weights", "softmax", "mixed", "sum"}


def test_silu_is_known_by_its_product() -> None:
    """A sigmoid counts only where its own input is multiplied by it."""
    ops = [*silu("a", "x"), op("gate", "Sigmoid", "y"), op("gated", "Mul", "gate", "z")]
    assert Graph(ops, ["a"]).silus == {"x": {"as", "a"}}


def test_parts_of_a_network_are_told_by_stride_and_place() -> None:
    """Stem, stages, neck and head's branches and ends are groups of their own, and nothing of the decode is in one."""
    ops = [
        Op("stem", "Conv", ("images",), ("stem",), 2),
        Op("p2", "Conv", ("stem",), ("p2",), 2),
        Op("low", "Conv", ("p2",), ("low",), 2),
        op("up", "Resize", "low"),
        op("p3", "Concat", "up", "p2"),
        op("p4", "Conv", "p3"),
        *head(dfl=False),
    ]
    groups = Graph(ops, ["out"]).groups
    assert groups["stem"] == {"stem"}
    assert groups["p2"] == {"p2"}
    assert groups["p3"] == {"low"}
    assert groups["neck"] == {"up", "p3", "p4"}
    assert groups["head_ends"] == ENDS
    assert groups["head_box"] == {f"{level}box{part}" for level in ("p3", "p4") for part in ("1", "as", "a")}
    assert groups["head_class"] == {f"{level}cls{part}" for level in ("p3", "p4") for part in ("1", "as", "a")}
    assert set(groups) <= set(GROUPS)


def test_attention_s_convolutions_are_a_group() -> None:
    """What feeds a softmax and what its result feeds stays float together."""
    ops = [
        Op("stem", "Conv", ("images",), ("stem",), 2),
        op("qkv", "Conv", "stem"),
        op("softmax", "Softmax", "qkv"),
        op("mixed", "Conv", "softmax"),
        op("up", "Resize", "mixed"),
        op("p3", "Conv", "up"),
        op("p4", "Conv", "up"),
        *head(dfl=False),
    ]
    groups = Graph(ops, ["out"]).groups
    assert groups["attention"] == {"qkv", "mixed"}
    assert groups["stem"] == {"stem"}


def test_strides_are_read_from_openvino(tmp_path: Path) -> None:
    """Convolutions and poolings that shrink the picture say so; what they compute besides does not matter."""
    onnx: Any = pytest.importorskip("onnx")
    pytest.importorskip("openvino")
    from benchsuite.backends.openvino.package import openvino

    helper = onnx.helper
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["a"], "conv", strides=[2, 2]),
        helper.make_node("MaxPool", ["a"], ["b"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Relu", ["b"], ["output"], "relu"),
    ]
    save_onnx(tmp_path / "model.onnx", nodes, {"weights": np.ones((4, 3, 1, 1))}, [1, 3, 8, 8], [1, 4, 2, 2])
    graph = graph_of_openvino(openvino.convert_model(str(tmp_path / "model.onnx")))
    strides = {op.kind: op.stride for op in graph.ops.values()}
    assert (strides["Convolution"], strides["MaxPool"], strides["Relu"]) == (2, 2, 1)
