"""Cases timed together by turns, with what their first workers told of themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.backends.interface import Ran
from benchsuite.machine.files import cannot_write
from benchsuite.machine.json_files import Lines, read_kept, write_kept
from benchsuite.machine.nvml import read_gpu
from benchsuite.machine.watch import Watch
from benchsuite.measure.case_run import Subject
from benchsuite.measure.gpu_use import gpu_use
from benchsuite.measure.launch import Launch
from benchsuite.measure.measurement import ALONE, ON_CPU, PHASES, Cold, GpuUse, Latency, Memory
from benchsuite.measure.oddities import oddities
from benchsuite.measure.readings import Side
from benchsuite.measure.timing import CaseTiming, timings
from benchsuite.measure.turns import TURN_NS, TakenTurn, Turns, take_turns
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import BenchsuiteError, RecordError, UsageError
from benchsuite.terms.said import Sentence

# Enough for a median and a p95 of the device's own times, which noting would make a call slower.
_MARKED_CALLS = 200
_GPU_STRETCH_NS = 4 * TURN_NS
_FOLDER = "timing"


@dataclass(frozen=True)
class TimedCase:
    """What timing by turns told of one case; memory and the runtime's account are its first worker's."""

    latency: Latency
    cold: Cold
    memory: Memory
    ran: Ran | Absent
    gpu: GpuUse | Absent
    oddities: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class TimedGroup:
    """What timing a group told of each of its cases, by their ids: its figures, or why it has none."""

    cases: Mapping[str, TimedCase | Absent]


@dataclass(frozen=True)
class FirstWorker:
    """What the first worker of a case told of itself, once it had had its turns."""

    cold: Cold
    memory: Memory
    ran: Ran | Absent
    gpu: GpuUse | Absent


class GroupTiming:
    """Times subjects together and keeps what each round told in a file of the run's folder as soon as it ends.

    `name` tells the timing from others of the run. `show` is told how many turns of how many have been taken.
    """

    def __init__(
        self, subjects: Sequence[Subject], turns: Turns, name: str, folder: Path, show: Callable[[int, int], None]
    ) -> None:
        self._subjects = {subject.case.id: subject for subject in subjects}
        self._turns = turns
        self._name = name
        self._folder = folder
        self._show = show
        self.first: dict[str, FirstWorker] = {}
        self._watch: Watch

    def run(self, seed: int) -> TimedGroup:
        """Time the group; what a case failed by stands in its place. Raises RecordError where the disk refuses."""
        sides = {case_id: Side(it.case, it.setup) for case_id, it in self._subjects.items()}
        self._watch = Watch()
        taken = take_turns(sides, self._turns, seed, self)
        found: dict[str, TimedCase | Absent] = {name: Absent(reason) for name, reason in taken.failures.items()}
        told = timings(self._name, taken, self._turns, self._watch.strangers(), self._watch.throttled())
        odd = oddities(told)
        for case_id, timing in told.items():
            subject, turns = self._subjects[case_id], taken.turns[case_id]
            latency = self._latency(subject, timing, turns, taken.warmups[case_id])
            first = self.first[case_id]
            found[case_id] = TimedCase(latency, first.cold, first.memory, first.ran, first.gpu, odd[case_id])
        group = TimedGroup(found)
        keep_timing(self._folder, self._name, group)
        return group

    def first_launch(self, case_id: str, launch: Launch, cold: Cold) -> None:
        subject = self._subjects[case_id]
        memory = launch.memory()
        gpu = _gpu(subject, launch, cold)
        try:
            ran: Ran | Absent = launch.ran()
        except BenchsuiteError as error:
            # The case fails by its proof, and not by its latency.
            ran = Absent(str(error))
        self.first[case_id] = FirstWorker(cold, memory, ran, gpu)

    def round_ended(self, turns: Sequence[TakenTurn], done: int, of: int) -> None:
        _turns_file(self._folder, self._name).append(*turns)
        self._watch.look()
        self._show(done, of)

    def _latency(self, subject: Subject, timing: CaseTiming, turns: Sequence[TakenTurn], warmups: int) -> Latency:
        path = subject.samples_folder / f"{subject.case.file_name}.npz"
        calls = np.array([row for turn in turns for row in turn.turned.ns], np.int64)
        of_each = [len(turn.turned.ns) for turn in turns]
        columns: dict[str, Any] = {f"{phase}_ns": calls[:, column] for column, phase in enumerate(PHASES)}
        columns |= {
            name: np.repeat(np.array(values, np.int64), of_each)
            for name, values in (
                ("part", [turn.part for turn in turns]),
                ("launch", [turn.launch for turn in turns]),
                ("round", [turn.round for turn in turns]),
                ("counts", [turn.disturbed is None for turn in turns]),
            )
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(path, **columns)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise RecordError(cannot_write(path, error)) from None
        return Latency(
            **{f"{phase}_ns": timing.phases[phase] for phase in PHASES},
            warmup_calls=warmups,
            samples_file=f"{path.parent.name}/{path.name}",
            samples_sha256=digest,
            together=timing.together if len(self._subjects) > 1 else ALONE,
        )


def time_alone(subject: Subject) -> TimedCase | Absent:
    """Time one subject in one launch, with as many turns as it would have had among others."""
    effort = subject.effort
    turns = Turns(1, effort.launches * effort.rounds)
    timing = GroupTiming([subject], turns, subject.case.file_name, subject.samples_folder.parent, lambda *_: None)
    return timing.run(0).cases[subject.case.id]


def _gpu(subject: Subject, launch: Launch, cold: Cold) -> GpuUse | Absent:
    """Watch the GPU over a stretch of calls of their own: looking at it would slow those that are timed."""
    uuid = subject.setup.gpu
    if not uuid:
        return ON_CPU
    before = read_gpu(uuid)
    stretch = launch.turn(_GPU_STRETCH_NS, _MARKED_CALLS, 0, cold.first_inference_ns)
    return gpu_use(before, read_gpu(uuid), len(stretch.ns), launch.pid, launch.mark(_MARKED_CALLS))


def keep_timing(folder: Path, name: str, group: TimedGroup) -> None:
    """Keep a finished timing in a run's folder; raises RecordError where the disk refuses."""
    try:
        write_kept(_kept(folder, name), group)
    except UsageError as error:
        raise RecordError(str(error)) from None


def read_timing(folder: Path, name: str) -> TimedGroup:
    """Return a finished timing that a run's folder keeps; raises RecordError."""
    return read_kept(_kept(folder, name), TimedGroup, "start a new run")


def timings_of(folder: Path) -> tuple[str, ...]:
    """Return the names of the timings of a run that ended."""
    return tuple(sorted(path.stem for path in (folder / _FOLDER).glob("*.json")))


def new_timing(folder: Path) -> str:
    """Return a name that no timing of a run has yet, ended or not."""
    return f"turns-{len({path.stem for path in (folder / _FOLDER).glob('*.json*')}) + 1}"


def _turns_file(folder: Path, name: str) -> Lines[TakenTurn]:
    return Lines(folder / _FOLDER / f"{name}.jsonl", TakenTurn, "not a turn")


def _kept(folder: Path, name: str) -> Path:
    return folder / _FOLDER / f"{name}.json"
