"""What a terminal of 80 columns shows, to the letter: columns, breaks of lines, and where they stand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.commands import doctor
from benchsuite.compare.findings import Finding
from benchsuite.gate.session import GateResult
from benchsuite.report.comparing import comparison_lines
from benchsuite.report.console import case_line, table_lines
from benchsuite.report.failures import render
from benchsuite.report.gating import result_lines, status_line
from benchsuite.report.study import study_view, terminal_lines
from benchsuite.report.terminal import fit, fit_id, plain
from benchsuite.testing import make_case, make_machine, make_record, make_run
from tests.support.gates import make_status
from tests.support.studies import make_row, make_study

REASON = (
    "the worker died by signal 11 while it loaded /home/somebody/models/with-a-rather-long-name/"
    "yolo26n_coco_approximation_of_the_real_checkpoint.pt, and left nothing but a half-written file"
)
FINDING = Finding(
    make_case().id, "parity", "REGRESSED", f"0.995 of {REASON}", "0.9", "", f"Boxes moved: {REASON}.", True,
    (f"torch: 1 -> {REASON}",), "pytest bench/ -k one --data 'a path/data.yaml' --backend onnx --effort standard",
    "benchsuite promote reports/latest",
)  # fmt: skip
OTHER = replace(FINDING, case_id="other", metric="kernels", verdict="NOT_COMPARABLE", fails=False)

RUN = """\
yolo26n, 640 px, batch 1, 2 threads, one-to-many head

                   p50 ms p95 ms × fastest place  img/s RAM MB    mAP
onnx fp32            40.0   46.0      1.00     1   30.0    189  0.650
onnx fp32 pertens    50.0   57.5      0.80     2   24.0    189  0.650
trt fp32                –      –         –     –      –      –      –
trt fp16                –      –         –     –      –      –      –
trt bf16                –      –         –     –      –      –      –
trt int8                –      –         –     –      –      –      –

Deploy onnx fp32. It took least time, 40.0 ms in total, of the cases that keep
the accuracy: 0.00 points of mAP50-95 against torch fp32 (0.00 to 0.00 by its
200 images); a loss of 1 is allowed. 1.25 (1.20 to 1.30) times as fast as the
next, onnx fp32 pertens; proved.
Machine: quiet: turns of one case spread by 1.2 %

ncnn fp32             failed: the worker died by signal 11 while it loaded
                      /home/somebody/models/with-a-rather-long-name/yolo26n_coc
                      o_approximation_of_the_real_checkpoint.pt, and left
                      nothing but a half-written file
trt fp32, trt fp16, trt bf16, trt int8  built here, not run: no GPU

yolo26n-ncnn-fp32-cpu-640-b1  failed: the worker died by signal 11 while it lo…"""

WIDE = """\
yolo26n, 640 px, batch 1, 2 threads, one-to-many head

                           p50 ms p95 ms × fastest place  img/s RAM MB    mAP
onnx fp32 compile-pertens    40.0   46.0         –     –   30.0    189  0.650

Deploy onnx fp32 compile-pertens. It took least time, 40.0 ms in total, of the
cases that keep the accuracy: 0.00 points of mAP50-95 against torch fp32 (0.00
to 0.00 by its 200 images); a loss of 1 is allowed.
Machine: quiet: turns of one case spread by 1.2 %

"""

STUDY = """\
INT8 schemes against FP32 of the same runtime

yolo26n, 640 px, batch 1, 2 threads, one-to-many head

                               MB  p50 ms         × as fast    mAP  lost  boxes
onnx qdq<u8>                 2.60    15.4  1.40 (1.37–1.43)  0.726  +0.4    95%
openvino pertensor+rebuild3  2.60    15.4  1.40 (1.37–1.43)  0.726  +0.4    95%

onnx int8 qdq<u8>: the worker died by signal 11 while it loaded
  /home/somebody/models/with-a-rather-long-
  name/yolo26n_coco_approximation_of_the_real_checkpoint.pt, and left nothing
  but a half-written file

mAP is mAP50-95 on 64 images of data.yaml; effort quick.
Times are total latency (preprocess, inference, postprocess), taken turn by
turn; intervals are 95 %, over launches and sessions for times and over images
for mAP.
Same boxes: those of PyTorch FP32 at confidence 0.25 that are found again (and
how many are added)."""

GATE = """\
yolo26n_coc…penvino-int8-cpu-640-b16  14  +1.0 %  +1.0 to +1.0 PASS
one                                    0                       INCONCLUSIVE

other
  NOT_COMPARABLE  kernel counts
    Boxes moved: the worker died by signal 11 while it loaded /home/somebody/mod
    els/with-a-rather-long-name/yolo26n_coco_approximation_of_the_real_checkpoin
    t.pt, and left nothing but a half-written file.

gate: 2 cases: 1 REGRESSED, 1 PASS"""

COMPARED = """\
20260131-120000 -> 20260131-120000
  governor: performance -> the worker died by signal 11 while it loaded
    /home/somebody/models/with-a-rather-long-name/yolo26n_coco_approximation_of_the_real_checkpoint.pt,
    and left nothing but a half-written file

yolo26n-onnx-fp32-cpu-640-b1
  REGRESSED mAP50-95: 0.6500 -> 0.6000 (−5.00 points)
  REGRESSED mAP50: 0.8500 -> 0.8000 (−5.00 points)
  NOT_COMPARABLE total latency: 40.0 ms -> 41.0 ms. Timed on different
    machines: governor: performance -> the worker died by signal 11 while it
    loaded
    /home/somebody/models/with-a-rather-long-name/yolo26n_coco_approximation_of_the_real_checkpoint.pt,
    and left nothing but a half-written file.
  5 figures are equal

Timings of two runs are not paired: a machine drifts by more than small changes
  between them, so a ratio is no verdict on speed."""

FAILING = """\
yolo26n-onnx-fp32-cpu-640-b1
  REGRESSED  parity with the reference
    baseline  0.995 of the worker died by signal 11 while it loaded
              /home/somebody/models/with-a-rather-long-
              name/yolo26n_coco_approximation_of_the_real_checkpoint.pt, and
              left nothing but a half-written file
    current   0.9
    Boxes moved: the worker died by signal 11 while it loaded /home/somebody/mod
    els/with-a-rather-long-name/yolo26n_coco_approximation_of_the_real_checkpoin
    t.pt, and left nothing but a half-written file.
  what changed since the baseline:
    torch: 1 -> the worker died by signal 11 while it loaded /home/somebody/mode
    ls/with-a-rather-long-name/yolo26n_coco_approximation_of_the_real_checkpoint
    .pt, and left nothing but a half-written file
  measure it again:
    pytest bench/ -k one --data 'a path/data.yaml' --backend onnx \\
      --effort standard
  accept it as the new baseline:
    benchsuite promote reports/latest"""

DOCTOR = """\
CPU       Example CPU 9000, 2 cores, 2 usable
ISA       avx2 fma avx512f avx512_vnni
Governor  performance
Memory    16 GiB
GPU       no NVIDIA GPU found
Python    3.11.7 on Linux 6.1.0
Packages  package0 1.0, package1 1.1, package2 1.2, package3 1.3, package4 1.4,
          package5 1.5, package6 1.6, package7 1.7, package8 1.8, package9 1.9,
          package10 1.10, package11 1.11
Baselines example-cpu-9000-54841f41

                    fp32    fp16    bf16    int8
torch cpu            yes     yes     yes     yes
onnx cpu             yes     yes     yes     yes
openvino cpu         yes     yes     yes     yes
trt cuda:0           yes     yes     yes      no
ncnn cpu             yes     yes     yes     yes

trt cuda:0 int8: needs the worker died by signal 11 while it loaded
              /home/somebody/models/with-a-rather-long-
              name/yolo26n_coco_approximation_of_the_real_checkpoint.pt, and
              left nothing but a half-written file"""


def test_table_of_a_run() -> None:
    """A column a figure, what was not measured with its reason in the first column's width, and a cut line a case."""
    built = [
        make_record(make_case(backend="trt", precision=name), "built", "built here, not run: no GPU")
        for name in ("fp32", "fp16", "bf16", "int8")
    ]
    failed = make_record(make_case(backend="ncnn"), "failed", REASON)
    slower = make_record(make_case(variant="pertens"), total_ms=50)
    assert "\n".join([*table_lines([make_record(), slower, failed, *built], 1.0), case_line(failed)]) == RUN


def test_table_of_long_names() -> None:
    """A long name takes the room between the columns."""
    assert "\n".join(table_lines([make_record(make_case(variant="compile-pertens"))], 1.0)) == WIDE


def test_study() -> None:
    """Columns are as wide as their widest cell, two blanks apart; sentences are wrapped below."""
    other = make_row(case=make_case(backend="openvino", precision="int8", variant="pertensor+rebuild3"))
    study = make_study(make_row(), other, make_row(reason=REASON))
    assert "\n".join(terminal_lines(study_view(study))) == STUDY


def test_gate() -> None:
    """One line a case with its figures under each other, then what did not pass."""
    statuses = [
        make_status("yolo26n_coco_approx-openvino-int8-cpu-640-b16", [0.01] * 14, [0.0] * 14),
        make_status("one", [], []),
    ]
    lines = [*map(status_line, statuses), *result_lines(GateResult((FINDING, OTHER), None, 1))]
    assert "\n".join(lines) == GATE


def test_two_runs() -> None:
    """What differs is set in, and a path is never broken."""
    slower = make_run([make_record(total_ms=41, map50_95=0.6)], machine=make_machine(governor=REASON))
    assert "\n".join(comparison_lines(make_run([make_record()]), slower)) == COMPARED


def test_failure() -> None:
    """Values stand under each other, sentences fill 80 columns, and commands break between options."""
    assert render([FINDING]) == FAILING


def test_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts under each other, a table of backends by precisions, and each reason under its case."""
    packages = {f"package{number}": f"1.{number}" for number in range(12)}
    refused = ("trt", "int8")
    monkeypatch.setattr(doctor, "BACKENDS", ("torch", "onnx", "openvino", "trt", "ncnn"))
    monkeypatch.setattr(doctor, "missing_requirements", lambda _: {})
    monkeypatch.setattr(doctor, "read_machine", lambda _: make_machine(packages=packages))
    monkeypatch.setattr(
        doctor,
        "_answer",
        lambda case, _: ("no", f"needs {REASON}") if (case.backend, case.precision) == refused else ("yes", ""),
    )
    assert "\n".join(doctor.report_lines(0)) == DOCTOR


def test_an_id_that_is_too_long_keeps_both_of_its_ends() -> None:
    """Cases of one model differ by the end of their ids, and what stands behind an id has room, be its letters wide."""
    ids = [f"{'模型' * 20}-onnx-int8-cpu-640-b{batch}" for batch in (1, 16)]
    assert [fit_id(it, 37) for it in ids] == [
        "模型模型模型…型-onnx-int8-cpu-640-b1", "模型模型模型…型-onnx-int8-cpu-640-b16",
    ]  # fmt: skip
    assert fit("模型模型", 5) == "模型…"
    line = case_line(make_record(make_case(model="模型" * 20)))
    assert line.endswith("-onnx-fp32-cpu-640-b1  40.0 ms  30.0 img/s  mAP 0.650")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
def test_every_terminal_gets_signs_that_it_has(encoding: str) -> None:
    """A dash of a table is one of the encoding's own, in one column; what has no likeness is escaped."""
    shown = plain("\u2013 \u2212 \u00d7 \u2026", encoding)
    assert shown.encode(encoding)
    assert len(shown) == 7
    assert encoding != "ascii" or shown == "- - x ~"
    assert plain("caf\u00e9 \udce6", "ascii") == "caf\\xe9 \\udce6"
    assert plain("\u6a21", "utf-8") == "\u6a21"
