"""What rounding a convolution's weights changes on average, taken out of its bias again.

Rounded weights move a channel's mean output by their error times the mean of what they read, which calibration has seen
(M. Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, ICCV 2019). Borders, where a
kernel reads padding, are not told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from benchsuite.quantize.ranges import Observed

Array = npt.NDArray[Any]


def mean_shift(error: Array, means: Array, groups: int) -> npt.NDArray[np.float64]:
    """Return by how much each output channel's mean moves.

    `error` (out, in / groups, taps) is rounded minus exact weights, `means` (in,) those of the input's channels.
    """
    summed = error.astype(np.float64).sum(axis=2).reshape(groups, -1, error.shape[1])
    shift: npt.NDArray[np.float64] = np.einsum("goc,gc->go", summed, means.reshape(groups, -1)).ravel()
    return shift


def correct_onnx(quantised: Any, prepared: Any, observed: Mapping[str, Observed]) -> None:
    """Correct the biases of a quantised onnx.ModelProto by the weights of the one that it was made from.

    Weights, scales and biases are found by the names that ONNX Runtime's quantiser gives them. A convolution without a
    bias is left as it is.
    """
    import onnx

    stored = {tensor.name: tensor for tensor in quantised.graph.initializer}
    exact = {tensor.name: tensor for tensor in prepared.graph.initializer}
    values = onnx.numpy_helper.to_array
    # What one step of an integer bias stands for.
    steps: dict[str, Array] = {}
    for node in quantised.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            steps[node.input[0]] = values(stored[node.input[1]])
        elif node.op_type == "QLinearConv" and len(node.input) > 8:
            steps[node.input[8]] = values(stored[node.input[1]]) * values(stored[node.input[4]])
    uses = Counter(name for node in prepared.graph.node for name in node.input)
    for node in prepared.graph.node:
        if node.op_type != "Conv" or len(node.input) < 3:
            continue
        source, weights, bias = node.input
        # A bias that several convolutions share cannot take back what each of them adds.
        if f"{weights}_quantized" not in stored or source not in observed or uses[bias] != 1:
            continue
        scales = values(stored[f"{weights}_scale"]).astype(np.float64).reshape(-1, 1, 1, 1)
        error = values(stored[f"{weights}_quantized"]) * scales - values(exact[weights])
        groups = next((entry.i for entry in node.attribute if entry.name == "group"), 1)
        shift = mean_shift(error.reshape(*error.shape[:2], -1), observed[source].means, groups)
        integer = stored.get(f"{bias}_quantized")
        if integer is None:
            _set(stored[bias], values(stored[bias]) - shift)
        else:
            _set(integer, values(integer) - np.round(shift / steps[integer.name]))


def _set(tensor: Any, values: Array) -> None:
    import onnx

    kind = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(kind), tensor.name))
