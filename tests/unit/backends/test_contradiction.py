"""A name that its proof contradicts is told."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.backends.interface import Ran
from benchsuite.backends.proof import contradiction
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case


def ran(compute: str, storage: str = "", **changes: Any) -> Ran:
    """Build a proof; weights are stored as they are used unless told otherwise."""
    return Ran("Example 1.0", compute, storage or compute, **changes)


@pytest.mark.parametrize(
    ("precision", "proof"),
    [
        ("fp32", ran("fp32", kernels={"Convolution fp32": 102, "Softmax": 2})),
        ("fp16", ran("fp32", "fp16")),
        ("fp16", ran("fp16")),
        ("bf16", ran("bf16")),
        ("bf16", ran("fp32", "bf16")),
        ("int8", ran("int8", int8_mac_share=0.6)),
        ("int8", ran("int8", kernels={"Convolution fp32": 40}, int8_mac_share=0.97)),
    ],
)
def test_proof_that_fits(precision: str, proof: Ran) -> None:
    """What computes as named, and what only stores as named, is not contradicted."""
    assert contradiction(make_case(precision=precision), proof) is None


@pytest.mark.parametrize(
    ("precision", "proof", "sentence"),
    [
        ("fp32", ran("bf16"), "is named fp32, and Example 1.0 ran bf16"),
        ("fp32", ran("fp32", "fp16"), "ran fp16 storage, fp32 compute"),
        ("fp32", ran("fp32", kernels={"Convolution fp32": 101, "Convolution bf16": 1}), "1 x Convolution bf16"),
        ("bf16", ran("fp32"), "is named bf16, and Example 1.0 ran fp32"),
        ("fp16", ran("bf16"), "is named fp16, and Example 1.0 ran bf16"),
        ("int8", ran("fp32", "int8", int8_mac_share=0.12), "only 12% of its convolutions' multiply-adds"),
        ("int8", ran("int8", int8_mac_share=0.599), "(60% are needed)"),
        ("int8", ran("fp32", int8_mac_share=Absent("no convolution ran in an integer kernel")), "no convolution ran"),
    ],
)
def test_proof_that_contradicts(precision: str, proof: Ran, sentence: str) -> None:
    """What computed otherwise is told in one sentence that names the case."""
    case = make_case(precision=precision)
    found = contradiction(case, proof)
    assert found is not None
    assert found.startswith(case.id)
    assert sentence in found
