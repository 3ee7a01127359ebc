"""Whether this pytest run is to benchmark, or only finds the benchmarks on its way through the other tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchsuite.plugin.options import given_options

FOLDER = "bench"


def asked(config: pytest.Config) -> bool:
    """Say whether bench/ or something in it is named, or an option of the suite is given."""
    return bool(given_options(config)) or any(_in_bench(config, argument) for argument in config.args)


def _in_bench(config: pytest.Config, argument: str) -> bool:
    path = Path(os.path.normpath(config.invocation_params.dir / argument.partition("::")[0]))
    # A folder of that name above the repository says nothing.
    folders = {path, *path.parents} - {*config.rootpath.parents}
    return any(folder.name == FOLDER for folder in folders)


def distributed(config: pytest.Config) -> bool:
    """Say whether pytest-xdist spreads the tests over several processes."""
    return hasattr(config, "workerinput") or config.getoption("dist", "no") != "no"
