"""Damage what every loader reads, and count what is read, refused in a sentence, and neither.

`python -m tests.fuzz.run --inputs 2000` prints a line a loader. A read may take two seconds and 500 MB, and may raise
the package's own errors, each of one short sentence. Anything else is foreign, and told with the input's number, which
makes the same input again. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchsuite.terms.errors import BenchsuiteError, PassingError
from benchsuite.terms.printable import printable_lines
from tests.fuzz.loaders import FILES, TEXTS, Loader, TextLoader
from tests.fuzz.mutations import mutate, mutate_text

MOST_S = 2.0
MOST_BYTES = 500_000_000
_LONGEST_SENTENCE = 5_000


@dataclass
class Tally:
    """What became of a loader's inputs; `foreign` says of each that was neither read nor refused what it met."""

    name: str
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    foreign: list[str] = field(default_factory=list)


class _TooSlowError(Exception):
    pass


def fuzz(inputs: int, only: str = "", seed: int = 0) -> list[Tally]:
    """Read that many damaged inputs with every loader whose name holds `only`."""
    tallies = []
    with tempfile.TemporaryDirectory() as folder, _no_more_memory():
        for loader in (*FILES, *TEXTS):
            if only in loader.name:
                read = _texts if isinstance(loader, TextLoader) else _files
                tallies.append(read(loader, inputs, seed, Path(folder)))  # type: ignore[arg-type]
    return tallies


def _files(loader: Loader, inputs: int, seed: int, scratch: Path) -> Tally:
    tally = Tally(loader.name)
    original = scratch / "original"
    shutil.rmtree(original, ignore_errors=True)
    original.mkdir()
    place = loader.make(original).relative_to(original)
    content = (original / place).read_bytes()
    for number in range(round(inputs * loader.share)):
        folder = scratch / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(original, folder)
        (folder / place).write_bytes(mutate(content, loader.kind, _coins(loader.name, seed, number)))
        _count(tally, number, lambda folder=folder: loader.read(folder / place))  # type: ignore[misc]
    return tally


def _texts(loader: TextLoader, inputs: int, seed: int, scratch: Path) -> Tally:
    tally = Tally(loader.name)
    with contextlib.chdir(scratch) if hasattr(contextlib, "chdir") else contextlib.nullcontext():
        for number in range(inputs):
            coins = _coins(loader.name, seed, number)
            text = mutate_text(coins.choice(loader.texts), coins)
            _count(tally, number, lambda text=text: loader.read(text))  # type: ignore[misc]
    return tally


def _coins(name: str, seed: int, number: int) -> random.Random:
    return random.Random(zlib.crc32(name.encode()) * 1_000_003 + seed * 7_919 + number)


def _count(tally: Tally, number: int, read: Callable[[], object]) -> None:
    # Other programs of a busy machine are not the reader's fault.
    started = time.process_time()
    try:
        with _alarm(MOST_S * 15):
            read()
        tally.read += 1
    except PassingError as error:
        tally.foreign.append(f"{number}: called passing: {error}")
    except BenchsuiteError as error:
        tally.refused += 1
        fault = _fault(str(error))
        if fault:
            tally.foreign.append(f"{number}: {fault}")
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = next(
            (it for it in reversed(traceback.extract_tb(error.__traceback__)) if "benchsuite/" in it.filename), place
        )
        tally.foreign.append(
            f"{number}: {type(error).__name__} at {where.filename}:{where.lineno}: {str(error)[:120]!r}"
        )
    took_s = time.process_time() - started
    tally.slowest_s = max(tally.slowest_s, took_s)
    if took_s > MOST_S:
        tally.foreign.append(f"{number}: took {took_s:.1f} s")


def _fault(sentence: str) -> str:
    """Say what is wrong with an error's sentence, or nothing."""
    if len(sentence) > _LONGEST_SENTENCE:
        return f"its sentence has {len(sentence)} characters: {sentence[:200]!r}"
    if printable_lines(sentence) != sentence:
        return f"its sentence cannot be printed: {sentence[:200]!r}"
    if sentence.endswith(("; try again", "; make it readable")):
        return f"damage is taken for what may pass: {sentence[:200]!r}"
    return "" if sentence.strip() else "its sentence is empty"


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _no_more_memory() -> Iterator[None]:
    """Let reads take 500 MB beside what the libraries have taken by now."""
    import cv2  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def table(tallies: list[Tally]) -> list[str]:
    """Return a line a loader, and their sum."""
    total = Tally("sum", sum(it.read for it in tallies), sum(it.refused for it in tallies))
    total.foreign = [line for it in tallies for line in it.foreign]
    total.slowest_s = max((it.slowest_s for it in tallies), default=0.0)
    lines = [f"{'loader':36} {'read':>8} {'refused':>8} {'foreign':>8} {'slowest':>8}"]
    for it in (*tallies, total):
        lines.append(f"{it.name:36} {it.read:8,} {it.refused:8,} {len(it.foreign):8,} {it.slowest_s:6.2f} s")
    return lines


def main() -> int:
    """Print the table and what was foreign; 0 where nothing was."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100, help="damaged inputs a loader")
    parser.add_argument("--only", default="", help="loaders whose name holds this")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    tallies = fuzz(given.inputs, given.only, given.seed)
    for tally in tallies:
        for line in tally.foreign[:20]:
            print(f"{tally.name}, input {line.encode(errors='backslashreplace').decode()}")
    print("\n".join(table(tallies)))
    return 1 if any(it.foreign for it in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
