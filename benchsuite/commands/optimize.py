"""The commands that make a detector light."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.commands.telling import tell

optimize_app = typer.Typer(
    help="Lighter weights for the same task, from a trained checkpoint.", no_args_is_help=True, rich_markup_mode=None
)


@optimize_app.command("prune")
def prune(
    output: Annotated[Path, typer.Option("--output", "-o", help="the checkpoint to write", show_default=False)],
    ratio: Annotated[float, typer.Option(help="share of the channels to cut, between 0 and 1", show_default=False)],
    model: Annotated[str, typer.Option(help="checkpoint to cut, fresh from training")] = "yolo26n_shapes",
    data: Annotated[
        Path | None, typer.Option(help="data.yaml to train and evaluate on (default: drawn)", show_default=False)
    ] = None,
    importance: Annotated[str, typer.Option(help="what decides which channels go: l1, l2 or bn")] = "l1",
    round_to: Annotated[
        str, typer.Option("--round", help="widths are multiples of it; auto: 16 with AVX-512, else 8")
    ] = "auto",
    widths: Annotated[str, typer.Option(help="free, or yaml for widths that a model's yaml can express")] = "free",
    epochs: Annotated[int, typer.Option(help="epochs of training after the cut; 0 leaves it out", min=0)] = 20,
    imgsz: Annotated[int, typer.Option(help="side of the images in px, in training and evaluation")] = 640,
    batch: Annotated[int, typer.Option(help="images in a step of training", min=1)] = 8,
    lr0: Annotated[float, typer.Option(help="learning rate")] = 0.001,
    seed: Annotated[int, typer.Option(help="of the training")] = 0,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER", help="of Ultralytics' trainer, as mosaic=0; may be repeated", show_default=False
        ),
    ] = None,
) -> None:
    """Cut channels out of a detector and train what is left; run it again to go on where it was stopped.

    Example: benchsuite optimize prune --model best.pt --data my-data.yaml --ratio 0.2 -o lighter.pt
    """
    from benchsuite.commands.pruning import PruneAsked, run_prune

    asked = PruneAsked(
        output, ratio, model, data, importance, round_to, widths, epochs, imgsz, batch, lr0, seed, tuple(setting or ())
    )
    raise typer.Exit(run_prune(asked, tell))
