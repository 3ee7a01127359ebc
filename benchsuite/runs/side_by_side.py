"""Work that is not timed, several pieces at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from benchsuite.machine.facts import usable_threads
from benchsuite.machine.memory import available_bytes
from benchsuite.terms.errors import BenchsuiteError

K = TypeVar("K")
T = TypeVar("T")


def side_by_side(
    jobs: Mapping[K, Callable[[], T]], bytes_each: int, stop: Callable[[], None], show: Callable[[int], None]
) -> dict[K, T | BenchsuiteError]:
    """Do jobs in threads, as many at once as cores and memory allow; return what came of each, or its error.

    `show` is told how many have ended. An interrupt calls `stop`, which must end what is being done.
    """
    found: dict[K, T | BenchsuiteError] = {}
    pool = ThreadPoolExecutor(max(1, min(usable_threads(), available_bytes() // bytes_each)))
    try:
        begun = {pool.submit(job): key for key, job in jobs.items()}
        for future in as_completed(begun):
            try:
                found[begun[future]] = future.result()
            except BenchsuiteError as error:
                found[begun[future]] = error
            show(len(found))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        stop()
        raise
    finally:
        pool.shutdown()
    return found
