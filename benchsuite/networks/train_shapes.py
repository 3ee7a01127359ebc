"""Train the bundled checkpoint from nothing: `python -m benchsuite.networks.train_shapes OUTPUT.pt`.

It learns on 320-pixel pictures that hold shapes of every size the 640-pixel ones hold, which costs a quarter a
picture. Convolutions run in BF16 (CPU autocast), losses and the optimiser in FP32.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchsuite.data.shapes import AUGMENTATION, NAMES, ShapesSpec, shapes_data

SEED = 26
SPEC = ShapesSpec(SEED, side_px=320, train=6000, val=16, calib=0)
EPOCHS = 8
BATCH = 8
LR0 = 1.2e-3
# What the checkpoint is meant for.
IMGSZ = 640


def train(work: Path, spec: ShapesSpec = SPEC, epochs: int = EPOCHS) -> Any:
    """Train in the folder `work` and return the averaged weights as a state dict."""
    import torch

    # A young network is full of denormals; without flushing them an epoch takes twice as long.
    torch.set_flush_denormal(True)
    trainer = _trainer_class()(
        overrides={
            "model": "yolo26n.yaml",
            "data": str(shapes_data(work / "data", spec)),
            "imgsz": spec.side_px,
            "epochs": epochs,
            "batch": BATCH,
            "nbs": BATCH,
            "optimizer": "AdamW",
            "lr0": LR0,
            "momentum": 0.9,
            "cos_lr": True,
            "warmup_epochs": 0.5,
            "warmup_bias_lr": 0.0,
            "seed": SEED,
            "device": "cpu",
            "workers": 0,
            "cache": "ram",
            "amp": False,
            "channels_last": True,
            "val": False,
            "plots": False,
            "project": str(work / "runs"),
            "name": "shapes",
            "exist_ok": True,
            **AUGMENTATION,
        }
    )
    trainer.train()
    return trainer.ema.ema.float().state_dict()


def export_checkpoint(weights: Any, output: Path, seconds: float) -> None:
    """Write the weights in FP16 as a checkpoint that Ultralytics loads like one of its own."""
    import torch
    import ultralytics
    from ultralytics.nn.tasks import DetectionModel

    model = DetectionModel("yolo26n.yaml", nc=len(NAMES), verbose=False)
    model.load_state_dict(weights)
    model.names, model.args = dict(enumerate(NAMES)), {"imgsz": IMGSZ}
    for parameter in model.parameters():
        parameter.requires_grad = False
    torch.save(
        {
            "model": model.half().eval(),
            "train_args": {"imgsz": IMGSZ, "data": "shapes", "task": "detect", "seed": SEED},
            "version": ultralytics.__version__,
            "license": "AGPL-3.0",
            "benchsuite": {"data": repr(SPEC), "epochs": EPOCHS, "train_seconds": round(seconds)},
        },
        output,
    )


def _trainer_class() -> Any:
    """Build the trainer class late, so that importing this module loads no runtime."""
    import torch
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.nn.tasks import DetectionModel

    class Bf16Trainer(DetectionTrainer):  # type: ignore[misc]  # Ultralytics is not typed
        """Train a DetectionModel whose forward runs under CPU autocast (Ultralytics allows AMP on GPUs only)."""

        def get_model(self, cfg: Any = None, **_: Any) -> Any:
            model = DetectionModel(cfg, nc=self.data["nc"], verbose=False)
            plain_forward = model.forward

            def forward(x: Any, *args: Any, **kwargs: Any) -> Any:
                if isinstance(x, dict):
                    return model.loss(x, _to_float(predict(x["img"])))
                return plain_forward(x, *args, **kwargs)

            def predict(images: Any) -> Any:
                with torch.autocast("cpu", torch.bfloat16):
                    return plain_forward(images)

            model.forward = forward
            return self.set_model_names_for_load(model)

        def validate(self) -> tuple[dict[str, float], float]:
            """Skip validation: the caller evaluates the checkpoint that it gets."""
            return {}, 0.0

        def save_model(self) -> bool:
            """Save nothing: the caller takes the averaged weights from memory."""
            return False

        def final_eval(self) -> None:
            """Skip the evaluation of a saved file that does not exist."""

    def _to_float(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.float()
        if isinstance(value, dict):
            return {key: _to_float(item) for key, item in value.items()}
        return type(value)(_to_float(item) for item in value) if isinstance(value, list | tuple) else value

    return Bf16Trainer


def main() -> None:
    """Train and write the checkpoint named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("--work", type=Path, help="folder for data and runs (default: a temporary one)")
    arguments = parser.parse_args()
    os.environ.update(YOLO_OFFLINE="true", YOLO_AUTOINSTALL="false")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["YOLO_CONFIG_DIR"] = scratch
        started = time.monotonic()
        weights = train(arguments.work or Path(scratch))
        export_checkpoint(weights, arguments.output, time.monotonic() - started)


if __name__ == "__main__":
    main()
