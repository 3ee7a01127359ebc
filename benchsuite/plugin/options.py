"""The suite's options on pytest's command line, beside those of the repository that it runs in."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import pytest

from benchsuite.options.settings import SETTINGS, Setting

# Before the name of an option that a repository has too, as in --bench-data.
_TWIN = "--bench-"
_TAKEN = "benchsuite_taken"


def add_options(parser: pytest.Parser) -> None:
    """Add every setting, and each a second time as `--bench-…`, once all other options are known.

    A name that the repository's own conftest.py or another plugin has stays theirs, whichever of them is loaded first.
    """
    parse = parser.parse

    def parse_all(args: Sequence[Any], namespace: argparse.Namespace | None = None) -> argparse.Namespace:
        taken = _add(parser)
        found = parse(args, namespace)
        setattr(found, _TAKEN, taken)
        return found

    # There is no hook between the last conftest.py that adds options and the parsing of them all.
    parser.parse = parse_all  # type: ignore[method-assign]


def given_options(config: pytest.Config) -> dict[str, str]:
    """Return the texts of the settings that the user gave; none where the plugin was loaded after the options."""
    texts = {setting.name: config.getoption(_dest(setting), None) for setting in SETTINGS}
    return {name: text for name, text in texts.items() if text is not None}


def taken_options(config: pytest.Config) -> tuple[str, ...]:
    """Return the flags that are another's here, so that only their twins are the suite's."""
    taken: tuple[str, ...] = config.getoption(_TAKEN, ())
    return taken


def twin(flag: str) -> str:
    """Return the suite's second name of an option."""
    return _TWIN + flag.removeprefix("--")


def _add(parser: pytest.Parser) -> tuple[str, ...]:
    groups = (parser._anonymous, *parser._groups)
    known = {name for group in groups for option in group.options for name in option.names()}
    group = parser.getgroup("benchsuite", "benchsuite: what to measure, and how")
    taken = []
    for setting in SETTINGS:
        arguments: dict[str, Any] = {"metavar": setting.metavar}
        if setting.switch:
            arguments = {"action": "store_const", "const": "yes"}
        elif setting.bare:
            arguments |= {"nargs": "?", "const": setting.bare}
        # Their texts are read in one place, so pytest keeps them as text.
        arguments |= {"default": None, "dest": _dest(setting)}
        text = f"{setting.help} [{setting.default}]" if setting.default else setting.help
        text = text.replace("%", "%%")
        if setting.flag in known:
            taken.append(setting.flag)
        else:
            group.addoption(setting.flag, help=text, **arguments)
        if twin(setting.flag) not in known:
            # Help lists it only where it is the one name of the two.
            group.addoption(twin(setting.flag), help=text if setting.flag in known else argparse.SUPPRESS, **arguments)
    return tuple(taken)


def _dest(setting: Setting) -> str:
    # Short names such as `data` would collide with what other plugins keep in the same namespace.
    return f"benchsuite_{setting.name}"
