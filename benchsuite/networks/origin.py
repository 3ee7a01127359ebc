"""Where weights come from that this project made, kept within them so that it stays with the file."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from benchsuite.terms.said import Sentence, counted, joined, said

# An attribute of the network: Ultralytics' trainer keeps those, and no key of its own beside the network.
_ATTRIBUTE = "lightened"
Made = Literal["prune", "zero", "train", "distill", "qat", "random"]


@dataclass(frozen=True)
class Origin:
    """How weights were made, and from which: `source` is a file's name, `ratio` the share that was taken away."""

    made: Made
    source: str
    source_sha256: str
    ratio: float = 0.0
    epochs: int = 0
    teacher_sha256: str = ""

    @property
    def sentence(self) -> Sentence:
        """Return what one wants to know of it, in a few words."""
        source = said("{1} ({2})", self.source, self.source_sha256[:12])
        share = f"{100 * self.ratio:.0f}"
        parts = {
            "prune": said("pruned from {1} by {2} % of the channels", source, share),
            "zero": said("{1} with {2} % of the weights set to zero", source, share),
            "train": said("trained on from {1}", source),
            "distill": said("trained on from {1}", source),
            "qat": said("trained on from {1}, rounded to 8 bits", source),
            "random": said("random weights of {1}", self.source),
        }
        found = [parts[self.made]]
        if self.epochs:
            found.append(counted(self.epochs, "trained for 1 epoch", "trained for {1} epochs"))
        if self.teacher_sha256:
            found.append(said("under the teacher {1}", self.teacher_sha256[:12]))
        return joined(", ", found)


def origin_of(network: Any) -> Origin | None:
    """Return where a loaded network comes from, or None where it does not say."""
    kept = getattr(network, _ATTRIBUTE, None)
    if not isinstance(kept, dict) or set(kept) != {field.name for field in fields(Origin)}:
        return None
    return Origin(**kept)


def write_checkpoint(network: Any, path: Path, imgsz: int, origin: Origin) -> None:
    """Write a network in FP16 as a checkpoint that Ultralytics loads like its own, whole or not at all."""
    import torch
    import ultralytics

    setattr(network, _ATTRIBUTE, asdict(origin))
    network.args = {"imgsz": imgsz, "task": "detect"}
    for parameter in network.parameters():
        parameter.requires_grad = False
    part = path.with_name(f".{path.name}.part")
    torch.save(
        {
            "model": network.half().eval(),
            "train_args": {"imgsz": imgsz, "task": "detect"},
            "epoch": -1,
            "version": ultralytics.__version__,
            "license": "AGPL-3.0",
        },
        part,
    )
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
