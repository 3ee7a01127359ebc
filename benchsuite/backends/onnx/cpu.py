"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from benchsuite.backends.interface import FloatArray, Ran, RunPolicy
from benchsuite.backends.onnx.loading import ONNX_PRECISIONS, QUIET, load_session, session_options, stored_precision
from benchsuite.backends.outputs import check_output
from benchsuite.machine.scratch import scratch_folder
from benchsuite.networks.onnx_macs import WEIGHT_INPUTS, macs_by_weight
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case

_PROVIDER = "CPUExecutionProvider"
_INTEGER_CONVOLUTIONS = ("ConvInteger", "QLinearConv")


def open_on_cpu(model: Path, case: Case, policy: RunPolicy) -> OnnxSession:
    """Load a file; raises SessionError."""
    session = load_session(model, case, session_options(policy), [_PROVIDER])
    check_output(session.get_outputs()[0].shape, case)
    return OnnxSession(session, model, policy)


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

    def _optimised(self) -> Any:
        import onnx
        import onnxruntime

        options = session_options(self._policy)
        with scratch_folder() as folder:
            path = folder / "optimised.onnx"
            options.optimized_model_filepath = str(path)
            # Serialised like this, the graph holds layouts that are right for this CPU only: it is only read here.
            options.log_severity_level = QUIET
            onnxruntime.InferenceSession(str(self._model), options, providers=[_PROVIDER])
            return onnx.load(path)


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


def _float_precision(optimised: Any) -> str:
    """Return the precision of the weights with which the optimised graph's float convolutions compute."""
    types = {tensor.name: tensor.data_type for tensor in optimised.graph.initializer}
    found = Counter(
        ONNX_PRECISIONS.get(types.get(node.input[1], 0), "other")
        for node in optimised.graph.node
        if node.op_type in ("Conv", "FusedConv")
    )
    return found.most_common(1)[0][0]
