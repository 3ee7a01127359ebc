"""ONNX Runtime on a GPU, by its CUDA or its TensorRT execution provider."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import FloatArray, Ran, RunPolicy
from benchsuite.backends.onnx.loading import load_session, session_options, stored_precision
from benchsuite.backends.outputs import check_output
from benchsuite.backends.tensorrt.flavours import TENSORRT as TENSORRT_MODULE
from benchsuite.machine.scratch import scratch_folder
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"


def providers_of(case: Case) -> list[tuple[str, dict[str, str]]]:
    """Return the execution providers that a case asks for, the preferred one first, with their options."""
    cuda = (CUDA, {"device_id": "0", "use_tf32": "0", "cudnn_conv_algo_search": "EXHAUSTIVE"})
    if case.way != "trtep":
        return [cuda]
    return [(TENSORRT, {"device_id": "0", "trt_fp16_enable": str(case.precision == "fp16")}), cuda]


def open_on_gpu(model: Path, case: Case, policy: RunPolicy) -> OnnxCudaSession:
    """Load a model onto the one visible GPU; raises SessionError where ONNX Runtime would run it on the CPU instead."""
    import onnxruntime

    # It does not look for CUDA's libraries among installed packages by itself.
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    if case.way == "trtep":
        # Nor for TensorRT's, which its package loads.
        with suppress(ImportError):
            import_module(TENSORRT_MODULE.module)
    providers = providers_of(case)
    session = load_session(model, case, session_options(policy), providers)
    check_providers([name for name, _ in providers], session.get_providers())
    check_output(session.get_outputs()[0].shape, case)
    return OnnxCudaSession(session, model, case, policy)


def check_providers(asked: list[str], found: list[str]) -> None:
    """Raise SessionError where ONNX Runtime has dropped the execution provider that was asked for, as it does silently.

    The CPU's is always there, last, for what no other takes.
    """
    if asked[0] == TENSORRT and TENSORRT not in found:
        raise SessionError(
            said(
                "ONNX Runtime cannot load its {1} here and would run on {2}: install the TensorRT that it was "
                "built for",
                TENSORRT,
                found[0],
            )
        )
    if asked[0] not in found:
        raise SessionError(
            said(
                "ONNX Runtime has no working {1} here and would run on {2}: install onnxruntime-gpu and the "
                "CUDA and cuDNN that it was built for",
                asked[0],
                found[0],
            )
        )


class OnnxCudaSession:
    """A model in ONNX Runtime whose input and output are bound to memory on the GPU."""

    def __init__(self, session: Any, model: Path, case: Case, policy: RunPolicy) -> None:
        import onnxruntime

        self._session = session
        self._model = model
        self._case = case
        self._policy = policy
        images, output = session.get_inputs()[0], session.get_outputs()[0]
        reserve = onnxruntime.OrtValue.ortvalue_from_shape_and_type
        self._images = reserve([case.batch, *images.shape[1:]], np.float32, "cuda", 0)
        self._output = reserve([case.batch, *output.shape[1:]], np.float32, "cuda", 0)
        self._binding = session.io_binding()
        self._binding.bind_ortvalue_input(images.name, self._images)
        self._binding.bind_ortvalue_output(output.name, self._output)

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        self._images.update_inplace(batch)
        self._session.run_with_iobinding(self._binding)
        output: FloatArray = self._output.numpy()
        return output

    def ran(self) -> Ran:
        """Count the kernels by provider in a profile, which a second session writes for it and is then dropped."""
        import onnx
        import onnxruntime

        options = session_options(self._policy)
        with scratch_folder() as folder:
            options.enable_profiling = True
            options.profile_file_prefix = str(folder / "profile")
            session = load_session(self._model, self._case, options, providers_of(self._case))
            images = session.get_inputs()[0]
            session.run(None, {images.name: np.zeros((self._case.batch, *images.shape[1:]), np.float32)})
            found = kernels_by_provider(Path(session.end_profiling()).read_text())
        storage = stored_precision(onnx.load(self._model))
        # What TensorRT leaves to the CUDA provider is none of TensorRT's.
        own = "Tensorrt" if self._case.way == "trtep" else "CUDA"
        return Ran(
            runtime=f"ONNX Runtime {onnxruntime.__version__}",
            compute=storage,
            storage=storage,
            kernels={kind: count for (provider, kind), count in found.items() if provider == own},
            settings={
                "providers": ", ".join(self._session.get_providers()),
                "account": "of the profiler",
                "io_binding": "on",
                "tf32": tf32(self._session.get_provider_options()),
            },
            int8_mac_share=Absent("no convolution ran in an integer kernel"),
            fallback=elsewhere(found, own),
        )


def elsewhere(found: Mapping[tuple[str, str], int], own: str) -> Mapping[str, int]:
    """Return the kernels of other providers than a case's own; what another one ran on the GPU has its name added."""
    return {
        kind if provider == "CPU" else f"{kind} ({provider})": count
        for (provider, kind), count in found.items()
        if provider != own
    }


def tf32(options: Mapping[str, Mapping[str, str]]) -> str:
    """Say by the options of a session's providers whether TF32 is `on` or `off`."""
    # NVIDIA's libraries read it as they are loaded, and ONNX Runtime's TensorRT provider has no option of its own.
    if os.environ.get("NVIDIA_TF32_OVERRIDE") == "0":
        return "off"
    return "off" if TENSORRT not in options and options[CUDA].get("use_tf32") == "0" else "on"


def kernels_by_provider(profile: str) -> Mapping[tuple[str, str], int]:
    """Count the kernels of one call in ONNX Runtime's profile, by provider (`CPU`, `CUDA`) and operation."""
    kernels: Counter[tuple[str, str]] = Counter()
    for event in json.loads(profile):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            provider = event["args"]["provider"].removesuffix("ExecutionProvider")
            kernels[provider, event["args"]["op_name"]] += 1
    return dict(sorted(kernels.items()))
