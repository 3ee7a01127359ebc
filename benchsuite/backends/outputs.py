"""What a detector's output tells about the head that made it."""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.cases import Case, Head
from benchsuite.errors import SessionError

# x1, y1, x2, y2, score, class.
_END2END_COLUMNS = 6
_FLAGS = {"one2many": "auto", "end2end": "end2end"}


def head_of(shape: Sequence[int]) -> Head:
    """Return the head by its output's shape: (N, 300, 6) is end2end, (N, 4 + classes, anchors) one2many."""
    return "end2end" if shape[-1] == _END2END_COLUMNS else "one2many"


def check_head(shape: Sequence[int], case: Case) -> None:
    """Raise SessionError unless the output is of the head and the batch that the case asks for."""
    found = head_of(shape)
    if len(shape) != 3 or found != case.head or shape[0] != case.batch:
        raise SessionError(
            f"{case.id} asks for the {case.head} head at batch {case.batch}, and the model's output {tuple(shape)} "
            f"is the {found} head's at batch {shape[0]}: rebuild the artifact, or use --head {_FLAGS[found]}"
        )
