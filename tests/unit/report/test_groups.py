"""Only rows that may be ranked against each other stand in one table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchsuite.report.groups import group
from benchsuite.runs.records import Record
from benchsuite.terms.absence import NOT_SELECTED
from benchsuite.testing import make_accuracy, make_case, make_record


def _ids(made: list[Record]) -> list[list[str]]:
    return [[record.case.id for record in part.records] for part in group(made)]


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "yolo11n"}, {"imgsz": 320}, {"batch": 8}, {"device": "cuda:0"}, {"threads": 1},
        {"head": "end2end", "variant": "end2end"},
    ],
)  # fmt: skip
def test_other_terms_are_another_group(changes: dict[str, object]) -> None:
    """Another model, size, batch, device, thread count or head is not ranked against the rest."""
    assert len(group([make_record(), make_record(make_case(**changes))])) == 2


def test_backends_and_precisions_share_a_group() -> None:
    """Backends and precisions are what a table compares."""
    made = [make_record(), make_record(make_case(backend="ncnn")), make_record(make_case(precision="int8"))]
    assert len(group(made)) == 1


def test_other_data_is_another_group() -> None:
    """Accuracies on different data, or on different numbers of images, are not set side by side."""
    record = make_record(make_case(backend="ncnn"))
    for accuracy in (make_accuracy(data_sha256="ee" * 32), make_accuracy(images=64)):
        other = replace(record, metrics=replace(record.metrics, accuracy=accuracy))
        assert len(group([make_record(), other])) == 2


def test_row_without_accuracy_joins_the_others() -> None:
    """A row whose accuracy is absent stands with its like, unless these were scored on different data."""
    lost = make_record(make_case(precision="int8"))
    lost = replace(lost, metrics=replace(lost.metrics, accuracy=NOT_SELECTED))
    assert len(group([make_record(), lost])) == 1
    assert len(group([lost])) == 1
    other = make_record(make_case(backend="ncnn"))
    other = replace(other, metrics=replace(other.metrics, accuracy=make_accuracy(data_sha256="ee" * 32)))
    assert len(group([make_record(), other, lost])) == 3


def test_largest_group_comes_first() -> None:
    """Groups are ordered by their number of rows, equal ones as they were measured."""
    small = make_record(make_case(imgsz=320))
    large = [make_record(make_case(backend=backend)) for backend in ("onnx", "ncnn")]
    last = make_record(make_case(imgsz=960))
    assert _ids([small, *large, last]) == [[it.case.id for it in large], [small.case.id], [last.case.id]]


def test_only_rows_with_figures_are_grouped() -> None:
    """Skipped and failed cases are listed elsewhere; one that was built has its size."""
    assert group([make_record(outcome=outcome) for outcome in ("skipped", "failed")]) == ()
    built = make_record(outcome="built")
    assert [part.records for part in group([built])] == [(built,)]


def test_title_says_what_the_rows_share() -> None:
    """Model, size, batch, device, threads, head and data stand above a table."""
    assert group([make_record()])[0].title == (
        "yolo26n · 640 px · batch 1 · cpu · 2 threads · one-to-many head with NMS · data dadadada (200 images)"
    )
