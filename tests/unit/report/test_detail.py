"""The tables behind the deployment table hold the figures of the records."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.backends.interface import DeviceTimes
from benchsuite.machine.nvml import GpuState
from benchsuite.measure.gpu_use import gpu_use
from benchsuite.report.detail import detail_tables
from benchsuite.report.detail_charts import course, distribution, phases
from benchsuite.report.samples import thin
from benchsuite.terms.absence import Absent
from benchsuite.testing import make_case, make_distribution, make_latency, make_metrics, make_ran, make_record

FP32 = make_record(total_ms=40)
INT8 = make_record(make_case(precision="int8"), total_ms=20, map50_95=0.645)
BUILT = make_record(make_case(precision="fp16"), outcome="built", reason="no GPU")
SAMPLES = {FP32.case.id: thin([40_000_000] * 8 + [44_000_000] * 8), INT8.case.id: Absent("gone")}


def table(key: str, *made: object) -> list[tuple[str, ...]]:
    found = detail_tables(made or (FP32, INT8, BUILT), SAMPLES)  # type: ignore[arg-type]
    return list(next(it for it in found if it.key == key).rows)


def test_latency_in_detail() -> None:
    """Calls, percentiles in ms, drift from the samples, and warm-up; what was only built has no row."""
    assert table("latency") == [
        ("onnx fp32", "400", "36.0", "40.0", "44.0", "46.0", "52.0", "60.0", "+10.0", "20"),
        ("onnx int8", "400", "18.0", "20.0", "22.0", "23.0", "26.0", "30.0", "–", "20"),
    ]


def test_phases_and_their_shares() -> None:
    """Medians of the three phases, each with its share of their sum."""
    assert table("phases")[0] == ("onnx fp32", "2.00", "5%", "36.0", "90%", "2.00", "5%", "40.0")


def test_phases_that_take_no_time_have_no_shares() -> None:
    """A runtime that does all within the call may leave nothing to share; the page is there nevertheless."""
    latency = make_latency(40)
    nothing = make_distribution(0.0)
    latency = replace(latency, preprocess_ns=nothing, inference_ns=nothing, postprocess_ns=nothing)
    record = replace(FP32, metrics=make_metrics(latency=latency))
    assert table("phases", record)[0][1::2][:3] == ("0", "0", "0")
    assert table("phases", record)[0][2:7:2] == ("–", "–", "–")


def test_throughput_memory_and_cold_start() -> None:
    """Every point of the sweep, each step of memory, and what a process pays once."""
    assert table("throughput", FP32) == [
        ("onnx fp32", "1", "2", "24.0", "240", ""),
        ("onnx fp32", "2", "1", "30.0", "300", "best"),
    ]
    assert table("memory", FP32) == [("onnx fp32", "189", "94.4", "41.9", "52.4", "–")]
    assert table("cold", FP32) == [("onnx fp32", "150", "90.0", "60.0", "300", "–")]


def test_precision_is_held_against_fp32_of_the_same_runtime() -> None:
    """Speed-up and lost points are against the plain FP32 row; a runtime without one has no rows."""
    ran = make_ran(INT8.case, int8_mac_share=0.84)
    int8 = replace(INT8, validity=replace(INT8.validity, ran=ran))
    other = make_record(make_case(backend="ncnn", precision="int8"))
    rows = table("precision", FP32, int8, BUILT, other)
    assert rows[0] == ("onnx fp32", "fp32", "9.80", "1.00", "0.00", "99.5", "–")
    assert rows[1] == ("onnx int8", "int8", "9.80", "2.00", "+0.50", "99.5", "84%")
    assert rows[2][3:5] == ("–", "–")
    assert len(rows) == 3


def test_a_gpu_s_own_times_have_a_table() -> None:
    """Copies, computing and energy a call stand there, and no such table where all ran on the CPU."""
    state = GpuState(1980, 5001, 60, 71.5, 1_000, ("hardware thermal",), ())
    use = gpu_use(state, replace(state, energy_mj=9_000), 16, 5, [DeviceTimes(100_000, 900_000, 50_000)] * 3)
    record = replace(FP32, metrics=make_metrics(gpu=use))
    assert table("device", record) == [
        ("onnx fp32", "0.100", "0.900", "0.0500", "0.500", "71.5", "1980", "60", "hardware thermal")
    ]
    assert "device" not in [it.key for it in detail_tables((FP32,), SAMPLES)]


def test_charts_draw_what_the_tables_hold() -> None:
    """A line with its percentiles for each case with samples, one case of the course at a time, a bar a phase."""
    drawn = distribution((FP32, INT8), SAMPLES)
    assert drawn is not None
    line, marks = drawn.series
    assert (line.name, line.points[0], line.points[-1]) == ("onnx fp32", (40.0, 0.0625), (44.0, 1.0))
    assert marks.points == ((40.0, 0.5), (44.0, 0.9), (46.0, 0.95), (52.0, 0.99))
    assert marks.notes[0] == "onnx fp32\np50 40 ms"
    once = course((FP32, INT8), SAMPLES)
    assert once is not None
    assert [series.pick for series in once.series] == [0]
    assert once.picks == ("onnx fp32",)
    bars = phases((FP32, INT8, BUILT))
    assert bars is not None
    assert bars.series[1].name == "inference"
    assert bars.series[1].points == (("onnx int8", 18.0), ("onnx fp32", 36.0))


def test_nothing_is_drawn_of_nothing() -> None:
    """Records that were only built have neither tables of times nor charts."""
    assert not {"latency", "phases", "throughput", "memory", "cold"} & {it.key for it in detail_tables((BUILT,), {})}
    assert (distribution((BUILT,), {}), course((BUILT,), {}), phases((BUILT,))) == (None, None, None)
