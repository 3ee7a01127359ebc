"""Records survive the way to disk and back, and a file cut anywhere loses its last line at most."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.artifacts.recipe import Calibration
from benchsuite.backends import BACKENDS
from benchsuite.measure.measurement import Cold, Complexity, Distribution, Metrics
from benchsuite.runs import records
from benchsuite.runs.folder import read_run
from benchsuite.runs.records import Record, Validity
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS, WAYS, Case
from benchsuite.terms.errors import RecordError
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import (
    make_accuracy,
    make_artifact,
    make_case,
    make_latency,
    make_machine,
    make_memory,
    make_parity,
    make_ran,
    make_recipe,
    make_record,
    make_run,
    make_throughput,
    write_records,
    write_run,
)

# Newlines of every kind must not break a line of JSON apart; lone surrogates cannot be encoded at all.
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
floats = st.floats(allow_nan=False, allow_infinity=False)
fractions, measures = st.floats(0, 1), st.floats(0, allow_infinity=False)
counts = st.integers(0, 2**62)
absences = st.builds(Absent, texts)


def maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Draw the value, or its absence."""
    return strategy | absences


cases = st.builds(
    Case,
    model=st.from_regex(r"[a-z0-9_.]{1,12}", fullmatch=True),
    backend=st.sampled_from(tuple(BACKENDS)),
    precision=st.sampled_from(PRECISIONS),
    device=st.sampled_from(["cpu", "cuda:0"]),
    imgsz=st.integers(1, 64).map(lambda number: InputSize.square(number * 32)),
    batch=st.integers(1, 64),
    threads=st.integers(1, 128),
    head=st.sampled_from(["one2many", "end2end"]),
    way=st.sampled_from(["", *WAYS]),
    rebuild=st.integers(0, 3),
    scheme=st.sampled_from(["", "qdq-u8s8"]),
)
distributions = st.builds(
    Distribution,
    n=st.integers(1, 2**62),
    min=counts,
    max=counts,
    mean=measures,
    std=measures,
    p50=st.floats(0, exclude_min=True, allow_infinity=False),
    p50_ci95=maybe(st.tuples(measures, measures)),
    p90=maybe(measures),
    p95=maybe(measures),
    p99=maybe(measures),
)
metrics = st.builds(
    Metrics,
    latency=maybe(st.builds(make_latency, total_ns=distributions, inference_ns=distributions)),
    cold=maybe(st.builds(Cold, counts, counts, counts)),
    throughput=maybe(st.builds(make_throughput, images_per_s=st.floats(0, 1e9))),
    memory=maybe(st.builds(make_memory, gpu_bytes=maybe(counts))),
    complexity=maybe(st.builds(Complexity, params=counts, gflops=measures)),
    accuracy=maybe(
        st.builds(make_accuracy, map50_95_small=maybe(fractions), settings=st.dictionaries(texts, floats, max_size=3))
    ),
    parity=maybe(st.builds(make_parity, worst_class=maybe(texts), score_shift_max=maybe(fractions))),
)
validities = st.builds(
    Validity,
    warnings=st.lists(texts, max_size=3).map(tuple),
    ran=maybe(
        st.builds(make_ran, kernels=st.dictionaries(texts, counts, max_size=4), int8_mac_share=maybe(st.floats(0, 1)))
    ),
    label=maybe(texts),
    policy=st.dictionaries(texts, texts, max_size=3),
)
artifacts = st.builds(
    make_artifact,
    recipe=st.builds(
        make_recipe,
        calibration=st.none() | st.builds(Calibration, texts, counts, texts),
        tools=st.dictionaries(texts, texts, max_size=3),
    ),
)
any_record = st.builds(
    Record,
    case=cases,
    outcome=st.sampled_from(["measured", "built", "skipped", "failed"]),
    reason=texts,
    artifact=maybe(artifacts),
    metrics=metrics,
    validity=validities,
    environment=texts,
    effort=texts,
)


@contextmanager
def kept(made: list[Record]) -> Iterator[Path]:
    """Give a file of records, for the time of one example."""
    with tempfile.TemporaryDirectory() as folder:
        yield write_records(Path(folder), made)


# How long a disk takes to confirm a line is not what is tested.
@settings(deadline=None)
@given(any_record)
def test_record_survives_the_way_to_disk_and_back(record: Record) -> None:
    """Reading what was written gives an equal record, absent values with their reasons, on one line."""
    with kept([record]) as path:
        assert path.read_bytes().count(b"\n") == 1
        assert records.read(path) == ((record,), ())


def test_json_has_the_documented_keys(tmp_path: Path) -> None:
    """The keys that other programs read stand where the documentation says."""
    data = json.loads(write_records(tmp_path, [make_record()]).read_text())
    assert data["case"]["id"] == "yolo26n-onnx-fp32-cpu-640-b1"
    assert data["metrics"]["latency"]["total_ns"]["p50"] == 40_000_000
    assert data["metrics"]["memory"]["gpu_bytes"] == {"absent": "no GPU on this machine"}
    assert set(data) == {
        "schema", "case", "outcome", "reason", "artifact", "metrics", "validity", "environment", "effort",
    }  # fmt: skip


def test_not_a_number_is_refused(tmp_path: Path) -> None:
    """NaN is no figure: a record that holds one cannot be written, and leaves the file as it is."""
    record = make_record()
    broken = replace(record, metrics=replace(record.metrics, complexity=Complexity(1, float("nan"))))
    path = write_records(tmp_path, [record])
    with pytest.raises(ValueError, match="JSON"):
        records.append(path, broken)
    assert records.read(path) == ((record,), ())


@settings(deadline=None)
@given(st.data())
def test_file_cut_anywhere_loses_its_last_line_at_most(data: st.DataObject) -> None:
    """A run killed at any byte leaves every record whose line was finished, and says what it dropped."""
    made = [make_record(make_case(backend=backend)) for backend in ("torch", "onnx", "ncnn")]
    with kept(made) as path:
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        found, notes = records.read(path)
    finished = whole[:cut].count(b"\n")
    assert found == tuple(made[:finished])
    assert bool(notes) == (not whole[:cut].endswith(b"\n") and cut > 0)


def test_next_record_starts_on_a_line_of_its_own_after_a_kill(tmp_path: Path) -> None:
    """Appending to a file that ends in half a line cuts that half off first, and says so."""
    first, second = make_record(), make_record(make_case(backend="ncnn"))
    path = write_records(tmp_path, [first])
    with path.open("a") as file:
        file.write('{"schema":1,"case":')
    assert records.append(path, second) == (f"{path}: cut off an unterminated last line of 19 characters",)
    assert records.read(path) == ((first, second), ())


def test_later_record_of_a_case_replaces_the_earlier(tmp_path: Path) -> None:
    """A case measured again by a resumed run has one record, the last."""
    failed, measured = make_record(outcome="failed"), make_record()
    assert records.read(write_records(tmp_path, [failed, measured]))[0] == (measured,)


def test_newer_run_names_the_version_that_reads_it(tmp_path: Path) -> None:
    """A record of a schema to come is refused with its place and the version that wrote it."""
    folder = write_run(tmp_path, make_run([make_record()], machine=make_machine(packages={"benchsuite": "7.1.0"})))
    path = folder / "records.jsonl"
    path.write_text(path.read_text().replace('"schema":1', '"schema":99'))
    with pytest.raises(RecordError, match=r"line 1: record schema 99 .*: install benchsuite 7\.1\.0 or newer"):
        read_run(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (('"p50":40000000,', '"p50":NaN,'), "not a record"),
        (('"p50":40000000,', '"p50":-1,'), r"line 1: not a record: a number of at least 0 was expected, found -1"),
        (('"p50":40000000,', '"p50":0,'), "line 1: damaged record: its latency is 0"),
        (
            ('"p50":40000000,', '"p50":1e999,'),
            r"a number was expected, found inf @ \$\.metrics\.latency\.total_ns\.p50",
        ),
        (('"imgsz":640', '"imgsz":"wide"'), r"a size in px was expected, found 'wide' @ \$\.case\.imgsz"),
    ],
)
def test_impossible_figures_are_refused_with_their_place(tmp_path: Path, damage: tuple[str, str], message: str) -> None:
    """A latency that cannot be, and a field of another kind, are told in one sentence with the line and the field."""
    path = write_records(tmp_path, [make_record(total_ms=40)])
    assert damage[0] in path.read_text()
    path.write_text(path.read_text().replace(*damage))
    with pytest.raises(RecordError, match=message):
        records.read(path)


def test_other_schema_is_refused_with_the_one_that_is_read(tmp_path: Path) -> None:
    """A line of another schema is not guessed at."""
    path = write_records(tmp_path, [make_record()])
    path.write_text(path.read_text().replace('"schema":1', '"schema":99'))
    with pytest.raises(RecordError, match=r"schema 99 found.* reads.* 1"):
        records.read(path)


@pytest.mark.parametrize("line", ["", "{", "[]", "null", "{}", '{"schema":1,"case":{}}', '{"schema":1}'])
def test_line_that_is_no_record_is_refused(tmp_path: Path, line: str) -> None:
    """Whatever is no record gives a RecordError, never another exception."""
    path = tmp_path / "records.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(RecordError, match="line 1: not a record"):
        records.read(path)


def test_damaged_line_is_named_by_its_number(tmp_path: Path) -> None:
    """A broken line in the middle is an error that says where, not a record less."""
    path = write_records(tmp_path, [make_record(), make_record(make_case(backend="ncnn"))])
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["broken", *lines]) + "\n")
    with pytest.raises(RecordError, match="line 1: not a record"):
        records.read(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_full_disk_is_one_sentence() -> None:
    """A disk that takes no more is an error that names the file and what to do."""
    with pytest.raises(RecordError, match="cannot write /dev/full: No space left on device; free some space"):
        records.append(Path("/dev/full"), make_record())


@pytest.mark.parametrize(
    ("row", "scheme", "name"),
    [
        (make_case(), "", "onnx fp32"),
        (make_case(precision="int8"), "qdq-u8s8", "onnx int8"),
        (make_case(precision="int8"), "qdq-u8s7", "onnx int8"),
        (make_case(precision="int8"), "dynamic-u8u8", "onnx int8 dynamic-u8u8"),
        (make_case(precision="int8", head="end2end"), "qdq-u8s8~p3", "onnx int8 end2end-qdq-u8s8~p3"),
        (make_case(precision="int8", scheme="dynamic-u8u8"), "dynamic-u8u8", "onnx int8 dynamic-u8u8"),
        (make_case(precision="int8"), "of-a-newer-release", "onnx int8"),
    ],
)
def test_a_row_says_an_unusual_scheme_whether_its_id_does_or_not(row: Case, scheme: str, name: str) -> None:
    """A scheme that was searched for stands in no id, nor did those that were asked for in earlier releases."""
    artifact = make_artifact(row, recipe=make_recipe(row, scheme=scheme))
    assert make_record(row, artifact=artifact).row_name == name
    assert make_record(row, "skipped").row_name == row.row_name
