"""Tolerances are explicit: a file that leaves anything open is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.compare.tolerances import EXACT, UNITS, read_tolerances, write_default_tolerances
from benchsuite.terms.errors import BaselineError

REPOSITORY = Path(__file__).parents[3]


def _with(tmp_path: Path, old: str, new: str) -> Path:
    path = write_default_tolerances(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return tmp_path


def test_repository_has_a_tolerance_and_a_reason_for_every_metric() -> None:
    """The file in the repository can be read, and each metric says how much and why."""
    tolerances = read_tolerances(REPOSITORY / "baselines")
    assert set(tolerances) == set(UNITS) == set(EXACT)
    assert tolerances["params"].allowed == 0
    assert tolerances["map50_95"].unit == "points"
    assert all(len(tolerance.reason) > 20 for tolerance in tolerances.values())


def test_default_is_written_once(tmp_path: Path) -> None:
    """A folder without tolerances gets the repository's; one with tolerances keeps its own."""
    path = write_default_tolerances(tmp_path)
    assert path.read_text() == (REPOSITORY / "baselines" / "tolerances.toml").read_text()
    path.write_text("mine")
    write_default_tolerances(tmp_path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[params]", "[parameters]", r"\[parameters\] is no metric; there are artifact_bytes"),
        ("[params]", "[parameters]", r"\[params\] is missing: give it allowed_percent and reason"),
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
def test_file_that_leaves_something_open_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Unknown metrics and keys, missing and impossible values are errors that say what is right."""
    with pytest.raises(BaselineError, match=message):
        read_tolerances(_with(tmp_path, old, new))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """One error lists every problem of the file."""
    (tmp_path / "tolerances.toml").write_text("params = 3\n[gflops]\nallowed_percent = 1\n")
    with pytest.raises(BaselineError) as caught:
        read_tolerances(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(UNITS)
    assert any("[params] must be a table" in line for line in lines)


def test_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    """No file is no licence: the error says where to take one from."""
    with pytest.raises(BaselineError, match=r"tolerances\.toml is missing: take it back from git"):
        read_tolerances(tmp_path)
