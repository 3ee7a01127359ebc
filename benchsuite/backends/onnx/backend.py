"""ONNX Runtime; what it does on a GPU is in onnx_cuda."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import ArtifactNeed, FloatArray, Ran, RunPolicy, Session
from benchsuite.backends.outputs import check_output
from benchsuite.backends.reasons import cpu_only, no_such_gpu, not_installed
from benchsuite.backends.schemes import UNCALIBRATED, chosen_scheme
from benchsuite.backends.tools import tools_for
from benchsuite.machine.facts import Machine
from benchsuite.networks.onnx_macs import WEIGHT_INPUTS, macs_by_weight
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError

_PROVIDER = "CPUExecutionProvider"
_QUIET = 3
_INTEGER_CONVOLUTIONS = ("ConvInteger", "QLinearConv")
# onnx.TensorProto.DataType
ONNX_PRECISIONS = {1: "fp32", 2: "int8", 3: "int8", 10: "fp16", 16: "bf16"}


class OnnxBackend:
    """ONNX Runtime."""

    distribution = "onnxruntime"
    gpu_only = False

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.on_gpu:
            return _why_not_on_gpu(case, machine)
        if case.has("trtep"):
            return "TensorRT inside ONNX Runtime needs an NVIDIA GPU: use --device cuda:0"
        if case.precision == "bf16":
            return "ONNX Runtime has no bf16 convolution kernels on the CPU: use openvino or torch for bf16"
        return cpu_only(case, "onnx") or not_installed(machine, "onnxruntime|onnxruntime-gpu")

    def need(self, case: Case, machine: Machine, options: Mapping[str, str]) -> ArtifactNeed:
        """Return the ONNX file of the case's precision."""
        scheme = chosen_scheme("onnx", _default_scheme(machine), options) if case.precision == "int8" else ""
        calibrated = bool(scheme) and scheme not in UNCALIBRATED
        return ArtifactNeed("onnx", case.precision, scheme, calibrated, tools_for("onnx", case.precision))

    def modules(self, artifact: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Name the runtime's package."""
        return ("onnxruntime",)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:
        """Load model.onnx."""
        model = artifact / "model.onnx"
        if case.on_gpu:
            from benchsuite.backends.onnx.cuda import open_on_gpu

            return open_on_gpu(model, case, policy)
        session = load_session(model, case, session_options(policy), [_PROVIDER])
        check_output(session.get_outputs()[0].shape, case)
        return OnnxSession(session, model, policy)


def load_session(model: Path, case: Case, options: Any, providers: Sequence[Any]) -> Any:
    """Return an onnxruntime.InferenceSession; raises SessionError with the runtime's own message."""
    import onnxruntime

    # Its warnings would fill the worker's log, whose last lines explain a crash.
    onnxruntime.set_default_logger_severity(_QUIET)
    try:
        return onnxruntime.InferenceSession(str(model), options, providers=providers)
    except Exception as error:  # The runtime's exceptions have no common root but this.
        raise SessionError(f"ONNX Runtime refused the {case.precision} artifact: {error}") from None


class OnnxSession:
    """A model that ONNX Runtime has loaded on the CPU."""

    def __init__(self, session: Any, model: Path, policy: RunPolicy) -> None:
        self._model = model
        self._policy = policy
        self._session = session
        self._call = session.run
        self._input = session.get_inputs()[0].name
        self._outputs = [session.get_outputs()[0].name]

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        output: FloatArray = self._call(self._outputs, {self._input: batch})[0]
        return output

    def ran(self) -> Ran:
        """Read the kernels from the optimised graph, which a second session writes for it and is then dropped."""
        import onnx
        import onnxruntime

        stored = onnx.load(self._model)
        optimised = self._optimised()
        # Layout transforms live in domains of their own; the operation's name alone says what it computes.
        kernels = Counter(node.op_type for node in optimised.graph.node)
        macs = macs_by_weight(stored)
        integer = sum(
            macs.get(node.input[WEIGHT_INPUTS[node.op_type]], 0)
            for node in optimised.graph.node
            if node.op_type in _INTEGER_CONVOLUTIONS
        )
        share = integer / sum(macs.values())
        storage = stored_precision(stored)
        compute = "int8" if share >= 0.5 else _float_precision(optimised)
        return Ran(
            runtime=f"ONNX Runtime {onnxruntime.__version__}",
            compute=compute,
            storage=storage,
            kernels=dict(sorted(kernels.items())),
            settings={"providers": ", ".join(self._session.get_providers()), **_settings(self._session)},
            int8_mac_share=share if integer else Absent("no convolution ran in an integer kernel"),
        )

    def close(self) -> None:
        """Free the session."""
        del self._call, self._session

    def _optimised(self) -> Any:
        import onnx
        import onnxruntime

        options = session_options(self._policy)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "optimised.onnx"
            options.optimized_model_filepath = str(path)
            # Serialised like this, the graph holds layouts that are right for this CPU only: it is only read here.
            options.log_severity_level = _QUIET
            onnxruntime.InferenceSession(str(self._model), options, providers=[_PROVIDER])
            return onnx.load(path)


def _why_not_on_gpu(case: Case, machine: Machine) -> str | None:
    reason = no_such_gpu(case, machine) or not_installed(machine, "onnxruntime-gpu")
    if reason is not None:
        return reason
    if case.precision == "int8":
        return (
            "ONNX Runtime's CUDA provider computes INT8 convolutions in float, and what TensorRT does inside it cannot "
            "be proved: use --backend trt for int8"
        )
    if case.precision == "bf16":
        return "ONNX Runtime has no bf16 convolution kernels: use trt or torch for bf16"
    return None


def _default_scheme(machine: Machine) -> str:
    if not machine.is_x86:
        return "qdq-s8s8"
    # Without VNNI the product of u8 and s8 saturates at 16 bits: 7-bit weights leave room.
    return "qdq-u8s8" if {"avx512_vnni", "avx_vnni"} & set(machine.isa) else "qdq-u8s7"


def session_options(policy: RunPolicy) -> Any:
    """Return onnxruntime.SessionOptions that follow a policy."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = policy.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(policy.spin)))
    options.add_session_config_entry("session.set_denormal_as_zero", str(int(policy.flush_denormals)))
    return options


def _settings(session: Any) -> dict[str, str]:
    options = session.get_session_options()
    return {
        "intra_op_threads": str(options.intra_op_num_threads),
        "inter_op_threads": str(options.inter_op_num_threads),
        "optimisation": str(options.graph_optimization_level).rpartition(".")[2],
        "memory_arena": str(options.enable_cpu_mem_arena),
        "allow_spinning": options.get_session_config_entry("session.intra_op.allow_spinning"),
        "denormal_as_zero": options.get_session_config_entry("session.set_denormal_as_zero"),
    }


def stored_precision(model: Any) -> str:
    """Return the precision in which most weights lie in the file."""
    sizes: Counter[str] = Counter()
    for tensor in model.graph.initializer:
        sizes[ONNX_PRECISIONS.get(tensor.data_type, "other")] += int(np.prod(tensor.dims))
    return sizes.most_common(1)[0][0]


def _float_precision(optimised: Any) -> str:
    """Return the precision of the weights with which the optimised graph's float convolutions compute."""
    types = {tensor.name: tensor.data_type for tensor in optimised.graph.initializer}
    found = Counter(
        ONNX_PRECISIONS.get(types.get(node.input[1], 0), "other")
        for node in optimised.graph.node
        if node.op_type in ("Conv", "FusedConv")
    )
    return found.most_common(1)[0][0]
