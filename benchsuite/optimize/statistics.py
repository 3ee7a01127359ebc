"""What batch norms know of a network's activations: given back where it was folded away, renewed after a cut."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from benchsuite.optimize.blocks import convs


def is_folded(network: Any) -> bool:
    """Say whether every batch norm was folded into its convolution, which leaves it the identity."""
    return all(
        bool((conv.bn.running_mean == 0).all()) and bool((conv.bn.running_var == 1).all()) for conv in convs(network)
    )


def unfold(network: Any, batches: Iterable[Any]) -> None:
    """Give folded batch norms the statistics of what images make their convolutions answer; outputs stay as they are.

    In training a folded one would normalise what it never normalised.
    """
    import torch

    sums: dict[Any, tuple[Any, Any, int]] = {}

    def watch(conv: Any, _: Any, output: Any) -> None:
        values = output.detach().double()
        one, two, count = sums.get(conv, (0.0, 0.0, 0))
        total = values.sum((0, 2, 3)), (values * values).sum((0, 2, 3))
        sums[conv] = one + total[0], two + total[1], count + values[:, 0].numel()

    own = list(convs(network))
    hooks = [conv.conv.register_forward_hook(watch) for conv in own]
    network.eval()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for hook in hooks:
        hook.remove()
    for conv in own:
        one, two, count = sums[conv.conv]
        mean, norm = one / count, conv.bn
        variance = (two / count - mean * mean).clamp_min(0)
        scale = norm.weight.data.double() / (norm.running_var.double() + norm.eps).sqrt()
        bias = norm.bias.data.double() + scale * (mean - norm.running_mean.double())
        norm.weight.data = (scale * (variance + norm.eps).sqrt()).float()
        norm.bias.data = bias.float()
        norm.running_mean, norm.running_var = mean.float(), variance.float()


def renew(network: Any, batches: Iterable[Any]) -> None:
    """Let batch norms take the statistics of a network anew from images, without training it."""
    import torch

    norms = [conv.bn for conv in convs(network)]
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        # The mean over all batches, and not one that forgets.
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for batch in batches:
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
