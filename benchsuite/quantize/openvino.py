"""INT8 quantisation of OpenVINO detectors by NNCF's post-training algorithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchsuite.networks.topology import FLOAT_GROUPS, graph_of_openvino

FloatArray = npt.NDArray[np.float32]
Preset = Literal["mixed", "performance"]

# The share of values that a quantile cuts off at each end.
_OUTLIERS = 1e-5


def quantize_openvino(
    source: Path,
    target: Path,
    count: int,
    batch: Callable[[int], FloatArray],
    several: bool,
    preset: Preset,
    correct_bias: bool,
    method: str,
) -> None:
    """Write the model `source` (.xml) to `target` with ranges set by `batch(0)` to `batch(count - 1)`.

    The decode of the head, its class branches, the stem, the stage after it and the convolutions around attention stay
    float, found by how the graph is connected. Batches are made as they are needed; `several` says that they hold more
    than one image, each of which counts.
    """
    from benchsuite.backends.openvino.package import openvino  # isort: skip  # Silences what NNCF would send.
    import nncf

    model = openvino.Core().read_model(str(source))
    graph = graph_of_openvino(model)
    floats = graph.decode.union(*(graph.groups.get(group, frozenset()) for group in (*FLOAT_GROUPS, "head_class")))
    numbers: Sequence[int] = range(count)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(numbers, batch),
        preset=nncf.QuantizationPreset(preset),
        subset_size=count,
        ignored_scope=nncf.IgnoredScope(names=sorted(floats)),
        advanced_parameters=_parameters(method, correct_bias, several),
    )
    openvino.save_model(quantised, str(target), compress_to_fp16=False)


def _parameters(method: str, correct_bias: bool, several: bool) -> Any:
    """Return how activations' ranges are set, of each image of a batch, and whether NNCF corrects biases."""
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import (
        AggregatorType,
        RangeEstimatorParameters,
        RangeEstimatorParametersSet,
        StatisticsCollectorParameters,
        StatisticsType,
    )

    quantile = StatisticsCollectorParameters(
        statistics_type=StatisticsType.QUANTILE, aggregator_type=AggregatorType.MEAN, quantile_outlier_prob=_OUTLIERS
    )
    ranges = {
        # NNCF's own: means over images of minimum and maximum.
        "mean-minmax": RangeEstimatorParameters(),
        "minmax": RangeEstimatorParametersSet.MINMAX,
        "percentile": RangeEstimatorParameters(min=quantile, max=quantile),
    }
    return AdvancedQuantizationParameters(
        activations_range_estimator_params=ranges[method],
        disable_bias_correction=not correct_bias,
        batchwise_statistics=several,
    )
