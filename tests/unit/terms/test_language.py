"""A language says sentences by their templates, and says again what stands in their places."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import benchsuite
from benchsuite.terms.errors import UsageError
from benchsuite.terms.gaps import all_texts, gaps
from benchsuite.terms.language import ENGLISH, Language, language, languages, read_texts
from benchsuite.terms.said import counted, joined, said

OTHERS = [code for code in languages() if code != ENGLISH]
PLACE = re.compile(r"\{\d+\}")
TOY = Language(
    "toy",
    {
        "slower": "lento",
        "{1} failed": "{1} fallito",
        "{1} cases measured": "{1} casi misurati",
        "It loses {1} points where {2} may be lost": "Di {2} punti ne perde {1}",
        "Nothing regressed at all": "Niente",
        "The gate stopped early.": "Fermata.",
        "{1} is absent: install {2}": "{1} manca: installa {2}",
        "; ": " / ",
        ", ": " + ",
        " ": " ",
    },
)


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        (said("slower"), "lento"),
        (said("{1} failed", said("slower")), "lento fallito"),
        (said("{1} failed", "slower"), "lento fallito"),
        (said("It loses {1} points where {2} may be lost", 2.5, 1), "Di 1 punti ne perde 2.5"),
        (joined("; ", [said("{1} failed", 2), joined(", ", ["slower", "onnx int8"])]), "2 fallito / lento + onnx int8"),
        (joined(" · ", ["slower", "yolo26n"]), "lento · yolo26n"),
        (counted(7, "1 case measured", "{1} cases measured"), "7 casi misurati"),
        # Without a translation the English stays, and what stands in its places is said.
        (said("{1} of {2}", "slower", 3), "lento of 3"),
        (said("{1} is absent: install {2}", "x: y is absent", "z"), "x: y is absent manca: installa z"),
    ],
)
def test_sentences_are_said_by_their_templates(sentence: str, text: str) -> None:
    """A sentence has the translation of its template, its values where that wants them; names stay."""
    assert TOY.say(sentence) == text
    assert language(ENGLISH).say(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("slower", "lento"),
        ("7 cases measured", "7 casi misurati"),
        ("It loses 2.5 points where 1 may be lost", "Di 1 punti ne perde 2.5"),
        ("slower failed", "lento fallito"),
        ("onnx is absent: install onnx", "onnx manca: installa onnx"),
        ("onnx is absent: install onnx; slower, 3 failed", "onnx manca: installa onnx / lento + 3 fallito"),
        ("The gate stopped early. Nothing regressed at all", "Fermata. Niente"),
        # Of other words it knows nothing, and says them as they are.
        ("a whole thing that failed", "a whole thing that failed"),
        ("slower, or not", "slower, or not"),
        ("onnx int8", "onnx int8"),
        ("", ""),
    ],
)
def test_finished_sentences_of_old_files_are_found_by_their_words(text: str, said: str) -> None:
    """A text without a template is said where the words of one make it; what no template makes stays whole."""
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


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_their_places(code: str) -> None:
    """Each translation has exactly the places of its text, and says something."""
    texts = read_texts(code)
    wrong = [text for text, said in texts.items() if sorted(PLACE.findall(text)) != sorted(PLACE.findall(said))]
    assert wrong == []
    assert [text for text, said in texts.items() if text.strip() and not said.strip()] == []


@pytest.mark.parametrize("code", OTHERS)
def test_file_has_no_text_twice(code: str) -> None:
    """A text stands in one section only: sections are for people, and the last one would win."""
    path = Path(benchsuite.__file__).parent / "terms" / "texts" / f"{code}.toml"
    keys = re.findall(r'^("(?:[^"\\]|\\.)*") = ', path.read_text(), re.MULTILINE)
    assert len(keys) > 600
    assert sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_is_left_over(code: str) -> None:
    """Every text that a language translates is said: it stands as it is in the code, or in a page's template."""
    # A verdict is shown without its underscore.
    assert [text for text in read_texts(code) if not {text, text.replace(" ", "_")} & all_texts()] == []


def test_gaps_are_listed_and_fail_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said without a translation is told, however the code says it; pages show it in English."""
    for code in OTHERS:
        print(f"{code} lacks {len(gaps(code))} texts:", *gaps(code), sep="\n  ")
    monkeypatch.setattr("benchsuite.terms.gaps.read_texts", lambda _: {"{1} threads": "{1} fili"})
    found = gaps("toy")
    for text in (
        "{1} storage, {2} compute", "did not run", "1 thread", "1 comparison passed", "{1} point under {2}",
        "No recommendation: no case of this group has its accuracy measured.", "Deploy {1}",
        "not measured in any of these runs",
    ):  # fmt: skip
        assert text in found
    assert not {"{1} threads", "{1} ({2})", "; "} & set(found)


def test_list_of_gaps_that_is_cut_off_ends_quietly() -> None:
    """Whoever reads its first line alone gets no traceback."""
    line = [sys.executable, "-m", "benchsuite.terms.gaps"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
