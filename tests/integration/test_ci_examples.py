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
def environment(cache: Path, locks: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Let new environments find the packages of this one, so that nothing has to be downloaded."""
    # Not by PYTHONPATH: a gate keeps that from its other arm.
    folder = tmp_path_factory.mktemp("python")
    (folder / "packages.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\n"{sys.executable}" "$@" || exit\n'
        f'if [ "$2" = venv ]; then cp "{folder}/packages.pth" "$3"/lib/python3*/site-packages/; fi\n'
    )
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"GATE_OPTIONS": OPTIONS, "PATH": path, "BENCHSUITE_LOCK": str(locks / "lock")}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "BENCHSUITE_CACHE": str(cache), **own}


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
    """Every shell step of the workflow passes, and its comment is written once and then anew; `gh` itself is a fake."""
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "github-gate.yml").read_text())
    fake_gh = tmp_path / "bin" / "gh"
    fake_gh.parent.mkdir()
    fake_gh.write_text('#!/bin/sh\necho "$@" >> gh-calls.txt\ncase "$*" in *--paginate*) cat gh-ids.txt;; esac\n')
    fake_gh.chmod(fake_gh.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "gh-ids.txt").touch()
    environment |= {
        "PATH": f"{fake_gh.parent}{os.pathsep}{environment['PATH']}",
        "BASE_SHA": base_sha(repository),
        "PULL_REQUEST": "7",
        "MARKER": workflow["env"]["MARKER"],
        "GITHUB_REPOSITORY": "me/mine",
        "GITHUB_OUTPUT": str(tmp_path / "output.txt"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step-summary.md"),
    }
    # Whoever runs this keeps what is cached.
    steps = {
        step["name"]: step["run"].replace("2GB", "1000GB")
        for step in workflow["jobs"]["gate"]["steps"]
        if "run" in step
    }
    assert len(steps) == 6
    for step in steps.values():
        sh(step, repository, environment)
    assert (tmp_path / "output.txt").read_text() == "ready=yes\n"
    summary = (repository / "reports" / "latest" / "summary.md").read_text()
    assert "Gate against env:" in summary
    assert (tmp_path / "step-summary.md").read_text() == summary
    assert (repository / "comment.md").read_text() == f"{workflow['env']['MARKER']}\n{summary}"
    assert (repository / "reports" / "latest" / "index.html").is_file()
    (tmp_path / "gh-ids.txt").write_text("41\n")
    sh(steps["Comment on the pull request"], repository, environment)
    written = [line for line in (repository / "gh-calls.txt").read_text().splitlines() if "--method" in line]
    assert written == [
        "api --method POST repos/me/mine/issues/7/comments --field body=@comment.md",
        "api --method PATCH repos/me/mine/issues/comments/41 --field body=@comment.md",
    ]


class Notes(BaseHTTPRequestHandler):
    """A forge that keeps notes on a merge request."""

    received: list[tuple[str, str, str]]
    bodies: dict[int, str]

    def do_GET(self) -> None:
        """List the notes."""
        listed = json.dumps([{"id": number, "body": body} for number, body in self.bodies.items()]).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(listed)

    def do_POST(self) -> None:
        """Take another note."""
        self.keep(len(self.bodies) + 1)

    def do_PUT(self) -> None:
        """Write a note anew."""
        self.keep(int(self.path.rpartition("/")[2]))

    def keep(self, number: int) -> None:
        """Keep method, path and token, and the note itself."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        type(self).received.append((self.command, self.path, self.headers["PRIVATE-TOKEN"]))
        self.bodies[number] = parse_qs(body)["body"][0]
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture
def forge() -> Iterator[HTTPServer]:
    """Serve on a free port of this machine."""
    Notes.received, Notes.bodies = [], {1: "a note of somebody else's"}
    server = HTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_gitlab_job_gates_and_comments(repository: Path, environment: dict[str, str], forge: HTTPServer) -> None:
    """The job passes, and its note arrives at the merge request once and is then written anew."""
    job = yaml.safe_load((ROOT / "examples" / "ci" / "gitlab-gate.yml").read_text())["latency-gate"]
    environment |= {
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base_sha(repository),
        "CI_API_V4_URL": f"http://127.0.0.1:{forge.server_port}/api/v4",
        "CI_PROJECT_ID": "12",
        "CI_MERGE_REQUEST_IID": "3",
        "GATE_TOKEN": "secret",
        "MARKER": job["variables"]["MARKER"],
        "no_proxy": "127.0.0.1",
    }
    sh("\n".join(job["script"]), repository, environment)
    for _ in range(2):
        sh("\n".join(job["after_script"]).replace("2GB", "1000GB"), repository, environment)
    notes = "/api/v4/projects/12/merge_requests/3/notes"
    assert Notes.received == [("POST", notes, "secret"), ("PUT", f"{notes}/2", "secret")]
    summary = (repository / "reports" / "latest" / "summary.md").read_text()
    assert Notes.bodies == {1: "a note of somebody else's", 2: f"{job['variables']['MARKER']}\n{summary}"}
    assert json.loads((repository / "reports" / "latest" / "gate.json").read_text())["exit_code"] == 0
