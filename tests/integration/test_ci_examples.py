"""The CI examples run as they stand: their shell lines, in a real repository of a user's, with two environments."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import yaml

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
OPTIONS = "--backend onnx --precision fp32 --imgsz 64 --effort quick --gate-metrics latency,memory --gate-budget 5s"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository whose requirements have changed by a comment since its first commit."""
    for text in ("benchsuite\n", "benchsuite  # head\n"):
        (tmp_path / "requirements.txt").write_text(text)
        git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")
        if not (tmp_path / ".git").exists():
            subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
        subprocess.run([*git, "add", "requirements.txt"], cwd=tmp_path, check=True)
        subprocess.run([*git, "commit", "--quiet", "-m", text], cwd=tmp_path, check=True)
    return tmp_path


@pytest.fixture
def environment(cache: Path, locks: Path) -> dict[str, str]:
    """Let new environments find the packages of this one, so that nothing has to be downloaded."""
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # A worktree that is not installed has no version for pip to find.
    own = {"GATE_OPTIONS": OPTIONS, "PATH": path, "BENCHSUITE_LOCK": str(locks / "lock")}
    return {**os.environ, "PYTHONPATH": packages, "BENCHSUITE_CACHE": str(cache), **own}


def base_sha(repository: Path) -> str:
    """Return the first commit."""
    return subprocess.check_output(["git", "rev-parse", "HEAD~1"], cwd=repository, text=True).strip()


def sh(script: str, repository: Path, environment: dict[str, str]) -> None:
    """Run a step as a CI runner does."""
    step = subprocess.run(
        ["bash", "-e", "-c", script], cwd=repository, env=environment, capture_output=True, text=True, timeout=400
    )
    assert step.returncode == 0, f"{script}\n{step.stdout}\n{step.stderr}"


def test_github_workflow_gates_and_comments(repository: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Every shell step of the workflow passes, and the comment's text is the gate's summary; `gh` itself is a fake."""
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "github-gate.yml").read_text())
    fake_gh = tmp_path / "bin" / "gh"
    fake_gh.parent.mkdir()
    fake_gh.write_text('#!/bin/sh\necho "$@" > gh-arguments.txt\n')
    fake_gh.chmod(fake_gh.stat().st_mode | stat.S_IXUSR)
    environment |= {
        "PATH": f"{fake_gh.parent}{os.pathsep}{environment['PATH']}",
        "BASE_SHA": base_sha(repository),
        "PULL_REQUEST": "7",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
    }
    steps = [step["run"] for step in workflow["jobs"]["gate"]["steps"] if "run" in step]
    assert len(steps) == 4
    for step in steps:
        sh(step, repository, environment)
    assert "Gate against env:" in (tmp_path / "step-summary.md").read_text()
    assert (repository / "gh-arguments.txt").read_text().startswith("pr comment 7 ")
    assert (repository / "reports" / "latest" / "index.html").is_file()


class Notes(BaseHTTPRequestHandler):
    """A forge that takes notes on merge requests."""

    received: list[tuple[str, str, str]]

    def do_POST(self) -> None:
        """Keep path, token and body."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).received.append((self.path, self.headers["PRIVATE-TOKEN"], parse_qs(body)["body"][0]))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def forge() -> Iterator[HTTPServer]:
    """Serve on a free port of this machine."""
    Notes.received = []
    server = HTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_gitlab_job_gates_and_comments(repository: Path, environment: dict[str, str], forge: HTTPServer) -> None:
    """Every line of the job passes, and its note arrives at the merge request with the summary as its body."""
    job = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-gate.yml").read_text())["latency-gate"]
    environment |= {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base_sha(repository),
        "CI_API_V4_URL": f"http://127.0.0.1:{forge.server_port}/api/v4",
        "CI_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "3",
        "GATE_TOKEN": "secret",
        "no_proxy": "127.0.0.1",
    }
    for line in (*job["script"], *job["after_script"]):
        sh(line, repository, environment)
    ((path, token, body),) = Notes.received
    assert (path, token) == ("/api/v4/projects/12/merge_requests/3/notes", "secret")
    assert body == (repository / "reports" / "latest" / "summary.md").read_text()
    assert json.loads((repository / "reports" / "latest" / "gate.json").read_text())["exit_code"] == 0
