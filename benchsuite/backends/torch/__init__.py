"""PyTorch, eager or compiled, on the CPU or a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, RunPolicy, Session
from benchsuite.backends.reasons import cpu_only, no_bf16_instructions, no_such_gpu, not_installed
from benchsuite.backends.torch.cpu import TorchSession
from benchsuite.backends.torch.cuda import open_on_gpu
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.networks.checkpoint import load_detector
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ModelError, SessionError
from benchsuite.terms.said import said

_FP16_FLAGS = ("avx512_fp16", "amx_fp16", "asimdhp")
# GPUs multiply bf16 numbers from this compute capability on.
_BF16_COMPUTE = 8
_BRANCHES = ("cv2", "cv3", "one2one_cv2", "one2one_cv3")


class TorchBackend:
    """PyTorch."""

    name = "torch"
    packages: tuple[str, ...] = ("torch", "ultralytics")
    substitutes: Mapping[str, tuple[str, ...]] = {}
    gpu_only = False
    default_device = "cpu"
    threads_change_results = True
    start_s = 3.0
    colour = "#D55E00"
    ways: tuple[str, ...] = ("compile",)
    schemes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    # The checkpoint itself.
    tools: Mapping[str, tuple[str, ...]] = {"fp32": ()}
    made_from: Mapping[str, tuple[str, str]] = {}

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.on_gpu:
            return _why_not_on_gpu(case, machine)
        if case.precision == "int8":
            # tests/speed/torch_int8.py measured it, with torch 2.14.1 and torchao 0.18 on YOLO26n at 640.
            return said(
                "PyTorch INT8 on the CPU is not supported yet: PT2E's x86 quantiser stops on these networks "
                "(Input partition has more than one output node), and where it was tried bf16 took 17.4 ms "
                "and fp32 35.0; use bf16, or onnx, openvino or ncnn for int8"
            )
        reason = cpu_only(case, "torch") or not_installed(machine, "torch", "ultralytics")
        if reason is None and case.precision == "fp16" and not set(_FP16_FLAGS) & set(machine.isa):
            wanted = "avx512_fp16 or amx_fp16" if machine.is_x86 else "asimdhp"
            return said(
                "this CPU has no fp16 arithmetic ({1}): PyTorch would fall back to reference kernels, "
                "several times slower than fp32; use fp32 or bf16",
                wanted,
            )
        if reason is None and case.precision == "bf16":
            return no_bf16_instructions(machine, "PyTorch")
        return reason

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return the checkpoint, for every precision."""
        return ArtifactNeed("torch", "fp32", "", False, self.tools["fp32"])

    def slow_to_load(self, case: Case) -> bool:
        """Say whether loading compiles the network."""
        return case.way == "compile"

    def modules(self, artifact: Path) -> tuple[str, ...]:
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
            return open_on_gpu(model, dtype, case)
        return TorchSession(model, dtype, case, flushes)


def _why_not_on_gpu(case: Case, machine: Machine) -> str | None:
    reason = no_such_gpu(case, machine) or not_installed(machine, "torch", "ultralytics")
    if reason is not None:
        return reason
    if "+cpu" in machine.packages["torch"]:
        return said(
            "torch {1} is a build without CUDA: install one with it, or use --device cpu", machine.packages["torch"]
        )
    gpu = gpu_of(case.device, machine)
    assert gpu is not None
    if case.precision == "int8":
        return said("PyTorch has no INT8 convolutions on a GPU: use --backend trt for int8 on {1}", gpu.name)
    if case.precision == "bf16" and gpu.compute and int(gpu.compute.partition(".")[0]) < _BF16_COMPUTE:
        return said("{1} (compute capability {2}) has no bf16 arithmetic: use fp16", gpu.name, gpu.compute)
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

    height, width = case.imgsz.shape
    cells = [(height // int(stride), width // int(stride)) for stride in head.stride]
    sizes = [torch.empty(1).expand(1, 1, *cell) for cell in cells]
    head.anchors, head.strides = (part.transpose(0, 1) for part in make_anchors(sizes, head.stride.float(), 0.5))
    first = next(part for part in _branches(head)[0].modules() if isinstance(part, torch.nn.Conv2d))
    # By the shape of its input the head knows for what its cells were made.
    head.shape = torch.Size((case.batch, first.in_channels, *cells[0]))


def _branches(head: Any) -> list[Any]:
    return [branch for name in _BRANCHES for branch in getattr(head, name, None) or ()]
