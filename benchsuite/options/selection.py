"""From options to cases, in the order in which they are measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchsuite.networks.weights import ModelRef, resolve
from benchsuite.options.settings import HeadChoice, Options
from benchsuite.terms.cases import PLAIN, VARIANTS, Backend, Case, Head, variant_of

_HEADS: dict[HeadChoice, tuple[Head, ...]] = {
    "auto": ("one2many",),
    "end2end": ("end2end",),
    "both": ("one2many", "end2end"),
}


def select(options: Options, cache_root: Path) -> tuple[tuple[ModelRef, ...], tuple[Case, ...]]:
    """Return the models and one case for every combination asked for, whether it can run here or not."""
    models = resolve(options.models, cache_root)
    return models, cases_of(options, [model.slug for model in models])


def cases_of(options: Options, slugs: Sequence[str]) -> tuple[Case, ...]:
    """Combine models, sizes, backends, precisions and heads; all rows of one model and size stand together."""
    return tuple(
        Case(
            model=slug,
            backend=backend,
            precision=precision,
            device=_device(options, backend),
            imgsz=imgsz,
            batch=batch,
            threads=options.threads,
            head=head,
            variant=variant_of(head, way, rebuild),
        )
        for slug in slugs
        for imgsz in options.imgsz
        for batch in options.batch
        for head in _HEADS[options.head]
        for backend in options.backends
        for precision in options.precisions
        for way in _ways(options, backend)
        # The first build is the plain case.
        for rebuild in (0, *range(2, (options.engine.rebuilds if backend == "trt" else 1) + 1))
    )


def _ways(options: Options, backend: Backend) -> Sequence[str]:
    return [way for way in options.variants if way == PLAIN or VARIANTS[way] == backend] or [PLAIN]


def _device(options: Options, backend: Backend) -> str:
    return options.device or ("cuda:0" if backend == "trt" else "cpu")


def cache_root() -> Path:
    """Return the folder that holds artifacts, data and weights: $BENCHSUITE_CACHE or the user's cache folder."""
    import os

    import platformdirs

    # Absolute, because workers of another interpreter have another working directory.
    return Path(os.environ.get("BENCHSUITE_CACHE") or platformdirs.user_cache_dir("benchsuite")).absolute()
