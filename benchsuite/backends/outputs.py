"""Check that a model's output is the one that a case asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchsuite.detect.postprocess import head_of
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said

_FLAGS = {"one2many": "auto", "end2end": "end2end"}


def check_output(shape: Sequence[Any], case: Case) -> None:
    """Raise SessionError unless the output's shape is that of the case's head and batch; a name is an open batch."""
    found = head_of(shape)
    if found != case.head or (isinstance(shape[0], int) and shape[0] != case.batch):
        raise SessionError(
            said(
                "{1} asks for the {2} head at batch {3}, and the model's output {4} is the {5} head's at "
                "batch {6}: rebuild the artifact, or use --head {7}",
                case.id,
                case.head,
                case.batch,
                tuple(shape),
                found,
                shape[0],
                _FLAGS[found],
            )
        )
