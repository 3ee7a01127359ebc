"""Service goals fail a case whatever its baseline says."""

from __future__ import annotations

from benchsuite.compare.limits import broken_limits
from benchsuite.options.chosen import Limits
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_metrics, make_record, make_run


def _broken(limits: Limits, **changes: object) -> list[tuple[str, str]]:
    record = make_record(**changes)
    return [(finding.metric, finding.sentence) for finding in broken_limits(make_run([record]), record, limits)]


def test_case_within_its_limits_breaks_none() -> None:
    """Generous limits are not broken, and no limit never is."""
    assert _broken(Limits({"p50": 1e12, "p95": 1e12}, memory_bytes=1 << 50, map50_95=0.0)) == []
    assert _broken(Limits({})) == []


def test_each_limit_is_named_when_it_is_broken() -> None:
    """Latency, memory and mAP each give a failing finding that names the option."""
    broken = dict(_broken(Limits({"p95": 1.0}, memory_bytes=1, map50_95=0.9999)))
    assert set(broken) == {"latency", "memory", "accuracy"}
    assert "--max-latency" in broken["latency"]
    assert "--max-memory" in broken["memory"]
    assert "--min-map" in broken["accuracy"]


def test_what_was_only_built_is_not_held_to_what_nothing_here_could_score() -> None:
    """An accuracy that is absent breaks --min-map where the case was measured, and not where it was only built."""
    metrics = make_metrics(accuracy=Absent("no kernels"))
    limits = Limits({}, map50_95=0.5)
    assert _broken(limits, metrics=metrics) == [("accuracy", "--min-map cannot be checked: no kernels.")]
    assert _broken(limits, metrics=metrics, outcome="built") == []
