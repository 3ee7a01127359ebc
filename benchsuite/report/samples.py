"""Raw samples of a run, thinned so that a page can show them: at most 200 points a case, of at most 200 cases."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchsuite.machine.arrays import read_arrays
from benchsuite.runs.folder import Run
from benchsuite.runs.records import Record
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import RecordError
from benchsuite.terms.printable import printable
from benchsuite.terms.reading import inside, why
from benchsuite.terms.said import said

MOST_POINTS = 200
MOST_CASES = 200
_LONGEST_NAME = 200
_BEYOND = Absent(said("a page shows the samples of its {1} first cases", MOST_CASES))


@dataclass(frozen=True)
class Thinned:
    """One case's total latencies in ns, in order and sorted.

    `series` holds (call, ns) and keeps the smallest and the largest of each stretch of calls, so that bursts stay;
    `distribution` holds (ns, share of calls that took no longer). `drift` is the median of the last quarter of calls
    over that of the first.
    """

    series: tuple[tuple[int, int], ...]
    distribution: tuple[tuple[int, float], ...]
    drift: float


def thin(total_ns: Sequence[int]) -> Thinned:
    """Thin one case's total latencies; at least four calls."""
    calls = len(total_ns)
    ordered = sorted(total_ns)
    steps = min(calls, MOST_POINTS)
    ranks = [round((step + 1) * calls / steps) for step in range(steps)]
    quarter = max(calls // 4, 1)
    return Thinned(
        series=tuple((call, total_ns[call]) for call in _kept(total_ns)),
        distribution=tuple((ordered[rank - 1], rank / calls) for rank in ranks),
        drift=statistics.median(total_ns[-quarter:]) / statistics.median(total_ns[:quarter]),
    )


def read_samples(run: Run) -> Mapping[str, Thinned | Absent]:
    """Return the thinned samples of each timed case of a run; absent where the file is not the recorded one."""
    timed = [record for record in run.records if not isinstance(record.metrics.latency, Absent)]
    return {
        record.case.id: _read(run.folder, record) if number < MOST_CASES else _BEYOND
        for number, record in enumerate(timed)
    }


def _kept(values: Sequence[int]) -> list[int]:
    """Return which values are kept, in order: all, or the extremes of equal stretches."""
    if len(values) <= MOST_POINTS:
        return list(range(len(values)))
    stretches = MOST_POINTS // 2
    kept: list[int] = []
    for stretch in range(stretches):
        inside = range(stretch * len(values) // stretches, (stretch + 1) * len(values) // stretches)
        kept += sorted({min(inside, key=values.__getitem__), max(inside, key=values.__getitem__)})
    return kept


def _read(folder: Path, record: Record) -> Thinned | Absent:
    latency = record.metrics.latency
    assert not isinstance(latency, Absent)
    name = printable(latency.samples_file, _LONGEST_NAME)
    try:
        # A run may be another's: what it names elsewhere is not read.
        path = inside(folder, latency.samples_file)
        total_ns = read_arrays(path, ("total_ns",), latency.samples_sha256)["total_ns"]
        if total_ns.dtype.kind not in "iu" or total_ns.ndim != 1 or total_ns.min(initial=0) < 0 or not total_ns.any():
            raise ValueError(said("it holds no latencies"))
        return thin([int(ns) for ns in total_ns])
    except FileNotFoundError:
        return Absent(said("{1} cannot be read: it lies beside the records of the run", name))
    except (OSError, MemoryError, ValueError, RecordError, ZeroDivisionError) as error:
        return Absent(said("{1} cannot be read: {2}", name, why(error)))
