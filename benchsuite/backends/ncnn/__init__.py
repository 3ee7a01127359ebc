"""NCNN, on the CPU or on a Vulkan device."""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import ArtifactChoices, ArtifactNeed, FloatArray, Ran, RunPolicy
from benchsuite.backends.ncnn.winograd import overflowing
from benchsuite.backends.reasons import cpu_only, has_bf16, not_installed
from benchsuite.backends.schemes import chosen_scheme
from benchsuite.backends.tools import EXPORTER, OBSERVED, QUANTISER
from benchsuite.machine.facts import Machine, instruction_sets
from benchsuite.networks.ncnn_network import CONVOLUTIONS, TAGS, Weights, read_network
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

_OPTIONS = (
    "num_threads", "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage",
    "use_int8_inference", "use_winograd_convolution", "use_sgemm_convolution", "use_packing_layout", "lightmode",
    "use_vulkan_compute",
)  # fmt: skip


_EXPORT = ("ultralytics", "torch", "pnnx", EXPORTER)


class NcnnBackend:
    """NCNN."""

    name = "ncnn"
    packages: tuple[str, ...] = ("ncnn",)
    substitutes: Mapping[str, tuple[str, ...]] = {}
    gpu_only = False
    default_device = "cpu"
    threads_change_results = False
    start_s = 1.0
    colour = "#E69F00"
    ways: tuple[str, ...] = ()
    # s8 both ways; convolutions up to stride 4, branch ends and depthwise convolutions stay float.
    schemes: tuple[str, ...] = ("ncnn-w8", "ncnn-w8-depthwise", "ncnn-w8-ends", "ncnn-w8-early")
    methods: tuple[str, ...] = ("mean-minmax", "minmax", "percentile", "entropy")
    tools: Mapping[str, tuple[str, ...]] = {
        "fp32": _EXPORT,
        "fp16": _EXPORT,
        # ncnn itself runs the calibration.
        OBSERVED: (*_EXPORT, "ncnn", QUANTISER),
        "int8": (*_EXPORT, "ncnn", QUANTISER),
    }
    made_from: Mapping[str, tuple[str, str]] = {OBSERVED: ("ncnn", "fp32"), "int8": ("ncnn", OBSERVED)}

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say why the case cannot run here."""
        if case.head == "end2end":
            return said("ncnn exports are always one-to-many: use --head auto")
        if case.batch > 1:
            return said("ncnn runs one image at a time, and batch {1} was asked for: use --batch 1", case.batch)
        if case.device == "vulkan" and case.precision == "int8":
            return said("ncnn's INT8 on Vulkan found other boxes than on the CPU when it was tried: use --device cpu")
        if case.device == "vulkan" and case.precision != "fp32":
            return said("ncnn's Python package does not say in what a Vulkan device computes: use fp32 there")
        if case.device == "vulkan":
            return not_installed(machine, "ncnn", "pnnx") or _no_vulkan_loader()
        return cpu_only(case, "ncnn") or not_installed(machine, "ncnn", "pnnx")

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Return the NCNN files of the case's precision; bf16 is made from fp32 files as they are loaded."""
        precision = "fp32" if case.precision == "bf16" else case.precision
        calibrated = precision == "int8"
        scheme = chosen_scheme(choices.quant_scheme, self.schemes, self.schemes[0]) if calibrated else ""
        return ArtifactNeed("ncnn", precision, scheme, calibrated, self.tools[precision])

    def slow_to_load(self, case: Case) -> bool:
        """Say that loading takes seconds."""
        return False

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name the runtime's package."""
        return ("ncnn",)

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> NcnnSession:
        """Load model.ncnn.param and model.ncnn.bin."""
        import ncnn

        net = ncnn.Net()
        net.opt.use_vulkan_compute = case.device == "vulkan"
        if case.device == "vulkan":
            if not ncnn.get_gpu_count():
                raise SessionError(
                    said(
                        "ncnn found no Vulkan device: install a driver (mesa-vulkan-drivers has one that runs on the "
                        "CPU), or use --device cpu"
                    )
                )
            net.set_vulkan_device(ncnn.get_default_gpu_index())
        net.opt.num_threads = policy.threads
        # On by default, without effect on x86 and real on ARM: an fp32 row must not depend on where it runs.
        for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic"):
            setattr(net.opt, name, case.precision == "fp16")
        net.opt.use_bf16_storage = case.precision == "bf16"
        # Its integer kernels multiply sums by 576, which can wrap, and are slower on CPUs with VNNI.
        net.opt.use_winograd_convolution = case.precision != "int8"
        param, weights = artifact / "model.ncnn.param", artifact / "model.ncnn.bin"
        # Running a net whose loading failed ends in a segmentation fault.
        for load, path in ((net.load_param, param), (net.load_model, weights)):
            code = load(str(path))
            if code:
                raise SessionError(
                    said("ncnn could not load {1} (code {2}): remove the artifact and rebuild it", path.name, code)
                )
        return NcnnSession(net, param, weights, case)


class NcnnSession:
    """A model that NCNN has loaded."""

    def __init__(self, net: Any, param: Path, weights: Path, case: Case) -> None:
        import ncnn

        self._net = net
        self._param = param
        self._imgsz = case.imgsz
        self._on_vulkan = case.device == "vulkan"
        self._weights = weights
        self._mat = ncnn.Mat
        self._extractor = net.create_extractor
        self._input = net.input_names()[0]
        self._output = net.output_names()[0]

    def run(self, batch: FloatArray) -> FloatArray:
        """Run a batch of one image."""
        extractor = self._extractor()
        # Neither the input nor the output is copied: each Mat shares its memory with the array.
        extractor.input(self._input, self._mat(batch[0]))
        code, output = extractor.extract(self._output)
        if code:
            raise SessionError(said("ncnn could not run the model (code {1})", code))
        return np.asarray(output)[None]

    def ran(self) -> Ran:
        """Read the options in force, each layer's support for narrow storage, and the tag of the stored weights."""
        import ncnn

        layers = self._net.layers()
        native_bf16 = has_bf16(instruction_sets())
        # A net of stored int8 weights runs them in integer kernels whatever its options say.
        integer = _integer_layers(self._param, self._weights)
        precisions = {
            layer.name: "int8" if layer.name in integer else self._precision(layer, native_bf16)
            for layer in layers
            if layer.type in CONVOLUTIONS
        }
        kernels = Counter(
            f"{layer.type} {precisions[layer.name]}" if layer.name in precisions else layer.type for layer in layers
        )
        compute = Counter(precisions.values()).most_common(1)[0][0]
        in_file = "int8" if integer else _weight_tag(self._param, self._weights)
        bf16 = bool(self._net.opt.use_bf16_storage)
        return Ran(
            runtime=f"ncnn {ncnn.__version__}",
            compute=compute,
            storage="bf16" if bf16 else in_file,
            kernels=dict(sorted(kernels.items())),
            settings={
                **{name: str(getattr(self._net.opt, name)) for name in _OPTIONS},
                "weights_in_file": in_file,
                "denormals": "flushed: ncnn's default, which Python cannot change",
                "wait_policy": os.environ.get("OMP_WAIT_POLICY", "OpenMP's default"),
                "arithmetic": "by layer support and CPU flags: ncnn does not name its kernels",
                **({"winograd_could_wrap": self._wrapping()} if integer else {}),
                **(self._vulkan(layers) if self._on_vulkan else {}),
            },
            int8_mac_share=self._int8_share(integer) if integer else Absent("no convolution ran in an integer kernel"),
        )

    def _wrapping(self) -> str:
        """Count the layers for which the integer Winograd kernels, which are off, would not be safe."""
        return f"{len(overflowing(read_network(self._param, self._weights)))} layers"

    def _vulkan(self, layers: Any) -> dict[str, str]:
        """Return the device, and which layers it cannot run: these go back to the CPU."""
        import ncnn

        on_cpu = Counter(layer.type for layer in layers if not layer.support_vulkan)
        return {
            "vulkan_device": str(ncnn.get_gpu_info(ncnn.get_default_gpu_index()).device_name()),
            "layers_on_cpu": ", ".join(f"{kind} {count}" for kind, count in sorted(on_cpu.items())) or "none",
        }

    def _int8_share(self, integer: Collection[str]) -> float:
        """Return the share of the convolutions' multiply-adds in integer kernels, from the sizes of their outputs."""
        network = read_network(self._param, self._weights)
        side = next(layer for layer in network.layers if layer.kind == "Input")
        extractor = self._net.create_extractor()
        extractor.set_light_mode(False)
        image = np.zeros((3, side.number(1), side.number(0)), np.float32)
        if not image.size:
            image = np.zeros((3, *self._imgsz.shape), np.float32)
        extractor.input(self._input, self._mat(image))
        macs: dict[str, int] = {}
        for layer in network.layers:
            if layer.kind in CONVOLUTIONS:
                output = extractor.extract(layer.outputs[0])[1]
                macs[layer.name] = layer.number(6) * int(output.w) * int(output.h)
        return sum(count for name, count in macs.items() if name in integer) / sum(macs.values())

    def _precision(self, layer: Any, native_bf16: bool) -> str:
        """Return in what a convolution computes: NCNN picks kernels by option, layer and CPU."""
        options = self._net.opt
        if options.use_bf16_storage and layer.support_bf16_storage and native_bf16:
            return "bf16"
        if options.use_fp16_arithmetic and options.use_fp16_storage and layer.support_fp16_storage:
            return "fp16"
        return "fp32"


def _no_vulkan_loader() -> str | None:
    from ctypes.util import find_library

    if find_library("vulkan"):
        return None
    return said("ncnn on Vulkan needs the Vulkan loader and a driver (libvulkan1 and mesa-vulkan-drivers on Debian)")


def _integer_layers(param: Path, weights: Path) -> frozenset[str]:
    """Return the convolutions whose stored weights are int8."""
    # A net that was not quantised has no scales, and may have layers that the quantiser does not know.
    if " 8=" not in param.read_text():
        return frozenset()
    return frozenset(
        layer.name
        for layer in read_network(param, weights).layers
        if isinstance(layer.weights, Weights) and layer.weights.storage == "int8"
    )


def _weight_tag(param: Path, weights: Path) -> str:
    """Return how the first convolution's weights are stored; constants before it are raw fp32."""
    offset = 0
    for line in param.read_text().splitlines()[2:]:
        kind, _, bottoms, tops, *rest = line.split()
        if kind in CONVOLUTIONS:
            break
        if kind == "MemoryData":
            sizes = dict(item.split("=") for item in rest[int(bottoms) + int(tops) :])
            offset += 4 * int(np.prod([int(sizes[key]) for key in ("0", "1", "11", "2") if int(sizes.get(key, 0))]))
    with weights.open("rb") as file:
        file.seek(offset)
        (tag,) = struct.unpack("<I", file.read(4))
    return TAGS[tag][0] if tag in TAGS else f"unknown tag {tag:#x}"
