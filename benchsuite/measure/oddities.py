"""What is odd about a case beside those that took turns with it, told from the same rounds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from benchsuite.measure.measurement import Distribution
from benchsuite.measure.timing import CaseTiming
from benchsuite.terms.absence import Absent
from benchsuite.terms.said import Sentence, said

# Beyond its neighbours by so many times, and by so much at the least.
_FAR = 3.0
_LEAST_TAIL = 0.30
_LEAST_SPREAD = 0.08
# Of a launch against the later ones, in logarithms, and in units of how much these scatter.
_LEAST_FIRST = math.log(1.08)
_FIRST_SCATTERS = 5.0
_LEAST_LATER = 2


def oddities(told: Mapping[str, CaseTiming]) -> Mapping[str, tuple[Sentence, ...]]:
    """Return a sentence for each thing that is odd about a case, by the cases' names."""
    tails = {name: _tail(it.phases["total"]) for name, it in told.items()}
    spreads = {name: it.together.spread for name, it in told.items()}
    found = {}
    for name, it in told.items():
        sentences = []
        others = [tail for other, tail in tails.items() if other != name and tail is not None]
        tail = tails[name]
        if tail is not None and others and tail > max(_LEAST_TAIL, _FAR * statistics.median(others)):
            usual = f"{statistics.median(others):+.0%}"
            sentences.append(said("its p95 lies {1} above its p50, that of the others {2}", f"{tail:+.0%}", usual))
        beside = [spread for other, spread in spreads.items() if other != name]
        if beside and spreads[name] > max(_LEAST_SPREAD, _FAR * statistics.median(beside)):
            usual = f"{statistics.median(beside):.0%}"
            sentences.append(said("its turns spread by {1}, those of the others by {2}", f"{spreads[name]:.0%}", usual))
        first = _first_launch(it.together.launches)
        if first:
            sentences.append(said("its first launch took {1} of the time of the later ones", f"{math.exp(first):.0%}"))
        found[name] = tuple(sentences)
    return found


def _tail(total: Distribution) -> float | None:
    return None if isinstance(total.p95, Absent) or not total.p50 else total.p95 / total.p50 - 1


def _first_launch(launches: Sequence[float]) -> float:
    """Return by how much the first launch differs from the later ones, 0 where it does not plainly."""
    first, *later = launches or (0.0,)
    if len(later) < _LEAST_LATER:
        return 0.0
    away = first - statistics.fmean(later)
    return away if abs(away) > max(_LEAST_FIRST, _FIRST_SCATTERS * statistics.stdev(later)) else 0.0
