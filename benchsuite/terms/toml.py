"""TOML, which Python itself reads from 3.11 on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from benchsuite.terms.printable import printable
from benchsuite.terms.reading import read_text, refuse_deep
from benchsuite.terms.said import said

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(path: Path) -> dict[str, Any]:
    """Return the tables of a file; raises OSError, or ValueError with a sentence for anything that is not TOML."""
    text = read_text(path)
    refuse_deep(text)
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ValueError(said("it is nested too deeply")) from None
    except ValueError as error:
        raise ValueError(said("it is not TOML: {1}", printable(str(error), 200))) from None
    return tables
