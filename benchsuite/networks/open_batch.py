"""ONNX files that take any number of images of one size."""

from __future__ import annotations

from typing import Any

from benchsuite.terms.input_size import InputSize


def only_batch_open(model: Any, imgsz: InputSize) -> Any:
    """Return an onnx.ModelProto whose height and width are fixed, and all that follows from them folded again.

    Exporters open height and width along with the batch, and compute the anchors anew in every call then.
    """
    import onnxslim
    from onnxruntime.tools.onnx_model_utils import make_dim_param_fixed

    for side, px in zip(model.graph.input[0].type.tensor_type.shape.dim[2:], imgsz.shape, strict=True):
        make_dim_param_fixed(model.graph, side.dim_param, px)
    # Shapes that were inferred with open sides contradict the fixed ones.
    del model.graph.value_info[:]
    return onnxslim.slim(model)
