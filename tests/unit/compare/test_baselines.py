"""What was accepted is kept, read back exactly, and never mistaken for nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.compare.baselines import find, load, names
from benchsuite.compare.entries import entry_of
from benchsuite.compare.promotion import promote
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BaselineError, UsageError
from benchsuite.testing import make_case, make_latency, make_machine, make_record
from tests.unit.compare.conftest import INT8, KEY, ONNX, accepted_at, folder_at, run_of


def test_promoted_run_is_read_back(tmp_path: Path) -> None:
    """A file per model holds what the records held, rounded, and nothing of skipped cases."""
    other = make_case(model="yolo11n")
    made = [make_record(), make_record(other), make_record(make_case(backend="trt"), "skipped")]
    paths = promote(run_of(made), tmp_path)
    assert [path.relative_to(tmp_path) for path in paths] == [
        Path(make_machine().slug, "yolo11n.json"),
        Path(make_machine().slug, "yolo26n.json"),
    ]
    baseline = accepted_at(tmp_path)
    assert set(baseline.models) == {"yolo26n", "yolo11n"}
    assert dict(baseline.models["yolo26n"].entries) == {KEY: entry_of(made[0], "20260131-120001")}
    assert baseline.models["yolo26n"].machine == make_machine()


def test_entry_keeps_the_figures_of_the_record(tmp_path: Path) -> None:
    """The entry has the record's size, recipe, complexity, kernels, accuracy, parity and median."""
    latency = make_latency(41.23456789)
    record = make_record()
    record = replace(record, metrics=replace(record.metrics, latency=latency))
    promote(run_of([record]), tmp_path)
    entry = accepted_at(tmp_path).models["yolo26n"].entries[KEY]
    assert entry.artifact == record.artifact
    assert not isinstance(entry.accuracy, Absent)
    assert (entry.accuracy.map50_95, entry.accuracy.images) == (0.65, 200)
    assert entry.kernels == {"Conv": 64, "MaxPool": 3}
    assert entry.timing[0].total_p50_ms == 41.2346
    assert entry.timing[0].fingerprint == make_machine().fingerprint


def test_head_and_threads_are_part_of_the_key(tmp_path: Path) -> None:
    """The same id at another thread count is another entry."""
    promote(run_of([make_record(make_case(threads=2))], 1), tmp_path)
    promote(run_of([make_record(make_case(threads=1))], 2), tmp_path)
    entries = accepted_at(tmp_path).entries(ONNX.id)
    assert [entry.case.threads for entry in entries] == [1, 2]


def test_diff_is_a_line_per_change(tmp_path: Path) -> None:
    """Promoting an unchanged case again changes its run's name and adds one line of timing."""
    promote(run_of([make_record(ONNX), make_record(INT8)], 1), tmp_path)
    path = folder_at(tmp_path) / "yolo26n.json"
    before = [line.strip(" ,") for line in path.read_text().splitlines()]
    promote(run_of([make_record(INT8, total_ms=41)], 2), tmp_path)
    added = [line.strip(" ,") for line in path.read_text().splitlines() if line.strip(" ,") not in before]
    assert added[0] == '"run": "20260131-120002"'
    assert '"total_p50_ms": 41.0' in added[1]
    assert len(added) == 2
    assert json.loads(path.read_text())["schema"] == 1
    assert max(len(line) for line in before) <= 140


def test_machine_can_be_named(tmp_path: Path) -> None:
    """A name stands in for the folder that hardware gives; one that is no folder's name is refused."""
    promote(run_of([make_record()]), tmp_path, "ci-runner")
    assert names(tmp_path) == ("ci-runner",)
    assert find(tmp_path, "ci-runner", make_machine()) == tmp_path / "ci-runner"
    for name in ("../up", "a/b", ".hidden", ""):
        if name:
            with pytest.raises(UsageError, match="a machine's name is letters"):
                promote(run_of([make_record()]), tmp_path, name)


def test_name_without_a_baseline_is_an_error_that_lists_the_others(tmp_path: Path) -> None:
    """Asking for a machine that has no baseline is never "no baseline"."""
    promote(run_of([make_record()]), tmp_path, "ci-runner")
    with pytest.raises(BaselineError, match="holds no baseline; there are ci-runner"):
        find(tmp_path, "ci-runer", make_machine())


def test_machine_finds_its_own_folder_or_its_likes(tmp_path: Path) -> None:
    """Equal fingerprints match first, then the same processor with the fewest differences, never another processor."""
    assert find(tmp_path, None, make_machine()) is None
    more, both = make_machine(usable_cores=4), make_machine(usable_cores=4, governor="powersave")
    for machine in (more, both):
        promote(run_of([make_record(environment=machine.fingerprint)], machine=machine), tmp_path)
    assert find(tmp_path, None, make_machine()) == tmp_path / more.slug
    assert find(tmp_path, None, both) == tmp_path / both.slug
    assert find(tmp_path, None, make_machine(cpu="Example CPU 9001")) is None
    promote(run_of([make_record()]), tmp_path)
    assert find(tmp_path, None, make_machine()) == folder_at(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text[: len(text) // 2], "cannot read"),
        (lambda text: "<<<<<<< HEAD\n" + text, "cannot read"),
        (lambda text: text.replace('"schema": 1', '"schema": 2'), "schema 2; this version reads schema 1"),
        (lambda _: "[]", "schema None"),
        (lambda text: text.replace('"policy"', '"politics"'), "is damaged"),
        (lambda text: text.replace("40.0", "NaN"), r"found nan @ \$\.entries\[.*\]\.timing\[0\]\.total_p50_ms"),
        (lambda text: text.replace("40.0", "-40.0"), r"a number from 0.0001 to 1e\+09 .*-40.0 @ .*\.total_p50_ms"),
        (lambda text: text.replace("40.0", "0.0"), r"a number from 0.0001 .*found 0.0 @ .*\.total_p50_ms"),
        (lambda text: text.replace("40.0", "1e-300"), r"found 1e-300 @ .*\.total_p50_ms"),
        (lambda text: text.replace("40.0", "1e308"), r"found 1e\+308 @ .*\.total_p50_ms"),
        (lambda text: text.replace("40.0", '"40"'), r"a number was expected, found '40' @ .*\.total_p50_ms"),
        (lambda text: text.replace("2400000", "1.5"), r"a whole number .* 1.5 @ .*\.complexity\.params"),
        (lambda text: text.replace("9800000", "-1"), r"at least 0 was expected, found -1 @ .*\.artifact\.bytes"),
        (lambda text: text.replace("2400000", "[" * 100_000), "nested more than 100 deep"),
        (lambda text: text.replace('"threads": 2,', '"threads": 3,'), "altered by hand"),
        (
            lambda text: text.replace('"model": "yolo26n",\n  "schema"', '"model": "yolo11n",\n  "schema"'),
            "altered by hand",
        ),
    ],
)
def test_unreadable_baseline_is_an_error(tmp_path: Path, damage: object, message: str) -> None:
    """A baseline that exists and cannot be read never counts as none."""
    assert callable(damage)
    (path,) = promote(run_of([make_record()]), tmp_path)
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    with pytest.raises(BaselineError, match=message) as caught:
        load(path.parent)
    assert str(path) in str(caught.value)


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    """A folder of baselines without a file is an error too."""
    with pytest.raises(BaselineError, match="holds no baseline"):
        load(tmp_path)
