"""The documentation keeps up with the code: links lead somewhere, commands parse, quoted sentences are said."""

from __future__ import annotations

import argparse
import ast
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
from markdown_it import MarkdownIt
from markdown_it.token import Token

from benchsuite.commands.app import app
from benchsuite.machine import facts
from benchsuite.options.settings import SETTING, SETTINGS, parse

ROOT = Path(__file__).resolve().parents[2]
TROUBLESHOOTING = ROOT / "docs" / "troubleshooting.md"
PAGES = sorted(path for name in ("README*", "CONTRIBUTING", "docs/*", "reports/README", "baselines/README")
               for path in ROOT.glob(f"{name}.md"))  # fmt: skip
EVERY = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
# Options of pytest's own that the pages name.
PYTEST_VALUES = ("-k", "-m", "-p", "--junitxml", "--benchmark-json")
PYTEST_SWITCHES = ("-x", "-q", "--lf", "--collect-only")
USERS_MISTAKES = {"UsageError", "ModelError", "DataError", "BaselineError"}


@cache
def tokens(page: Path) -> Sequence[Token]:
    """Return a page's parts."""
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """Return what GitHub calls a page's headings; one that comes again gets a number."""
    found: dict[str, int] = {}
    for before, token in pairwise(tokens(page)):
        if before.type == "heading_open":
            words = re.sub(r"[^\w\- ]", "", token.content.lower()).replace(" ", "-")
            number = found[words] = found.get(words, -1) + 1
            if number:
                found[f"{words}-{number}"] = 0
    return set(found)


def targets(page: Path) -> Iterator[str]:
    """Yield where links and pictures lead."""
    for token in tokens(page):
        for part in token.children or ():
            target = part.attrGet("href") or part.attrGet("src")
            if target:
                yield unquote(str(target))


@EVERY
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link names a file of the project, and a heading of it where it has an anchor."""
    lost = []
    for target in targets(page):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)
    assert not lost


def command_lines(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command of ours in the page's code blocks, and of those in its text with an option."""
    for token in tokens(page):
        if token.type in ("code_block", "fence"):
            lines = token.content.replace("\\\n", " ").splitlines()
        else:
            inline = [part.content for part in token.children or () if part.type == "code_inline"]
            lines = [text for text in inline if re.match(r"\S+ [^-].* -", text) and "…" not in text]
        for command in (part for line in lines for part in line.split("&&")):
            if ours(command.split()):
                yield shlex.split(command, comments=True)


def ours(words: Sequence[str]) -> bool:
    """Say whether a line starts a command that this test can hold to its options."""
    return list(words[:2]) == ["pytest", "bench/"] or words[:1] in (["benchsuite"], ["tox"]) or is_module(words)


def is_module(words: Sequence[str]) -> bool:
    return list(words[1:3]) == ["-m", "benchsuite"]


@EVERY
def test_commands_parse(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command line of a page names a command, options that it has, and values that these can mean."""
    monkeypatch.setattr(facts, "usable_cores", lambda: 64)
    yaml = tmp_path / "data.yaml"
    yaml.touch()
    for words in command_lines(page):
        if words[0] == "pytest":
            parse(with_files(pytest_options(words[2:]), yaml))
        elif words[0] == "tox":
            tox_environment(words[1:])
        else:
            parse(with_files(command_options(words[3:] if is_module(words) else words[1:]), yaml))


def with_files(given: Mapping[str, str], yaml: Path) -> dict[str, str]:
    """Put a file that there is in the place of data sets that the reader has."""
    return {name: str(yaml) if name in ("data", "calib") else text for name, text in given.items()}


def pytest_options(words: Sequence[str]) -> dict[str, str]:
    """Read the line as pytest does; raises for an option that there is not."""
    parser = argparse.ArgumentParser(allow_abbrev=False, exit_on_error=False)
    for setting in SETTINGS:
        if setting.switch:
            parser.add_argument(setting.flag, action="store_const", const="yes", dest=setting.name)
        else:
            parser.add_argument(
                setting.flag, nargs="?" if setting.bare else None, const=setting.bare, dest=setting.name
            )
    for flag in PYTEST_VALUES:
        parser.add_argument(flag, dest="_")
    for flag in PYTEST_SWITCHES:
        parser.add_argument(flag, action="store_true", dest="_")
    found, unknown = parser.parse_known_args(list(words))
    assert not unknown, f"pytest bench/ {shlex.join(words)}"
    return {name: text for name, text in vars(found).items() if name != "_" and text is not None}


def command_options(words: Sequence[str]) -> dict[str, str]:
    """Read the line as the command does, without running it, and return the options of a run among its own."""
    command = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands"):
        assert set(rest) <= {name for option in command.params for name in option.opts}
        return {}
    values = command.make_context("benchsuite", rest).params
    # Only commands that choose cases have all of a run's options.
    given = {name: "yes" if value is True else value for name, value in values.items() if name in SETTING and value}
    return given if "case" in values else {}


def tox_environment(words: Sequence[str]) -> None:
    """Hold the environments that are asked for to tox.ini; tox itself knows one for each Python."""
    text = (ROOT / "tox.ini").read_text(encoding="utf-8")
    asked = [name for flag, names in pairwise(words) if flag == "-e" for name in names.split(",")]
    unknown = [name for name in asked if f"[testenv:{name}]" not in text and not re.fullmatch(r"py3\d+", name)]
    assert not unknown


@cache
def said() -> frozenset[str]:
    """Return every text that the code can say, with … in place of what differs."""
    found = set()
    for path in (ROOT / "benchsuite").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                found.add(template(node))
    return frozenset(found)


def template(node: ast.expr) -> str:
    """Return a text as the code has it, with … in place of what differs: an f-string's, or a template's {1}."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"\{\d+\}", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    if isinstance(node, ast.Call) and node.args:
        return template(node.args[0])
    return "…"


@cache
def quoted() -> Mapping[str, re.Pattern[str]]:
    """Return the sentences of the troubleshooting page, each row's first cell, and what a text must read to be it."""
    rows = pairwise(tokens(TROUBLESHOOTING))
    sentences = [cell.content.strip("`") for before, cell in rows if before.type == "td_open"][::3]
    return {sentence: re.compile(".*".join(map(re.escape, sentence.split("…"))), re.DOTALL) for sentence in sentences}


def fixed_words(sentence: str) -> int:
    """Count the words that are the same every time."""
    return sum("…" not in word for word in sentence.split())


def test_quoted_sentences_are_said() -> None:
    """Each sentence of the troubleshooting page stands in the code, so that a reader can search for it."""
    assert len(quoted()) > 100
    assert [it for it, pattern in quoted().items() if fixed_words(it) < 2 or not any(map(pattern.search, said()))] == []


def test_every_mistake_of_a_user_has_its_row() -> None:
    """Each sentence that refuses options, models, data or baselines is on the troubleshooting page."""
    raised = []
    for path in (ROOT / "benchsuite").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                # What only hands on another sentence has no words of its own.
                text = template(node.exc.args[0])
                raised += [text] if ast.unparse(node.exc.func) in USERS_MISTAKES and fixed_words(text) > 2 else []
    assert len(raised) > 50
    assert [text for text in raised if not any(pattern.search(text) for pattern in quoted().values())] == []


def test_every_option_is_explained() -> None:
    """The page on choosing what to measure, or that of the gate, names each option of a run."""
    text = "".join((ROOT / "docs" / name).read_text() for name in ("choose-a-runtime.md", "gate-a-pull-request.md"))
    assert [setting.flag for setting in SETTINGS if f"`{setting.flag}" not in text] == []
