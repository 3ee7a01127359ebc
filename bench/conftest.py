"""Load benchsuite's plugin for these benchmarks; it is no pytest entry point, so that its options stay here."""

import importlib.util
import sys

import pytest

if importlib.util.find_spec("benchsuite"):
    from benchsuite.plugin.folder import *  # noqa: F403
else:
    # The repository's other tests need none of this.
    collect_ignore_glob = ["test_*.py"]

    def pytest_addoption(pluginmanager):
        """Say what is missing, before pytest stumbles over options that it does not know."""
        if not pluginmanager.has_plugin("session"):
            raise pytest.UsageError(
                f"benchsuite is not installed for {sys.executable}: use the interpreter of the environment that it was "
                f"installed into, or install it with {sys.executable} -m pip install PATH-TO-BENCHSUITE."
            )
