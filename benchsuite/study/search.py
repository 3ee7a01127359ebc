"""`--quant-scheme auto`: the fastest INT8 scheme of a runtime that is shown to lose no more mAP than it may.

Every scheme of the runtime is built and evaluated. Where parts of the network can stay float on their own, each part is
tried alone, and those whose staying float mends most agreement with FP32 return to float one after the other. What
loses little enough is timed turn by turn. Its budget is for building and evaluating: the first scheme is always tried,
another only where there is time for it, and then what is known is timed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchsuite.backends import backend
from benchsuite.backends.schemes import AUTO, DEFAULT, MOST_INTEGER, SchemePoint, SchemeSearch
from benchsuite.machine.cache import CacheEntry, digest_entries, mark_used
from benchsuite.machine.json_files import read_kept, write_kept
from benchsuite.networks.topology import GROUPS
from benchsuite.runs.site import Site
from benchsuite.runs.worth import keeps
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.rows import StudyRow
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError, PassingError, RecordError
from benchsuite.terms.said import joined, said

# Part of the key of a kept search: raise it with any change to how schemes are chosen.
_VERSION = 3
_FOLDER = "searches"
_MOST_TIMED = 6
# Schemes that are there to be compared with, not to be deployed.
_FOR_COMPARISON = frozenset({"ultralytics", "dynamic-u8u8"})
_NOT_TIMED = Absent("it was not timed: it loses too much, or others are alike and have fewer parts in float")


class SchemeSearcher:
    """Finds the scheme of each case once; what was found is kept as long as nothing that decides it has changed."""

    def __init__(self, bench: StudyBench) -> None:
        self._bench = bench
        self._site = bench.site
        self._options = bench.site.options

    def search(self, case: Case) -> SchemeSearch:
        """Return the kept search of a case, or search now; raises BuildError where no scheme can be built."""
        plain = replace(case, scheme="")
        path = self._site.cache_root / _FOLDER / f"{self._key(plain)}.json"
        if path.is_file():
            try:
                kept = read_kept(path, SchemeSearch, "its scheme is searched for again")
            except PassingError as error:
                raise BuildError(str(error)) from None
            except RecordError as damage:
                self._site.say(str(damage))
            else:
                mark_used(path)
                return kept
        budget_s = self._options.search_budget_s
        self._site.say(f"searching the INT8 scheme of {case.model} on {case.backend}, at most {budget_s:.0f} s")
        found = self._search(plain)
        write_kept(path, found)
        return found

    def _search(self, case: Case) -> SchemeSearch:
        ends_at = time.monotonic() + self._options.search_budget_s
        left_out: list[str] = []
        took_s: list[float] = []

        def prepared(schemes: Iterable[str]) -> Iterator[tuple[str, Prepared]]:
            """Build and evaluate schemes while the budget lasts; those that contradict their name are left out."""
            for scheme in schemes:
                began = time.monotonic()
                # The first one also builds what all are made from and held against.
                if began + max(took_s[1:], default=0.0) > ends_at:
                    left_out.append(scheme)
                    continue
                way = Way(replace(case, scheme=scheme), scheme)
                found = self._bench.prepare([way])[way]
                took_s.append(time.monotonic() - began)
                if found.side is not None and not found.row.conflict and not isinstance(found.row.loss, Absent):
                    yield scheme, found

        tried = dict(prepared(scheme for scheme in backend(case.backend).schemes if scheme not in _FOR_COMPARISON))
        sensitivity: Mapping[str, float] = {}
        if MOST_INTEGER in tried:
            base = _agreement(tried[MOST_INTEGER])
            alone = dict(prepared(f"{MOST_INTEGER}~{group}" for group in GROUPS))
            sensitivity = {name.partition("~")[2]: _agreement(it) - base for name, it in alone.items()}
            tried |= alone
            order = sorted(sensitivity, key=lambda group: -sensitivity[group])
            for count in range(2, len(order)):
                # Once a scheme keeps the limit, further parts in float would only cost time.
                if any(map(self._keeps, tried.values())):
                    break
                tried |= dict(prepared([f"{MOST_INTEGER}~{'+'.join(order[:count])}"]))
        if not tried:
            raise BuildError(
                said(
                    "--quant-scheme auto: no INT8 scheme of {1} could be built and scored; name a scheme, or "
                    "data with labels for this model",
                    case.backend,
                )
            )
        kept = [scheme for scheme, it in tried.items() if self._keeps(it)]
        shortlist = sorted(kept, key=lambda scheme: (scheme.count("+") + scheme.count("~"), _loss(tried[scheme])))
        candidates = shortlist[:_MOST_TIMED] or [min(tried, key=lambda scheme: _loss(tried[scheme]))]
        rows, _ = self._bench.time([tried[scheme] for scheme in candidates])
        ratios = {
            scheme: row.timed.ratio
            for scheme, row in zip(candidates, rows, strict=True)
            if not isinstance(row.timed, Absent)
        }
        if not ratios:
            # Kept, a choice that nothing timed would stand for good.
            raise BuildError(said("--quant-scheme auto: no scheme could be timed: {1}", _why_untimed(rows)))
        chosen = _best(rows, candidates, tried)
        return SchemeSearch(
            chosen=chosen,
            max_map_drop=self._options.max_map_drop,
            points=tuple(
                SchemePoint(scheme, _loss(it), _agreement(it), ratios.get(scheme, _NOT_TIMED))
                for scheme, it in tried.items()
            ),
            sensitivity=sensitivity,
            sentence=self._sentence(chosen, _loss(tried[chosen]), bool(kept), bool(left_out)),
        )

    def _keeps(self, prepared: Prepared) -> bool:
        """Say whether the whole interval of a loss lies within what may be lost, as reports ask of it."""
        loss = prepared.row.loss
        return not isinstance(loss, Absent) and keeps(loss.ci95, self._options.max_map_drop)

    def _sentence(self, chosen: str, loss: float, kept: bool, cut: bool) -> str:
        allowed = f"{self._options.max_map_drop:g}"
        if kept:
            found = said(
                "Of the schemes tried that are shown to lose at most {1} points, {2} is the fastest, or the one of "
                "least loss among those that times do not tell from it.",
                allowed, chosen,
            )  # fmt: skip
        else:
            none = "No scheme tried is shown to lose at most {1} points of mAP50-95; {2} loses least, {3}."
            found = said(none, allowed, chosen, f"{loss:.1f}")
        return joined(" ", (found, said("The budget ended the search early."))) if cut else found

    def _key(self, case: Case) -> str:
        """Digest everything that decides what a search finds."""
        recipe = self._bench.preparation(Way(case)).recipe(case)
        options, machine = self._options, self._site.machine
        facts = [
            _VERSION, recipe.digest, case.id, case.threads, options.max_map_drop, options.search_budget_s,
            options.effort.name, self._bench.data.sha256, machine.fingerprint, dict(machine.packages),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:24]


def _best(rows: Sequence[StudyRow], schemes: Sequence[str], tried: Mapping[str, Prepared]) -> str:
    """Return the scheme of least loss among those that times do not tell from the fastest."""
    timed = {scheme: row.timed for scheme, row in zip(schemes, rows, strict=True) if not isinstance(row.timed, Absent)}
    slowest_of_fastest = min(timed.values(), key=lambda it: it.ratio).ratio_ci95[1]
    close = [scheme for scheme, it in timed.items() if it.ratio_ci95[0] <= slowest_of_fastest]
    return min(close, key=lambda scheme: _loss(tried[scheme]))


def kept_searches(cache_root: Path) -> tuple[CacheEntry, ...]:
    """Return the searches that are kept."""
    return digest_entries(cache_root / _FOLDER, "search")


def scheme_search(site: Site) -> Callable[[Case], SchemeSearch] | None:
    """Return what finds the scheme of a case, or None where --quant-scheme is not auto."""
    if site.options.quant_scheme != AUTO:
        return None
    plain = replace(site, options=replace(site.options, quant_scheme=DEFAULT))
    return SchemeSearcher(StudyBench(plain, locked=True)).search


def _loss(prepared: Prepared) -> float:
    loss = prepared.row.loss
    assert not isinstance(loss, Absent)
    return loss.points


def _agreement(prepared: Prepared) -> float:
    parity = prepared.row.parity
    return 0.0 if isinstance(parity, Absent) else parity.agreement


def _why_untimed(rows: Sequence[StudyRow]) -> str:
    return next((row.timed.reason for row in rows if isinstance(row.timed, Absent)), "none ran")
