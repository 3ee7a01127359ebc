"""The commands that make a detector light."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.commands.telling import tell
from benchsuite.terms.errors import UsageError
from benchsuite.terms.language import ENGLISH, languages

optimize_app = typer.Typer(
    help="Lighter weights for the same task, from a trained checkpoint.", no_args_is_help=True, rich_markup_mode=None
)

Output = Annotated[Path, typer.Option("--output", "-o", help="the checkpoint to write", show_default=False)]
Data = Annotated[
    Path | None, typer.Option(help="data.yaml to train and evaluate on (default: drawn)", show_default=False)
]
Imgsz = Annotated[int, typer.Option(help="side of the images in px, in training and evaluation")]
Batch = Annotated[int, typer.Option(help="images in a step of training", min=1)]
Rate = Annotated[float, typer.Option("--lr0", help="learning rate")]
Seed = Annotated[int, typer.Option(help="of the training")]
Lang = Annotated[str, typer.Option(help=f"language of the page: {', '.join(languages())}")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--setting",
        metavar="NAME=NUMBER",
        help="of Ultralytics' trainer, as mosaic=0; may be repeated",
        show_default=False,
    ),
]


@optimize_app.command("prune")
def prune(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="the checkpoint to write; with --ratios, a folder", show_default=False),
    ],
    ratio: Annotated[
        float | None, typer.Option(help="share of the channels to cut, between 0 and 1", show_default=False)
    ] = None,
    ratios: Annotated[
        str,
        typer.Option(metavar="R[,R]", help="try several shares, and say which are safe", show_default=False),
    ] = "",
    model: Annotated[str, typer.Option(help="checkpoint to cut, fresh from training")] = "yolo26n_shapes",
    data: Data = None,
    importance: Annotated[str, typer.Option(help="what decides which channels go: l1, l2, bn or taylor")] = "l1",
    round_to: Annotated[
        str, typer.Option("--round", help="widths are multiples of it; auto: 16 with AVX-512, else 8")
    ] = "auto",
    teacher: Annotated[
        str, typer.Option(help="checkpoint to learn from after the cut, as the whole one", show_default=False)
    ] = "",
    widths: Annotated[str, typer.Option(help="free, or yaml for widths that a model's yaml can express")] = "free",
    unstructured: Annotated[
        bool, typer.Option("--unstructured", help="set single weights to zero instead, for comparison")
    ] = False,
    epochs: Annotated[
        int | None,
        typer.Option(help="epochs of training after the cut; 0 leaves it out [20]", min=0, show_default=False),
    ] = None,
    imgsz: Imgsz = 640,
    batch: Batch = 8,
    lr0: Rate = 0.001,
    seed: Seed = 0,
    setting: Settings = None,
    backend: Annotated[str, typer.Option(help="runtimes that are timed")] = "onnx,openvino,ncnn",
    effort: Annotated[str, typer.Option(help="how long: quick, standard or full")] = "standard",
    lang: Lang = ENGLISH,
) -> None:
    """Cut channels out of a detector and train what is left; run it again to go on where it was stopped.

    Example: benchsuite optimize prune --model best.pt --data my-data.yaml --ratio 0.2 -o lighter.pt

    Example: benchsuite optimize prune --model best.pt --data my-data.yaml --ratios 0.1,0.2,0.3 -o guide
    """
    from benchsuite.commands.pruning import CutAsked, read_ratios, run_prune, run_zero
    from benchsuite.commands.pruning_guide import run_guide
    from benchsuite.commands.recipes import TrainingAsked
    from benchsuite.options.settings import parse

    if (ratio is None) == (not ratios):
        raise UsageError("optimize prune: give one of --ratio 0.2 and --ratios 0.1,0.2,0.3.")
    usual = 0 if unstructured else 20
    trained = TrainingAsked(data, usual if epochs is None else epochs, imgsz, batch, lr0, seed, tuple(setting or ()))
    cut = CutAsked(importance, round_to, widths)
    timing = {"backend": backend, "effort": effort, "precision": "fp32", "device": "cpu", "lang": lang}
    # What is wrong with them is told before hours of training and not after.
    parse(timing)
    if ratio is None:
        if unstructured:
            raise UsageError("--unstructured: it changes no time, whatever the share; give it one --ratio.")
        code = run_guide(model, read_ratios(ratios), cut, trained, output, timing, tell)
    elif unstructured:
        code = run_zero(model, ratio, trained, output, timing, tell)
    else:
        code = run_prune(model, ratio, cut, trained, output, timing, tell, teacher)
    raise typer.Exit(code)


@optimize_app.command("distill")
def distill(
    output: Output,
    teacher: Annotated[str, typer.Option(help="checkpoint to learn from, better on the data", show_default=False)],
    student: Annotated[
        str, typer.Option(help="checkpoint that learns, or a .yaml that begins with random weights", show_default=False)
    ],
    data: Data = None,
    dis: Annotated[float, typer.Option(help="weight of the teacher in the loss")] = 6.0,
    compare: Annotated[
        bool, typer.Option(help="train the student without the teacher too, and tell what that gains")
    ] = True,
    epochs: Annotated[int, typer.Option(help="epochs of training", min=0)] = 20,
    imgsz: Imgsz = 640,
    batch: Batch = 8,
    lr0: Rate = 0.001,
    seed: Seed = 0,
    setting: Settings = None,
) -> None:
    """Train a small detector to match a better one; run it again to go on where it was stopped.

    Example: benchsuite optimize distill --teacher big.pt --student small.pt --data my-data.yaml -o taught.pt
    """
    from benchsuite.commands.distilling import DistillAsked, run_distill
    from benchsuite.commands.recipes import TrainingAsked

    trained = TrainingAsked(data, epochs, imgsz, batch, lr0, seed, tuple(setting or ()))
    raise typer.Exit(run_distill(DistillAsked(teacher, student, dis, compare), trained, output, tell))


@optimize_app.command("qat")
def qat(
    output: Output,
    model: Annotated[str, typer.Option(help="checkpoint to train under rounding")] = "yolo26n_shapes",
    data: Data = None,
    epochs: Annotated[int, typer.Option(help="epochs of training", min=0)] = 5,
    imgsz: Imgsz = 640,
    batch: Batch = 8,
    lr0: Rate = 0.0001,
    seed: Seed = 0,
    setting: Settings = None,
) -> None:
    """Train weights that keep their accuracy in INT8; run it again to go on where it was stopped.

    The recipe's folder has an ONNX file with the ranges that were learned with.

    Example: benchsuite optimize qat --model best.pt --data my-data.yaml -o rounded.pt
    """
    from benchsuite.commands.recipes import TrainingAsked
    from benchsuite.commands.rounding import run_qat

    trained = TrainingAsked(data, epochs, imgsz, batch, lr0, seed, tuple(setting or ()))
    raise typer.Exit(run_qat(model, trained, output, tell))
