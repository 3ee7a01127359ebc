"""What the system tells of itself may be less than expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.machine.noise import Disturbance, steal_and_total
from benchsuite.testing import make_noise


@pytest.mark.parametrize("content", ["", "\n", "cpu", "cpu 1 2 3", "cpu a b c d e f g h"])
def test_times_of_the_cpus_that_are_not_told_are_none(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """A container may show an empty or shortened /proc/stat."""
    monkeypatch.setattr(Path, "read_text", lambda _: content)
    assert steal_and_total() == {}


@pytest.mark.parametrize(
    ("disturbed", "sentence"),
    [
        (
            {"programs": 2},
            "disturbed: other programs (python) took 31 % of the cores in 2 of 24 turns, which do not count",
        ),
        ({"stop": 2}, "disturbed: the machine or this run stood still in 2 of 24 turns, which do not count"),
        (
            {"host": 3, "stop": 1},
            "disturbed: other virtual machines took up to 40 % of the cores, too much in 3 of 24 turns; the machine or "
            "this run stood still in 1 of 24 turns, which do not count",
        ),
    ],
)
def test_noise_names_what_disturbed(disturbed: dict[str, int], sentence: str) -> None:
    """A run that was stopped blames no program, nor does one whose host gave the cores to others."""
    noise = make_noise(disturbed=disturbed, others=0.31, most_stolen=0.4, strangers=("python",))
    assert noise.sentences[0] == sentence


def test_disturbance_says_what_it_is_of() -> None:
    """Seconds of a stop are no share of the cores."""
    found = [
        Disturbance(cause, amount).sentence for cause, amount in (("stop", 20.3), ("host", 0.4), ("programs", 0.5))
    ]
    assert found == [
        "the machine or this run stood still for 20 s",
        "other virtual machines took 40% of the cores",
        "other programs took 50% of the cores",
    ]
