"""Which texts a language's file lacks: `python -m benchsuite.terms.gaps zh` lists them.

A gap is no fault: what has no translation is shown in English.
"""

from __future__ import annotations

import ast
import re
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchsuite.terms.language import ENGLISH, languages, read_texts
from benchsuite.terms.said import PLACE

_PACKAGE = Path(__file__).parents[1]
# Their first argument is said, and each literal in it is a text.
_SAYING = ("said", "Absent")
# In templates and their scripts: `t("text")`, and `counted(number, "1 thing", "{1} things")`.
_TEXT = r'("(?:[^"\\]|\\.)*")'
_ASKED = re.compile(rf"\b(?:t|say)\({_TEXT}")
_COUNTED = re.compile(rf"\bcounted\([^\"]*{_TEXT}, {_TEXT}\)")


def gaps(code: str) -> list[str]:
    """Return the texts that are said and have no translation; a text without words needs none."""
    known = read_texts(code)
    return sorted(text for text in said_texts() - known.keys() if re.search("[A-Za-z]{3}", PLACE.sub("", text)))


@cache
def said_texts() -> frozenset[str]:
    """Return what the package says, as far as its code shows it: templates of sentences, and texts of its pages."""
    found = {text for node in _nodes() for text in _said_by(node)}
    for path in (_PACKAGE / "report" / "templates").iterdir():
        source = path.read_text(encoding="utf-8")
        literals = _ASKED.findall(source) + [text for pair in _COUNTED.findall(source) for text in pair]
        found |= {str(ast.literal_eval(text)) for text in literals}
    return frozenset(found)


@cache
def all_texts() -> frozenset[str]:
    """Return what is said, and every other text in the code: headings and names are said where they are shown."""
    return said_texts().union(text for node in _nodes() for text in _literal(node))


@cache
def _nodes() -> tuple[ast.AST, ...]:
    """Return the package's code, but for what is no text to look up."""
    found: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(_PACKAGE.rglob("*.py"))]
    for node in found:
        # Docstrings are not said, and the pieces of an f-string are no texts that could be looked up.
        docstring = isinstance(node, ast.Expr) and any(_literal(node.value))
        pieces = [] if docstring else ast.iter_child_nodes(node)
        found += (it for it in pieces if not isinstance(node, ast.JoinedStr) or isinstance(it, ast.FormattedValue))
    return tuple(found)


def _said_by(node: ast.AST) -> Iterator[str]:
    """Yield the texts that a call says, or a template wherever it stands."""
    yield from (text for text in _literal(node) if PLACE.search(text))
    if isinstance(node, ast.Call):
        # Whoever takes a template may take a text for a single thing beside it, as `counted` does.
        literals = [text for argument in node.args for text in _choice(argument)]
        saying = isinstance(node.func, ast.Name) and node.func.id in _SAYING
        if saying or any(PLACE.search(text) for text in literals):
            yield from _choice(node.args[0]) if saying else literals


def _choice(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be: a literal, or one of those that it chooses among."""
    yield from _literal(node)
    if isinstance(node, (ast.IfExp, ast.BoolOp)):
        for part in (node.body, node.orelse) if isinstance(node, ast.IfExp) else node.values:
            yield from _choice(part)


def _literal(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


if __name__ == "__main__":
    # Whoever reads only the first lines, as `head` does, ends it without a traceback.
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for lang in sys.argv[1:] or [code for code in languages() if code != ENGLISH]:
        sys.stdout.writelines(f"{lang}: {text}\n" for text in gaps(lang))
