"""How ONNX Runtime loads a file, on whatever device, and in which precision its weights lie there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import RunPolicy
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

QUIET = 3
# onnx.TensorProto.DataType
ONNX_PRECISIONS = {1: "fp32", 2: "int8", 3: "int8", 10: "fp16", 16: "bf16"}


def load_session(model: Path, case: Case, options: Any, providers: Sequence[Any]) -> Any:
    """Return an onnxruntime.InferenceSession; raises SessionError with the runtime's own message."""
    import onnxruntime

    # Its warnings would fill the worker's log, whose last lines explain a crash.
    onnxruntime.set_default_logger_severity(QUIET)
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # The runtime's exceptions have no common root but this.
        raise SessionError(said("ONNX Runtime refused the {1} artifact: {2}", case.precision, error)) from None


def session_options(policy: RunPolicy) -> Any:
    """Return onnxruntime.SessionOptions that follow a policy."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = policy.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(policy.spin)))
    options.add_session_config_entry("session.set_denormal_as_zero", str(int(policy.flush_denormals)))
    return options


def stored_precision(model: Any) -> str:
    """Return the precision in which most weights lie in the file."""
    sizes: Counter[str] = Counter()
    for tensor in model.graph.initializer:
        sizes[ONNX_PRECISIONS.get(tensor.data_type, "other")] += int(np.prod(tensor.dims))
    return sizes.most_common(1)[0][0]
