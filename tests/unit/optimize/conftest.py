"""Tests that cut and train networks keep to one core each: two that share two cores wait for each other's threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package", autouse=True)
def _one_core() -> Iterator[None]:
    """Pin this process, and so its children, to a core of its own."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    every = os.sched_getaffinity(0)
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.sched_setaffinity(0, {sorted(every)[number % len(every)]})
    yield
    os.sched_setaffinity(0, every)
