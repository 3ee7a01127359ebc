"""Training by Ultralytics' own trainer, of a network as it is and not as its yaml would rebuild it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchsuite.machine.facts import usable_threads
from benchsuite.machine.files import write_whole
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said

_NAME = "train"
_DIGESTED_EPOCHS = 2


@dataclass(frozen=True)
class Training:
    """What to train on and how; `settings` are arguments of Ultralytics' trainer beside those that stand here.

    A `teacher` is a checkpoint whose features the network learns to match, empty for none.
    """

    data: str
    imgsz: int
    epochs: int
    batch: int
    lr0: float
    seed: int
    teacher: str = ""
    settings: Mapping[str, float] = field(default_factory=dict)


def train(weights: Path, training: Training, folder: Path) -> Path:
    """Train a checkpoint within a folder, going on where an earlier call was stopped, and return the best weights.

    Raises BuildError where it cannot be trained on these data.
    """
    import torch

    # A network with many small weights is full of denormals, and takes twice as long with them.
    torch.set_flush_denormal(True)
    made = folder / _NAME / "weights"
    last = made / "last.pt"
    if not _is_done(last, training.epochs):
        trainer = _trainer_class()(overrides=_overrides(weights, training, folder, last))
        # It leaves one core to workers that load images, which there are none of.
        torch.set_num_threads(usable_threads())
        trainer.train()
    best = made / "best.pt"
    if not best.is_file():
        raise BuildError(said("training wrote no weights: its loss was no number from the first epoch on"))
    return best


def _overrides(weights: Path, training: Training, folder: Path, last: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": str(weights),
        "data": training.data,
        "imgsz": training.imgsz,
        "epochs": training.epochs,
        "batch": training.batch,
        # Otherwise gradients of several batches are added up, and small data see a step in many epochs.
        "nbs": training.batch,
        "optimizer": "AdamW",
        "lr0": training.lr0,
        "momentum": 0.9,
        "cos_lr": True,
        "warmup_epochs": min(1.0, training.epochs / 10),
        "warmup_bias_lr": 0.0,
        "seed": training.seed,
        "device": "cuda:0" if _has_gpu() else "cpu",
        "workers": 0,
        # On a GPU it runs another network, which it would fetch.
        "amp": False,
        "channels_last": True,
        "plots": False,
        "project": str(folder),
        "name": _NAME,
        "exist_ok": True,
        **training.settings,
    }
    if training.teacher:
        found["distill_model"] = training.teacher
    if last.is_file():
        found["resume"] = str(last)
    return found


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _is_done(last: Path, epochs: int) -> bool:
    """Say whether a training ended, be it before the trainer said so."""
    import torch

    if not last.is_file():
        return False
    epoch = torch.load(last, map_location="cpu", weights_only=False)["epoch"]
    # Its last act is to take the optimiser, and with it the number of the epoch, out of the file.
    return epoch == -1 or epoch + 1 >= epochs


def _trainer_class() -> Any:
    """Build the trainer class late, so that importing this module loads no runtime."""
    from ultralytics.models.yolo.detect import DetectionTrainer

    class AsItIs(DetectionTrainer):  # type: ignore[misc]  # Ultralytics is not typed
        """Trains the network that a checkpoint holds, and writes its own files whole."""

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            if weights is None:
                return super().get_model(cfg, weights, verbose)
            found, asked = weights.model[-1].nc, self.data["nc"]
            if found != asked:
                raise BuildError(said("the network knows {1} classes and the data {2}", found, asked))
            weights.requires_grad_(True)
            return self.set_model_names_for_load(weights)

        def preprocess_batch(self, batch: Any) -> Any:
            """Digest what the first epochs are trained on, by which two trainings show whether they saw the same."""
            if self.epoch < _DIGESTED_EPOCHS:
                digests = self.__dict__.setdefault("digests", {})
                digests.setdefault(self.epoch, hashlib.sha256()).update(batch["img"].numpy().tobytes())
            return super().preprocess_batch(batch)

        def save_model(self) -> Any:
            """Write beside the last files and put them in their place at once: a kill leaves one or the other."""
            last, best = self.last, self.best
            self.last, self.best = (path.with_suffix(".part") for path in (last, best))
            try:
                saved = super().save_model()
                for part, whole in ((self.best, best), (self.last, last)):
                    if part.is_file():
                        part.replace(whole)
                if self.epoch < _DIGESTED_EPOCHS:
                    digest = self.__dict__["digests"][self.epoch].hexdigest()
                    write_whole(self.save_dir / f"batches-{self.epoch}.sha256", f"{digest}\n")
            finally:
                self.last, self.best = last, best
            return saved

    return AsItIs
