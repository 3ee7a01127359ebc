"""What a network in PyTorch says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchsuite.backends.interface import Ran
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

_PRECISIONS = {"torch.float32": "fp32", "torch.float16": "fp16", "torch.bfloat16": "bf16"}


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
            **(_compiled() if case.way == "compile" else {}),
        },
        int8_mac_share=Absent("no convolution ran in an integer kernel"),
        fallback={f"Conv2d on {device}": count for device, count in devices.items() if device != wanted},
    )


def _compiled() -> dict[str, str]:
    """Return what torch.compile made; raises SessionError where it made nothing and the network ran as it was."""
    from torch._dynamo.utils import counters

    graphs = counters["stats"]["unique_graphs"]
    if not graphs:
        raise SessionError(said("torch.compile compiled nothing: the network ran as without it"))
    return {"compiled_graphs": str(graphs), "graph_breaks": str(sum(counters["graph_break"].values()))}


def _precision(tensor: Any) -> str:
    return _PRECISIONS.get(str(tensor.dtype), str(tensor.dtype))
