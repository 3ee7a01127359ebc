"""INT8 quantisation of OpenVINO detectors by NNCF's post-training algorithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from benchsuite.quantize.topology import graph_of_openvino

FloatArray = npt.NDArray[np.float32]
Preset = Literal["mixed", "performance"]

# The share of values that a quantile cuts off at each end.
_OUTLIERS = 1e-5


def quantize_openvino(
    source: Path, target: Path, count: int, batch: Callable[[int], FloatArray], preset: Preset, method: str
) -> None:
    """Write the model `source` (.xml) to `target` with ranges set by `batch(0)` to `batch(count - 1)`.

    The decode of the head stays float, found by how the graph is connected. Batches are made as they are needed.
    """
    from benchsuite.openvino_runtime import openvino  # isort: skip  # Silences what NNCF would send.
    import nncf

    model = openvino.Core().read_model(str(source))
    numbers: Sequence[int] = range(count)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(numbers, batch),
        preset=nncf.QuantizationPreset(preset),
        subset_size=count,
        ignored_scope=nncf.IgnoredScope(names=sorted(graph_of_openvino(model).decode)),
        advanced_parameters=_range_estimator(method),
    )
    openvino.save_model(quantised, str(target), compress_to_fp16=False)


def _range_estimator(method: str) -> Any:
    """Return how activations' ranges are set; None leaves it to NNCF: means over images of minimum and maximum."""
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters
    from nncf.quantization.range_estimator import (
        AggregatorType,
        RangeEstimatorParameters,
        RangeEstimatorParametersSet,
        StatisticsCollectorParameters,
        StatisticsType,
    )

    if method == "mean-minmax":
        return None
    if method == "minmax":
        return AdvancedQuantizationParameters(activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX)
    quantile = StatisticsCollectorParameters(
        statistics_type=StatisticsType.QUANTILE, aggregator_type=AggregatorType.MEAN, quantile_outlier_prob=_OUTLIERS
    )
    return AdvancedQuantizationParameters(
        activations_range_estimator_params=RangeEstimatorParameters(min=quantile, max=quantile)
    )
