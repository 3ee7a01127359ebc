"""In another language a page has no English left but names, and what a runtime or a person wrote."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
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
from benchsuite.gate.verdicts import BaselineLevel, findings_of
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
from benchsuite.terms.language import language, languages, read_texts
from benchsuite.terms.said import Said
from benchsuite.testing import make_accuracy, make_case, make_machine, make_metrics, make_record, make_run
from tests.support.gates import read_evidence, write_gate

OTHERS = [code for code in languages() if code != "en"]
# Names of cases and machines, versions, figures with a unit, paths and digests are nobody's language.
NAMES = re.compile(
    r"[^A-Za-z]*(ms|MB|GB|img/s|px|s)?( \([^A-Za-z]*%\))?|\S*[\d/_.-]\S*|Example CPU.*|Linux .*|.*yolo\S*|.* ->.*"
)
PROPER = (
    "torch", "onnx", "openvino", "ncnn", "onnxruntime", "ultralytics", "Example", "Conv", "MaxPool", "star",
    "fma", "abab" * 16, "cdcd" * 16, "cdcdcdcdcdcd", "dadadada", "records", "weights:old.pt", "accepted for now",
)  # fmt: skip
# Of charts and data, what people read.
SHOWN_KEYS = ("text", "name", "heading", "unit", "effort", "groups", "reasons")


class Shown(HTMLParser):
    """The texts that a page shows, those of its charts and data too, but for commands and names in code."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "script", "pre", "code"):
            self._within.append("json" if ("type", "application/json") in attrs else tag)
        self.texts += [value or "" for name, value in attrs if name in ("title", "aria-label", "data-label")]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "pre", "code"):
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.texts += data.splitlines()
        elif self._within[-1] == "json":
            self._data(json.loads(data))

    def _data(self, part: Any, read: bool = False) -> None:
        if isinstance(part, (dict, list)):
            for key, value in part.items() if isinstance(part, dict) else enumerate(part):
                self._data(value, key in SHOWN_KEYS or (read and isinstance(part, list)))
        elif read and isinstance(part, str):
            self.texts.append(part)


def english(page: str, code: str) -> list[str]:
    """Return the texts of a page, or the lines of a summary, that stand in English though there is a translation.

    What has none is printed, and fails nobody who says something new.
    """
    shown = Shown()
    shown.feed(page)
    known = words(" ".join((*read_texts(code).values(), *PROPER)))
    texts = {text.strip() for text in shown.texts}
    left = sorted(text for text in texts if not NAMES.fullmatch(text) and words(text) - known)
    unsaid = [text for text in left if language(code).say(text) != text]
    if gaps := [text for text in left if text not in unsaid]:
        print(f"without a translation into {code}:", *gaps, sep="\n  ")
    return unsaid


def words(text: str) -> set[str]:
    """Return the words of a text in Latin letters, options and ids left out."""
    return set(re.findall(r"(?<![-\w/.])[A-Za-z]{3,}(?![-\w/])", text))


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


@pytest.mark.parametrize("code", OTHERS)
def test_page_and_summary_of_a_run(code: str) -> None:
    """Tables, charts, footnotes, findings against an older run and limits leave nothing unsaid."""
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
    assert english(render(view), code)
    page = render(view, code)
    assert english(page, code) == []
    assert english(summary(view, code), code) == []
    # Charts are said too: none of their titles is as it was made.
    charts = re.findall(r'data-chart="[^"]*">(.*?)</script>', page)
    assert len(charts) > 5
    assert [json.loads(chart)["x"]["title"] for chart in charts if "total latency" in chart] == []


@pytest.mark.parametrize("code", OTHERS)
def test_gate_of_every_verdict(code: str, tmp_path: Path) -> None:
    """Verdicts, waivers, the control's facts and a self-test's rates leave nothing unsaid."""
    thresholds = {"latency": Thresholds(0.01, 0.05, 0.01 / 24)}
    level = BaselineLevel(40e6, 2e8)
    waiver = Waiver(make_case().id, "latency", 0.08, "accepted for now", make_date())
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
            findings += findings_of(status, thresholds, level, outcome, defaults().gate, waivers)
    write_gate(tmp_path)
    gate = GateView(
        against="weights:old.pt",
        facts=(
            "Changed from the baseline to the candidate: nothing that is recorded of machine and versions.",
            "12 rounds in 60 s; every block was measured by workers launched for it.",
            "The control, the same artifact in both arms, differed from itself by +0.1 % (−0.2 to +0.3 %).",
        ),
        findings=tuple(findings),
        notes=("the gate was interrupted",),
        evidence=read_evidence(tmp_path),
    )
    tested = SelfTestView(
        ("one",), ("20 suites, with exact 95 % intervals:", "The promise does not hold on this machine.")
    )
    view = page_view(rich_run(), findings, 1.0, gate, selftests=[tested])
    assert english(render(view, code), code) == []
    assert english(summary(view, code), code) == []


@pytest.mark.parametrize("code", OTHERS)
def test_runs_side_by_side_and_over_time(code: str) -> None:
    """The matrix with its costs and the history with its changes leave nothing unsaid."""
    runs = [
        rich_run(started=f"2026-02-{day:02}T12:00:00+00:00", folder=Path(f"reports/{day}"))
        if day < 5
        else make_run(
            [make_record(make_case(backend="onnx", precision="fp32"), total_ms=40)],
            started=f"2026-02-{day:02}T12:00:00+00:00", folder=Path(f"reports/{day}"),
        )
        for day in range(1, 9)
    ]  # fmt: skip
    matrix = matrix_page(make_matrix(runs[:2], 0, [Costs(65, 0.1), Costs(250, 2.5)]), code)
    assert english(matrix, code) == []
    history = history_page(make_history(runs, ["cannot read reports/9/run.json: it is a folder"]), code)
    assert json.loads(re.findall(r'id="texts">(.*?)</script>', history)[0])["new level"] != "new level"
    assert english(history, code) == []


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("finished", [False, True], ids=["as a sentence", "as 0.1.0 wrote it"])
def test_reasons_not_to_run(code: str, finished: bool) -> None:
    """What backends say of cases that cannot run is said, and so is what an older record has of it."""
    machines = (make_machine(), make_machine(isa=()), make_machine(arch="aarch64", isa=("asimd",)))
    cases = [
        make_case(backend=name, precision=precision, device=device, head=head, batch=batch, variant=variant)
        for name, precision in product(BACKENDS, PRECISIONS)
        for device in ("cpu", "cuda:0", "cuda:7", "vulkan")
        for head in ("one2many", "end2end")
        for batch in (1, 4)
        for variant in ("", "compile", "trtep", "cudagraph")
    ]
    reasons = {backend(case.backend).why_not(case, machine) for case in cases for machine in machines} - {None}
    assert len(reasons) > 15
    # Whoever adds a reason need not speak the language.
    known = {reason for reason in reasons if reason and template(reason) in read_texts(code)}
    assert len(known) > 15
    say = language(code).say
    left = [reason for reason in known if say(json.loads(json.dumps(reason)) if finished else reason) == reason]
    assert left == []


def template(sentence: str) -> str:
    return sentence.template if isinstance(sentence, Said) else sentence


def make_date() -> Any:
    import datetime

    return datetime.date(2030, 1, 31)
