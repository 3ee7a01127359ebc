"""TensorRT: engines are built wherever a package is that can, and run on an NVIDIA GPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, EngineChoices, RunPolicy, Session
from benchsuite.backends.reasons import no_such_gpu, not_installed
from benchsuite.backends.schemes import SYMMETRIC, chosen_scheme
from benchsuite.backends.tensorrt.engine_files import read_account
from benchsuite.backends.tensorrt.flavours import FLAVOURS, RTX, TENSORRT, Flavour, installed_flavours, load_tensorrt
from benchsuite.backends.tools import ENGINE_BUILDER, ONNX_EXPORT, ONNX_RUNTIMES, QUANTISER
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.terms.cases import PRECISIONS, Case
from benchsuite.terms.said import said

_INSTALL = said("pip install 'benchsuite[trt-rtx]' builds engines without a GPU")
# The compute capabilities that TensorRT for RTX documents: 8.0, 8.6, 8.9, and all from 12.0 on.
_RTX_RUNS_ON = ("8.0", "8.6", "8.9")
_RTX_FROM = 12
# One of them builds an engine; which one is the backend's choice.
_BUILDERS = (ENGINE_BUILDER, *(name for flavour in FLAVOURS for name in flavour.distributions))


class TensorrtBackend:
    """TensorRT, or TensorRT for RTX."""

    name = "trt"
    packages: tuple[str, ...] = ("tensorrt",)
    substitutes: Mapping[str, tuple[str, ...]] = {
        "tensorrt": tuple(name for flavour in FLAVOURS for name in flavour.distributions if name != "tensorrt")
    }
    gpu_only = True
    default_device = "cuda:0"
    threads_change_results = False
    start_s = 4.0
    colour = "#CC79A7"
    ways: tuple[str, ...] = ("cudagraph",)
    schemes: tuple[str, ...] = (SYMMETRIC,)
    methods: tuple[str, ...] = ("percentile", "minmax", "mean-minmax", "entropy")
    tools: Mapping[str, tuple[str, ...]] = {
        "fp32": (*ONNX_EXPORT, *_BUILDERS),
        "fp16": (*ONNX_EXPORT, *ONNX_RUNTIMES, *_BUILDERS),
        "bf16": (*ONNX_EXPORT, *ONNX_RUNTIMES, *_BUILDERS),
        "int8": (*ONNX_EXPORT, *ONNX_RUNTIMES, QUANTISER, *_BUILDERS),
    }
    made_from: Mapping[str, tuple[str, str]] = {precision: ("onnx", precision) for precision in PRECISIONS}

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case can neither run nor be built here."""
        if not case.device.startswith("cuda"):
            return said("tensorrt runs on NVIDIA GPUs only, and {1} was asked for: use --device cuda:0", case.device)
        installed = installed_flavours(machine.packages)
        if machine.gpus:
            return no_such_gpu(case, machine) or _cannot_run(case, machine, installed)
        if not installed:
            return said("tensorrt needs an NVIDIA GPU, and none was found; {1}", _INSTALL)
        if not any(flavour.builds_without_gpu for flavour in installed):
            return said(
                "{1} builds engines on an NVIDIA GPU only, and none was found; {2}", installed[0].name, _INSTALL
            )
        return not_installed(machine, "onnxruntime|onnxruntime-gpu")

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return the engine of the case's precision."""
        scheme = chosen_scheme(choices.quant_scheme, self.schemes, SYMMETRIC) if case.precision == "int8" else ""
        chosen = _flavour(machine, case)
        others = {name for flavour in FLAVOURS if flavour != chosen for name in flavour.distributions}
        tools = tuple(name for name in self.tools[case.precision] if name not in others)
        build = _written(choices.engine)
        gpu = gpu_of(case.device, machine)
        if gpu is not None:
            build |= {"gpu": gpu.name, "driver": str(machine.gpu_driver)}
        if case.rebuild:
            build["rebuild"] = str(case.rebuild)
        usual = choices.engine.batches[1] if choices.engine.batches else None
        return ArtifactNeed("trt", case.precision, scheme, bool(scheme), tools, build, usual)

    def slow_to_load(self, case: Case) -> bool:
        """Say that an engine is built before it is loaded."""
        return False

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name the TensorRT that built the engine."""
        return (read_account(artifact).flavour.module,)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:
        """Load the engine by the TensorRT that built it."""
        from benchsuite.backends.cuda import open_cuda
        from benchsuite.backends.tensorrt.session import open_engine

        account = read_account(artifact)
        return open_engine(load_tensorrt(account.flavour), account, artifact, case, open_cuda(policy.spin))


def _written(choices: EngineChoices) -> dict[str, str]:
    """Return what of the choices decides an engine's bytes, as it stands in recipes."""
    texts = {
        "level": "" if choices.level is None else str(choices.level),
        "workspace": "" if choices.workspace_bytes is None else str(choices.workspace_bytes),
        "batches": ",".join(map(str, choices.batches or ())),
    }
    return {name: text for name, text in texts.items() if text}


def _cannot_run(case: Case, machine: Machine, installed: tuple[Flavour, ...]) -> str | None:
    gpu = gpu_of(case.device, machine)
    assert gpu is not None
    if not installed:
        return said("tensorrt is not installed: pip install 'benchsuite[trt]' for {1}", gpu.name)
    if TENSORRT not in installed and gpu.compute and not _rtx_runs_on(gpu.compute):
        return said(
            "{1} does not support the compute capability {2} of {3}: pip install 'benchsuite[trt]'",
            RTX.name,
            gpu.compute,
            gpu.name,
        )
    return not_installed(machine, "onnxruntime|onnxruntime-gpu")


def _rtx_runs_on(compute: str) -> bool:
    return compute in _RTX_RUNS_ON or int(compute.partition(".")[0]) >= _RTX_FROM


def _flavour(machine: Machine, case: Case) -> Flavour:
    installed = installed_flavours(machine.packages)
    # TensorRT for RTX leaves data centre GPUs out, so TensorRT goes first where there is a GPU.
    return next(flavour for flavour in installed if gpu_of(case.device, machine) or flavour.builds_without_gpu)
