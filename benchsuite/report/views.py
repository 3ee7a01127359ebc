"""What a report says of a run, as values: pure functions of a run and of what was found about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from benchsuite.compare.findings import Finding, rerun_line
from benchsuite.measure.effort import EFFORTS
from benchsuite.report.batches import BatchView, batch_views
from benchsuite.report.deployment import setup_of
from benchsuite.report.detail import DetailTable, Samples, detail_tables
from benchsuite.report.gate_view import GateView, SelfTestView
from benchsuite.report.groups import Group, group
from benchsuite.report.headline import Headline, Unmeasured, headline
from benchsuite.report.models import ModelsView, models_view
from benchsuite.report.recommendation import Recommendation, name_of, recommend, void_reason
from benchsuite.report.searches import SearchView, search_views
from benchsuite.report.study import StudyView, study_view
from benchsuite.report.table import Notes, Row, make_row
from benchsuite.runs.folder import Run
from benchsuite.runs.ranking import noise_of
from benchsuite.runs.records import Record, accuracy_notes
from benchsuite.runs.worth import doubts_of, reference_of
from benchsuite.study.rows import Study
from benchsuite.terms.absence import NOT_SELECTED, Absent
from benchsuite.terms.said import Sentence, said


@dataclass(frozen=True)
class GroupView:
    """A deployment table with its recommendation; `records` are those of the rows, in their order.

    `speed_up` names the row that speeds are held against, which is the one for accuracy where that is known.
    """

    title: str
    speed_up: Sentence
    rows: tuple[Row, ...]
    records: tuple[Record, ...]
    recommendation: Recommendation
    recommended: Row | None
    details: tuple[DetailTable, ...]
    noise: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Grouped:
    """Something that is true of several cases, said once."""

    verdict: str
    title: str
    sentence: str
    cases: tuple[str, ...]


@dataclass(frozen=True)
class PageView:
    """All that a report shows but its charts; `moved` changed without failing, `remarks` have no verdict.

    `unmeasured` has a row a case, `absent` the same by reason. `changed` says what differs from what the
    baseline was measured with; None where nothing was compared with one.
    """

    run: Run
    headline: Headline
    failing: tuple[Finding, ...]
    moved: tuple[Finding, ...]
    remarks: tuple[Grouped, ...]
    passed: int
    warnings: tuple[Grouped, ...]
    unmeasured: tuple[Unmeasured, ...]
    absent: tuple[Grouped, ...]
    groups: tuple[GroupView, ...]
    notes: tuple[str, ...]
    max_map_drop: float
    gate: GateView | None = None
    studies: tuple[StudyView, ...] = ()
    searches: tuple[SearchView, ...] = ()
    samples: Samples = field(default_factory=dict)
    reruns: Mapping[str, str] = field(default_factory=dict)
    batches: tuple[BatchView, ...] = ()
    models: ModelsView | None = None
    changed: tuple[Sentence, ...] | None = None
    selftests: tuple[SelfTestView, ...] = ()
    left_out: Sentence = ""


def page_view(
    run: Run,
    findings: Sequence[Finding],
    max_map_drop: float,
    gate: GateView | None = None,
    studies: Sequence[Study] = (),
    samples: Samples | None = None,
    selftests: Sequence[SelfTestView] = (),
) -> PageView:
    """Arrange a run, the findings about it, the studies and self-tests beside it and its samples."""
    notes = Notes()
    samples = samples or {}
    # A gate alone leaves records without figures to rank.
    figures = [record for record in run.records if record.metrics.latency != NOT_SELECTED or gate is None]
    groups = tuple(_group_view(run, part, findings, max_map_drop, notes, samples) for part in group(figures))
    unmeasured = _unmeasured(run)
    remarks = _grouped(
        (finding.verdict, finding.title, finding.sentence, finding.case_id)
        for finding in findings
        # The gate's own table says the rest.
        if (gate is None or finding not in gate.findings)
        and not finding.fails
        and finding.verdict in ("INCONCLUSIVE", "NOT_COMPARABLE", "MISSING")
    )
    warnings = _grouped(
        ("WARNING", "", warning, record.case.id)
        for record in run.records
        for warning in (*record.validity.warnings, *accuracy_notes(record))
    )
    return PageView(
        run=run,
        headline=headline(run, findings, unmeasured, gated=gate is not None),
        failing=tuple(finding for finding in findings if finding.fails),
        moved=tuple(it for it in findings if not it.fails and it.verdict in ("REGRESSED", "IMPROVED")),
        remarks=remarks,
        passed=sum(finding.verdict == "PASS" for finding in findings),
        warnings=warnings,
        unmeasured=unmeasured,
        absent=_grouped((row.outcome, "", row.reason, row.case_id) for row in unmeasured),
        groups=groups,
        notes=tuple(notes.texts),
        max_map_drop=max_map_drop,
        gate=gate,
        studies=tuple(map(study_view, studies)),
        searches=search_views(run.records),
        samples=samples,
        batches=batch_views(figures),
        models=models_view(figures),
        selftests=tuple(selftests),
        left_out=EFFORTS[run.effort].leaves_out if run.effort in EFFORTS else "",
        changed=_changed(findings),
        reruns={record.case.id: rerun_line(record.case, run.effort, run.options) for record in run.records},
    )


def _changed(findings: Sequence[Finding]) -> tuple[Sentence, ...] | None:
    """Return what differs from what the baseline was measured with, by the findings that know a baseline."""
    compared = [finding for finding in findings if finding.baseline]
    return tuple(dict.fromkeys(change for it in compared for change in it.environment)) if compared else None


def _unmeasured(run: Run) -> tuple[Unmeasured, ...]:
    recorded = {record.case.id: record for record in run.records}
    rows = []
    for case_id in dict.fromkeys((*run.selected_ids, *recorded)):
        record = recorded.get(case_id)
        if record is None:
            rows.append(Unmeasured(case_id, "not reached", "The run ended before this case."))
        elif record.outcome != "measured":
            rows.append(Unmeasured(case_id, record.outcome, record.reason or "No reason was recorded."))
    # What failed comes before what could not run.
    order = ("failed", "not reached", "built", "skipped")
    return tuple(sorted(rows, key=lambda row: order.index(row.outcome)))


def _grouped(items: Iterable[tuple[str, str, str, str]]) -> tuple[Grouped, ...]:
    cases: dict[tuple[str, str, str], list[str]] = {}
    for verdict, title, sentence, case_id in items:
        cases.setdefault((verdict, title, sentence), []).append(case_id)
    return tuple(Grouped(*key, tuple(ids)) for key, ids in cases.items())


def _group_view(
    run: Run, part: Group, findings: Sequence[Finding], max_map_drop: float, notes: Notes, samples: Samples
) -> GroupView:
    recommendation = recommend(part.records, findings, max_map_drop)
    torch = next((it for it in part.records if _is_reference(it)), None)
    accurate, doubts = reference_of(part.records), doubts_of(part.records)
    reference = accurate or torch
    # Fastest first, as one reads for a choice; rows without a latency come last.
    records = sorted(part.records, key=partial(_slowness, recommendation))
    rows = tuple(
        make_row(
            record,
            reference,
            void_reason(record, findings, accurate, doubts),
            setup_of(record.case, run.machine),
            recommendation,
            notes,
        )
        for record in records
    )
    recommended = next((row for row in rows if row.recommended), None)
    return GroupView(
        part.title,
        said("× as fast as {1}", name_of(reference) if reference else "torch fp32"),
        rows,
        tuple(records),
        recommendation,
        recommended,
        detail_tables(records, samples),
        tuple(dict.fromkeys(sentence for noise in noise_of(records) for sentence in noise.sentences)),
    )


def _is_reference(record: Record) -> bool:
    case = record.case
    return (case.backend, case.precision, case.way, case.scheme) == ("torch", "fp32", "", "")


def _slowness(recommendation: Recommendation, record: Record) -> tuple[float, float]:
    """Return what sorts rows: by the time that turns told, then p50."""
    latency, ranked = record.metrics.latency, recommendation.ranked
    p50 = float("inf") if isinstance(latency, Absent) else latency.total_ns.p50
    if isinstance(ranked, Absent) or record.case.id not in ranked.rows:
        return float("inf"), p50
    return ranked.by_time().index(record.case.id), p50
