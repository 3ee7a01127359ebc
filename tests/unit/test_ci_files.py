"""The CI examples as files: they say what a runner needs to know, and benchsuite has every option that they give."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from benchsuite.commands.app import app

CI = Path(__file__).resolve().parents[2] / "examples" / "ci"
GITHUB: Mapping[str, Any] = yaml.safe_load((CI / "github-gate.yml").read_text())
STEPS = GITHUB["jobs"]["gate"]["steps"]
GITLAB: Mapping[str, Any] = yaml.safe_load((CI / "gitlab-gate.yml").read_text())["latency-gate"]
SCRIPTS = {
    **{f"github: {step['name']}": step["run"] for step in STEPS if "run" in step},
    **{f"gitlab: {part}": "\n".join(GITLAB[part]) for part in ("before_script", "script", "after_script")},
}


def commands() -> Iterator[list[str]]:
    """Yield the words of every command of ours, the variable with the gate's options spelt out."""
    for variables, scripts in ((GITHUB["env"], "github"), (GITLAB["variables"], "gitlab")):
        for name, script in SCRIPTS.items():
            for line in script.splitlines() if name.startswith(scripts) else ():
                if " -m benchsuite " in line:
                    words = line.partition(" -m benchsuite ")[2].partition(";")[0]
                    yield shlex.split(words.replace("$GATE_OPTIONS", variables["GATE_OPTIONS"]))


def test_commands_have_the_options_that_are_given() -> None:
    """Each command line is read as the command itself reads it."""
    found = list(commands())
    assert {words[0] for words in found} == {"--version", "gate", "cache"}
    for words in found:
        command = typer.main.get_command(app)
        while words and not words[0].startswith("-"):
            command = command.commands[words.pop(0)]
        assert words == ["--version"] or command.make_context("benchsuite", words)


@pytest.mark.parametrize("name", SCRIPTS)
def test_shell_reads_every_script(name: str) -> None:
    """Bash finds no fault in it without running it."""
    subprocess.run(["bash", "-n"], input=SCRIPTS[name], text=True, check=True)


def test_both_install_pytorch_without_cuda_and_keep_what_they_built() -> None:
    """Two environments fit a hosted runner, and wheels and artifacts are there the next time."""
    for variables in (GITHUB["env"], GITLAB["variables"]):
        assert variables["PIP_EXTRA_INDEX_URL"] == "https://download.pytorch.org/whl/cpu"
        assert variables["BENCHSUITE_CACHE"]
        assert variables["MARKER"].startswith("<!-- ")
    (kept,) = [step["with"]["path"] for step in STEPS if step.get("uses", "").startswith("actions/cache@")]
    assert GITHUB["env"]["BENCHSUITE_CACHE"].endswith(f"/{kept}")
    (python,) = [step["with"] for step in STEPS if step.get("uses", "").startswith("actions/setup-python@")]
    assert python["cache"] == "pip"
    (folder,) = GITLAB["cache"]["paths"]
    assert all(f"/{folder}" in GITLAB["variables"][name] for name in ("PIP_CACHE_DIR", "BENCHSUITE_CACHE"))


def test_github_job_may_comment_and_no_more() -> None:
    """The token reads the code and writes comments; where it cannot, as for forks, no comment is tried."""
    assert GITHUB["permissions"] == {"contents": "read", "pull-requests": "write"}
    # YAML 1.1 reads the key `on` as true.
    assert GITHUB[True] == "pull_request"
    (comment,) = [step for step in STEPS if "gh api" in step.get("run", "")]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in comment["if"]
    assert "dependabot[bot]" in comment["if"]
    for way in ("startswith(env.MARKER)", "--method PATCH", "--method POST"):
        assert way in comment["run"]


def test_newer_pushes_take_the_place_of_older_ones() -> None:
    """No two gates of one pull request run beside each other."""
    assert "github.event.pull_request.number" in GITHUB["concurrency"]["group"]
    assert GITHUB["concurrency"]["cancel-in-progress"] is True
    assert GITLAB["interruptible"] is True


def test_actions_run_on_the_runtime_that_runners_have() -> None:
    """Each action is one of GitHub's own, in its newest major version when this was written."""
    uses = [step["uses"] for step in STEPS if "uses" in step]
    newest = {"checkout": 7, "setup-python": 7, "cache": 6, "upload-artifact": 7}
    assert len(uses) == len(newest)
    for action in uses:
        name, version = re.fullmatch(r"actions/([\w-]+)@v(\d+)", action).groups()  # type: ignore[union-attr]
        assert int(version) >= newest[name]


def test_base_without_benchsuite_ends_green() -> None:
    """What needs the base's environment waits for it, and GitLab's job ends before it."""
    names = [step.get("name") or step["uses"] for step in STEPS]
    after = STEPS[names.index("Make the base's environment") + 1 :]
    assert len(after) == 5
    assert all("steps.base.outputs.ready == 'yes'" in step["if"] for step in after)
    assert SCRIPTS["gitlab: script"].count("exit 0") == 2


def test_github_step_says_that_the_base_has_no_benchsuite(tmp_path: Path) -> None:
    """A base branch without requirements.txt is nobody's fault: the step passes and leaves word."""
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "empty"], cwd=tmp_path, check=True)
    for name in ("output", "summary"):
        (tmp_path / name).touch()
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    script = SCRIPTS["github: Make the base's environment"]
    subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, check=True, env={**os.environ, **files, "BASE_SHA": "HEAD"}
    )
    assert (tmp_path / "output").read_text() == ""
    assert "no benchsuite yet" in (tmp_path / "summary").read_text()
