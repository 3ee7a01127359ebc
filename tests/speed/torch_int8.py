"""What PyTorch's own INT8 is worth on this CPU: PT2E with the x86 inductor quantiser, beside eager FP32 and BF16.

`python tests/speed/torch_int8.py WEIGHTS.pt DATA.yaml` needs torchao and a C++ compiler, which benchsuite does not.
All forms of the network are timed turn by turn in one process; ratios are medians over rounds, against eager FP32.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchsuite.data.dataset import calibration_images, load_dataset
from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.networks.checkpoint import load_detector
from benchsuite.terms.input_size import InputSize

IMGSZ = 640
IMAGES = 32
ROUNDS = 15


class Raw(torch.nn.Module):
    """The detector without the dictionary of intermediate results that it returns beside its prediction."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the prediction (N, 4 + classes, anchors)."""
        prediction: torch.Tensor = self.model(images)[0]
        return prediction


def loaded(weights: Path, dtype: torch.dtype) -> Raw:
    """Return the fused network, channels last."""
    model = load_detector(weights, "one2many").to(dtype=dtype, memory_format=torch.channels_last)
    return Raw(model).eval()


def quantised(weights: Path, images: list[torch.Tensor]) -> Any:
    """Export, calibrate and convert the network, and let inductor compile it."""
    import torchao.quantization.pt2e.quantizer.x86_inductor_quantizer as x86
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    exported = torch.export.export(loaded(weights, torch.float32), (images[0],)).module()
    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config())
    prepared = prepare_pt2e(exported, quantizer)
    for image in images:
        prepared(image)
    return torch.compile(convert_pt2e(prepared))


def main() -> int:
    """Build every form, say which fail, and time the others."""
    import torch._inductor.config as inductor

    inductor.freezing = True
    weights, yaml = Path(sys.argv[1]), Path(sys.argv[2])
    paths = calibration_images(load_dataset(yaml), IMAGES)
    size = InputSize.square(IMGSZ)
    images = [
        torch.from_numpy(preprocess([read_image(path)], size)[0]).to(memory_format=torch.channels_last)
        for path in paths
    ]
    bf16 = [image.to(torch.bfloat16) for image in images]
    forms: dict[str, tuple[Callable[[], Any], list[torch.Tensor]]] = {
        "eager fp32": (lambda: loaded(weights, torch.float32), images),
        "eager bf16": (lambda: loaded(weights, torch.bfloat16), bf16),
        "compiled fp32": (lambda: torch.compile(loaded(weights, torch.float32)), images),
        "compiled bf16": (lambda: torch.compile(loaded(weights, torch.bfloat16)), bf16),
        "PT2E int8": (lambda: quantised(weights, images), images),
    }
    ready: dict[str, tuple[Any, list[torch.Tensor]]] = {}
    outputs: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for name, (make, inputs) in forms.items():
            began = time.perf_counter()
            try:
                network = make()
                for _ in range(3):
                    outputs[name] = network(inputs[0]).float()
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[0][:200]}")
                continue
            ready[name] = network, inputs
            print(f"{name}: ready after {time.perf_counter() - began:.0f} s")
        times: dict[str, list[float]] = {name: [] for name in ready}
        for turn in range(ROUNDS):
            for name in np.random.default_rng(turn).permutation(list(ready)):
                network, inputs = ready[name]
                began = time.perf_counter()
                for image in inputs[:4]:
                    network(image)
                times[name].append((time.perf_counter() - began) / 4 * 1e3)
    for name, taken in times.items():
        ratio = statistics.median(np.divide(taken, times["eager fp32"]))
        scores = (outputs[name] - outputs["eager fp32"])[:, 4:].abs().max()
        print(f"{name:14} {statistics.median(taken):6.1f} ms  {ratio:.2f} x  largest change of a score {scores:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
