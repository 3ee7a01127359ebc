"""A trained detector made narrower: cut, checked against the network that it was cut from, and written down."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchsuite.optimize.blocks import check_blocks, check_trainable, put_together, raw, take_apart
from benchsuite.optimize.gradients import LabelledBatch, add_gradients
from benchsuite.optimize.pruning import Cut, FreeWidths, GivenWidths, Importance, Widths, prune, silenced
from benchsuite.optimize.statistics import renew
from benchsuite.optimize.widths import build, narrower, widths_of
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

WidthKind = Literal["free", "yaml"]
# Of raw outputs up to about 10 in FP32; a wrong channel moves them by whole units.
_MOST_APART = 1e-4
# What an unaware trainer reads first: it stops at a module of this name, where it would train the full network.
GUARD = "PRUNED_NETWORK_cannot_be_rebuilt_from_yaml"


@dataclass(frozen=True)
class CutPlan:
    """How to cut: the share of channels to take, to which multiple widths are rounded, and what decides which ones."""

    ratio: float
    multiple: int
    importance: Importance
    widths: WidthKind


@dataclass(frozen=True)
class CutNetwork:
    """A narrower network and by how much its outputs differ from those of the whole one without the cut channels."""

    network: Any
    apart: float


def cut(
    network: Any, name: str, plan: CutPlan, batches: Sequence[Any], labels: Iterable[LabelledBatch] = ()
) -> CutNetwork:
    """Cut channels of a loaded checkpoint; `batches` are images as it takes them, of which a few dozen suffice.

    `labels` are such images with their objects, which only the importance "taylor" looks at. Batch norms must not be
    folded, and get new statistics; without training the network finds next to nothing all the same. Raises ModelError
    for one that cannot be cut, BuildError where the cut one does not compute what it should.
    """
    check_trainable(network, name)
    check_blocks(network, name)
    network = network.float().eval()
    whole = copy.deepcopy(network)
    spec = narrower(network, plan.ratio, plan.multiple) if plan.widths == "yaml" else None
    widths: Widths = FreeWidths(plan.ratio, plan.multiple)
    if spec is not None:
        widths = GivenWidths(widths_of(build(spec, network.model[-1].nc)))
    take_apart(network)
    network.requires_grad_(True)
    if plan.importance == "taylor":
        add_gradients(network, labels)
    removed = prune(network, widths, plan.importance)
    network.zero_grad(set_to_none=True)
    put_together(network)
    apart = _apart(whole, network, removed, batches[0])
    if apart > _MOST_APART:
        raise BuildError(
            said("cutting {1} went wrong: its outputs are off by {2}, {3} may be", name, f"{apart:.2g}", _MOST_APART)
        )
    renew(network, batches)
    network.yaml = spec or _guarded(network.yaml)
    return CutNetwork(network, apart)


def _apart(whole: Any, network: Any, removed: Cut, batch: Any) -> float:
    """Return by how much outputs differ between the cut network and the whole one with the cut channels silenced."""
    silenced(whole, removed)
    put_together(whole)
    return max(
        float((one - other).abs().max())
        for one, other in zip(_outputs(whole, batch), _outputs(network, batch), strict=True)
    )


def _outputs(network: Any, batch: Any) -> Iterable[Any]:
    import torch

    with torch.no_grad(), raw(network):
        found: Iterable[Any] = network(batch)
    return found


def _guarded(spec: dict[str, Any]) -> dict[str, Any]:
    guarded = copy.deepcopy(spec)
    guarded["backbone"][0][2] = GUARD
    return guarded
