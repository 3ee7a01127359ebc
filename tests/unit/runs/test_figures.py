"""The list of figures: names are told apart, and each figure that is judged has a bench test that answers for it."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from benchsuite.compare.entries import entry_of
from benchsuite.compare.findings import answered_by
from benchsuite.options.settings import GATE_METRICS
from benchsuite.plugin.fixtures import MeasuredArtifact
from benchsuite.runs.figures import FIGURES, Names, figure
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_record

BENCH = Path(__file__).resolve().parents[3] / "bench"
# A heading stands under that of its group, and a unit may stand for a name.
SHARED = ("group", "heading")


@pytest.mark.parametrize("place", ["key", *(it.name for it in fields(Names) if it.name not in SHARED)])
def test_no_two_figures_share_a_name(place: str) -> None:
    """In each place a name means one figure."""
    names = Counter(getattr(it if place == "key" else it.names, place) for it in FIGURES)
    del names[""]
    assert names
    assert set(names.values()) == {1}


def test_what_is_shown_over_time_has_a_better_side() -> None:
    """A column of runs has a best one, and a change is for the better or the worse; so has what is held to a limit."""
    sided = [it for it in FIGURES if it.names.series or it.names.github or it.limit]
    assert sided
    assert all(it.better for it in sided)


def test_an_entry_has_what_its_record_has() -> None:
    """Each figure that does not scatter is accepted as it was measured."""
    record = make_record()
    entry = entry_of(record, "run")
    exact = [it for it in FIGURES if it.tolerance is not None]
    assert len(exact) == 7
    assert [entry.accepted(it) for it in exact] == pytest.approx([it.read(record) for it in exact])
    assert entry.figures == {}


def test_an_absent_figure_keeps_its_reason() -> None:
    """Whatever a record lacks, each figure says why, and none is made up."""
    record = make_record(outcome="failed", reason="the worker died")
    values = {it.key: it.read(record) for it in FIGURES}
    assert {key for key, value in values.items() if value == Absent("the worker died")} > {"latency", "artifact_bytes"}
    assert [key for key, value in values.items() if not isinstance(value, Absent)] == []


def _judged_by() -> dict[str, str]:
    """Return which test of bench/ hands which measured metric to `verdict`."""
    found = {}
    for path in BENCH.glob("test_*.py"):
        for test in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)):
            calls = [node.func for node in ast.walk(test) if isinstance(node, ast.Call)]
            asked = [call.attr for call in calls if isinstance(call, ast.Attribute) and _is_run(call.value)]
            if any(isinstance(call, ast.Name) and call.id == "verdict" for call in calls):
                found |= dict.fromkeys(asked, test.name)
    return found


def _is_run(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "run"


def test_what_is_judged_has_a_test_and_every_verdict_can_fail() -> None:
    """A tolerance, a limit or a gate's test belongs to a bench test, and no verdict is on nothing."""
    judged = {it.metric for it in FIGURES if it.tolerance is not None or it.limit or it.key in GATE_METRICS}
    tests = _judged_by()
    assert set(tests) == judged
    assert {key: tests[figure(key).metric] for key in ("artifact_bytes", "params", "kernels", "p99", "map50")} == {
        "artifact_bytes": "test_artifact_size",
        "params": "test_complexity",
        "kernels": "test_proof",
        "p99": "test_latency",
        "map50": "test_accuracy",
    }


def test_findings_about_a_case_have_a_test_that_answers() -> None:
    """A lost case or an expired waiver fails its latency's test, a broken --min-map that of its accuracy."""
    assert {"latency", "p95", "p99", "case", "waiver"} <= answered_by("latency")
    assert {"accuracy", "map50_95", "map50"} <= answered_by("accuracy")
    assert "artifact_bytes" not in answered_by("complexity")
    assert answered_by("cold").isdisjoint({it.key for it in FIGURES if it.tolerance} | set(GATE_METRICS))


def test_an_artifact_has_its_size_and_digest_at_hand() -> None:
    """Copies of bench/ that are older than the artifact's verdict read both."""
    record = make_record()
    assert not isinstance(record.artifact, Absent)
    artifact = MeasuredArtifact("artifact", record.artifact, record)
    assert (artifact.bytes, artifact.sha256) == (9_800_000, "cd" * 32)
