"""What 0.1.0 left on disk is read by this version: tests/samples/0.1.0 was written by that version's own writers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from benchsuite.artifacts.store import Cost, Store
from benchsuite.backends.schemes import SchemeSearch
from benchsuite.compare.baselines import load
from benchsuite.compare.findings import read_findings
from benchsuite.gate import blocks
from benchsuite.gate.card import read_card
from benchsuite.gate.selftest import read_setup, read_suites
from benchsuite.gate.session import BLOCKS_FILE
from benchsuite.measure.accuracy import EvaluationData, evaluation_key, kept_evaluations
from benchsuite.options.settings import defaults
from benchsuite.report.gate_view import gate_view, selftests
from benchsuite.report.page import write_report
from benchsuite.runs import records
from benchsuite.runs.folder import read_run
from benchsuite.study.bench import StudyBench
from benchsuite.study.rows import read_studies
from benchsuite.study.search import SchemeSearcher
from benchsuite.terms.absence import Absent
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import fake_runtimes, make_case, make_machine, make_recipe, make_site

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "0.1.0"
RUN = SAMPLES / "reports" / "20260131-120000"
FP32, INT8 = make_case(), make_case(precision="int8", variant="qdq-u8s8")


def test_run_is_read_with_its_records_and_findings() -> None:
    """Its card and machine, what was measured, what was skipped, and what was found."""
    run = read_run(RUN)
    assert (run.notes, run.state, run.options) == ((), "finished", {"imgsz": "640", "precision": "fp32,int8"})
    assert run.machine == make_machine()
    assert [record.outcome for record in run.records] == ["measured", "measured", "skipped"]
    metrics = run.records[1].metrics
    assert not isinstance(metrics.latency, Absent)
    assert not isinstance(metrics.accuracy, Absent)
    assert (run.records[1].case, metrics.latency.total_ns.p50, metrics.accuracy.map50_95) == (INT8, 24e6, 0.64)
    failing, passing = read_findings(RUN)
    assert (failing.metric, failing.verdict, failing.fails) == ("latency", "REGRESSED", True)
    assert (passing.case_id, passing.environment) == (INT8.id, ())


def test_first_records_say_what_they_lack() -> None:
    """A line that was written before times to build were kept has its figures, and a reason for what came later."""
    ((record,), notes) = records.read(SAMPLES / "records.jsonl")
    assert notes == ()
    latency, artifact = record.metrics.latency, record.artifact
    assert not isinstance(latency, Absent)
    assert not isinstance(artifact, Absent)
    assert latency.total_ns.p50 == 40_000_000
    assert artifact.build_s == Absent("its record does not say")


def test_gate_is_read_with_its_blocks() -> None:
    """The card has every figure that the file names, and the evidence follows the blocks."""
    card = read_card(RUN)
    assert card is not None
    assert (card.against, card.changed) == ("baseline:example", ("kernel 6.0.0 then, 6.1.0 now",))
    assert card.baseline_machine == make_machine(kernel="6.0.0")
    assert (card.settings.metrics, card.settings.budget_s, card.seed) == (("latency",), 30.0, 2**48 - 1)
    assert (card.plans[f"{FP32.id} latency"].calls, card.blocks) == (3, 21)
    assert card.harness_share == pytest.approx(0.0242, abs=1e-4)
    taken, notes = blocks.read(RUN / BLOCKS_FILE)
    assert (len(taken), notes) == (21, ())
    view = gate_view(RUN, read_findings(RUN))
    assert view is not None
    assert view.evidence is not None
    assert [(test.case_id, test.void, test.judgement.decision) for test in view.evidence.tests] == [
        (FP32.id, 1, "REGRESSED"), (INT8.id, 0, "INCONCLUSIVE"),
    ]  # fmt: skip
    assert view.facts[1].startswith("15 rounds in 62 s")


def test_gate_that_timed_nothing_is_read() -> None:
    """Its file has neither plans nor a share of the harness, which are absent with a reason."""
    card = read_card(SAMPLES / "untimed")
    assert card is not None
    assert (card.outcome, card.exit_code, card.notes) == (None, 3, ("gate: no case could be timed",))
    assert (card.plans, card.harness_share, card.blocks) == ({}, Absent("nothing was timed"), 0)


def test_selftest_goes_on_where_it_was() -> None:
    """Its set-up and suites are read, and shown for the machine that they are of."""
    folder = SAMPLES / "reports" / "selftest" / "0123456789ab"
    setup = read_setup(folder)
    assert (setup.fingerprint, setup.cases) == (make_machine().fingerprint, (FP32.id, INT8.id))
    assert setup.options == {"imgsz": "640", "gate_metrics": "latency"}
    suites, notes = read_suites(folder)
    assert ([suite.mode for suite in suites], notes) == (["live", "live", "replayed"], ())
    assert suites[1].caught == {FP32.id: True}
    assert suites[2].false_alarms == (f"{FP32.id} latency IMPROVED",)
    (shown,), damage = selftests(SAMPLES / "reports", setup.fingerprint, [INT8.id])
    assert damage == ()
    assert shown.cases == setup.cases
    assert selftests(SAMPLES / "reports", setup.fingerprint, ["another-onnx-fp32-cpu-640-b1"]) == ((), ())


def test_study_is_read() -> None:
    """Its rows, a row that could not be built, and a point of calibration."""
    ((study,), damage) = read_studies(SAMPLES / "reports")
    assert damage == ()
    assert (study.kind, study.machine, len(study.rows)) == ("schemes", make_machine(), 3)
    timed = study.rows[1].timed
    assert not isinstance(timed, Absent)
    assert (study.rows[1].case, timed.ratio) == (INT8, 0.6)
    assert (study.rows[2].reason, study.points[0].size) == ("nothing builds it here", 500)


def test_baseline_is_read() -> None:
    """Both entries of the promoted run, with what was accepted."""
    model = load(SAMPLES / "baselines" / "example").models["yolo26n"]
    assert model.machine == make_machine()
    assert [entry.case for entry in model.entries.values()] == [FP32, INT8]
    assert [entry.timing[0].total_p50_ms for entry in model.entries.values()] == [40.0, 24.0]


def test_store_finds_its_artifact(tmp_path: Path) -> None:
    """Nothing is built again, what kept no name goes by its weights, and a card without digest is asked for again."""
    shutil.copytree(SAMPLES / "cache", tmp_path / "cache")
    store = Store(tmp_path / "cache", lambda *_: pytest.fail("built again"), python="no interpreter is started")
    ((entry,), damage) = store.entries()
    assert (entry.recipe, entry.bytes, damage) == (make_recipe(), 8, ())
    assert entry.what == "weights abababababab onnx fp32 640 px b1 one2many"
    artifact, notes = store.get(make_recipe(), tmp_path / "w.pt")
    assert (artifact.bytes, notes) == (8, ())
    assert store.cost(make_recipe()) == Cost(0.0, 123_456_789)
    with fake_runtimes():
        packages = make_machine().packages
        card, _ = store.card(tmp_path / "w.pt", "ab" * 32, InputSize.square(640), "one2many", packages)
        assert store.card(tmp_path / "w.pt", "ab" * 32, InputSize.square(640), "one2many", packages) == (card, ())


def test_kept_evaluations_are_listed_and_taken_for_no_other(tmp_path: Path) -> None:
    """Their keys did not cover class names: this version looks for others, whatever they hold."""
    artifact = Store(SAMPLES / "cache").find(make_recipe())
    assert artifact is not None
    kept = {entry.digest for entry in kept_evaluations(SAMPLES / "cache")}
    assert len(kept) == 3
    data = EvaluationData(Path("data.yaml"), ("disc", "star"), (), "da" * 32)
    cases = [FP32, make_case(imgsz=320), make_case(imgsz=64)]
    assert not kept & {evaluation_key(case, artifact, data, make_machine()) for case in cases}


def test_kept_search_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was chosen by the estimate of a loss, not by the whole interval, so that its key is no longer asked for."""
    said: list[str] = []
    shutil.copytree(SAMPLES / "cache", tmp_path / "cache")
    options = replace(defaults(), max_map_drop=1.0, search_budget_s=600.0)

    class FakeBench:
        data = EvaluationData(Path("data.yaml"), (), (), "da" * 32)
        site = make_site(tmp_path / "cache", options=options, say=said.append)

        def preparation(self, _: object) -> object:
            return type("FakePreparation", (), {"recipe": staticmethod(make_recipe)})

    searcher = SchemeSearcher(cast(StudyBench, FakeBench()))
    monkeypatch.setattr(searcher, "_search", lambda _: SchemeSearch("qop-u8s8", 1.0, (), {}, "found"))
    assert searcher.search(INT8).chosen == "qop-u8s8"
    assert said == ["searching the INT8 scheme of yolo26n on onnx, at most 600 s"]
    said.clear()
    assert (searcher.search(INT8).chosen, said) == ("qop-u8s8", [])


def test_report_of_the_run_is_written_again(tmp_path: Path) -> None:
    """Its page shows the gate, the study and the self-test beside it, and finds nothing odd."""
    shutil.copytree(SAMPLES / "reports", tmp_path / "reports")
    folder = tmp_path / "reports" / RUN.name
    page = write_report(folder, read_findings(folder), 1.0)[0].read_text()
    for part in ("Gate against baseline:example", 'id="gate-ratios"', "Studies on this machine", 'id="selftests"'):
        assert part in page
    assert "cannot read" not in page
