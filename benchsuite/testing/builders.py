"""Builders: whole, plausible values of which a test names only what it is about.

Every builder takes fields of what it builds as keyword arguments; what is not named has a fixed default, so two
calls with equal arguments give equal values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchsuite.artifacts.recipe import Recipe
from benchsuite.backends.interface import Ran, RunPolicy
from benchsuite.detect.accuracy import Accuracy, ClassAccuracy
from benchsuite.detect.parity import Parity
from benchsuite.machine.facts import Machine
from benchsuite.measure.measurement import (
    AccuracyLoss,
    Cold,
    Complexity,
    Memory,
    Metrics,
    Throughput,
    ThroughputPoint,
)
from benchsuite.options.settings import defaults
from benchsuite.runs import records
from benchsuite.runs.folder import Run, create_run, finish_run
from benchsuite.runs.records import ArtifactFacts, Outcome, Record, Validity
from benchsuite.runs.site import Site
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case, Variant
from benchsuite.terms.input_size import InputSize
from benchsuite.testing.timing_builders import make_latency


def make_machine(**changes: Any) -> Machine:
    """Build an x86 machine of two cores without a GPU."""
    machine = Machine(
        cpu="Example CPU 9000",
        arch="x86_64",
        isa=("avx2", "fma", "avx512f", "avx512_vnni"),
        cores=2,
        usable_cores=2,
        cpu_quota_cores=None,
        memory_bytes=16 << 30,
        memory_limit_bytes=None,
        governor="performance",
        system="Linux",
        kernel="6.1.0",
        python="3.11.7",
        gpus=(),
        gpu_driver=None,
        packages={"benchsuite": "0.1.0", "onnxruntime": "1.32.0", "torch": "2.14.1", "ultralytics": "8.4.190"},
    )
    return replace(machine, **changes)


def make_site(folder: Path, **changes: Any) -> Site:
    """Build the site of a bare run without models, whose cache and files lie in a folder and which tells nothing."""
    site = Site(defaults(), (), make_machine(), folder, folder, lambda _: None)
    return replace(site, **changes)


def make_case(**changes: Any) -> Case:
    """Build `yolo26n-onnx-fp32-cpu-640-b1` on two threads; `imgsz` may be a side, and `variant` the end of an id."""
    case = Case("yolo26n", "onnx", "fp32", "cpu", InputSize.square(640), 1, 2)
    if isinstance(side := changes.get("imgsz"), int):
        changes["imgsz"] = InputSize.square(side)
    if "variant" in changes:
        changes |= vars(Variant.parse(changes.pop("variant")))
    return replace(case, **changes)


def make_accuracy(map50_95: float = 0.65, **changes: Any) -> Accuracy:
    """Build an accuracy over 200 images of two classes; mAP50 lies 0.2 above, that of small objects 0.2 below."""
    accuracy = Accuracy(
        images=200,
        labels=1_400,
        map50=map50_95 + 0.2,
        map50_95=map50_95,
        map50_95_small=map50_95 - 0.2,
        per_class=(
            ClassAccuracy("disc", 800, map50_95 + 0.25, map50_95 + 0.05),
            ClassAccuracy("star", 600, map50_95 + 0.15, map50_95 - 0.05),
        ),
        data_sha256="da" * 32,
        settings={"conf": 0.001, "iou": 0.7, "max_det": 300.0},
    )
    return replace(accuracy, **changes)


def make_parity(agreement: float = 0.995, **changes: Any) -> Parity:
    """Build the agreement of 200 images' detections with torch fp32."""
    parity = Parity(
        images=200,
        matched=995,
        added=3,
        dropped=2,
        agreement=agreement,
        score_shift_mean=0.002,
        score_shift_max=0.04,
        worst_class="star",
        worst_class_agreement=agreement - 0.01,
        reference="torch fp32",
        score_shift_median=0.001,
    )
    return replace(parity, **changes)


def make_loss(points: float = 0.0, **changes: Any) -> AccuracyLoss:
    """Build what 200 images tell of a loss against torch fp32: a tenth of a point to either side, none around none."""
    half = 0.1 if points else 0.0
    loss = AccuracyLoss(points, (points - half, points + half), 200, "torch fp32", 0.85, 0.65)
    return replace(loss, **changes)


def make_throughput(images_per_s: float = 30.0, **changes: Any) -> Throughput:
    """Build a throughput sweep of two points, of which the second is the best."""
    sweep = (
        ThroughputPoint(1, 2, images_per_s * 0.8, 240, 10_000_000_000),
        ThroughputPoint(2, 1, images_per_s, 300, 10_000_000_000),
    )
    return replace(Throughput(images_per_s, 2, 1, sweep), **changes)


def make_memory(**changes: Any) -> Memory:
    """Build the memory of a process that peaked at 180 MiB."""
    mib = 1 << 20
    memory = Memory(180 * mib, 90 * mib, 40 * mib, 50 * mib, Absent("no GPU on this machine"))
    return replace(memory, **changes)


def make_metrics(total_ms: float = 40.0, map50_95: float = 0.65, **changes: Any) -> Metrics:
    """Build a full set of metrics from a median latency and an accuracy."""
    metrics = Metrics(
        latency=make_latency(total_ms),
        cold=Cold(import_ns=150_000_000, load_ns=90_000_000, first_inference_ns=60_000_000),
        throughput=make_throughput(1_200.0 / total_ms),
        memory=make_memory(),
        complexity=Complexity(params=2_400_000, gflops=5.48),
        accuracy=make_accuracy(map50_95),
        parity=make_parity(),
        loss=make_loss((0.65 - map50_95) * 100),
    )
    return replace(metrics, **changes)


def make_recipe(case: Case | None = None, **changes: Any) -> Recipe:
    """Build the recipe of the artifact that a case would load."""
    case = case or make_case()
    recipe = Recipe(
        format=case.backend,
        precision=case.precision,
        weights_sha256="ab" * 32,
        head=case.head,
        imgsz=case.imgsz,
        batch=case.batch,
        scheme="static-qdq" if case.precision == "int8" else "",
        tools={"ultralytics": "8.4.190"},
    )
    return replace(recipe, **changes)


def make_artifact(case: Case | None = None, size_bytes: int = 9_800_000, **changes: Any) -> ArtifactFacts:
    """Build the artifact that a case would load."""
    recipe = make_recipe(case)
    return replace(ArtifactFacts("cd" * 32, size_bytes, recipe, recipe.digest), **changes)


def make_ran(case: Case | None = None, **changes: Any) -> Ran:
    """Build the account of a runtime that computed in the precision that the case names."""
    case = case or make_case()
    ran = Ran(
        runtime=f"{case.backend} 1.0",
        compute=case.precision,
        storage=case.precision,
        kernels={"Conv": 64, "MaxPool": 3},
        settings={"intra_op_num_threads": str(case.threads)},
    )
    return replace(ran, **changes)


def make_record(
    case: Case | None = None,
    outcome: Outcome = "measured",
    reason: str = "",
    total_ms: float = 40.0,
    map50_95: float = 0.65,
    **changes: Any,
) -> Record:
    """Build a record; a skipped or failed one has no artifact and no metrics, and each absence gives the reason."""
    case = case or make_case()
    if outcome in ("skipped", "failed"):
        reason = reason or f"{case.row_name} {outcome}: made up"
        gone = Absent(reason)
        record = Record(
            case=case,
            outcome=outcome,
            reason=reason,
            artifact=gone,
            metrics=Metrics(gone, gone, gone, gone, gone, gone, gone, loss=gone),
            validity=Validity(),
            environment=make_machine().fingerprint,
            effort="standard",
        )
        return replace(record, **changes)
    ran = make_ran(case)
    record = Record(
        case=case,
        outcome=outcome,
        reason=reason,
        artifact=make_artifact(case),
        metrics=make_metrics(total_ms, map50_95) if outcome == "measured" else Metrics(),
        validity=Validity(ran=ran, label=ran.label, policy={"threads": str(case.threads), "spin": "true"}),
        environment=make_machine().fingerprint,
        effort="standard",
    )
    return replace(record, **changes)


def make_run(made: Iterable[Record], **changes: Any) -> Run:
    """Build a finished run that selected exactly the cases of its records."""
    made = tuple(made)
    run = Run(
        folder=Path("reports/20260131-120000"),
        records=made,
        machine=make_machine(),
        policy=RunPolicy(threads=2),
        notes=(),
        started="2026-01-31T12:00:00+00:00",
        command="pytest bench/",
        state="finished",
        selected_ids=tuple(record.case.id for record in made),
        effort="standard",
        options={},
    )
    return replace(run, **changes)


def write_run(root: Path, run: Run) -> Path:
    """Write a run to disk as measuring it would, in a folder of its own under `root`, and return that folder."""
    folder = create_run(
        root, run.machine, run.command, run.selected_ids, run.effort, run.options, run.policy, run.data_digest
    )
    write_records(folder, run.records)
    finish_run(folder, run.state)
    return folder


def write_records(folder: Path, made: Iterable[Record]) -> Path:
    """Append records to `folder/records.jsonl` as a run does, and return that file."""
    path = folder / "records.jsonl"
    for record in made:
        records.append(path, record)
    return path
