"""Which texts a language's file lacks: `python -m benchsuite.terms.gaps zh` lists them.

A gap is no fault: what has no translation is shown in English.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchsuite.terms.language import ENGLISH, languages, read_texts
from benchsuite.terms.said import PLACE

_PACKAGE = Path(__file__).parents[1]
# Their first argument is said, and a literal in it a text that can be looked up.
_SAYING = ("said", "Absent")
# In templates and their scripts.
_ASKED = re.compile(r'(?:\bt|\bsay)\(("(?:[^"\\]|\\.)*")')


def gaps(code: str) -> list[str]:
    """Return the texts that are said and have no translation; a text without words needs none."""
    known = read_texts(code)
    return sorted(text for text in said_texts() if text not in known and re.search("[A-Za-z]{3}", PLACE.sub("", text)))


@cache
def said_texts() -> frozenset[str]:
    """Return every text that the package says: templates of sentences, and what its pages ask for."""
    found = {text for tree in _trees() for node in ast.walk(tree) for text in _said_by(node)}
    for template in (_PACKAGE / "report" / "templates").iterdir():
        found |= {ast.literal_eval(text) for text in _ASKED.findall(template.read_text(encoding="utf-8"))}
    return frozenset(found)


@cache
def all_texts() -> frozenset[str]:
    """Return what is said, and every other text that stands in the code: headings and names are said too."""
    nodes = (node for tree in _trees() for node in ast.walk(tree))
    return said_texts() | {node.value for node in nodes if isinstance(node, ast.Constant) and _is_text(node)}


@cache
def _trees() -> tuple[ast.Module, ...]:
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in sorted(_PACKAGE.rglob("*.py")))


def _said_by(node: ast.AST) -> Iterator[str]:
    """Yield the texts that a call says, or that stand somewhere as a template."""
    if isinstance(node, ast.Constant) and _is_text(node) and PLACE.search(node.value):
        yield node.value
    if not isinstance(node, ast.Call):
        return
    literals = [text for argument in node.args for text in _literals(argument)]
    if isinstance(node.func, ast.Name) and node.func.id in _SAYING:
        yield from _literals(node.args[0])
    # Who takes a template may take one for a single thing too, as `counted` does.
    elif any(PLACE.search(text) for text in literals):
        yield from literals


def _literals(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be: a literal, or one of those that it chooses among."""
    if isinstance(node, ast.Constant) and _is_text(node):
        yield node.value
    for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else getattr(node, "values", ()):
        yield from _literals(part)


def _is_text(node: ast.Constant) -> bool:
    return isinstance(node.value, str)


if __name__ == "__main__":
    for lang in sys.argv[1:] or [code for code in languages() if code != ENGLISH]:
        sys.stdout.writelines(f"{lang}: {text}\n" for text in gaps(lang))
