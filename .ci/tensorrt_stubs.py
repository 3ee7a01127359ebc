"""Make the published stubs of TensorRT readable: `python .ci/tensorrt_stubs.py FOLDER`.

They were generated from printed signatures, some of which are no Python: defaults that are objects, arguments that
follow defaults without having one, and names that are keywords.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

_KEYWORD = re.compile(r"^(in|from|lambda)(?=:)")


def main() -> None:
    """Rewrite every stub of the folder, and fail where one is still no Python."""
    for path in Path(sys.argv[1]).rglob("*.pyi"):
        lines = [_readable(line) for line in path.read_text().splitlines()]
        text = "\n".join(lines) + "\n"
        ast.parse(text)
        path.write_text(text)


def _readable(line: str) -> str:
    found = re.fullmatch(r"(\s*def \w+\()(.*)(\)(?: -> .*)?:.*)", line)
    if found is None:
        return line
    parameters, defaults = [], False
    for text in _split(found[2]):
        name, default, _ = text.partition(" = ")
        defaults = defaults or bool(default)
        parameters.append(_KEYWORD.sub(r"\1_", name) + (" = ..." if defaults and not name.startswith("*") else ""))
    return found[1] + ", ".join(parameters) + found[3]


def _split(text: str) -> list[str]:
    """Split at commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{<") - (letter in ")]}>")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


if __name__ == "__main__":
    main()
