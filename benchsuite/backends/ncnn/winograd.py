"""Where NCNN's integer Winograd kernel could compute wrong sums."""

from __future__ import annotations

import numpy as np

from benchsuite.networks.ncnn_network import LEVELS, Network, Weights

# Winograd F(4, 3) multiplies its int32 sums by 576, so beyond this they wrap (ncnn, convolution_3x3_winograd_int8.h).
_BOUND = (2**31 - 1) // 576


def overflowing(network: Network) -> tuple[str, ...]:
    """Return the int8 layers whose sums could wrap in the Winograd kernel: 3×3, stride 1, for the worst input."""
    found = []
    for layer in network.layers:
        if not isinstance(layer.weights, Weights) or layer.weights.storage != "int8" or layer.kind != "Convolution":
            continue
        square = layer.number(1) == layer.number(11, layer.number(1)) == 3
        strided = layer.number(3, 1) != 1 or layer.number(13, layer.number(3, 1)) != 1
        if not square or strided or layer.number(2, 1) != 1:
            continue
        sums = np.abs(layer.weights.weight.astype(np.int64)).reshape(layer.channels, -1).sum(axis=1)
        if int(sums.max()) * LEVELS >= _BOUND:
            found.append(layer.name)
    return tuple(found)
