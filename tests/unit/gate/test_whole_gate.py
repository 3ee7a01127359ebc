"""Whole gates from options to exit code, on runtimes that take no time: every verdict, and every kind of baseline."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchsuite.backends.interface import FloatArray, Ran
from benchsuite.commands.gate import run_gate
from benchsuite.commands.selftest import SelfTestPlan, run_selftest
from benchsuite.compare import promotion
from benchsuite.compare.findings import Finding, read_findings
from benchsuite.gate import blocks
from benchsuite.networks.weights import BUNDLED, resolve
from benchsuite.runs.folder import read_run
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import UsageError
from benchsuite.testing import FakeBackend, draw_small_data, fake_runtimes
from benchsuite.testing.fake_backend import FakeSession

CASE = f"{BUNDLED}-onnx-fp32-cpu-64-b1"
OPTIONS = {
    "backend": "onnx", "precision": "fp32", "imgsz": "64", "effort": "quick", "threads": "2", "gate_budget": "30s",
    "gate_metrics": "latency,memory",
}  # fmt: skip


@dataclass
class Gates:
    """A folder in which gates are run against weights of another name."""

    folder: Path
    options: Mapping[str, str]
    said: list[str] = field(default_factory=list)

    def run(self, *runtimes: FakeBackend, **options: str) -> int:
        """Return the exit code."""
        self.said.clear()
        with fake_runtimes(FakeBackend("torch"), *runtimes):
            return run_gate({**self.options, **options}, self.said.append, terminal=False)

    @property
    def latest(self) -> Path:
        return self.folder / "reports" / "latest"

    @property
    def summary(self) -> str:
        return (self.latest / "summary.md").read_text()

    def finding(self, metric: str) -> Finding:
        return next(it for it in read_findings(self.latest) if it.metric == metric)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_small_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def gates(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> Gates:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHSUITE_CACHE", str(tmp_path / "cache"))
    # Fakes disturb nobody, and need not wait for whoever measures on this machine.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shutil.copy(resolve([BUNDLED], tmp_path)[0].path, tmp_path / "older.pt")
    return Gates(tmp_path, {**OPTIONS, "data": str(data), "against": "older.pt"})


def onnx(older_ms: float, jitter: float = 0.01, fails: Callable[[Case, str], str | None] | None = None) -> FakeBackend:
    """Return a runtime on which the candidate takes 20 ms and the older weights something else."""
    speeds = {"older": older_ms}
    return FakeBackend("onnx", lambda case: speeds.get(case.model, 20.0), jitter, fails=fails or (lambda *_: None))


@pytest.mark.parametrize(
    ("older_ms", "verdict", "code"), [(20.0, "PASS", 0), (18.0, "REGRESSED", 1), (22.5, "IMPROVED", 0)]
)
def test_the_slower_arm_is_told(gates: Gates, older_ms: float, verdict: str, code: int) -> None:
    """Equal arms pass, a tenth more fails and a tenth less is an improvement, each proved by blocks that are kept."""
    assert gates.run(onnx(older_ms)) == code
    assert gates.finding("latency").verdict == verdict
    assert gates.finding("latency").case_id == CASE
    kept, notes = blocks.read(gates.latest / "gate-blocks.jsonl")
    assert notes == ()
    assert {block.subject.control for block in kept} == {True, False}
    assert json.loads((gates.latest / "gate.json").read_text())["exit_code"] == code
    assert f"1 {verdict}" in "\n".join(gates.said)


def test_what_no_budget_decides_is_inconclusive(gates: Gates) -> None:
    """Too few blocks prove neither: the exit code is 0, and 4 where nothing may stay open."""
    assert gates.run(onnx(20.6), gate_budget="0.2s") == 0
    assert gates.finding("latency").verdict == "INCONCLUSIVE"
    assert gates.summary.startswith("## ⚠️ NOT DECIDED\n")
    assert gates.run(onnx(20.6), gate_budget="0.2s", gate_strict="yes") == 4
    assert gates.summary.startswith("## ❌ FAILED\n\n2 comparisons stayed undecided. ")
    for place in (gates.summary, (gates.latest / "index.html").read_text(), " ".join(gates.said)):
        text = re.sub(r"\\|&#\d+;|\s+", lambda found: "" if found[0] == "\\" else " ", place)
        assert re.search(r"(no block was measured|% by the median of \d+ blocks?).*?excluded.*? more blocks", text)


def test_an_arm_that_dies_in_a_later_block_is_missing(gates: Gates) -> None:
    """The verdict names the arm and what it said, and the blocks before it are kept."""
    readings: list[str] = []

    def fails(case: Case, asked: str) -> str | None:
        readings.extend([asked] * (case.model == "older" and asked == "read"))
        return "illegal instruction" if case.model == "older" and len(readings) > 40 else None

    assert gates.run(onnx(20.0, fails=fails)) == 3
    (finding,) = [it for it in read_findings(gates.latest) if it.verdict == "MISSING"]
    assert "The baseline failed after" in finding.sentence
    assert "illegal instruction" in finding.sentence
    assert blocks.read(gates.latest / "gate-blocks.jsonl")[0]


def test_a_candidate_that_cannot_run_is_missing_and_a_new_case_not_comparable(gates: Gates) -> None:
    """The same sentence fails the one arm and excuses the other."""

    def refusing(model: str) -> FakeBackend:
        return FakeBackend("onnx", refuses=lambda case: f"{model} is refused" if case.model == model else None)

    assert gates.run(refusing(BUNDLED)) == 3
    assert "the candidate does not: yolo26n_shapes is refused" in gates.finding("case").sentence
    assert gates.run(refusing("older")) == 5
    assert gates.finding("case").verdict == "NOT_COMPARABLE"
    assert gates.summary.startswith("## ❌ FAILED\n\n1 comparison could not be made. ")


def test_kernels_are_not_compared_between_networks(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other weights are another network; of the same weights other kernels fail."""

    def ran(session: FakeSession) -> Ran:
        return Ran("fake onnx", "fp32", "fp32", {"Conv": 60 if session._case.model == "older" else 64})

    monkeypatch.setattr(FakeSession, "ran", ran)
    assert gates.run(onnx(20.0)) == 1
    assert gates.finding("kernels").verdict == "REGRESSED"
    with zipfile.ZipFile(gates.folder / "older.pt", "a") as file:
        file.writestr("yolo26n_shapes/note", "retrained")
    assert gates.run(onnx(20.0)) == 0
    assert (gates.finding("kernels").verdict, gates.finding("kernels").fails) == ("NOT_COMPARABLE", False)
    assert "The arms have other weights" in gates.finding("kernels").sentence
    # What differs heads every finding, the most telling first.
    assert gates.finding("latency").environment[0].startswith("weights: ")


def test_faster_and_wrong_is_void_and_keeps_its_figures(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A candidate that finds nothing any more is not improved, and what its blocks showed still stands there."""
    seeing = FakeSession.run

    def blind(session: FakeSession, batch: FloatArray) -> FloatArray:
        output = seeing(session, batch)
        return output * 0 if (session._case.backend, session._case.model) == ("onnx", BUNDLED) else output

    monkeypatch.setattr(FakeSession, "run", blind)
    with zipfile.ZipFile(gates.folder / "older.pt", "a") as file:
        file.writestr("yolo26n_shapes/note", "retrained")
    assert gates.run(onnx(30.0)) == 1
    finding = gates.finding("latency")
    assert finding.verdict == "INCONCLUSIVE"
    assert re.match(r"Faster, and void: .*failed\. Proved more than 1 % better: .*by the median of", finding.sentence)


def test_selftest_tries_replays_and_says_what_held(gates: Gates) -> None:
    """Replays need suites of equal arms, which later commands draw from as well; the last line says what was tried."""
    said: list[str] = []

    def selftest(aa: int, slowdowns: tuple[float, ...], replays: int) -> int:
        said.clear()
        options = {name: text for name, text in gates.options.items() if name != "against"}
        with fake_runtimes(FakeBackend("torch"), FakeBackend("onnx")):
            return run_selftest(options, SelfTestPlan(aa, slowdowns, 1, replays), said.append, terminal=False)

    with pytest.raises(UsageError, match=r"--replay 3: .* give --aa 10 too"):
        selftest(0, (0.1,), 3)
    assert selftest(1, (), 0) == 0
    assert said[-2] == (
        "No more false alarms than promised in these suites. Half of the promise was not tried: give --inject 5% too."
    )
    assert selftest(0, (), 2) == 0
    assert "replayed suites, with exact 95 % intervals:" in said
    assert selftest(0, (0.1,), 2) == 0
    assert said[-2].endswith("slowdowns from 10 % on were caught: give --inject 5% too.")


def test_throughput_has_saturated_blocks_of_its_own(gates: Gates) -> None:
    """Every thread has a worker, a reading is one figure, and the finding shows images a second."""
    assert gates.run(onnx(20.0), gate_metrics="throughput", gate_budget="10s") == 0
    assert gates.finding("throughput").baseline.split()[1] == "img/s"
    assert gates.finding("throughput").current.endswith("%) time an image")
    saturated = [it for it in blocks.read(gates.latest / "gate-blocks.jsonl")[0] if it.subject.metric == "throughput"]
    assert saturated
    assert all(len(reading) == 1 for it in saturated for reading in it.readings)


@pytest.mark.parametrize("metrics", ["p95", "p95,p99", "throughput,p99"])
def test_tails_alone_are_no_gate(gates: Gates, metrics: str) -> None:
    """A tail is looked at beside a median: without one no block would be taken, and nothing be decided."""
    with pytest.raises(UsageError, match=r"--gate-metrics .*p9[59].* name latency too"):
        gates.run(onnx(20.0), gate_metrics=metrics)
    assert not (gates.folder / "reports").exists()


def test_a_promoted_baseline_is_had_again(gates: Gates) -> None:
    """Its artifact is the baseline's arm, under the name of its machine; one that is not there is a usage error."""
    assert gates.run(onnx(20.0)) == 0
    promotion.promote(read_run(gates.latest), gates.folder / "baselines", "here")
    assert gates.run(onnx(20.0), against="here") == 0
    assert gates.said[0] == "gate: candidate against baseline:here"
    assert gates.finding("latency").verdict == "PASS"


def test_a_waiver_lets_a_slowdown_pass_up_to_its_ceiling(gates: Gates) -> None:
    """What a waiver accepts passes, and after its date the case fails."""
    waiver = '[[waiver]]\ncase = "{case}"\nmetric = "latency"\nceiling = "30%"\nreason = "wanted"\nexpires = {date}\n'
    path = gates.folder / "waivers.toml"
    path.write_text(waiver.format(case=CASE, date="2999-01-01"))
    assert gates.run(onnx(18.0), waivers=str(path)) == 0
    assert gates.finding("latency").allowed == "less than 30 % more"
    asked = json.loads((gates.latest / "gate.json").read_text())["thresholds"]
    assert (asked[f"{CASE} latency"]["promise"], asked[f"{CASE} memory"]["promise"]) == (0.3, 0.05)
    path.write_text(waiver.format(case="yolo26n_shapes-onnx-fp32-cpu-46-b1", date="2999-01-01"))
    assert gates.run(onnx(20.0), waivers=str(path)) == 0
    unknown = "waivers without effect: this gate selected no case named yolo26n_shapes-onnx-fp32-cpu-46-b1"
    assert any(line.startswith(unknown) for line in gates.said)
    assert "waivers without effect: this gate selected no case named" in gates.summary
    path.write_text(waiver.format(case=CASE, date="2999-01-01").replace("30%", "3%"))
    with pytest.raises(
        UsageError, match=r"has the ceiling 3 %, and --max-slowdown 5 % is what the gate accepts anyway"
    ):
        gates.run(onnx(20.0), waivers=str(path))
    path.write_text(waiver.format(case=CASE, date="2020-01-01"))
    assert gates.run(onnx(20.0), waivers=str(path)) == 1
    assert gates.finding("waiver").fails
