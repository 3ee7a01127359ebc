"""The options of pytest's run, for commands that choose cases too."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import typer

from benchsuite.options.settings import SETTINGS, Setting

# Options that many commands have no use for.
GATE = tuple(setting.name for setting in SETTINGS if setting.into.startswith("gate."))
LIMITS = tuple(setting.name for setting in SETTINGS if setting.into.startswith("limits."))
ENGINES = tuple(setting.name for setting in SETTINGS if setting.into.startswith("engine."))
BASELINES = ("baseline", "machine")

Command = Callable[..., None]


def takes_case_options(*unused: str) -> Callable[[Command], Command]:
    """Give a command the options of pytest's run, read and checked by the same code.

    The command gets the texts that were given as its first argument; its own options are keyword-only. Its help leaves
    out those that it has no use for; it takes them all the same, so that one line of options fits every command.
    """
    return lambda command: _with_options(command, unused)


def _with_options(command: Command, unused: tuple[str, ...]) -> Command:
    extra = [
        parameter
        for parameter in inspect.signature(command, eval_str=True).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    ]
    own = {parameter.name for parameter in extra}

    def run(**values: Any) -> None:
        texts = {name: "yes" if value is True else value for name, value in values.items() if name not in own and value}
        command(texts, **{name: value for name, value in values.items() if name in own})

    parameters = [
        inspect.Parameter(
            setting.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_option(setting, hidden=setting.name in unused),
            annotation=bool if setting.switch else "str | None",
        )
        for setting in SETTINGS
        if setting.name != "resume" and setting.name not in own
    ]
    run.__signature__ = inspect.Signature([*extra, *parameters])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*extra, *parameters]}
    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    return run


def _option(setting: Setting, hidden: bool) -> Any:
    if setting.switch:
        return typer.Option(False, setting.flag, help=_help(setting), show_default=False, hidden=hidden)
    return typer.Option(
        None, setting.flag, metavar=setting.metavar, help=_help(setting), show_default=False, hidden=hidden
    )


def _help(setting: Any) -> str:
    return f"{setting.help} [{setting.default}]" if setting.default else str(setting.help)
