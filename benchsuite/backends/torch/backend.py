"""PyTorch, eager or compiled, on the CPU or a GPU."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchsuite.backends.interface import ArtifactNeed, FloatArray, Ran, RunPolicy, Session
from benchsuite.backends.outputs import check_output
from benchsuite.backends.reasons import cpu_only, no_bf16_instructions, no_such_gpu, not_installed
from benchsuite.backends.tools import tools_for
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.networks.checkpoint import load_detector
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ModelError, SessionError

_PRECISIONS = {"torch.float32": "fp32", "torch.float16": "fp16", "torch.bfloat16": "bf16"}
_FP16_FLAGS = ("avx512_fp16", "amx_fp16", "asimdhp")
# GPUs multiply bf16 numbers from this compute capability on.
_BF16_COMPUTE = 8
_BRANCHES = ("cv2", "cv3", "one2one_cv2", "one2one_cv3")


class TorchBackend:
    """PyTorch."""

    distribution = "torch"
    gpu_only = False

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.on_gpu:
            return _why_not_on_gpu(case, machine)
        if case.precision == "int8":
            # tests/speed/torch_int8.py measured it, with torch 2.14.1 and torchao 0.18 on YOLO26n at 640.
            return (
                "PyTorch INT8 on the CPU is not supported yet: PT2E's x86 quantiser stops on these networks (Input "
                "partition has more than one output node), and where it was tried bf16 took 17.4 ms and fp32 35.0; use "
                "bf16, or onnx, openvino or ncnn for int8"
            )
        reason = cpu_only(case, "torch") or not_installed(machine, "torch", "ultralytics")
        if reason is None and case.precision == "fp16" and not set(_FP16_FLAGS) & set(machine.isa):
            wanted = "avx512_fp16 or amx_fp16" if machine.is_x86 else "asimdhp"
            return (
                f"this CPU has no fp16 arithmetic ({wanted}): PyTorch would fall back to reference kernels, "
                "several times slower than fp32; use fp32 or bf16"
            )
        if reason is None and case.precision == "bf16":
            return no_bf16_instructions(machine, "PyTorch")
        return reason

    def need(self, case: Case, machine: Machine, options: Mapping[str, str]) -> ArtifactNeed:  # noqa: ARG002
        """Return the checkpoint, for every precision."""
        return ArtifactNeed("torch", "fp32", "", False, tools_for("torch", "fp32"))

    def modules(self, artifact: Path) -> tuple[str, ...]:  # noqa: ARG002
        """Name the runtime's package."""
        return ("torch", "ultralytics")

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:
        """Load model.pt, select the head, fuse, convert."""
        import torch

        torch.set_num_threads(policy.threads)
        flushes = torch.set_flush_denormal(policy.flush_denormals) and policy.flush_denormals
        dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[case.precision]
        try:
            model = load_detector(artifact / "model.pt", case.head)
        except ModelError as error:
            raise SessionError(str(error)) from None
        # Faster than the default layout for all precisions: neither oneDNN's nor cuDNN's convolutions reorder it.
        model = model.to(dtype=dtype, memory_format=torch.channels_last)
        head = model.model[-1]
        if dtype != torch.float32:
            _decode_in_fp32(head)
        _make_cells(head, case)
        if case.on_gpu:
            from benchsuite.backends.torch.cuda import open_on_gpu

            return open_on_gpu(model, dtype, case)
        return TorchSession(model, dtype, case, flushes)


class TorchSession:
    """A network in PyTorch on the CPU."""

    def __init__(self, model: Any, dtype: Any, case: Case, flushes_denormals: bool) -> None:
        import torch

        self._flushes_denormals = flushes_denormals
        self._model = model
        self._forward = torch.compile(model) if case.has("compile") else model
        self._dtype = dtype
        self._case = case
        # Known after the first call: running once to find out would add that call to the loading time.
        self._shape: Any = None
        self._inference_mode = torch.inference_mode
        self._from_numpy = torch.from_numpy
        self._layout = torch.channels_last

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch."""
        with self._inference_mode():
            images = self._from_numpy(batch).to(self._dtype, memory_format=self._layout)
            prediction = self._forward(images)[0]
        if prediction.shape != self._shape:
            check_output(tuple(prediction.shape), self._case)
            self._shape = prediction.shape
        output: FloatArray = prediction.numpy()
        return output

    def ran(self) -> Ran:
        """Read the types and layouts of the weights, and PyTorch's switches."""
        import torch

        settings = {
            "threads": str(torch.get_num_threads()),
            "interop_threads": str(torch.get_num_interop_threads()),
            "mkldnn": str(torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "denormals_flushed": str(self._flushes_denormals),
            "wait_policy": os.environ.get("OMP_WAIT_POLICY", "OpenMP's default"),
        }
        return account(self._model, self._case, settings)

    def close(self) -> None:
        """Free the network."""
        del self._model, self._forward


def account(model: Any, case: Case, settings: Mapping[str, str]) -> Ran:
    """Read the types and layouts of a network's weights, and what was compiled of it."""
    import torch

    convolutions = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    kernels = Counter(f"Conv2d {_precision(module.weight)}" for module in convolutions)
    weights = Counter(_precision(module.weight) for module in convolutions)
    precision = weights.most_common(1)[0][0]
    layouts = {module.weight.is_contiguous(memory_format=torch.channels_last) for module in convolutions}
    devices = Counter(str(module.weight.device.type) for module in convolutions)
    wanted = "cuda" if case.on_gpu else "cpu"
    return Ran(
        runtime=f"PyTorch {torch.__version__}",
        compute=precision,
        storage=precision,
        kernels=dict(sorted(kernels.items())),
        settings={
            "memory_format": "channels_last" if layouts == {True} else "mixed",
            "decode": "fp32",
            **settings,
            **(_compiled() if case.has("compile") else {}),
        },
        int8_mac_share=Absent("no convolution ran in an integer kernel"),
        fallback={f"Conv2d on {device}": count for device, count in devices.items() if device != wanted},
    )


def _compiled() -> dict[str, str]:
    """Return what torch.compile made; raises SessionError where it made nothing and the network ran as it was."""
    from torch._dynamo.utils import counters

    graphs = counters["stats"]["unique_graphs"]
    if not graphs:
        raise SessionError("torch.compile compiled nothing: the network ran as without it")
    return {"compiled_graphs": str(graphs), "graph_breaks": str(sum(counters["graph_break"].values()))}


def _why_not_on_gpu(case: Case, machine: Machine) -> str | None:
    reason = no_such_gpu(case, machine) or not_installed(machine, "torch", "ultralytics")
    if reason is not None:
        return reason
    if "+cpu" in machine.packages["torch"]:
        return f"torch {machine.packages['torch']} is a build without CUDA: install one with it, or use --device cpu"
    gpu = gpu_of(case.device, machine)
    assert gpu is not None
    if case.precision == "int8":
        return f"PyTorch has no INT8 convolutions on a GPU: use --backend trt for int8 on {gpu.name}"
    if case.precision == "bf16" and gpu.compute and int(gpu.compute.partition(".")[0]) < _BF16_COMPUTE:
        return f"{gpu.name} (compute capability {gpu.compute}) has no bf16 arithmetic: use fp16"
    return None


def _decode_in_fp32(head: Any) -> None:
    """Widen what each branch of the head puts out: at 8 bits of mantissa, a box near 640 px is only good to 4 px."""
    # It averages distances where a head has such a thing, and does nothing where not.
    head.dfl.float()
    for branch in _branches(head):
        branch[-1].register_forward_hook(lambda _module, _inputs, output: output.float())


def _make_cells(head: Any, case: Case) -> None:
    """Make the centres of the head's cells, as it would itself at its first call, but in FP32.

    In bf16 there is no half cell beyond the 128th, and torch.compile would cut the network at this step for good.
    """
    import torch
    from ultralytics.utils.tal import make_anchors

    sides = [case.imgsz // int(stride) for stride in head.stride]
    sizes = [torch.empty(1).expand(1, 1, side, side) for side in sides]
    head.anchors, head.strides = (part.transpose(0, 1) for part in make_anchors(sizes, head.stride.float(), 0.5))
    first = next(part for part in _branches(head)[0].modules() if isinstance(part, torch.nn.Conv2d))
    # By the shape of its input the head knows for what its cells were made.
    head.shape = torch.Size((case.batch, first.in_channels, sides[0], sides[0]))


def _branches(head: Any) -> list[Any]:
    return [branch for name in _BRANCHES for branch in getattr(head, name, None) or ()]


def _precision(tensor: Any) -> str:
    return _PRECISIONS.get(str(tensor.dtype), str(tensor.dtype))
