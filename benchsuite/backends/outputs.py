"""Check that a model's output is the one that a case asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchsuite.detect.postprocess import head_of
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import SessionError

_FLAGS = {"one2many": "auto", "end2end": "end2end"}


def check_output(shape: Sequence[Any], case: Case) -> None:
    """Raise SessionError unless the output's shape is that of the case's head and batch; a name is an open batch."""
    found = head_of(shape)
    if found != case.head or (isinstance(shape[0], int) and shape[0] != case.batch):
        raise SessionError(
            f"{case.id} asks for the {case.head} head at batch {case.batch}, and the model's output {tuple(shape)} "
            f"is the {found} head's at batch {shape[0]}: rebuild the artifact, or use --head {_FLAGS[found]}"
        )
