"""What is looked at before anything is built: options, folders, models and data, each held against the others."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.artifacts.store import Card, Store
from benchsuite.backends import backend
from benchsuite.backends.schemes import AUTO
from benchsuite.data.dataset import load_dataset
from benchsuite.data.labels import unusable_labels
from benchsuite.data.shapes import NAMES
from benchsuite.machine.facts import Machine, gpu_of
from benchsuite.machine.files import cannot_write, free_bytes, unwritable
from benchsuite.measure.accuracy import UNTRAINED, class_mismatch, evaluated_images
from benchsuite.networks.weights import ModelRef, fetch, file_sha256
from benchsuite.options.chosen import Options
from benchsuite.options.needs import data_problems, option_problems
from benchsuite.options.selection import select
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BenchsuiteError, UsageError, raise_all
from benchsuite.terms.input_size import InputSize

# Records, samples and a page; and what a runtime may write beside its artifacts.
_REPORT_BYTES, _TEMPORARY_BYTES = 20_000_000, 1_000_000
# The drawn data, and of the weights as files hold them: FP32 of halves, what is made of that, and a copy on the way.
_CACHE_BYTES, _TIMES_WEIGHTS = 60_000_000, 6


@dataclass
class Cards:
    """What each checkpoint is, by the model's name; why one cannot be measured, and what was odd about kept cards."""

    by_model: dict[str, Card] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def select_cases(options: Options, cache_root: Path, machine: Machine) -> tuple[tuple[ModelRef, ...], tuple[Case, ...]]:
    """Return the models and cases that are asked for; raises one UsageError, with what is wrong besides a model."""
    try:
        return select(options, cache_root, machine)
    except UsageError as error:
        raise_all([str(error), *data_problems(options, False), *folder_problems(options)])
        raise


def check_before_work(
    options: Options,
    models: Sequence[ModelRef],
    cases: Sequence[Case],
    machine: Machine,
    cache_root: Path,
    download: bool = True,
) -> tuple[str, ...]:
    """Return what is worth knowing before the run; raise one UsageError for all that cannot be.

    What only accuracy depends on, class names and labels, stops nothing: it is said, and accuracy will be absent.
    Without `download`, weights that are not on this disk are not looked at.
    """
    can_run = [case for case in cases if backend(case.backend).why_not(case, machine) is None]
    problems = option_problems(options, can_run, machine)
    cache_problem, cache_note = _cache_problem(models, cache_root)
    here = [model for model in models if download or model.path is not None]
    sizes = {model: [case.imgsz for case in can_run if case.model == model.slug] for model in here}
    cards = Cards() if cache_problem else read_cards(sizes, cache_root, machine.packages)
    headless = _head_problems(options, can_run, cards.by_model)
    raise_all([*problems, *cards.problems, *headless, *cache_problem, *folder_problems(options)])
    unscored = tuple(_unscored(options, cards.by_model))
    if unscored and options.quant_scheme == AUTO and any(case.precision == "int8" for case in can_run):
        raise UsageError(f"--quant-scheme auto: it chooses by accuracy, and there is {unscored[0]}; name a scheme.")
    of_machine, untrained = _machine_notes(options, can_run, machine), _sizes_untrained(options, cards.by_model)
    origins = [f"{model}: {card.origin}" for model, card in cards.by_model.items() if card.origin]
    return tuple(dict.fromkeys([*cache_note, *cards.notes, *origins, *of_machine, *unscored, *untrained]))


def folder_problems(options: Options) -> list[str]:
    """Say which folder of a run cannot be written, or has not the room that the least run takes."""
    try:
        temporary = Path(tempfile.gettempdir())
    except OSError as error:
        return [f"there is no folder for temporary files ({error.strerror}); name one in $TMPDIR."]
    found = (
        _folder_problem("--report", options.report, _REPORT_BYTES),
        _folder_problem("$TMPDIR", temporary, _TEMPORARY_BYTES),
    )
    return [f"{problem} name another folder." for problem in found if problem]


def _cache_problem(models: Sequence[ModelRef], cache_root: Path) -> tuple[list[str], list[str]]:
    """Return why nothing can be kept in the cache, as a problem, or as a note where something may be kept already."""
    weights_bytes = max((model.path.stat().st_size for model in models if model.path is not None), default=0)
    found = _folder_problem("$BENCHSUITE_CACHE", cache_root, _CACHE_BYTES + _TIMES_WEIGHTS * weights_bytes)
    if not found:
        return [], []
    # Those whose names begin with a point are being built.
    if next((cache_root / "artifacts").glob("[!.]*"), None) is None:
        return [f"{found} name another folder."], []
    return [], [f"{found} what lies there is used, and a case that needs more will fail."]


def _folder_problem(name: str, folder: Path, needed_bytes: int) -> str:
    """Say why a folder cannot be used, up to a semicolon; empty where it can."""
    why = unwritable(folder)
    if why:
        return f"{name} {folder}: cannot write there ({why});"
    room = free_bytes(folder)
    if room < needed_bytes:
        return f"{name} {folder}: {room / 1e6:.0f} MB are free, and a run needs about {needed_bytes / 1e6:.0f} MB;"
    return ""


def read_cards(sizes: Mapping[ModelRef, Sequence[InputSize]], cache_root: Path, packages: Mapping[str, str]) -> Cards:
    """Ask what each checkpoint is, at each of its sizes; one without any is not looked at."""
    store, cards = Store(cache_root), Cards()
    for model in (model for model in sizes if sizes[model]):
        try:
            weights = fetch(model, cache_root, cache_root / "logs" / "download.log")
            digest = file_sha256(weights)
        except BenchsuiteError as error:
            cards.problems.append(str(error))
            continue
        except OSError as error:
            cards.problems.append(f"--model {model.name}: it cannot be read or downloaded: {error}.")
            continue
        for imgsz in dict.fromkeys(sizes[model]):
            try:
                cards.by_model[model.slug], notes = store.card(weights, digest, imgsz, "one2many", packages)
                cards.notes += notes
            except BenchsuiteError as error:
                cards.problems.append(f"{str(error).rstrip('.')}.")
            except OSError as error:
                cards.problems.append(cannot_write(cache_root, error))
    return cards


def _head_problems(options: Options, cases: Sequence[Case], cards: Mapping[str, Card]) -> list[str]:
    """Say which models lack a head that is asked for."""
    asked = "--case" if options.case_ids else f"--head {options.head}"
    lacking = [case.model for case in cases if case.model in cards and case.head not in cards[case.model].heads]
    return [f"{asked}: {model} has no NMS-free head: use --head auto." for model in dict.fromkeys(lacking)]


def _machine_notes(options: Options, cases: Sequence[Case], machine: Machine) -> Iterator[str]:
    quota = machine.cpu_quota_cores
    if cases and quota is not None and quota < machine.usable_cores:
        told = f"--threads is {options.threads}: the CPU quota here is {quota:g} of {machine.usable_cores} cores"
        over = "; more threads than that are stopped again and again, which shows in every time"
        yield told + (over if options.threads > max(1, quota) else "")
    numbered = any(word.strip().isdecimal() for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(","))
    if numbered and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        for device in dict.fromkeys(case.device for case in cases if case.on_gpu):
            gpu = gpu_of(device, machine)
            if gpu is not None:
                yield f"{device} is {gpu.name} ({gpu.uuid}): CUDA_VISIBLE_DEVICES is read as nvidia-smi counts"


def _unscored(options: Options, cards: Mapping[str, Card]) -> Iterator[str]:
    """Say why accuracy will be absent."""
    dataset = load_dataset(options.data) if options.data is not None else None
    if dataset is not None and cards:
        images = evaluated_images(dataset, options.effort.accuracy_images)
        unusable = unusable_labels(images, dataset.names, dataset.keypoint_columns)
        if unusable:
            yield f"no accuracy: {unusable}"
    for model, card in cards.items():
        problem = UNTRAINED if card.untrained else class_mismatch(card.names, dataset.names if dataset else NAMES)
        if problem:
            yield f"no accuracy of {model}: {problem}"


def _sizes_untrained(options: Options, cards: Mapping[str, Card]) -> Iterator[str]:
    """Say which sizes a model was not trained at."""
    for model, card in cards.items():
        if card.untrained:
            continue
        others = [str(size) for size in options.imgsz if card.trained_px not in (None, *size.shape)]
        if others and not options.case_ids:
            yield f"{model} was trained at {card.trained_px} px: at {', '.join(others)} px its accuracy differs"
