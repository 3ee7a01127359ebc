"""How the texts of options are read; what a text cannot mean raises ValueError with what it can."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from benchsuite.terms.input_size import InputSize
from benchsuite.terms.printable import short

T = TypeVar("T")
PERCENTILES = ("p50", "p90", "p95", "p99")
# Nobody means more, and what computes with numbers beyond it overflows.
_MOST_DIGITS = 9
# As people write one, and short enough to stay finite: the digits of other scripts, which \d takes, are left out.
_NUMBER = r"(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})"
_STEP_PX = 32
_LARGEST_PX = 16_384
_MOST_PROBLEMS = 5


def unreadable(text: str) -> str:
    """Say why an option's text cannot be one, or nothing: what holds it, as JSON and terminals, could not."""
    if any(unicodedata.category(character) == "Cs" for character in text):
        return "it holds bytes that are no UTF-8 text; rename the file or folder"
    if any(unicodedata.category(character) == "Cc" for character in text):
        return "it holds a control character; leave it out, or rename the file or folder"
    return ""


def words(text: str) -> tuple[str, ...]:
    """Read names with commas between them, each once."""
    found = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not found:
        raise ValueError("it is empty; name at least one")
    return found


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"it is not one of {', '.join(choices)}")
        return text

    return parse


def some_of(choices: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        chosen = choices if text == "all" else words(text)
        unknown = [word for word in chosen if word not in choices]
        if unknown:
            raise ValueError(f"{short(', '.join(unknown))} is not one of {', '.join(choices)}")
        return chosen

    return parse


def whole(lowest: int, highest: int = 10**_MOST_DIGITS - 1) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not _is_whole(text) or not lowest <= int(text) <= highest:
            raise ValueError(f"it must be a whole number from {lowest} to {highest:,}")
        return int(text)

    return parse


def square_size(text: str) -> InputSize:
    """Read the side of a square input; raises ValueError with the nearest sides that can be had."""
    height, cross, width = text.partition("x")
    if cross and _is_whole(height) and _is_whole(width):
        longest = max(int(height), int(width))
        raise ValueError(
            f"inputs are square here, and images are letterboxed into them: give one side, as in {_sides(longest)}"
        )
    if not _is_whole(text) or not int(text):
        raise ValueError(f"it must be a multiple of {_STEP_PX}, at least {_STEP_PX}, as in 640")
    side = int(text)
    if side % _STEP_PX or side > _LARGEST_PX:
        raise ValueError(f"it must be a multiple of {_STEP_PX}, at most {_LARGEST_PX}: give {_sides(side)}")
    return InputSize.square(side)


def _sides(wanted: int) -> str:
    """Return the sides nearest to one, as they are given."""
    below = min(max(wanted // _STEP_PX * _STEP_PX, _STEP_PX), _LARGEST_PX)
    above = min(-(-wanted // _STEP_PX) * _STEP_PX, _LARGEST_PX)
    return str(below) if above <= below else f"{below} or {above}"


def _is_whole(text: str) -> bool:
    return re.fullmatch(f"[0-9]{{1,{_MOST_DIGITS}}}", text) is not None


def list_of(parse_one: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    def parse(text: str) -> tuple[T, ...]:
        found, problems = [], []
        for word in words(text):
            try:
                found.append(parse_one(word))
            except ValueError as error:
                problems.append(f"{short(word)}: {error}" if "," in text else str(error))
        if problems:
            # Whoever gives a thousand wrong ones learns it from the first.
            raise ValueError("; ".join(problems[:_MOST_PROBLEMS]))
        return tuple(found)

    return parse


def device(text: str) -> str | None:
    if text == "auto":
        return None
    if not re.fullmatch(r"cpu|vulkan|cuda:[0-9]{1,3}", text):
        raise ValueError("it must be auto, cpu, cuda:N or vulkan")
    return text


def thread_count(text: str) -> int:
    from benchsuite.machine.facts import usable_cores, usable_threads

    cores = usable_cores()
    threads = usable_threads() if text == "auto" else whole(1)(text)
    if threads > cores:
        raise ValueError(f"this process may use {cores} cores; give at most that many")
    return threads


def path(text: str) -> Path | None:
    if "\0" in text:
        raise ValueError("a path holds no NUL character")
    return Path(text) if text else None


def yaml_file(text: str) -> Path | None:
    if text and not os.path.isfile(text):  # noqa: PTH113 (a path that cannot be is no file either)
        found = "there is no such file"
        if os.path.exists(text):  # noqa: PTH110 (the same)
            found = "it is a folder" if os.path.isdir(text) else "it is no regular file"  # noqa: PTH112
        raise ValueError(f"{found}; give the path of a data.yaml in Ultralytics' YOLO format")
    return path(text)


def latency_limits(text: str) -> Mapping[str, float]:
    limits = {}
    for word in words(text) if text else ():
        match = re.fullmatch(rf"(p[0-9]+)=({_NUMBER})(ms|s|us)", word)
        if not match or match[1] not in PERCENTILES:
            raise ValueError(f"give {', '.join(PERCENTILES)} with a time, as in p95=50ms")
        limits[match[1]] = float(match[2]) * {"us": 1e3, "ms": 1e6, "s": 1e9}[match[3]]
    return limits


def size_bytes(text: str) -> int | None:
    """Read 500MB, 1.5GiB or a plain number of bytes; empty is None; raises ValueError for anything else."""
    if not text:
        return None
    match = re.fullmatch(rf"({_NUMBER})\s*([KMGT]?)(i?)B?", text)
    if not match:
        raise ValueError("give a size, as in 500MB or 1GiB")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** " KMGT".index(match[2] or " "))


def fraction(text: str) -> float | None:
    if not text:
        return None
    value = float(text) if re.fullmatch(_NUMBER, text) else -1.0
    if not 0 <= value <= 1:
        raise ValueError("it must be a fraction from 0 to 1, as in 0.55")
    return value


def points(text: str) -> float:
    if not re.fullmatch(_NUMBER, text):
        raise ValueError("it must be a number of mAP points, as in 1.0")
    return float(text)


def percent(text: str) -> float:
    """Read 5% or 5 as a fraction; raises ValueError for anything else."""
    match = re.fullmatch(rf"({_NUMBER})\s*%?", text)
    if not match or not 0 < float(match[1]) < 100:
        raise ValueError("give percent between 0 and 100, as in 5%")
    return float(match[1]) / 100


def seconds(text: str) -> float:
    match = re.fullmatch(rf"({_NUMBER})\s*(s|min)?", text)
    if not match or float(match[1]) == 0:
        raise ValueError("give a time, as in 180s or 3min")
    return float(match[1]) * (60 if match[2] == "min" else 1)


def on_or_off(text: str) -> bool:
    """Read on or off."""
    if text not in ("on", "off"):
        raise ValueError("it must be on or off")
    return text == "on"


def switch(text: str) -> bool:
    return text == "yes"
