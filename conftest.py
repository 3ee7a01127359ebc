"""Load the plugin for this repository's own runs; it is no pytest entry point, so that its options stay here."""

import importlib.util
import sys

import pytest

if importlib.util.find_spec("benchsuite"):
    pytest_plugins = ["benchsuite.plugin", "pytester"]
else:

    def pytest_addoption():
        """Say what is missing, before pytest stumbles over options that it does not know."""
        raise pytest.UsageError(
            f"benchsuite is not installed for {sys.executable}: use the interpreter of the environment that it was "
            f"installed into, or install it with {sys.executable} -m pip install PATH-TO-BENCHSUITE."
        )
