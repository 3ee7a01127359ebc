"""Tolerances are explicit: what a file leaves open has the figure's own, and a damaged file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.compare.tolerances import default_tolerances, read_tolerances, write_default_tolerances
from benchsuite.terms.errors import BaselineError

REPOSITORY = Path(__file__).parents[3]


def _with(tmp_path: Path, old: str, new: str) -> Path:
    path = write_default_tolerances(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return tmp_path


def test_every_tolerance_has_its_reason() -> None:
    """Each figure that does not scatter says how much and why."""
    tolerances = default_tolerances()
    assert list(tolerances) == ["artifact_bytes", "params", "gflops", "kernels", "map50_95", "map50", "parity"]
    assert tolerances["params"].allowed == 0
    assert tolerances["map50_95"].unit == "points"
    assert all(len(tolerance.reason) > 20 for tolerance in tolerances.values())


def test_default_is_written_once_and_read_back(tmp_path: Path) -> None:
    """A folder without tolerances gets the file that this repository has; one with tolerances keeps its own."""
    path = write_default_tolerances(tmp_path)
    assert path.read_text() == (REPOSITORY / "baselines" / "tolerances.toml").read_text()
    assert read_tolerances(tmp_path) == default_tolerances()
    path.write_text("mine")
    write_default_tolerances(tmp_path)
    assert path.read_text() == "mine"


def test_figure_that_a_file_does_not_name_has_its_own_tolerance(tmp_path: Path) -> None:
    """A file from before a figure came stays good, and what it says stands."""
    (tmp_path / "tolerances.toml").write_text('[gflops]\nallowed_percent = 7\nreason = "ours differ"\n')
    tolerances = read_tolerances(tmp_path)
    assert (tolerances["gflops"].allowed, tolerances["gflops"].reason) == (7, "ours differ")
    assert {**tolerances, "gflops": None} == {**default_tolerances(), "gflops": None}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[params]", "[parameters]", r"\[parameters\] is no metric; there are artifact_bytes, params, gflops, kernels"),
        (
            "allowed_count",
            "allowed_percent",
            r"\[kernels\] has the unknown key allowed_percent; it takes allowed_count",
        ),
        ("allowed_count = 0", "", r"\[kernels\] needs allowed_count, a number of at least 0"),
        ("allowed_count = 0", "allowed_count = -1", r"\[kernels\] needs allowed_count"),
        ("allowed_count = 0", "allowed_count = true", r"\[kernels\] needs allowed_count"),
        ("allowed_count = 0", "allowed_count = inf", r"\[kernels\] needs allowed_count"),
        ("allowed_count = 0", "allowed_count = nan", r"\[kernels\] needs allowed_count"),
        ("allowed_count = 0", 'allowed_count = 0\nreason = ""\n[x]', r"\[kernels\] needs a reason in words"),
        ("[kernels]", "[kernels", "cannot read"),
    ],
)
def test_damaged_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Unknown metrics and keys and impossible values are errors that say what is right."""
    with pytest.raises(BaselineError, match=message):
        read_tolerances(_with(tmp_path, old, new))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """One error lists every problem of the file."""
    (tmp_path / "tolerances.toml").write_text("params = 3\n[gflops]\nallowed_percent = 1\n[x]\n")
    with pytest.raises(BaselineError) as caught:
        read_tolerances(tmp_path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1].split("]")[0] for line in lines] == ["[x", "[params", "[gflops"]
    assert any("[params] must be a table" in line for line in lines)


def test_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """No file is no licence: the error says where to take one from."""
    with pytest.raises(BaselineError, match=r"tolerances\.toml is missing: take it back from git"):
        read_tolerances(tmp_path)
