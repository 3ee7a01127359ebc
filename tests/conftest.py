"""What all tests share: warnings are errors here, slow tests wait to be asked for, real material lies in ../shared."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

# A session within a test forgets what it was first to import, but the package keeps what it made with these.
import cattrs  # noqa: F401
import jinja2  # noqa: F401
import pytest
import scipy.special  # noqa: F401
from hypothesis import settings

import benchsuite.plugin  # noqa: F401

# What an example may take says nothing on a machine that others use too.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")
# A shell that starts tests in the background has switched it off, and some of them send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.default_int_handler)
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out slow tests unless -m names them, and turn warnings in tests into errors."""
    asked = "slow" in (config.getoption("markexpr") or "")
    slow = [item for item in items if item.get_closest_marker("slow") and not asked]
    if slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error"), append=False)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that keeps what is built, drawn and evaluated for all tests: $BENCHSUITE_CACHE or a new one."""
    given = os.environ.get("BENCHSUITE_CACHE")
    return Path(given).absolute() if given else tmp_path_factory.mktemp("cache")


@pytest.fixture
def locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the measuring lock, so that a run of this test waits for no other's on the machine."""
    return tmp_path_factory.mktemp("locks")


@pytest.fixture(scope="session")
def material() -> Path | None:
    """Return the folder of real weights and labelled images, or None where this checkout has none beside it."""
    return SHARED if (SHARED / "models").is_dir() else None


@pytest.fixture(scope="session")
def shared(material: Path | None) -> Path:
    """Return the folder of real weights and labelled images, or skip where there is none."""
    if material is None:
        pytest.skip("needs real weights and images in ../shared, which only the developers have")
    return material
