"""Waivers are reviewed entries: complete, dated, and gone when their date is."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from benchsuite.gate.verdicts import expired
from benchsuite.gate.waivers import ceilings, check_ceilings, read_waivers, without_effect
from benchsuite.terms.errors import UsageError

GOOD = """
[[waiver]]
case = "yolo26n-onnx-fp32-cpu-640-b1"
metric = "latency"
ceiling = "8%"
reason = "the new head costs 6 % and gains two points"
expires = 2027-01-31
"""


def write(folder: Path, text: str) -> Path:
    """Write a waivers file."""
    path = folder / "waivers.toml"
    path.write_text(text)
    return path


def test_waiver_holds_up_to_its_last_day(tmp_path: Path) -> None:
    """On the day of expiry its ceiling still counts, on the next it does not."""
    waivers = read_waivers(write(tmp_path, GOOD))
    key = ("yolo26n-onnx-fp32-cpu-640-b1", "latency")
    assert ceilings(waivers, datetime.date(2027, 1, 31)) == {key: 0.08}
    assert ceilings(waivers, datetime.date(2027, 2, 1)) == {}


def test_expired_waiver_of_a_selected_case_fails(tmp_path: Path) -> None:
    """An expired waiver is red for its case, and nobody's business where the case is not selected."""
    waivers = read_waivers(write(tmp_path, GOOD))
    (finding,) = expired(waivers, ["yolo26n-onnx-fp32-cpu-640-b1"], datetime.date(2027, 2, 1))
    assert finding.fails
    assert "expired" in finding.sentence
    assert expired(waivers, ["another"], datetime.date(2027, 2, 1)) == ()
    assert expired(waivers, ["yolo26n-onnx-fp32-cpu-640-b1"], datetime.date(2027, 1, 31)) == ()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('ceiling = "8%"', 'ceiling = "much"', "needs a ceiling in percent"),
        ('reason = "the new head costs 6 % and gains two points"', 'reason = " "', "needs a reason"),
        ("expires = 2027-01-31", 'expires = "2027-01-31"', "needs expires, a date"),
        ('metric = "latency"', 'metric = "speed"', "has the metric 'speed'"),
        ('metric = "latency"\n', "", "must have exactly the keys"),
        ("[[waiver]]", "[[waver]]", r"\[waver\] is unknown"),
        ("[[waiver]]", "[waiver]", r"write \[\[waiver\]\], with two brackets"),
        ("[[waiver]]", "waiver = 5\n[other]", r"write \[\[waiver\]\], with two brackets"),
        ('ceiling = "8%"', "ceiling = nan", "needs a ceiling in percent"),
    ],
)
def test_whatever_is_wrong_is_said(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """Each fault of an entry is named with its file."""
    with pytest.raises(UsageError, match=problem):
        read_waivers(write(tmp_path, GOOD.replace(old, new)))


def test_two_waivers_of_one_metric_are_refused(tmp_path: Path) -> None:
    """It must be clear which ceiling counts."""
    with pytest.raises(UsageError, match="waived twice"):
        read_waivers(write(tmp_path, GOOD + GOOD))


def test_named_file_must_exist(tmp_path: Path) -> None:
    """A file that was asked for and is not there is an error."""
    with pytest.raises(UsageError, match="there is no such file"):
        read_waivers(tmp_path / "none.toml")


@pytest.mark.parametrize(("ceiling", "refused"), [("3%", True), ("5%", True), ("5.1%", False), ("8%", False)])
def test_ceiling_that_the_gate_accepts_anyway_is_refused(tmp_path: Path, ceiling: str, refused: bool) -> None:
    """At or under --max-slowdown it would waive nothing, and make the test stricter; an expired one is let be."""
    waivers = read_waivers(write(tmp_path, GOOD.replace('"8%"', f'"{ceiling}"')))
    if refused:
        with pytest.raises(UsageError, match=rf"cpu-640-b1 latency has the ceiling {ceiling[0]} %.*accepts anyway"):
            check_ceilings(tmp_path, waivers, 0.05, datetime.date(2027, 1, 31))
    else:
        check_ceilings(tmp_path, waivers, 0.05, datetime.date(2027, 1, 31))
    check_ceilings(tmp_path, waivers, 0.05, datetime.date(2027, 2, 1))


def test_waivers_that_do_nothing_are_told(tmp_path: Path) -> None:
    """An id of no selected case is named, and so is a metric that is not tested; what has an effect is not."""
    waivers = read_waivers(write(tmp_path, GOOD))
    assert without_effect(waivers, ["yolo26n-onnx-fp32-cpu-640-b1"], ["latency"]) == ()
    (unknown,) = without_effect(waivers, ["yolo26n-onnx-fp32-cpu-320-b1"], ["latency"])
    assert "selected no case named yolo26n-onnx-fp32-cpu-640-b1; `benchsuite cases`" in unknown
    (untested,) = without_effect(waivers, ["yolo26n-onnx-fp32-cpu-640-b1"], ["memory"])
    assert "--gate-metrics leaves out what yolo26n-onnx-fp32-cpu-640-b1 latency is of" in untested
