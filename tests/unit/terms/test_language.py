"""A language says whole texts, sentences with figures in them, and what was put together from both."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

import pytest

import benchsuite
from benchsuite.terms.errors import UsageError
from benchsuite.terms.language import ENGLISH, Language, language, languages, read_texts

HOUSE = Path(benchsuite.__file__).parent
FILES = [HOUSE / "terms" / "texts" / f"{code}.toml" for code in languages() if code != ENGLISH]
PLACE = re.compile(r"\{\d+\}")
TOY = Language(
    "toy",
    {
        "slower": "lento",
        "{1} failed": "{1} fallito",
        "{1} cases measured": "{1} casi misurati",
        "It loses {1} points where {2} may be lost": "Di {2} punti ne perde {1}",
        "Nothing regressed": "Niente",
        "; ": " / ",
        ", ": " + ",
        " ": " ",
        ".": "!",
    },
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slower", "lento"),
        ("7 cases measured", "7 casi misurati"),
        ("7 cases measured.", "7 casi misurati!"),
        ("It loses 2.5 points where 1 may be lost", "Di 1 punti ne perde 2.5"),
        ("Nothing regressed, 3 cases measured. 2 failed; slower.", "Niente + 3 casi misurati! 2 fallito / lento!"),
        ("slower failed", "lento fallito"),
        # Of other words it knows nothing, and says them as they are.
        ("a whole thing that failed", "a whole thing that failed"),
        ("slower, or not", "slower, or not"),
        ("onnx int8", "onnx int8"),
        ("", ""),
    ],
)
def test_texts_are_found_by_their_words(text: str, said: str) -> None:
    """A text is said as the file has it; what the file does not know stays whole."""
    assert TOY.say(text) == said


def test_long_messages_are_left_alone_at_once() -> None:
    """A runtime's message of any length, and one made of nothing but joints, costs no time."""
    started = time.process_time()
    for text in ("It loses 1 points where " * 5_000, "; , . " * 150, "1, " * 300, "It loses " + "a points where " * 60):
        assert language("zh").say(text) == text
        TOY.say(text)
    assert time.process_time() - started < 1


def test_values_fill_the_places_of_a_text() -> None:
    """Values given beside a text are said as well, and stand where the translation wants them."""
    assert TOY.say("It loses {1} points where {2} may be lost", "slower", 1) == "Di 1 punti ne perde lento"
    assert language(ENGLISH).say("{1} of {2}", 3, 4) == "3 of 4"


def test_unknown_language_names_those_there_are() -> None:
    """A code without a file is refused with the codes that there are."""
    with pytest.raises(UsageError, match="--lang xx: there is no such language; give one of en, zh"):
        language("xx")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_translations_keep_their_places(path: Path) -> None:
    """Each translation has exactly the places of its text, and says something."""
    texts = read_texts(path)
    wrong = [text for text, said in texts.items() if sorted(PLACE.findall(text)) != sorted(PLACE.findall(said))]
    assert wrong == []
    assert [text for text, said in texts.items() if text.strip() and not said.strip()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_has_no_text_twice(path: Path) -> None:
    """A text stands in one section only: sections are for people, and the last one would win."""
    keys = re.findall(r'^("(?:[^"\\]|\\.)*") = ', path.read_text(), re.MULTILINE)
    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_text_is_left_over(path: Path) -> None:
    """Every word of every text stands somewhere in the code or the templates that would say it."""
    said: list[str] = []
    for module in HOUSE.rglob("*.py"):
        nodes = ast.walk(ast.parse(module.read_text()))
        said += [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    said += [template.read_text() for template in (HOUSE / "report" / "templates").iterdir()]
    words = set(re.findall(r"[a-z]{3,}", " ".join(said).lower()))
    stale = {text: wrong for text in read_texts(path) if (wrong := set(re.findall(r"[a-z]{3,}", text.lower())) - words)}
    assert stale == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_of_the_templates_and_scripts_is_there(path: Path) -> None:
    """What a template says by `t(...)` and a script by `say(...)` has a translation."""
    texts, asked = read_texts(path), set()
    for template in (HOUSE / "report" / "templates").iterdir():
        asked |= set(re.findall(r'(?:\bt|\bsay)\("((?:[^"\\]|\\.)*)"', template.read_text()))
    assert len(asked) > 100
    assert sorted(asked - set(texts)) == []
