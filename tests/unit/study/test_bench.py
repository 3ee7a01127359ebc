"""What a study times together, and what it says of a way that could not be timed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchsuite.measure.launch import WorkerSetup
from benchsuite.measure.readings import Side
from benchsuite.measure.requests import Turned
from benchsuite.measure.turns import Taken, TakenTurn, Turns, Watcher
from benchsuite.options.settings import parse
from benchsuite.runs.images import ALL_IMAGES
from benchsuite.study import timed
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.rows import StudyRow
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.testing import make_artifact, make_case, make_site


def _turns(name: str, turns: Turns) -> tuple[TakenTurn, ...]:
    """Return turns of INT8 that take 0.8 of the time that all others take."""
    ns = 8_000_000 if "int8" in name else 10_000_000
    turned = Turned(((1, ns - 2, 1, ns),) * 3, 0, 3 * ns, 3 * ns, 0, 2, 0, 0)
    places = [(launch, number) for launch in range(turns.launches) for number in range(turns.rounds)]
    return tuple(TakenTurn(name, 0, launch, number, turned) for launch, number in places)


def prepared(case: Case, reference: Case) -> Prepared:
    """Return a way that was built, to be held against a reference."""
    facts = WorkerSetup(make_artifact(), (), Path(), Path())  # type: ignore[arg-type]  # Nothing loads it.
    return Prepared(StudyRow(case, "default", "", reference.id), Side(case, facts))


def test_one_network_s_ways_take_turns_and_a_failure_has_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two networks are timed one after the other; rows that failed, or whose reference did, say why."""
    fp32 = {model: make_case(model=model) for model in ("a", "b")}
    int8 = {model: make_case(model=model, precision="int8") for model in ("a", "b")}
    together: list[set[str]] = []

    def take(sides: Mapping[str, Side], turns: Turns, seed: int, watcher: Watcher) -> Taken:
        together.append(set(sides))
        failures = {fp32["b"].id: "it was killed"} if fp32["b"].id in sides else {}
        taken = {name: _turns(name, turns) for name in sides if name not in failures}
        return Taken(taken, failures, (tuple(sides),), dict.fromkeys(sides, 1))

    monkeypatch.setattr(timed, "take_turns", take)
    study = StudyBench(make_site(tmp_path), locked=True)
    ways = [prepared(case, fp32[model]) for cases in (fp32, int8) for model, case in cases.items()]
    rows, readings = study.time(ways)
    assert together == [{fp32[model].id, int8[model].id} for model in ("a", "b")]
    by_name = {row.name: row.timed for row in rows}
    faster = by_name[int8["a"].id]
    assert not isinstance(faster, Absent)
    assert (faster.p50_ns, faster.ratio) == (8e6, pytest.approx(0.8))
    assert by_name[int8["b"].id] == Absent(f"{fp32['b'].id} could not be timed: it was killed")
    assert set(readings) == {fp32["a"].id, int8["a"].id, int8["b"].id}
    effort = study.site.options.effort
    assert readings[int8["a"].id] == ((8e6,) * effort.rounds,) * effort.launches


@pytest.mark.parametrize(
    ("way", "made_by"),
    [
        (Way(make_case(precision="int8")), ("qop-u8s8", "entropy")),
        (Way(make_case(precision="int8"), "ultralytics"), ("ultralytics", "entropy")),
        (Way(make_case(precision="int8"), method="minmax"), ("qop-u8s8", "minmax")),
    ],
)
def test_a_way_is_as_the_options_say_where_it_says_nothing(tmp_path: Path, way: Way, made_by: tuple[str, str]) -> None:
    """A scheme and a method that were asked for quantise what a study does not vary itself."""
    options = parse({"quant_scheme": "qop-u8s8", "calib_method": "entropy"})
    made = StudyBench(make_site(tmp_path, options=options), locked=True).preparation(way).site.options
    assert (made.quant_scheme, made.calib_method) == made_by


def test_a_way_with_images_of_its_own_is_calibrated_on_all_of_them(tmp_path: Path) -> None:
    """A subset of a study is a size already; --calib-size is for what names none."""
    study = StudyBench(make_site(tmp_path, options=parse({"calib_size": "8"})), locked=True)
    case = make_case(precision="int8")
    own = study.preparation(Way(case, calib=tmp_path / "pool.yaml")).site.options
    assert (own.calib, own.calib_size) == (tmp_path / "pool.yaml", ALL_IMAGES)
    assert study.preparation(Way(case)).site.options.calib_size == 8
