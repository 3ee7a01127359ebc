"""Cut checkpoints by several shares and both kinds of widths, and hold every file against what it must be.

    python -m tests.speed.pruning_files MODEL.pt [MODEL.pt ...] --data data.yaml --output FOLDER

With --time EFFORT it times the files of 0.2 and 0.4 that it made before turn by turn with the whole network, on ONNX
Runtime and OpenVINO at 320 px, and prints the ratios. Otherwise it prints a line a file: by how much raw outputs are
off, the share of GFLOPs and parameters that is left, whether it loads with Ultralytics alone, and by how much ONNX
Runtime, OpenVINO and NCNN differ from PyTorch on the same image (decoded boxes in px and scores).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchsuite.backends import backend
from benchsuite.backends.interface import RunPolicy
from benchsuite.commands.pruning import CutAsked
from benchsuite.commands.recipes import TrainingAsked, follow_recipe, open_ground, recipe_of
from benchsuite.data.images import read_image
from benchsuite.data.letterbox import preprocess
from benchsuite.optimize.scoring import WeightsBench
from benchsuite.options.settings import parse
from benchsuite.runs.preparation import Preparation
from benchsuite.runs.site import open_site
from benchsuite.terms.absence import shown
from benchsuite.terms.cases import Case

RATIOS, WIDTHS, PX = (0.2, 0.4, 0.6), ("free", "yaml"), 320
LOAD = """
import sys
sys.modules["benchsuite"] = sys.modules["torch_pruning"] = None
from ultralytics import YOLO
YOLO(sys.argv[1]).predict(sys.argv[2], imgsz=320, verbose=False)
"""


def outputs(artifact: Path, case_id: str, image: Path) -> np.ndarray:
    """Return what a runtime makes of an image, from a process of its own."""
    found = artifact.with_name("outputs.npy")
    words = [sys.executable, "-m", __spec__.name, "--run", str(artifact), case_id, str(image), str(found)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    values = np.load(found)
    found.unlink()
    return values


def run(artifact: str, case_id: str, image: str, output: str) -> None:
    """Run an artifact once and keep its output."""
    case = Case.parse(case_id, 2)
    batch, _ = preprocess([read_image(Path(image))], case.imgsz)
    np.save(output, backend(case.backend).open(Path(artifact), case, RunPolicy(2)).run(batch))


def look_at(model: Path, data: Path, folder: Path) -> None:
    """Cut one checkpoint in every way and print what came of it."""
    asked = TrainingAsked(data, 0, PX, 8, 0.001, 0, ())
    ground = open_ground(str(model), asked, folder / f"{model.stem}.pt")
    image = ground.dataset.splits["val"][0]
    whole: tuple[float, int] | None = None
    for widths in WIDTHS:
        for ratio in (0.0, *RATIOS):
            output, apart = ground.weights, 0.0
            if ratio:
                output = (folder / f"{model.stem}-{widths}-{ratio:g}.pt").absolute()
                plan = CutAsked("l1", "8", widths).plan(ratio, ())
                progress = follow_recipe(recipe_of(ground, PX, cut=plan), ground, output, lambda _: None)
                apart = float(shown(progress.apart, str))
            elif widths != WIDTHS[0]:
                continue
            options = {"model": f"m={output}", "data": str(data), "imgsz": "640", "precision": "fp32", "device": "cpu"}
            options["backend"] = "torch,onnx,openvino,ncnn"
            site, cases = open_site(parse(options), lambda _: None)
            preparation = Preparation(replace(site, folder=folder))
            torch_case = next(case for case in cases if case.backend == "torch")
            complexity = preparation.subject(torch_case).complexity
            whole = whole or (complexity.gflops, complexity.params)
            environment = {**os.environ, "ULTRALYTICS_SAFE_LOAD": "1", "YOLO_OFFLINE": "true"}
            loads = (
                subprocess.run([sys.executable, "-c", LOAD, str(output), str(image)], env=environment).returncode == 0
            )
            options["imgsz"] = str(PX)
            site, cases = open_site(parse(options), lambda _: None)
            preparation = Preparation(replace(site, folder=folder))
            found = {
                case.backend: outputs(Path(preparation.subject(case).setup.artifact.folder), case.id, image)
                for case in cases
            }
            differ = [
                f"{name} {np.abs(it[:, :4] - found['torch'][:, :4]).max():.0e} px "
                f"{np.abs(it[:, 4:] - found['torch'][:, 4:]).max():.0e}"
                for name, it in found.items() if name != "torch"
            ]  # fmt: skip
            print(
                f"{model.stem} {widths} {ratio:g}: apart {apart:.1e}, GFLOPs {complexity.gflops:.2f} "
                f"({complexity.gflops / whole[0]:.3f}), params {complexity.params / 1e6:.3f} M "
                f"({complexity.params / whole[1]:.3f}), safe load {'yes' if loads else 'NO'}, {', '.join(differ)}",
                flush=True,
            )


def time_files(model: Path, data: Path, folder: Path, effort: str) -> None:
    """Print how many times as long as the whole network the cut ones take."""
    weights = {"whole": model.absolute()}
    for widths in WIDTHS:
        for ratio in RATIOS[:2]:
            weights[f"{widths}{100 * ratio:.0f}"] = folder / f"{model.stem}-{widths}-{ratio:g}.pt"
    options = {"data": str(data), "imgsz": str(PX), "backend": "onnx,openvino", "precision": "fp32", "effort": effort}
    for name, artifacts in WeightsBench(weights, options, folder, lambda _: None).time().items():
        for it in artifacts:
            told = shown(it.timed, lambda one: f"{one.ratio:.2f} ({one.ratio_ci95[0]:.2f}-{one.ratio_ci95[1]:.2f})")
            print(f"{model.stem} {it.backend} {name}: {told}", flush=True)


def main() -> None:
    """Look at every model that the command line names."""
    if sys.argv[1] == "--run":
        run(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--time", metavar="EFFORT", default="")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for model in given.models:
        if given.time:
            time_files(model, given.data, given.output.absolute(), given.time)
        else:
            look_at(model, given.data, given.output.absolute())


if __name__ == "__main__":
    main()
