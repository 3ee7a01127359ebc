"""What pages say, in the reader's language: a language is one file from English texts to its own.

Texts stand in English where they are made, and records keep them so. `texts/<code>.toml` gives each its translation;
`{1}`, `{2}` stand for what a sentence tells, and a sentence that was written down long ago is known by its other words.
What no file knows, as names and a runtime's own messages, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchsuite.terms.errors import UsageError
from benchsuite.terms.toml import read_toml

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "texts"
_PLACE = re.compile(r"\{(\d+)\}")
# Where sentences and lists were put together from texts which the file has one by one, and what joins them in the file.
# Between the parts of a title, names stand beside texts.
_TITLE = (re.compile(" · "), " · ")
_JOINTS = (_TITLE, (re.compile(r"(?<=\.) "), " "), (re.compile("; "), "; "), (re.compile(", "), ", "))
_DEEPEST = 6
# No text of ours is longer: what is comes from a runtime, and looking through it would take time.
_LONGEST = 1_000


@dataclass(frozen=True)
class _Pattern:
    """A text with places: its longest piece between them, what it matches, and its translation.

    A weak one has hardly a word of its own, and would match sentences that it knows nothing of.
    """

    piece: str
    matches: re.Pattern[str]
    translation: str
    weak: bool


class Language:
    """Say English texts in one language."""

    def __init__(self, code: str, texts: Mapping[str, str]) -> None:
        self.code = code
        self._texts = dict(texts)
        placed = [text for text in texts if _PLACE.search(text)]
        # The more words a pattern has of its own, the surer it is.
        placed.sort(key=lambda text: -len(_PLACE.sub("", text)))
        self._patterns = [_pattern(text, texts[text]) for text in placed]
        self._said: dict[str, str] = {}

    def say(self, text: str, *values: object) -> str:
        """Return a text in this language; `values` fill the places of a text that has some.

        Without `values`, a finished sentence is found by its words, and what stands in its places is said as well.
        """
        if values:
            return fill_places(self.template(text), [self.say(str(value)) for value in values])
        if text not in self._said:
            self._said[text] = self._find(text, 0) or text
        return self._said[text]

    def template(self, text: str) -> str:
        """Return a text's translation with its places open."""
        return self._texts.get(text, text)

    def _find(self, text: str, depth: int) -> str | None:
        exact = self._texts.get(text)
        if exact is not None or not self._patterns or depth > _DEEPEST or len(text) > _LONGEST:
            return exact
        for between, joint in _JOINTS:
            if (joined := self._joined(text, depth, between, joint)) is not None:
                return joined
        if (matched := self._matched(text, depth)) is not None:
            return matched
        sentence = self._find(text[:-1], depth + 1) if text.endswith(".") else None
        return None if sentence is None else sentence + self._texts.get(".", ".")

    def _matched(self, text: str, depth: int) -> str | None:
        """Say a text that a pattern knows, and what stands in its places."""
        for pattern in self._patterns:
            if pattern.piece not in text or not (found := pattern.matches.fullmatch(text)):
                continue
            values = [(value, self._find(value, depth + 1)) for value in found.groups()]
            if not pattern.weak or all(said is not None or " " not in value for value, said in values):
                return fill_places(pattern.translation, [said or value for value, said in values])
        return None

    def _joined(self, text: str, depth: int, between: re.Pattern[str], joint: str) -> str | None:
        """Say a text part by part, if it has several and all are known."""
        parts = between.split(text)
        if len(parts) == 1:
            return None
        said = [self._find(part, depth + 1) for part in parts]
        known = [part for part in said if part is not None]
        if not known or (joint != _TITLE[1] and len(known) < len(parts)):
            return None
        return self._texts.get(joint, joint).join(theirs or part for theirs, part in zip(said, parts, strict=True))


def fill_places(text: str, values: list[str]) -> str:
    """Put values into the places `{1}`, `{2}` of a text."""
    return _PLACE.sub(lambda place: values[int(place[1]) - 1], text)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are."""
    return (ENGLISH, *sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def language(code: str) -> Language:
    """Return a language by its code; raises UsageError for one without a file."""
    if code not in languages():
        raise UsageError(f"--lang {code}: there is no such language; give one of {', '.join(languages())}.")
    return Language(code, {} if code == ENGLISH else read_texts(_FOLDER / f"{code}.toml"))


def read_texts(path: Path) -> dict[str, str]:
    """Return the texts of a language's file, whatever section each stands in."""
    return {text: said for section in read_toml(path).values() for text, said in section.items()}


def _pattern(text: str, translation: str) -> _Pattern:
    pieces = _PLACE.split(text)[::2]
    numbers = [int(place[1]) for place in _PLACE.finditer(text)]
    if numbers != sorted(set(numbers)) or numbers[0] != 1:
        raise ValueError(f"places must be {{1}}, {{2}} in order: {text}")
    # A place may hold several sentences, never nothing but what stands around it.
    matches = re.compile("(.*?)".join(map(re.escape, pieces)), re.DOTALL)
    weak = len(re.findall(r"[A-Za-z]{3,}", " ".join(pieces))) < 2
    return _Pattern(max(pieces, key=len), matches, translation, weak)
