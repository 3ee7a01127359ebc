"""Sentences that 0.1.0 wrote down without their templates: each is found again by the words that it must contain."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from benchsuite.terms.said import PLACE, Said

# No sentence of ours is longer: what is comes from a runtime, and looking through it would take time.
_LONGEST = 1_000
# With fewer words of its own a template would match sentences that it knows nothing of: its places are words then.
_FEW_WORDS = 2
# What 0.1.0 joined sentences by.
_JOINTS = ((re.compile(r"(?<=\.) "), " "), (re.compile("; "), "; "), (re.compile(", "), ", "))


@dataclass(frozen=True)
class _Pattern:
    """A template and what it matches; its longest piece between places tells fast that it does not."""

    template: str
    piece: str
    matches: re.Pattern[str]


class Finished:
    """The templates of a language, by which finished sentences are taken apart."""

    def __init__(self, templates: Collection[str]) -> None:
        self._known = frozenset(templates)
        placed = [text for text in templates if PLACE.search(text) and _words(text)]
        # The more words a template has of its own, the surer it is; one that begins with them holds others.
        placed.sort(key=lambda text: (text.startswith("{"), -len(PLACE.sub("", text))))
        self._patterns = [_pattern(text) for text in placed]

    def take_apart(self, text: str) -> Said | None:
        """Return the sentence whose English is this text, or None where no template makes it.

        What stands in its places is as it was; each part of several sentences must be known.
        """
        if not self._patterns or len(text) > _LONGEST:
            return None
        for between, joint in _JOINTS:
            parts = between.split(text)
            if len(parts) > 1 and all(self._knows(part) for part in parts):
                return Said(joint, parts)
        for it in self._patterns:
            if it.piece in text and (found := it.matches.fullmatch(text)):
                return Said(it.template, found.groups())
        return None

    def _knows(self, part: str) -> bool:
        return part in self._known or self.take_apart(part) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"[A-Za-z]{3,}", PLACE.sub(" ", text))


def _pattern(template: str) -> _Pattern:
    pieces = PLACE.split(template)[::2]
    numbers = [int(place[1]) for place in PLACE.finditer(template)]
    if numbers != list(range(1, len(numbers) + 1)):
        raise ValueError(f"places must be {{1}}, {{2}} in order: {template}")
    place = r"(\S*)" if len(_words(template)) < _FEW_WORDS else "(.*?)"
    return _Pattern(template, max(pieces, key=len), re.compile(place.join(map(re.escape, pieces)), re.DOTALL))
