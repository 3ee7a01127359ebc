"""What pages say, in the reader's language: a language is one file from English texts to its own.

`texts/<code>.toml` gives a translation to each template of a sentence, and to each text without places. What no file
knows, as names and a runtime's own messages, stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchsuite.terms.errors import UsageError
from benchsuite.terms.finished import Finished
from benchsuite.terms.said import Said, filled, said
from benchsuite.terms.toml import read_toml

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "texts"


class Language:
    """Say English texts in one language."""

    def __init__(self, code: str, texts: Mapping[str, str]) -> None:
        self.code = code
        self._texts = dict(texts)
        self._finished = Finished(self._texts)
        self._found: dict[str, Said | None] = {}

    def say(self, text: str, *values: object) -> str:
        """Return a sentence in this language, and what stands in its places too.

        `values` make a sentence of a template. A text that is none may be a sentence from an old file.
        """
        sentence = said(text, *values) if values else text if isinstance(text, Said) else None
        if sentence is None and text not in self._texts:
            if text not in self._found:
                self._found[text] = self._finished.take_apart(text)
            sentence = self._found[text]
        if sentence is None:
            return self.template(text)
        return filled(self.template(sentence.template), [self.say(value) for value in sentence.values])

    def template(self, text: str) -> str:
        """Return a text's translation with its places open."""
        return self._texts.get(text, text)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that there are."""
    return (ENGLISH, *sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def language(code: str) -> Language:
    """Return a language by its code; raises UsageError for one without a file."""
    if code not in languages():
        raise UsageError(f"--lang {code}: there is no such language; give one of {', '.join(languages())}.")
    return Language(code, {} if code == ENGLISH else read_texts(code))


def read_texts(code: str) -> dict[str, str]:
    """Return the texts of a language's file, whatever section each stands in."""
    sections = read_toml(_FOLDER / f"{code}.toml").values()
    return {text: translation for section in sections for text, translation in section.items()}
