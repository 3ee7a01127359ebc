"""Run Ultralytics' own pipeline and write down what it did: `python ultralytics_oracle.py val|letterbox|nms ARGUMENTS`.

A program of its own: it imports torch and Ultralytics, which the modules under test and their tests must not need.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ultralytics import YOLO
from ultralytics.cfg import get_cfg
from ultralytics.data import build_yolo_dataset
from ultralytics.models.yolo.detect import DetectionValidator
from ultralytics.utils.nms import non_max_suppression


def val(weights: str, data: str, out: str) -> None:
    """Validate; write each image's input, labels, raw candidates and detections, and the figures."""
    written: dict[str, Any] = {}

    class Recorder(DetectionValidator):
        def postprocess(self, preds: Any) -> Any:
            self.raw = (preds[0] if isinstance(preds, (list, tuple)) else preds).numpy()
            return super().postprocess(preds)

        def update_metrics(self, preds: Any, batch: Any) -> None:
            name = Path(batch["im_file"][0]).name
            labels = torch.cat([batch["cls"], batch["bboxes"]], 1).numpy()
            found = torch.cat([preds[0]["bboxes"], preds[0]["conf"][:, None], preds[0]["cls"][:, None]], 1).numpy()
            # Anchors far below every threshold change nothing and are most of the 8,400.
            raw = self.raw[0][:, self.raw[0][4:].max(0) > 0.0005]
            # The validator has divided the input by 255; eight bits hold it exactly.
            pixels = (batch["img"][0] * 255).round().to(torch.uint8).numpy()
            for key, value in (("labels", labels), ("found", found), ("raw", raw), ("pixels", pixels)):
                written[f"{name}:{key}"] = value
            super().update_metrics(preds, batch)

    metrics = YOLO(weights).val(
        validator=Recorder, data=data, imgsz=640, batch=1, rect=False, device="cpu", conf=0.001, iou=0.7, max_det=300,
        plots=False, workers=0, project=str(Path(out).parent), verbose=False,
    )  # fmt: skip
    box = metrics.box
    np.savez(out, map50=box.map50, map50_95=box.map, classes=box.ap_class_index, ap=box.all_ap, **written)


def letterbox(images: str, imgsz: str, out: str) -> None:
    """Write the network input that Ultralytics' data set makes of each image in a folder, as RGB planes."""
    data = {"names": {0: "thing"}, "nc": 1, "channels": 3}
    dataset = build_yolo_dataset(get_cfg(overrides={"imgsz": int(imgsz)}), images, 1, data, mode="val", rect=False)
    np.savez(out, **{Path(item["im_file"]).name: item["img"].numpy() for item in dataset})


def nms(outputs: str, out: str) -> None:
    """Write the detections of each stored output at deployment (`deploy`) and evaluation settings (`eval`)."""
    # With torchvision imported, Ultralytics uses its kernel, as val and predict do.
    import torchvision  # noqa: F401

    written = {}
    for name, output in np.load(outputs).items():
        for settings, conf, multi_label in (("deploy", 0.25, False), ("eval", 0.001, True)):
            (found,) = non_max_suppression(torch.from_numpy(output), conf, 0.7, multi_label=multi_label, max_det=300)
            written[f"{name}:{settings}"] = found.numpy()
    np.savez(out, **written)


if __name__ == "__main__":
    {"val": val, "letterbox": letterbox, "nms": nms}[sys.argv[1]](*sys.argv[2:])
