"""In another language a page has no English left but names, and what a runtime or a person wrote."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from benchsuite.backends import BACKENDS, backend
from benchsuite.compare.comparison import compare_runs
from benchsuite.compare.limits import broken_limits
from benchsuite.gate.blocks import Stream
from benchsuite.gate.judging import Thresholds, judge_shift
from benchsuite.gate.loop import Outcome, Status
from benchsuite.gate.verdicts import Levels, findings_of
from benchsuite.gate.waivers import Waiver
from benchsuite.options.settings import defaults, parse
from benchsuite.report.gate_view import GateView, SelfTestView
from benchsuite.report.history import make_history
from benchsuite.report.history_page import history_page
from benchsuite.report.matrix import make_matrix
from benchsuite.report.matrix_page import matrix_page
from benchsuite.report.page import render
from benchsuite.report.samples import thin
from benchsuite.report.series import Costs
from benchsuite.report.summary import summary
from benchsuite.report.views import page_view
from benchsuite.runs.folder import Run
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS
from benchsuite.terms.language import Language, languages
from benchsuite.testing import make_accuracy, make_case, make_machine, make_metrics, make_record, make_run
from tests.support.gates import read_evidence, write_gate

OTHERS = [code for code in languages() if code != "en"]
# Names of cases, versions, figures with a unit, paths and digests are nobody's language.
NAMES = re.compile(
    r"[^A-Za-z]*(ms|MB|GB|img/s|px|s)?( \([^A-Za-z]*%\))?"
    r"|\S*[\d/_.-]\S*|torch|onnx|openvino|ncnn|trt|tensorrt|(torch|onnx|openvino|ncnn|trt) \S+( \(.*\))?"
    r"|Example CPU.*|Linux .*|.*yolo\S*|[A-Za-z_-]+ [\d.]+(, .*)?"
    r"|p\d\d [\d.]+ ms|mAP50-95 [\d.]+|(avx2|fma).*|(onnx|openvino|torch|ncnn|trt) 1\.0: .*|.* ->.*"
)


@pytest.fixture(params=OTHERS)
def unsaid(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[str, set[str]]:
    """Note every text that is asked for and has no translation."""
    texts: set[str] = set()
    say = Language.say

    def noting(self: Language, text: str, *values: object) -> str:
        if self.code == request.param and not (text in self._texts if values else self._find(text, 0) is not None):
            texts.add(text)
        return say(self, text, *values)

    monkeypatch.setattr(Language, "say", noting)
    return request.param, texts


def english(texts: set[str]) -> list[str]:
    """Return the texts that are more than names."""
    return sorted(text for text in texts if not NAMES.fullmatch(text))


def rich_run(**changes: Any) -> Run:
    """Build a run with every table, absence and outcome that a page knows."""
    plain = [
        make_record(make_case(backend=name, precision=precision, batch=batch), total_ms=10 + 5 * place + batch)
        for place, (name, precision) in enumerate(product(("torch", "onnx", "openvino"), ("fp32", "int8")))
        for batch in (1, 4)
    ]
    plain[3] = replace(
        plain[3], metrics=make_metrics(20, accuracy=Absent("none of the 40 evaluated images has a label"))
    )
    plain[5] = replace(plain[5], metrics=make_metrics(9, accuracy=make_accuracy(0.4)))
    others = [
        make_record(make_case(backend="trt", device="cuda:0"), "skipped", "ncnn is not installed: pip install ncnn"),
        make_record(make_case(backend="ncnn"), "failed", "ncnn could not run the model (code -1)"),
        make_record(
            make_case(backend="trt", precision="fp16", device="cuda:0"), "built", "built here, not run: no GPU"
        ),
    ]
    return make_run([*plain, *others], **changes)


def test_page_and_summary_of_a_run(unsaid: tuple[str, set[str]]) -> None:
    """Tables, charts, footnotes, findings against an older run and limits leave nothing unsaid."""
    code, texts = unsaid
    run = rich_run(state="interrupted", notes=("records.jsonl: dropped an unterminated last line of 12 characters",))
    older = make_run(
        [make_record(record.case, total_ms=12) for record in run.records[:4]], machine=make_machine(cpu="Old")
    )
    limits = parse({"max_latency": "p50=1ms", "max_memory": "1MB", "min_map": "0.9"}).limits
    broken = [it for record in run.records[:4] for it in broken_limits(run, record, limits)]
    findings = [*compare_runs(older, run), *broken]
    timed = [record for record in run.records if not isinstance(record.metrics.latency, Absent)]
    samples = {record.case.id: thin([20_000_000] * 9) for record in timed}
    view = page_view(run, findings, 1.0, samples=samples)
    page = render(view, code)
    summary(view, code)
    assert "\n".join(english(texts)) == ""
    # Charts are said too: none of their titles is as it was made.
    charts = re.findall(r'data-chart="[^"]*">(.*?)</script>', page)
    assert len(charts) > 5
    assert [json.loads(chart)["x"]["title"] for chart in charts if "total latency" in chart] == []


def test_gate_of_every_verdict(unsaid: tuple[str, set[str]], tmp_path: Path) -> None:
    """Verdicts, waivers, the control's facts and a self-test's rates leave nothing unsaid."""
    code, texts = unsaid
    thresholds = {"latency": Thresholds(0.01, 0.05, 0.01 / 24)}
    levels = Levels({"A": 40e6, "B": 42e6}, {"A": 2e8, "B": 2e8})
    waiver = Waiver(make_case().id, "latency", 0.08, make_date(), "accepted for now")
    findings = []
    for ds, stopped in (
        ([math.log(1.06)] * 15, ""), ([0.0] * 6 + [0.01] * 6, ""), ([math.log(0.9)] * 15, ""),
        ([0.0, 0.06, 0.0, 0.0] * 4, ""), ([-0.1, 0.1] * 10, ""), ([0.0], ""),
        ([0.0] * 3, "8 blocks on end had to be thrown away: the machine slept for 3 s"),
    ):  # fmt: skip
        judgement = judge_shift("latency", ds, thresholds["latency"])
        status = Status(Stream(make_case().id), len(ds), (judgement,), judgement.done, stopped=stopped)
        outcome = Outcome((status,), (), False, None, 12, 60.0)
        for waivers in ((), (waiver,)):
            findings += findings_of(status, thresholds, levels, outcome, defaults().gate, waivers)
    write_gate(tmp_path)
    gate = GateView(
        against="weights:old.pt",
        facts=(
            "Changed from the baseline to the candidate: nothing that is recorded of machine and versions.",
            "12 sweeps in 60 s; every block was measured by workers launched for it.",
            "The control, the same artifact in both arms, differed from itself by +0.1 % (−0.2 to +0.3 %).",
        ),
        findings=tuple(findings),
        notes=("the gate was interrupted",),
        evidence=read_evidence(tmp_path),
    )
    tested = SelfTestView(("one",), ("20 suites, with exact 95 % intervals:", "The promise holds."))
    view = page_view(rich_run(), findings, 1.0, gate, selftests=[tested])
    render(view, code)
    summary(view, code)
    assert "\n".join(english(texts)) == ""


def test_runs_side_by_side_and_over_time(unsaid: tuple[str, set[str]]) -> None:
    """The matrix with its costs and the history with its changes leave nothing unsaid."""
    code, texts = unsaid
    runs = [
        rich_run(started=f"2026-02-{day:02}T12:00:00+00:00", folder=Path(f"reports/{day}"))
        if day < 5
        else make_run(
            [make_record(make_case(backend="onnx", precision="fp32"), total_ms=40)],
            started=f"2026-02-{day:02}T12:00:00+00:00", folder=Path(f"reports/{day}"),
        )
        for day in range(1, 9)
    ]  # fmt: skip
    matrix_page(make_matrix(runs[:2], 0, [Costs(65, 0.1), Costs(250, 2.5)]), code)
    history = history_page(make_history(runs, ["cannot read reports/9/run.json: it is empty"]), code)
    assert json.loads(re.findall(r'id="texts">(.*?)</script>', history)[0])["new level"] != "new level"
    assert "\n".join(english(texts)) == ""


@pytest.mark.parametrize("device", ["cpu", "cuda:0", "cuda:7", "vulkan"])
def test_every_reason_not_to_run(unsaid: tuple[str, set[str]], device: str) -> None:
    """What each backend says of a case that cannot run here has its translation."""
    code, texts = unsaid
    machines = (make_machine(), make_machine(isa=()), make_machine(arch="aarch64", isa=("asimd",)))
    cases = [
        make_case(backend=name, precision=precision, device=device, head=head, batch=batch, variant=variant)
        for name, precision in product(BACKENDS, PRECISIONS)
        for head in ("one2many", "end2end")
        for batch in (1, 4)
        for variant in ("", "compile", "trtep", "cudagraph")
    ]
    reasons = {backend(case.backend).why_not(case, machine) for case in cases for machine in machines} - {None}
    assert reasons
    from benchsuite.terms.language import language

    for reason in reasons:
        language(code).say(str(reason))
    assert "\n".join(english(texts)) == ""


def make_date() -> Any:
    import datetime

    return datetime.date(2030, 1, 31)
