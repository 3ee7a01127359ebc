"""An input's size has a height and a width, in that order everywhere."""

from __future__ import annotations

import pytest

from benchsuite.terms.input_size import InputSize


def test_height_comes_first() -> None:
    """What is not square is read, written and handed on height first."""
    size = InputSize.parse("384x640")
    assert (size.height, size.width) == size.shape == (384, 640)
    assert (str(size), size.plain) == ("384x640", "384x640")
    assert InputSize.parse("640") == InputSize.parse("640x640") == InputSize.square(640)
    assert InputSize.square(640).plain == 640


@pytest.mark.parametrize("text", ["", "0", "640x", "x640", "640x0", "640X384", "-640", "6.4"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """Anything but one or two whole numbers above zero is refused with what would be valid."""
    with pytest.raises(ValueError, match="as in 640, or height x width, as in 384x640"):
        InputSize.parse(text)
