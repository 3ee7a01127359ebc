"""The plugin for a conftest.py of any folder, whose fixtures they are: `from benchsuite.plugin.folder import *`.

pytest refuses `pytest_plugins` in a conftest.py that it finds on its way through the tests.
"""

from __future__ import annotations

import pytest

from benchsuite import plugin

NAME = plugin.__name__
__all__ = ["pytest_plugin_registered"]

if plugin.sentence is None:
    from benchsuite.plugin.bench_fixtures import run, verdict

    __all__ += ["run", "verdict"]


def pytest_plugin_registered(manager: pytest.PytestPluginManager) -> None:
    """Load the hooks together with the conftest.py that has this one; once, whoever else loads them."""
    if not manager.has_plugin(NAME):
        manager.register(plugin if plugin.sentence else plugin.hooks, NAME)
