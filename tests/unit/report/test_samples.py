"""Samples are thinned for a page without losing what matters in them."""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.backends import BACKENDS
from benchsuite.machine.arrays import read_arrays
from benchsuite.report.page import write_report
from benchsuite.report.samples import MOST_CASES, MOST_POINTS, Thinned, read_samples, thin
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import PRECISIONS
from benchsuite.terms.errors import RecordError
from benchsuite.testing import make_case, make_latency, make_metrics, make_record, make_run, write_run


def test_few_samples_stay_as_they_are() -> None:
    """Every call and every step of the distribution is kept."""
    assert thin([3, 1, 2, 2]) == Thinned(
        series=((0, 3), (1, 1), (2, 2), (3, 2)), distribution=((1, 0.25), (2, 0.5), (2, 0.75), (3, 1.0)), drift=2 / 3
    )


def test_bursts_survive_thinning() -> None:
    """One slow call among thousands is still there, and so is the fastest, in their places."""
    values = [1_000] * 10_000
    values[7_777], values[3_333] = 90_000, 10
    thinned = thin(values)
    assert len(thinned.series) <= MOST_POINTS
    assert (7_777, 90_000) in thinned.series
    assert (3_333, 10) in thinned.series
    assert [call for call, _ in thinned.series] == sorted({call for call, _ in thinned.series})
    assert len(thinned.distribution) == MOST_POINTS
    assert thinned.distribution[-1] == (90_000, 1.0)


def test_distribution_keeps_the_quantiles() -> None:
    """The share at each step is that of the calls which took no longer."""
    values = list(range(1, 1_001))
    for ns, share in thin(values).distribution:
        assert ns == round(share * 1_000)


def test_drift_compares_the_ends() -> None:
    """The last quarter's median over the first's."""
    assert thin([100] * 10 + [1] * 20 + [110] * 10).drift == 1.1


def test_samples_of_a_run_are_those_that_were_recorded(tmp_path: Path) -> None:
    """A file that was altered, and one that is gone, is absent with a reason."""
    (tmp_path / "samples").mkdir()
    made: list[Any] = []
    for model in ("kept", "altered", "gone"):
        path = tmp_path / "samples" / f"{model}.npz"
        np.savez_compressed(path, total_ns=np.array([5, 5, 5, 5]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        latency = make_latency(samples_file=f"samples/{model}.npz", samples_sha256=digest)
        made.append(replace(make_record(make_case(model=model)), metrics=make_metrics(latency=latency)))
    (tmp_path / "samples" / "altered.npz").write_bytes(b"else")
    (tmp_path / "samples" / "gone.npz").unlink()
    kept, altered, gone = read_samples(make_run(made, folder=tmp_path)).values()
    assert isinstance(kept, Thinned)
    assert altered == Absent("samples/altered.npz cannot be read: its content is not what was recorded")
    assert isinstance(gone, Absent)
    assert "lies beside the records" in gone.reason


def test_a_page_shows_a_bounded_number_of_cases(tmp_path: Path) -> None:
    """Cases beyond the limit say so."""
    many = [make_record(make_case(model=f"m{number}")) for number in range(MOST_CASES + 1)]
    last = list(read_samples(make_run(many, folder=tmp_path)).values())[-1]
    assert last == Absent("a page shows the samples of its 200 first cases")


@pytest.mark.parametrize("content", ["cut", "nothing", "zeros", "table", "below"])
def test_samples_that_are_no_latencies_are_absent(tmp_path: Path, content: str) -> None:
    """A file that its record vouches for and that holds no series of latencies gives a reason, never a traceback."""
    path = tmp_path / "x.npz"
    values = {"zeros": np.zeros(9, int), "table": np.ones((3, 3), int), "below": np.array([5, -5, 5, 5])}
    np.savez_compressed(path, total_ns=values.get(content, np.ones(9, int)))
    if content in ("cut", "nothing"):
        path.write_bytes(path.read_bytes()[: 60 if content == "cut" else 0])
    latency = make_latency(samples_file="x.npz", samples_sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    record = replace(make_record(), metrics=make_metrics(latency=latency))
    (found,) = read_samples(make_run([record], folder=tmp_path)).values()
    assert isinstance(found, Absent)
    assert found.reason.startswith("x.npz cannot be read: ")


def test_page_of_fifteen_cases_is_quick_and_small(tmp_path: Path) -> None:
    """A run of 15 cases with 3,000 samples each is written within a second of work and 5.5 MB."""
    random = np.random.default_rng(1)
    (tmp_path / "samples").mkdir()
    made = []
    for number in range(15):
        case = make_case(
            backend=tuple(BACKENDS)[number % 5], precision=PRECISIONS[number % 4], imgsz=(320, 640)[number % 2]
        )
        path = tmp_path / "samples" / f"{number}.npz"
        np.savez_compressed(path, total_ns=random.gamma(40, 1e6, 3_000).astype(np.int64))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        latency = make_latency(samples_file=f"samples/{number}.npz", samples_sha256=digest)
        made.append(replace(make_record(case), metrics=make_metrics(latency=latency)))
    folder = write_run(tmp_path / "reports", make_run(made))
    (tmp_path / "samples").rename(folder / "samples")
    # Not counted: what a process pays once, for Jinja, Plotly and the list of installed packages.
    write_report(folder, (), 1.0)
    started = time.process_time()
    page, _ = write_report(folder, (), 1.0)
    assert time.process_time() - started <= 1
    assert page.stat().st_size <= 5_500_000
    assert page.read_text().count('"points": ') >= 30


@pytest.mark.parametrize(
    "named", ["/dev/zero", "../outside.npz", "samples/link.npz", "samples/pipe", "a\0b", "samples"]
)
def test_only_regular_files_inside_the_run_are_read(tmp_path: Path, named: str) -> None:
    """A run of somebody else names what it likes: a page says why that is not read, and waits for nothing."""
    np.savez(tmp_path / "outside.npz", total_ns=np.arange(1, 9))
    digest = hashlib.sha256((tmp_path / "outside.npz").read_bytes()).hexdigest()
    record = make_record(metrics=make_metrics(latency=make_latency(samples_file=named, samples_sha256=digest)))
    folder = write_run(tmp_path, make_run([record]))
    (folder / "samples").mkdir()
    (folder / "samples" / "link.npz").symlink_to(tmp_path / "outside.npz")
    os.mkfifo(folder / "samples" / "pipe")
    (found,) = read_samples(make_run([record], folder=folder)).values()
    assert isinstance(found, Absent)
    assert "cannot be read" in found.reason
    assert write_report(folder, (), 1.0)[0].is_file()


def test_samples_that_promise_more_than_they_hold_are_not_unpacked(tmp_path: Path) -> None:
    """Nine million megabytes of zeros are refused by their header, a gigabyte of packed ones by its size."""
    header = np.lib.format.magic(1, 0) + b"\x76\0" + b"{'descr': '<i8', 'fortran_order': False, 'shape': (%d,)}"
    for size, content in ((10**15, b""), (10**8, b"\0" * 8_000)):
        path = tmp_path / "samples.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("total_ns.npy", (header % size).ljust(127) + b"\n" + content)
        with pytest.raises(RecordError, match=r"too large a one|is not as long as it says"):
            read_arrays(path, ("total_ns",))
