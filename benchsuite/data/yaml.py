"""YAML as people and exporters write it, without what a few lines of it can grow to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

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
        lines = str(error).splitlines() or [type(error).__name__]
        raise ValueError(said("it is not YAML: {1}", printable(lines[0], 200))) from None
