"""Weights that this project made say where they come from."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from benchsuite.networks.origin import Origin, origin_of

FROM = ("best.pt", "0123456789abcdef")


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [
        (
            Origin("prune", *FROM, 0.2, 50),
            "pruned from best.pt (0123456789ab) by 20 % of the channels, trained for 50 epochs",
        ),
        (Origin("prune", *FROM, 0.25), "pruned from best.pt (0123456789ab) by 25 % of the channels"),
        (Origin("zero", *FROM, 0.5), "best.pt (0123456789ab) with 50 % of the weights set to zero"),
        (
            Origin("distill", *FROM, epochs=1, teacher_sha256="fedcba9876543210"),
            "trained on from best.pt (0123456789ab), trained for 1 epoch, under the teacher fedcba987654",
        ),
        (Origin("random", "yolo26n.yaml", "01"), "random weights of yolo26n.yaml"),
    ],
)
def test_it_is_told_in_a_sentence(origin: Origin, sentence: str) -> None:
    """It names the file, its digest, and what was done."""
    assert str(origin.sentence) == sentence


def test_networks_of_others_say_nothing() -> None:
    """An attribute of that name that holds something else is not taken for it."""
    network = type("Network", (), {})()
    assert origin_of(network) is None
    network.lightened = {"made": "prune"}
    assert origin_of(network) is None
    network.lightened = asdict(Origin("prune", *FROM, 0.2))
    assert origin_of(network) == Origin("prune", *FROM, 0.2)
