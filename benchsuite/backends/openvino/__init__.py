"""OpenVINO on the CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, FloatArray, Ran, RunPolicy
from benchsuite.backends.outputs import check_output
from benchsuite.backends.reasons import cpu_only, has_bf16, no_bf16_instructions, not_installed
from benchsuite.backends.schemes import chosen_scheme
from benchsuite.backends.tools import ONNX_EXPORT, QUANTISER
from benchsuite.machine.facts import Machine, instruction_sets
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

_DEVICE = "CPU"
# The last part of a kernel's name, such as brgconv_avx512_1x1_bf16, says in what it computes.
_KERNEL_PRECISIONS = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "i8": "int8", "u8": "int8"}
_STORED_PRECISIONS = {"f32": "fp32", "f16": "fp16", "bf16": "bf16", "i8": "int8", "u8": "int8"}
_SETTINGS = (
    "INFERENCE_PRECISION_HINT", "INFERENCE_NUM_THREADS", "NUM_STREAMS", "CPU_DENORMALS_OPTIMIZATION",
    "ENABLE_HYPER_THREADING", "ENABLE_CPU_PINNING", "SCHEDULING_CORE_TYPE",
)  # fmt: skip


class OpenvinoBackend:
    """OpenVINO."""

    name = "openvino"
    packages: tuple[str, ...] = ("openvino",)
    substitutes: Mapping[str, tuple[str, ...]] = {}
    gpu_only = False
    default_device = "cpu"
    threads_change_results = False
    start_s = 1.5
    colour = "#009E73"
    ways: tuple[str, ...] = ()
    # -corrected: with NNCF's own correction of biases.
    schemes: tuple[str, ...] = ("nncf-mixed", "nncf-performance", "nncf-mixed-corrected")
    methods: tuple[str, ...] = ("mean-minmax", "minmax", "percentile")
    tools: Mapping[str, tuple[str, ...]] = {
        "fp32": (*ONNX_EXPORT, "openvino"),
        "fp16": (*ONNX_EXPORT, "openvino"),
        "int8": (*ONNX_EXPORT, "openvino", "nncf", QUANTISER),
    }
    made_from: Mapping[str, tuple[str, str]] = {
        "fp32": ("onnx", "fp32"),
        "fp16": ("openvino", "fp32"),
        "int8": ("openvino", "fp32"),
    }

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        reason = cpu_only(case, "openvino") or not_installed(machine, "openvino")
        if reason is None and case.precision == "bf16":
            if not machine.is_x86:
                return said("OpenVINO has no bf16 kernels for ARM CPUs: use fp16 or fp32")
            return no_bf16_instructions(machine, "OpenVINO")
        if reason is None and case.precision == "int8":
            return not_installed(machine, "nncf")
        return reason

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return the OpenVINO files of the case's precision; bf16 is made from fp32 files as they are loaded."""
        precision = "fp32" if case.precision == "bf16" else case.precision
        calibrated = precision == "int8"
        scheme = chosen_scheme(choices.quant_scheme, self.schemes, self.schemes[0]) if calibrated else ""
        return ArtifactNeed("openvino", precision, scheme, calibrated, self.tools[precision])

    def slow_to_load(self, case: Case) -> bool:
        """Say that compiling takes seconds."""
        return False

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name the runtime's package."""
        return ("benchsuite.backends.openvino.package",)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> OpenvinoSession:
        """Compile model.xml."""
        from benchsuite.backends.openvino.package import openvino

        core = openvino.Core()
        model = artifact / "model.xml"
        try:
            compiled = core.compile_model(str(model), _DEVICE, _properties(core, case, policy))
        except Exception as error:  # The runtime's exceptions have no common root but this.
            raise SessionError(said("OpenVINO refused the {1} artifact: {2}", case.precision, error)) from None
        check_output(tuple(compiled.output(0).shape), case)
        return OpenvinoSession(core, compiled, model)


class OpenvinoSession:
    """A model that OpenVINO has compiled."""

    def __init__(self, core: Any, compiled: Any, model: Path) -> None:
        from benchsuite.backends.openvino.package import openvino

        self._core = core
        self._compiled = compiled
        self._model = model
        self._request = compiled.create_infer_request()
        self._infer = self._request.infer
        self._set_input = self._request.set_input_tensor
        self._set_output = self._request.set_output_tensor
        self._tensor = openvino.Tensor
        self._shape = tuple(compiled.output(0).shape)

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch, the output written into an array of its own: no copy, and nothing a later call overwrites."""
        output = np.empty(self._shape, np.float32)
        self._set_input(self._tensor(batch, shared_memory=True))
        self._set_output(self._tensor(output, shared_memory=True))
        self._infer()
        return output

    def ran(self) -> Ran:
        """Read layers, precisions and kernels from the runtime model; the precision hint says only what was asked."""
        from benchsuite.backends.openvino.package import openvino

        stored = self._core.read_model(str(self._model))
        layers = list(_layers(self._compiled.get_runtime_model()))
        macs = _macs_by_name(stored)
        by_precision: Counter[str] = Counter()
        for layer in layers:
            if layer.is_convolution:
                by_precision[layer.precision] += max((macs.get(name, 0) for name in layer.names), default=0)
        share = by_precision["int8"] / max(by_precision.total(), 1)
        compute = "int8" if share >= 0.5 else by_precision.most_common(1)[0][0]
        in_file = _stored_precision(stored)
        kernels = Counter(layer.kind for layer in layers)
        return Ran(
            runtime=f"OpenVINO {openvino.__version__}",
            compute=compute,
            # Loading turns fp32 weights into what the kernels take; fp16 weights stay a matter of the file.
            storage=compute if in_file == "fp32" else in_file,
            kernels=dict(sorted(kernels.items())),
            settings={
                "weights_in_file": in_file,
                "spin": "TBB's own, not settable",
                **{name: self._setting(name) for name in _SETTINGS},
            },
            int8_mac_share=share if by_precision["int8"] else Absent("no convolution ran in an integer kernel"),
        )

    def _setting(self, name: str) -> str:
        try:
            value = self._compiled.get_property(name)
        except RuntimeError:
            return "not known to this version"
        return str(getattr(value, "get_type_name", lambda: value)()).rpartition(".")[2]


@dataclass(frozen=True)
class _Layer:
    """One layer of the runtime model, with the names of the layers it was made from."""

    type: str
    precision: str
    kernel: str
    names: tuple[str, ...]

    @property
    def is_convolution(self) -> bool:
        return self.type == "Convolution"

    @property
    def kind(self) -> str:
        return f"{self.type} {self.precision}" if self.is_convolution else self.type


def _properties(core: Any, case: Case, policy: RunPolicy) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": policy.threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": _precision_hint(core, case),
        "CPU_DENORMALS_OPTIMIZATION": policy.flush_denormals,
        # No other runtime here pins its threads; two pinned processes of one thread each would share the first core.
        "ENABLE_CPU_PINNING": False,
    }


def _precision_hint(core: Any, case: Case) -> str:
    """Return in what float layers compute; unasked, OpenVINO takes bf16 where the CPU has it, for FP32 models too."""
    if case.precision == "bf16" or (case.precision == "int8" and has_bf16(instruction_sets())):
        # What an INT8 model leaves in float costs most of its time: in BF16 it takes half of that.
        return "bf16"
    native_fp16 = "FP16" in core.get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    return "f16" if case.precision == "fp16" and native_fp16 else "f32"


def _layers(runtime_model: Any) -> Iterator[_Layer]:
    for node in runtime_model.get_ordered_ops():
        facts = node.get_rt_info()
        kernel = _fact(facts, "primitiveType")
        # `runtimePrecision` is that of a layer's data: with fp16 weights it says f16 where the kernel computes f32.
        shown = kernel.rpartition("_")[2].lower()
        precision = _KERNEL_PRECISIONS.get(shown) or _KERNEL_PRECISIONS.get(_fact(facts, "runtimePrecision"), "other")
        names = (node.get_friendly_name(), *_fact(facts, "originalLayersNames").split(","))
        yield _Layer(_fact(facts, "layerType"), precision, kernel, names)


def _fact(facts: Any, name: str) -> str:
    return str(facts[name].astype(str)) if name in facts else ""


def _macs_by_name(model: Any) -> dict[str, int]:
    """Return the multiply-adds of each convolution by its name."""
    macs = {}
    for node in model.get_ordered_ops():
        kind = node.get_type_name()
        if kind in ("Convolution", "GroupConvolution"):
            weights = node.input(1).get_shape()
            # Weights are (out, in, kh, kw), or (groups, out, in, kh, kw): what follows `out` is one output's sum.
            terms = prod(weights[2:] if kind == "GroupConvolution" else weights[1:])
            macs[node.get_friendly_name()] = prod(node.output(0).get_shape()) * terms
    return macs


def _stored_precision(model: Any) -> str:
    """Return the precision in which most weights lie in the file."""
    sizes: Counter[str] = Counter()
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Constant":
            kind = node.output(0).get_element_type().get_type_name()
            if kind in _STORED_PRECISIONS:
                sizes[_STORED_PRECISIONS[kind]] += prod(node.output(0).get_shape())
    return sizes.most_common(1)[0][0]
