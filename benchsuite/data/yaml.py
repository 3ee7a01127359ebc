"""YAML as people and exporters write it, without what a few lines of it can grow to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.reader import ReaderError

from benchsuite.terms.printable import printable
from benchsuite.terms.reading import MOST_NESTED, read_text, refuse_deep
from benchsuite.terms.said import said

# `<<` copies what an alias names: a few lines that name each other would come to millions of pairs.
_MOST_MERGED = 1_000
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Build plain values, nested and merged only so far."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self._depth += 1
        if self._depth > MOST_NESTED:
            raise yaml.YAMLError(said("it is nested more than {1} deep", MOST_NESTED))
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        merges = any(key.tag == _MERGE for key, _ in node.value)
        super().flatten_mapping(node)
        if merges and len(node.value) > _MOST_MERGED:
            raise yaml.YAMLError(said("its aliases stand for more than {1} values", _MOST_MERGED))


def read_yaml(path: Path) -> Any:
    """Return what a file of YAML stands for; raises OSError, or ValueError with a sentence for anything else."""
    text = read_text(path, encoding="utf-8-sig")
    refuse_deep(text)
    try:
        return yaml.load(text, _Loader)
    except Exception as error:  # Tags and dates that contradict what they stand before raise whatever they like.
        line, problem = _place(error, text), printable(_problem(error), 200)
        if line is None:
            raise ValueError(said("it is not YAML: {1}", problem)) from None
        raise ValueError(said("it is not YAML, line {1}: {2}", line, problem)) from None


def _place(error: Exception, text: str) -> int | None:
    """Return the line in which reading stopped, where it is known."""
    if isinstance(error, ReaderError):
        return text.count("\n", 0, error.position) + 1
    mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
    return mark.line + 1 if mark else None


def _problem(error: Exception) -> str:
    """Return what is wrong there, and what had begun in another line."""
    if not isinstance(error, yaml.MarkedYAMLError) or not error.problem:
        return (str(error).splitlines() or [type(error).__name__])[0]
    begun = error.context_mark
    if not error.context or begun is None or error.problem_mark is None or begun.line == error.problem_mark.line:
        return str(error.problem)
    return f"{error.problem}, {error.context} from line {begun.line + 1} on"
