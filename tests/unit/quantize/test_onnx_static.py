"""ONNX graphs that cannot be quantised are refused in one sentence, and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchsuite.quantize.bias import correct_onnx
from benchsuite.quantize.onnx_static import QdqOptions, observe_onnx, quantize_onnx, quantize_onnx_dynamically
from benchsuite.quantize.ranges import observe
from benchsuite.terms.errors import BuildError
from benchsuite.testing import save_onnx


def write_model(path: Path, opset: int, branches: int) -> None:
    """Write a stem and some convolutions that are joined, as the branches of a head are."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    weights = {f"w{index}": np.ones((3, 3, 1, 1)) for index in range(branches + 1)}
    nodes = [helper.make_node("Conv", ["images", "w0"], ["stem"], "stem")]
    for index in range(1, branches + 1):
        nodes.append(helper.make_node("Conv", ["stem", f"w{index}"], [f"b{index}"], f"branch{index}"))
    ends = [f"b{index}" for index in range(1, branches + 1)]
    nodes.append(helper.make_node("Concat", ends, ["output"], "joined", axis=1))
    save_onnx(path, nodes, weights, [1, 3, 8, 8], [1, 3 * branches, 8, 8], opset)


@pytest.mark.parametrize(
    ("opset", "branches", "message"),
    [
        (11, 2, "has opset 11, and quantising one scale a channel needs 13 or later: export it anew"),
        (17, 1, "has no head that is recognised: 1 convolutions feed its decode"),
    ],
)
def test_what_cannot_be_quantised_is_said(tmp_path: Path, opset: int, branches: int, message: str) -> None:
    """Too old an opset and a graph without a head's branches are errors, not half a file."""
    write_model(tmp_path / "model.onnx", opset, branches)
    with pytest.raises(BuildError, match=message):
        quantize_onnx_dynamically(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    assert not (tmp_path / "int8.onnx").exists()


def test_a_graph_with_a_head_is_quantised(tmp_path: Path) -> None:
    """Two branches are a head: the stem becomes integer, the branches' ends stay float."""
    onnx: Any = pytest.importorskip("onnx")
    write_model(tmp_path / "model.onnx", 17, 2)
    quantize_onnx_dynamically(tmp_path / "model.onnx", tmp_path / "int8.onnx")
    kinds = [node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node]
    assert kinds.count("ConvInteger") == 1
    assert kinds.count("Conv") == 2


def write_silu_model(path: Path) -> None:
    """Write a stem, its SiLU, and two branches that are joined."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    weights = {f"w{index}": np.full((3, 3, 1, 1), 0.5) for index in range(3)}
    nodes = [
        helper.make_node("Conv", ["images", "w0"], ["stem"], "stem"),
        helper.make_node("Sigmoid", ["stem"], ["gate"], "gate"),
        helper.make_node("Mul", ["stem", "gate"], ["active"], "active"),
        helper.make_node("Conv", ["active", "w1"], ["b1"], "branch1"),
        helper.make_node("Conv", ["active", "w2"], ["b2"], "branch2"),
        helper.make_node("Concat", ["b1", "b2"], ["output"], "joined", axis=1),
    ]
    save_onnx(path, nodes, weights, [1, 3, 8, 8], [1, 6, 8, 8])


@pytest.mark.parametrize(
    ("groups", "floats"), [(("neck",), ["stem", "branch1", "branch2"]), ((), ["branch1", "branch2"])]
)
def test_named_groups_stay_float(tmp_path: Path, groups: tuple[str, ...], floats: list[str]) -> None:
    """A group that is named stays float, and a picture that only float convolutions read is not quantised."""
    onnx: Any = pytest.importorskip("onnx")
    write_model(tmp_path / "model.onnx", 17, 2)
    images = np.linspace(0, 1, 192, dtype=np.float32).reshape(1, 3, 8, 8)
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [images], len(images))
    # Without an upsampling all that comes before the branches is the neck.
    options = QdqOptions(float_groups=groups)
    quantize_onnx(tmp_path / "prepared.onnx", tmp_path / "int8.onnx", observed, options, "minmax")
    nodes = onnx.load(tmp_path / "int8.onnx").graph.node
    dequantised = {name for node in nodes if node.op_type == "DequantizeLinear" for name in node.output}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    assert [node.name for node in convolutions if node.input[1] not in dequantised] == floats
    assert any(node.op_type == "QuantizeLinear" and "images" in node.input for node in nodes) == (not groups)


def write_biased_model(path: Path) -> None:
    """Write a 3×3 convolution with biases, and two branches with biases."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    rng = np.random.default_rng(4)
    shapes = {"body": (8, 3, 3, 3), "branch1": (3, 8, 1, 1), "branch2": (3, 8, 1, 1)}
    arrays = {f"{name}.weight": rng.normal(size=shape) for name, shape in shapes.items()}
    arrays |= {f"{name}.bias": rng.normal(size=shape[0]) for name, shape in shapes.items()}
    reads = {"body": "images", "branch1": "body_out", "branch2": "body_out"}
    nodes = [
        helper.make_node("Conv", [reads[name], f"{name}.weight", f"{name}.bias"], [f"{name}_out"], name)
        for name in shapes
    ]
    nodes.append(helper.make_node("Concat", ["branch1_out", "branch2_out"], ["output"], "joined", axis=1))
    save_onnx(path, nodes, arrays, [1, 3, 16, 16], [1, 6, 14, 14])


@pytest.mark.parametrize("fused", [False, True])
def test_biases_take_back_what_rounding_weights_adds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fused: bool
) -> None:
    """The mean of each output channel comes several times closer to the float model's, in either format."""
    import onnxruntime

    from benchsuite.quantize import onnx_static

    write_biased_model(tmp_path / "model.onnx")
    images = np.random.default_rng(5).uniform(0.5, 1.5, (1, 3, 16, 16)).astype(np.float32)
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [images], len(images))
    # Few steps, so that rounding shows.
    options = QdqOptions(float_groups=(), fused_operators=fused, seven_bit_weights=True)

    def means(name: str) -> npt.NDArray[np.float32]:
        session = onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"])
        found: npt.NDArray[np.float32] = session.run(None, {"images": images})[0].mean(axis=(0, 2, 3))
        return found

    quantize_onnx(tmp_path / "prepared.onnx", tmp_path / "corrected.onnx", observed, options, "minmax")
    monkeypatch.setattr(onnx_static, "correct_onnx", lambda *_: None)
    quantize_onnx(tmp_path / "prepared.onnx", tmp_path / "rounded.onnx", observed, options, "minmax")
    exact = means("model.onnx")
    assert np.abs(means("corrected.onnx") - exact).mean() < 0.3 * np.abs(means("rounded.onnx") - exact).mean()


def test_a_bias_that_two_convolutions_share_is_left_alone() -> None:
    """It cannot take back what each of them adds; one with a single user is corrected."""
    onnx: Any = pytest.importorskip("onnx")
    helper, tensor = onnx.helper, onnx.numpy_helper.from_array
    exact, rounded = np.full((2, 1, 1, 1), 1.0, np.float32), np.full((2, 1, 1, 1), 2, np.int8)
    own, shared = np.zeros(2, np.float32), np.zeros(2, np.float32)
    names = {"w1": "shared", "w2": "shared", "w3": "own"}
    nodes = [helper.make_node("Conv", ["images", weights, bias], [f"{weights}_out"]) for weights, bias in names.items()]
    floats = [tensor(exact, weights) for weights in names] + [tensor(own, "own"), tensor(shared, "shared")]
    stored = [tensor(rounded, f"{weights}_quantized") for weights in names] + floats[len(names) :]
    stored += [tensor(np.ones(2, np.float32), f"{weights}_scale") for weights in names]
    prepared = helper.make_model(helper.make_graph(nodes, "prepared", [], [], floats))
    quantised = helper.make_model(helper.make_graph([], "quantised", [], [], stored))
    correct_onnx(quantised, prepared, {"images": observe(np.full((1, 1, 2, 2), 3.0, np.float32))})
    found = {it.name: onnx.numpy_helper.to_array(it).tolist() for it in quantised.graph.initializer}
    assert found["own"] == [-3.0, -3.0]
    assert found["shared"] == [0.0, 0.0]


def write_joining_model(path: Path) -> None:
    """Write two convolutions of unlike outputs that are joined, and two branches."""
    onnx: Any = pytest.importorskip("onnx")
    helper = onnx.helper
    shapes = {"small": (3, 3, 0.5), "large": (3, 3, 5.0), "w1": (3, 6, 1.0), "w2": (3, 6, 1.0)}
    weights = {name: np.full((rows, columns, 1, 1), value) for name, (rows, columns, value) in shapes.items()}
    nodes = [
        helper.make_node("Conv", ["images", "small"], ["a"], "a"),
        helper.make_node("Conv", ["a", "large"], ["b"], "b"),
        helper.make_node("Concat", ["a", "b"], ["both"], "both", axis=1),
        helper.make_node("Conv", ["both", "w1"], ["b1"], "branch1"),
        helper.make_node("Conv", ["both", "w2"], ["b2"], "branch2"),
        helper.make_node("Concat", ["b1", "b2"], ["output"], "joined", axis=1),
    ]
    save_onnx(path, nodes, weights, [1, 3, 8, 8], [1, 6, 8, 8])


def test_what_is_joined_has_one_scale(tmp_path: Path) -> None:
    """Concat's inputs take the widest range of all, and the decode's, which stays float, widens nobody's."""
    onnx: Any = pytest.importorskip("onnx")
    write_joining_model(tmp_path / "model.onnx")
    images = np.linspace(0, 1, 192, dtype=np.float32).reshape(1, 3, 8, 8)
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [images], len(images))
    options = QdqOptions(float_head="decode")
    quantize_onnx(tmp_path / "prepared.onnx", tmp_path / "int8.onnx", observed, options, "minmax")
    model = onnx.load(tmp_path / "int8.onnx")
    scales = {tensor.name: onnx.numpy_helper.to_array(tensor).tolist() for tensor in model.graph.initializer}
    assert observed["b"].highest > 5 * observed["a"].highest
    assert scales["a_scale"] == scales["b_scale"] == scales["both_scale"]
    assert scales["both_scale"] == pytest.approx(observed["b"].highest / 255, rel=1e-3)


@pytest.mark.parametrize(("integer_silu", "kinds"), [(False, {"QuickGelu"}), (True, {"Sigmoid", "Mul"})])
def test_silu_is_one_float_kernel_unless_asked_otherwise(tmp_path: Path, integer_silu: bool, kinds: set[str]) -> None:
    """SiLU is one operation; the range before it begins at -8, and what comes out stays right."""
    onnx: Any = pytest.importorskip("onnx")
    import onnxruntime

    write_silu_model(tmp_path / "model.onnx")
    images = np.linspace(-20, 20, 192, dtype=np.float32).reshape(1, 3, 8, 8)
    observed = observe_onnx(tmp_path / "model.onnx", tmp_path / "prepared.onnx", [images], len(images))
    assert observed["stem"].lowest < -8
    options = QdqOptions(integer_silu=integer_silu)
    quantize_onnx(tmp_path / "prepared.onnx", tmp_path / "int8.onnx", observed, options, "minmax")
    model = onnx.load(tmp_path / "int8.onnx")
    assert {node.op_type for node in model.graph.node} & {"QuickGelu", "Sigmoid", "Mul"} == kinds
    scales = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert float(scales["stem_scale"]) == pytest.approx((observed["stem"].highest + 8) / 255, rel=1e-3)

    outputs = [
        onnxruntime.InferenceSession(str(tmp_path / name), providers=["CPUExecutionProvider"]).run(
            None, {"images": images}
        )
        for name in ("model.onnx", "int8.onnx")
    ]
    assert np.abs(outputs[0][0] - outputs[1][0]).max() < 0.03 * np.abs(outputs[0][0]).max()


def test_batches_are_observed_image_by_image(tmp_path: Path) -> None:
    """Three images in batches of two, the last filled up, give what three images give one by one."""
    onnx: Any = pytest.importorskip("onnx")
    images = np.random.default_rng(0).uniform(-1, 1, (3, 3, 16, 16)).astype(np.float32)
    write_biased_model(tmp_path / "one.onnx")
    model = onnx.load(tmp_path / "one.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2
    onnx.save(model, tmp_path / "two.onnx")
    one = observe_onnx(tmp_path / "one.onnx", tmp_path / "a.onnx", [image[None] for image in images], 3)
    two = observe_onnx(tmp_path / "two.onnx", tmp_path / "b.onnx", [images[:2], images[[2, 0]]], 3)
    assert list(one) == list(two)
    for name, seen in one.items():
        assert two[name].images == seen.images == 3
        for method in ("minmax", "mean-minmax"):
            assert two[name].bounds(method) == pytest.approx(seen.bounds(method), rel=1e-5)
