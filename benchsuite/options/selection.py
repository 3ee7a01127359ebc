"""From options to cases, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchsuite.backends import BACKENDS, backend
from benchsuite.backends.offers import EVERY_WAY, scheme_problem
from benchsuite.backends.schemes import DEFAULT, split_scheme
from benchsuite.machine.facts import Machine
from benchsuite.networks.weights import ModelRef, resolve
from benchsuite.options import texts
from benchsuite.options.chosen import HeadChoice, Options
from benchsuite.options.needs import scheme_in_id
from benchsuite.terms.cases import PLAIN, Case, Head
from benchsuite.terms.errors import UsageError, raise_all
from benchsuite.terms.printable import short

_HEADS: dict[HeadChoice, tuple[Head, ...]] = {
    "auto": ("one2many",),
    "end2end": ("end2end",),
    "both": ("one2many", "end2end"),
}


def select(options: Options, cache_root: Path, machine: Machine) -> tuple[tuple[ModelRef, ...], tuple[Case, ...]]:
    """Return the models and one case for every combination asked for, whether it can run here or not."""
    models = resolve(options.models, cache_root)
    slugs = [model.slug for model in models]
    return models, named_cases(options, slugs) if options.case_ids else cases_of(options, slugs, machine)


def named_cases(options: Options, slugs: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases that --case names; raises one UsageError for all that cannot be meant."""
    problems: list[str] = []
    cases: list[Case] = []
    for text in options.case_ids:
        try:
            case = Case.parse(text, options.threads)
        except UsageError as error:
            problems.append(f"--case {str(error).replace(text, short(text))}")
            continue
        problem = _case_problem(case, options, slugs)
        if problem:
            problems.append(f"--case {short(text)}: {problem}.")
        cases.append(case)
    raise_all(problems)
    return tuple(cases)


def _case_problem(case: Case, options: Options, slugs: Sequence[str]) -> str:
    """Say what of a case is not to be had, or nothing."""
    if case.model not in slugs:
        return f"{case.model} is none of the models here ({', '.join(slugs)}); name its file with --model"
    if case.backend not in BACKENDS:
        return f"{case.backend} is no backend; there are {', '.join(BACKENDS)}"
    for name, text, read in (("input", str(case.imgsz), texts.square_size), ("device", case.device, texts.device)):
        try:
            read(text)
        except ValueError as error:
            return f"its {name} is {short(text)}, and {error}"
    if case.way and case.way not in backend(case.backend).ways:
        return f"{case.backend} has no way {case.way}; {EVERY_WAY[case.way]} has"
    if case.rebuild and not backend(case.backend).gpu_only:
        return f"{case.backend} builds no engine, so there is nothing to rebuild"
    if not case.scheme:
        return ""
    if case.precision != "int8" or split_scheme(case.scheme)[0] not in backend(case.backend).schemes:
        study = "`benchsuite study calibration` compares ways to calibrate"
        return f"{case.scheme} is no INT8 scheme of {case.backend}; {study}"
    if options.quant_scheme != DEFAULT:
        return f"it names its scheme, and so does --quant-scheme {options.quant_scheme}; leave that out"
    return scheme_problem(case.scheme)


def cases_of(options: Options, slugs: Sequence[str], machine: Machine) -> tuple[Case, ...]:
    """Combine models, sizes, backends, precisions and heads; all rows of one model and size stand together."""
    cases = (
        Case(
            model=slug,
            backend=name,
            precision=precision,
            device=options.device or backend(name).default_device,
            imgsz=imgsz,
            batch=batch,
            threads=options.threads,
            head=head,
            way="" if way == PLAIN else way,
            rebuild=rebuild,
        )
        for slug in slugs
        for imgsz in options.imgsz
        for batch in options.batch
        for head in _HEADS[options.head]
        for name in options.backends
        for precision in options.precisions
        for way in _ways(options, name)
        # The first build is the plain case.
        for rebuild in (0, *range(2, (options.rebuilds if backend(name).gpu_only else 1) + 1))
    )
    return tuple(replace(case, scheme=scheme_in_id(case, machine, options.quant_scheme)) for case in cases)


def _ways(options: Options, name: str) -> Sequence[str]:
    return [way for way in options.variants if way == PLAIN or way in backend(name).ways] or [PLAIN]
