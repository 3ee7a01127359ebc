"""Single weights set to zero, for comparison: a network that keeps its shape, its size and its speed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ZeroPlan:
    """Set that share of all convolutions' weights to zero, the smallest of them all first."""

    ratio: float


def zero(network: Any, plan: ZeroPlan) -> float:
    """Set the smallest weights of a network to zero for good, and return which share of them is zero now."""
    import torch
    from torch.nn.utils import prune

    convs = [(module, "weight") for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    prune.global_unstructured(convs, pruning_method=prune.L1Unstructured, amount=plan.ratio)
    for module, name in convs:
        # Without it the masks would stay in the file beside the weights.
        prune.remove(module, name)
    weights = [module.weight for module, _ in convs]
    return sum(int((it == 0).sum()) for it in weights) / sum(int(it.numel()) for it in weights)
