"""Training by Ultralytics' own trainer, of a network as it is and not as its yaml would rebuild it."""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchsuite.machine.facts import usable_threads
from benchsuite.machine.files import write_whole
from benchsuite.networks.checkpoint import class_names
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BuildError
from benchsuite.terms.reading import read_text
from benchsuite.terms.said import Sentence, said

_NAME = "train"
_DIGESTED_EPOCHS = 2
_MAP = "metrics/mAP50-95(B)"
_QAT_BITS = 8
_MOST_WORKERS = 8


@dataclass(frozen=True)
class Training:
    """What to train on and how; `settings` are arguments of Ultralytics' trainer beside those that stand here.

    A `teacher` is a checkpoint whose features the network learns to match, empty for none. A network that is
    `quantised` learns with its weights and activations rounded to 8 bits.
    """

    data: str
    data_sha256: str
    imgsz: int
    epochs: int
    batch: int
    lr0: float
    seed: int
    teacher: str = ""
    teacher_sha256: str = ""
    quantised: bool = False
    settings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch:
    """An epoch that has ended: the sum of its losses, and mAP50-95 as the trainer sees it."""

    loss: float | Absent
    map50_95: float


def train(weights: Path, training: Training, folder: Path) -> Any:
    """Train a checkpoint within a folder, going on where an earlier call was stopped, and return the best network.

    Raises BuildError where it cannot be trained on these data.
    """
    import torch

    # A network with many small weights is full of denormals, and takes twice as long with them.
    torch.set_flush_denormal(True)
    best = best_of(folder)
    last = best.with_name("last.pt")
    if not _is_done(last, training.epochs):
        trainer = _trainer_class()(overrides=_overrides(weights, training, folder, last))
        # It leaves one core to workers that load images, which there are none of.
        torch.set_num_threads(usable_threads())
        try:
            trainer.train()
        except RuntimeError as error:
            raise BuildError(_why_not(error, training)) from error
    if not best.is_file() or any(isinstance(it.loss, Absent) for it in epochs_of(folder)):
        raise BuildError(_diverged(training))
    return _network_of(best)


def _why_not(error: RuntimeError, training: Training) -> str:
    if "NaN" in str(error):
        return _diverged(training)
    if "out of memory" in str(error) or "allocate memory" in str(error):
        told = "training ran out of memory with batches of {1} at {2} px: give --batch a smaller number"
        return said(told, training.batch, training.imgsz)
    return said("training failed: {1}", str(error).splitlines()[0] if str(error) else type(error).__name__)


def _diverged(training: Training) -> str:
    told = "training diverged: its loss became no number with --lr0 {1}; give a smaller one, as {2}"
    return said(told, f"{training.lr0:g}", f"{training.lr0 / 10:g}")


def epochs_of(folder: Path) -> tuple[Epoch, ...]:
    """Return the epochs that ended so far, by the lines that the trainer writes; others are passed over."""
    found = {}
    for row in csv.DictReader(_lines(folder / _NAME / "results.csv")):
        # An epoch that was stopped while it was saved stands twice.
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            found[row["epoch"]] = _epoch({key.strip(): value for key, value in row.items()})
    return tuple(found.values())


def _epoch(row: Mapping[str, str]) -> Epoch:
    loss = sum(float(text) for name, text in row.items() if name.startswith("train/"))
    return Epoch(loss if math.isfinite(loss) else Absent("it was no number"), float(row[_MAP]))


def _lines(path: Path) -> list[str]:
    try:
        # A line that is being written lacks its end.
        return [line for line in read_text(path).splitlines(keepends=True) if line.endswith("\n")]
    except (OSError, ValueError):
        return []


def best_of(folder: Path) -> Path:
    """Return where a training leaves its best checkpoint."""
    return folder / _NAME / "weights" / "best.pt"


def batches_of(folder: Path) -> tuple[str, ...]:
    """Return the digests of what the first epochs were trained on."""
    return tuple(
        line.strip() for epoch in range(_DIGESTED_EPOCHS) for line in _lines(folder / _NAME / _batches_file(epoch))[:1]
    )


def _batches_file(epoch: int) -> str:
    return f"batches-{epoch}.sha256"


def _overrides(weights: Path, training: Training, folder: Path, last: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "model": str(weights),
        "data": training.data,
        "imgsz": training.imgsz,
        "epochs": training.epochs,
        # A training that ends early cannot be told from one that was stopped.
        "patience": 0,
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
        # On a CPU it would only take cores from the training.
        "workers": min(_MOST_WORKERS, usable_threads()) if _has_gpu() else 0,
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
    if training.quantised:
        found["quantize"] = _QAT_BITS
    if last.is_file():
        found["resume"] = str(last)
    return found


def class_difference(known: Sequence[str], wanted: Sequence[str]) -> Sentence:
    """Say how the classes of a network differ from those of data or of a teacher, empty where they do not."""
    if len(known) != len(wanted):
        return said("it knows {1} classes, and {2} are asked for", len(known), len(wanted))
    for number, (one, other) in enumerate(zip(known, wanted, strict=True)):
        if one.lower() != other.lower():
            return said("its class {1} is '{2}', where '{3}' is asked for", number, one, other)
    return ""


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def _is_done(last: Path, epochs: int) -> bool:
    """Say whether a training ended, be it before anybody was told."""
    import torch

    return last.is_file() and torch.load(last, map_location="cpu", weights_only=False)["epoch"] + 1 >= epochs


def _network_of(checkpoint: Path) -> Any:
    """Return the averaged network of a checkpoint, without the teacher that looked over it."""
    import torch

    network = torch.load(checkpoint, map_location="cpu", weights_only=False)["ema"].float()
    return getattr(network, "student_model", network)


def _trainer_class() -> Any:
    """Build the trainer class late, so that importing this module loads no runtime."""
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.utils.torch_utils import is_qat, strip_qat

    class AsItIs(DetectionTrainer):  # type: ignore[misc]  # Ultralytics is not typed
        """Trains the network that a checkpoint holds, and writes its own files whole."""

        def get_model(self, cfg: Any = None, weights: Any = None, verbose: bool = True) -> Any:
            if weights is None:
                return super().get_model(cfg, weights, verbose)
            known, wanted = class_names(weights), [str(name) for name in self.data["names"].values()]
            problem = class_difference(known, wanted)
            if problem:
                raise BuildError(said("the network does not fit the data: {1}", problem))
            if is_qat(weights):
                # It is put in again where it was before, as in a network that a yaml makes.
                strip_qat(weights)
            weights.requires_grad_(True)
            return self.set_model_names_for_load(weights)

        def preprocess_batch(self, batch: Any) -> Any:
            if self.epoch < _DIGESTED_EPOCHS:
                digests = self.__dict__.setdefault("digests", {})
                digests.setdefault(self.epoch, hashlib.sha256()).update(batch["img"].numpy().tobytes())
            return super().preprocess_batch(batch)

        def save_model(self) -> Any:
            """Write beside the last files and put them in their place at once: a kill leaves one or the other."""
            files = Path(self.wdir, "last.pt"), Path(self.wdir, "best.pt")
            self.last, self.best = (path.with_suffix(".part") for path in files)
            # One that a kill left is of an epoch that is trained again.
            self.best.unlink(missing_ok=True)
            try:
                saved = super().save_model()
                # The best first: what the last epoch of a training left is read once the last one is there.
                for part, whole in reversed(tuple(zip((self.last, self.best), files, strict=True))):
                    if part.is_file():
                        part.replace(whole)
                if self.epoch < _DIGESTED_EPOCHS:
                    digest = self.__dict__["digests"][self.epoch].hexdigest()
                    write_whole(self.save_dir / _batches_file(self.epoch), f"{digest}\n")
            finally:
                self.last, self.best = files
            return saved

        def final_eval(self) -> None:
            """Leave the files as they are: whoever trains takes the network out, and evaluates it itself."""

    return AsItIs
