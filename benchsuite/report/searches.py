"""How `--quant-scheme auto` found the schemes of a run: what it tried, and what each part of the network is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.backends.schemes import SchemeSearch
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent, shown
from benchsuite.terms.quantities import signed


@dataclass(frozen=True)
class SearchView:
    """One search: rows of scheme, how many times as fast as FP32, points lost and agreement, the fastest first."""

    case_id: str
    sentence: str
    rows: tuple[tuple[str, ...], ...]
    chosen: str
    sensitivity: str


def search_views(records: Sequence[Record]) -> tuple[SearchView, ...]:
    """Arrange the searches of a run's records."""
    return tuple(
        _view(record.case.id, record.validity.search)
        for record in records
        if not isinstance(record.validity.search, Absent)
    )


def _view(case_id: str, search: SchemeSearch) -> SearchView:
    points = sorted(
        search.points,
        key=lambda it: (float("inf") if isinstance(it.ratio, Absent) else it.ratio, it.map_loss),
    )
    ranked = sorted(search.sensitivity.items(), key=lambda it: -it[1])
    return SearchView(
        case_id=case_id,
        sentence=search.sentence,
        rows=tuple(
            (
                it.scheme,
                shown(it.ratio, lambda ratio: f"{1 / ratio:.2f}"),
                signed(it.map_loss),
                f"{it.agreement:.1%}",
            )
            for it in points
        ),
        chosen=search.chosen,
        sensitivity=", ".join(f"{group} {signed(gain * 100)}" for group, gain in ranked),
    )
