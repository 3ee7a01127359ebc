"""What a search chooses, on a bench that only pretends to build and to time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from benchsuite.backends.schemes import MOST_INTEGER, SchemeSearch
from benchsuite.detect.bootstrap import MapLoss
from benchsuite.measure.readings import Side
from benchsuite.networks.topology import GROUPS
from benchsuite.options.settings import defaults
from benchsuite.runs.site import Site
from benchsuite.study.bench import Prepared, StudyBench, Way
from benchsuite.study.rows import StudyRow
from benchsuite.study.search import SchemeSearcher, kept_searches
from benchsuite.study.timed import Timed
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError
from benchsuite.testing import make_case, make_parity, make_recipe, make_site

INT8 = make_case(backend="onnx", precision="int8")


class FakeStudyBench:
    """Answers from a table: points of mAP that a scheme loses; each part that stays float costs a tenth of the time."""

    def __init__(
        self, losses: Mapping[str, float], gains: Mapping[str, float] | None = None, half: float = 0.05
    ) -> None:
        self._losses = losses
        self._half = half
        self._gains = gains or {}
        self.site: Site
        self.prepared: list[str] = []
        self.timed: list[str] = []

    @property
    def data(self) -> Any:
        """Name the data."""
        return type("FakeData", (), {"sha256": "da" * 32})

    def preparation(self, way: Way) -> Any:
        """Give the recipe of a case."""
        return type("FakePreparation", (), {"recipe": staticmethod(lambda case: make_recipe(case))})

    def prepare(self, ways: Sequence[Way]) -> Mapping[Way, Prepared]:
        """Pretend to build and evaluate."""
        return {way: self._one(way) for way in ways}

    def time(self, prepared: Sequence[Prepared]) -> tuple[tuple[StudyRow, ...], Mapping[str, Any]]:
        """Pretend to time."""
        self.timed += [it.row.scheme for it in prepared]
        rows = [replace(it.row, timed=_timed(it.row.scheme)) for it in prepared]
        return tuple(rows), {}

    def _one(self, way: Way) -> Prepared:
        self.prepared.append(way.scheme)
        row = StudyRow(way.case, way.scheme, "percentile", "fp32")
        base, _, groups = way.scheme.partition("~")
        if base not in self._losses:
            return Prepared(replace(row, reason="nothing builds it"))
        gain = sum(self._gains.get(group, 0.0) for group in groups.split("+"))
        loss = self._losses[base] - gain
        row = replace(
            row, loss=MapLoss(loss, (loss - self._half, loss + self._half)), parity=make_parity(1 - loss / 100)
        )
        return Prepared(row, cast(Side, object()))


def _timed(scheme: str) -> Timed:
    ratio = 0.6 + 0.1 * (scheme.count("~") + scheme.count("+")) + 0.02 * (scheme == "qdq-u8s8")
    return Timed(ratio * 20e6, ratio, (ratio, ratio))


def search(
    bench: FakeStudyBench,
    tmp_path: Path,
    case: Case = INT8,
    budget_s: float = 60.0,
    limit: float = 1.0,
    say: Callable[[str], None] = lambda _: None,
) -> SchemeSearch:
    """Search with at most `limit` points to lose."""
    options = replace(defaults(), max_map_drop=limit, search_budget_s=budget_s)
    bench.site = make_site(tmp_path, options=options, say=say)
    return SchemeSearcher(cast(StudyBench, bench)).search(case)


def test_fastest_of_those_that_keep_the_limit_is_chosen(tmp_path: Path) -> None:
    """A scheme that loses too much is not chosen, however fast; among the others time decides."""
    bench = FakeStudyBench({MOST_INTEGER: 3.0, "qdq-u8s8": 0.5, "qdq-s8s8": 0.2})
    found = search(bench, tmp_path)
    assert found.chosen == "qdq-s8s8"
    assert MOST_INTEGER not in bench.timed
    assert {point.scheme for point in found.points} >= {MOST_INTEGER, "qdq-u8s8", "qdq-s8s8"}


def test_parts_return_to_float_by_what_they_mend(tmp_path: Path) -> None:
    """The most sensitive parts are joined until the loss is small enough, and no further."""
    bench = FakeStudyBench({MOST_INTEGER: 3.0}, {"head_ends": 0.9, "neck": 0.7, "p2": 0.6})
    found = search(bench, tmp_path)
    assert found.chosen == f"{MOST_INTEGER}~head_ends+neck+p2"
    assert max(found.sensitivity, key=found.sensitivity.__getitem__) == "head_ends"
    assert set(found.sensitivity) == set(GROUPS)
    assert not any(scheme.count("+") > 2 for scheme in bench.prepared)


def test_least_loss_is_chosen_where_nothing_keeps_the_limit(tmp_path: Path) -> None:
    """Nothing is good enough: the best is chosen, and the sentence says so."""
    found = search(FakeStudyBench({"qdq-u8s8": 4.0, "qdq-s8s8": 2.5}), tmp_path)
    assert found.chosen == "qdq-s8s8"
    assert found.sentence == "No scheme tried is shown to lose at most 1 points of mAP50-95; qdq-s8s8 loses least, 2.5."


def test_a_loss_that_so_few_images_leave_open_keeps_no_limit(tmp_path: Path) -> None:
    """Nine tenths of a point, give or take one, is not shown to be at most one, on the search as on the page."""
    found = search(FakeStudyBench({"qdq-u8s8": 0.9, "qdq-s8s8": 3.0}, half=1.0), tmp_path)
    assert found.sentence == "No scheme tried is shown to lose at most 1 points of mAP50-95; qdq-u8s8 loses least, 0.9."
    bench = FakeStudyBench({"qdq-u8s8": 0.9, "qdq-s8s8": 0.95})
    assert search(bench, tmp_path / "told").chosen == "qdq-s8s8"
    assert set(bench.timed) == {"qdq-u8s8", "qdq-s8s8"}
    exact = search(FakeStudyBench({"qdq-u8s8": 0.95}), tmp_path / "exact")
    assert exact.sentence.startswith("Of the schemes tried that are shown to lose at most 1 points, qdq-u8s8")


def test_nothing_that_can_be_built_is_an_error(tmp_path: Path) -> None:
    """A search without a single scheme says what to do."""
    with pytest.raises(BuildError, match="no INT8 scheme of onnx could be built and scored; name a scheme"):
        search(FakeStudyBench({}), tmp_path)


def test_budget_ends_the_search_with_what_is_known(tmp_path: Path) -> None:
    """A search without time left tries nothing more than it has."""
    with pytest.raises(BuildError):
        search(FakeStudyBench({"qdq-u8s8": 0.5}), tmp_path, budget_s=-1.0)


def test_times_that_overlap_leave_the_choice_to_accuracy(tmp_path: Path) -> None:
    """A scheme that is faster by less than the interval is not taken for it."""

    class FakeCloseBench(FakeStudyBench):
        def time(self, prepared: Sequence[Prepared]) -> tuple[tuple[StudyRow, ...], Mapping[str, Any]]:
            ratios = {"qdq-u8s8": 0.70, "qdq-s8s8": 0.71, "qop-u8s8": 0.80}
            wide = {name: Timed(ratio * 20e6, ratio, (ratio - 0.03, ratio + 0.03)) for name, ratio in ratios.items()}
            return tuple(replace(it.row, timed=wide[it.row.scheme]) for it in prepared), {}

    bench = FakeCloseBench({"qdq-u8s8": 0.5, "qdq-s8s8": 0.2, "qop-u8s8": 0.0})
    assert search(bench, tmp_path).chosen == "qdq-s8s8"


def test_a_choice_that_nothing_timed_is_an_error_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every worker fails no scheme is the fastest, and the next run searches again."""
    bench = FakeStudyBench({"qdq-u8s8": 0.5})

    def fail(prepared: Sequence[Prepared]) -> tuple[tuple[StudyRow, ...], Mapping[str, Any]]:
        return tuple(replace(it.row, timed=Absent("its worker was killed")) for it in prepared), {}

    monkeypatch.setattr(bench, "time", fail)
    with pytest.raises(BuildError, match="no scheme could be timed: its worker was killed"):
        search(bench, tmp_path)
    assert not list((tmp_path / "searches").glob("*"))


def test_what_was_found_is_kept(tmp_path: Path) -> None:
    """The same case is searched once, another limit anew."""
    first, second = FakeStudyBench({"qdq-u8s8": 0.5}), FakeStudyBench({"qdq-u8s8": 0.5})
    assert search(first, tmp_path) == search(second, tmp_path)
    assert first.prepared
    assert second.prepared == []
    search(second, tmp_path, limit=0.1)
    assert second.prepared


def test_kept_search_that_is_damaged_is_made_again_and_said(tmp_path: Path) -> None:
    """A file that holds something else costs one search, and the next run finds it mended."""
    bench, said = FakeStudyBench({"qdq-u8s8": 0.5}), list[str]()
    found = search(bench, tmp_path)
    (path,) = (tmp_path / "searches").iterdir()
    path.write_text("[]")
    bench.prepared.clear()
    assert search(bench, tmp_path, say=said.append) == found
    assert bench.prepared
    assert said[0].startswith(f"cannot read {path}: ")
    assert said[0].endswith("; its scheme is searched for again")
    assert len(kept_searches(tmp_path)) == 1
    bench.prepared.clear()
    assert search(bench, tmp_path) == found
    assert bench.prepared == []


def test_schemes_that_are_not_for_deployment_are_not_tried(tmp_path: Path) -> None:
    """What is there to be compared with is never chosen."""
    bench = FakeStudyBench({"qdq-u8s8": 0.5, "ultralytics": 0.0, "dynamic-u8u8": 0.0})
    search(bench, tmp_path)
    assert not {"ultralytics", "dynamic-u8u8"} & set(bench.prepared)


def test_what_the_budget_left_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that has tried everything does not blame its budget, one that was cut short does."""
    assert "budget" not in search(FakeStudyBench({"qdq-u8s8": 0.5}), tmp_path / "whole").sentence
    ticks = iter(range(1000))
    monkeypatch.setattr("benchsuite.study.search.time.monotonic", lambda: float(next(ticks)))
    assert (
        "The budget ended the search early."
        in search(FakeStudyBench({"qdq-u8s8": 0.5}), tmp_path, budget_s=3.0).sentence
    )


def test_a_scheme_that_would_outlast_the_budget_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest scheme so far says how long another takes; the first, which builds what all need, does not count."""
    now = [0.0]
    monkeypatch.setattr("benchsuite.study.search.time.monotonic", lambda: now[0])

    class FakeSlowBench(FakeStudyBench):
        def prepare(self, ways: Sequence[Way]) -> Mapping[Way, Prepared]:
            now[0] += 40 if self.prepared else 100
            return super().prepare(ways)

    bench = FakeSlowBench({"qdq-u8s8": 0.5, "qdq-s8s8": 0.2, "qop-u8s8": 0.1})
    found = search(bench, tmp_path, budget_s=200.0)
    # 100 s, 40 s and 40 s: a fourth would end at 220 s.
    assert len(bench.prepared) == 3
    assert now[0] == 180
    assert "The budget ended the search early." in found.sentence
