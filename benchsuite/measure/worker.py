"""The process that one session lives in: `python -m benchsuite.measure.worker`."""

from __future__ import annotations

import gc
import importlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchsuite.backends import backend
from benchsuite.backends.interface import FloatArray, MarkedSession, Session
from benchsuite.backends.offers import recorded_packages
from benchsuite.backends.tools import STEPS
from benchsuite.data.dataset import load_dataset
from benchsuite.data.images import decode, read_image, undecodable
from benchsuite.data.letterbox import Placement, preprocess
from benchsuite.data.truth import differences, most_labels, read_truth
from benchsuite.detect.accuracy import evaluate
from benchsuite.detect.detections import NOTHING_FOUND, Detections, save_detections
from benchsuite.detect.postprocess import DEPLOY, capped, evaluation_settings, postprocess
from benchsuite.machine.cpu_times import CpuTimes, read_cpu_times
from benchsuite.machine.memory import involuntary_switches, peak_rss_bytes, rss_bytes
from benchsuite.machine.processes import Handler, serve
from benchsuite.measure.effort import ROTATING_INPUTS
from benchsuite.measure.measurement import Cold
from benchsuite.measure.requests import (
    REQUESTS,
    Account,
    AskMemory,
    AskRan,
    Evaluate,
    Evaluated,
    HostMemory,
    Mark,
    Marked,
    Open,
    Opened,
    Read,
    Reading,
    Saturate,
    Saturated,
    Turn,
    Turned,
    WarmedUp,
    WarmUp,
)
from benchsuite.measure.sampling import Clock, PhaseTimes, Pipeline, timed_call, warm_up
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import SessionError
from benchsuite.terms.said import said


@dataclass(frozen=True)
class TimedInput:
    """The decoded images of one call, and where letterboxing will place them."""

    images: tuple[Any, ...]
    placements: tuple[Placement, ...]


class Worker:
    """Answers the parent's requests about one open session."""

    def __init__(
        self,
        clock: Clock = time.perf_counter_ns,
        own_cpu_ns: Clock = time.process_time_ns,
        cpu_times: Callable[[], CpuTimes | None] = read_cpu_times,
    ) -> None:
        self._clock = clock
        self._own_cpu_ns = own_cpu_ns
        self._cpu_times = cpu_times
        self._case: Case
        self._session: Session
        self._inputs: tuple[TimedInput, ...]
        self._rotation: Iterator[TimedInput]
        self._output: FloatArray
        self._after_import_bytes = 0
        self._after_load_bytes = 0
        self._after_first_bytes = 0

    def open(self, asked: Open) -> Opened:
        """Load the artifact and run it once; answer what that cost."""
        import cv2

        self._case = asked.case
        artifact = Path(asked.artifact)
        # OpenCV's own pool would add threads that no policy counts.
        cv2.setNumThreads(1)
        self._inputs = _timed_inputs([Path(path) for path in asked.images], self._case)
        self._rotation = itertools.cycle(self._inputs)
        runtime = backend(self._case.backend)
        start = self._clock()
        for module in runtime.modules(artifact):
            importlib.import_module(module)
        imported = self._clock()
        self._after_import_bytes = rss_bytes()
        load_start = self._clock()
        self._session = runtime.open(artifact, self._case, asked.policy)
        loaded = self._clock()
        self._after_load_bytes = rss_bytes()
        batch = self._preprocess(self._inputs[0])
        first_start = self._clock()
        output = self._session.run(batch)
        first_end = self._clock()
        self._after_first_bytes = rss_bytes()
        cold = Cold(imported - start, loaded - load_start, first_end - first_start)
        return Opened(cold, tuple(output.shape))

    def turn(self, asked: Turn) -> Turned:
        """Time calls phase by phase over the rotating inputs, which go on where the last turn ended."""
        _hold_garbage()
        pipeline = Pipeline(self._preprocess, self._kept_run, _deploy)
        for _ in range(asked.discard):
            timed_call(pipeline, next(self._rotation), self._clock)
        before, own_ns, switched = self._cpu_times(), self._own_cpu_ns(), involuntary_switches()
        began = ended = self._clock()
        rows: list[PhaseTimes] = []
        while len(rows) < asked.fewest or ended - began < asked.lasting_ns:
            rows.append(timed_call(pipeline, next(self._rotation), self._clock, asked.slowdown))
            ended = self._clock()
        own_ns, switched = self._own_cpu_ns() - own_ns, involuntary_switches() - switched
        after = self._cpu_times()
        _check_finite(self._output)
        if before is None or after is None:
            return Turned(tuple(rows), began, ended, own_ns, switched, 1, None, None)
        # The kernel counts in ticks, and may be a tick behind what this process knows of itself.
        others_ns = max(0, after.busy_ns - before.busy_ns - own_ns)
        stolen_ns = after.stolen_ns - before.stolen_ns
        return Turned(tuple(rows), began, ended, own_ns, switched, after.cpus, others_ns, stolen_ns)

    def read(self, asked: Read) -> Reading:
        """Time calls of the whole pipeline after untimed ones, all from the first input on.

        The gate's self-test injects a slowdown, a busy wait within what is timed.
        """
        _hold_garbage()
        clock, slowdown = self._clock, asked.slowdown
        began, switched = clock(), involuntary_switches()
        durations = []
        for number in range(-asked.discard, asked.calls):
            item = self._inputs[number % len(self._inputs)]
            start = clock()
            output = self._session.run(self._preprocess(item))
            _deploy(output, item)
            end = clock()
            if slowdown:
                until = end + int((end - start) * slowdown)
                while end < until:
                    end = clock()
            durations.append(end - start)
        ended = clock()
        _check_finite(output)
        return Reading(tuple(durations[asked.discard :]), ended - began, involuntary_switches() - switched)

    def mark(self, asked: Mark) -> Marked | Absent:
        """Run calls in which the device notes the times itself; answer these, or why there are none."""
        if not isinstance(self._session, MarkedSession):
            return Absent("the runtime does not let the device's own times be noted")
        batches = [self._preprocess(item) for item in self._inputs]
        times = [self._session.run_marked(batches[number % len(batches)]) for number in range(asked.calls)]
        return Marked(tuple(times))

    def memory(self, _: AskMemory) -> HostMemory:
        """Answer the peak so far and what each step added."""
        return HostMemory(
            peak_rss_bytes=peak_rss_bytes(),
            import_rss_bytes=self._after_import_bytes,
            load_added_bytes=self._after_load_bytes - self._after_import_bytes,
            inference_added_bytes=self._after_first_bytes - self._after_load_bytes,
        )

    def ran(self, _: AskRan) -> Account:
        """Answer the runtime's own account of what it ran."""
        return Account(self._session.ran())

    def saturate(self, asked: Saturate) -> Saturated:
        """Run without pause from before a window to after it; answer the calls that lay in between."""
        batches = [self._preprocess(item) for item in self._inputs]
        run = self._session.run
        ends = []
        for batch in itertools.cycle(batches):
            run(batch)
            ends.append(self._clock())
            if ends[-1] >= asked.stop_ns:
                break
        inside = [end for end in ends if asked.start_ns <= end <= asked.stop_ns]
        if len(inside) < 2:
            raise SessionError(
                said("fewer than two calls ended in the throughput window: the model is too slow for it")
            )
        return Saturated(len(inside) - 1, inside[0], inside[-1])

    def warm_up(self, asked: WarmUp) -> WarmedUp:
        """Run until call times are steady."""
        batches = [self._preprocess(item) for item in self._inputs]

        def timed(number: int) -> int:
            start = self._clock()
            self._session.run(batches[number % len(batches)])
            return self._clock() - start

        return WarmedUp(warm_up(timed, asked.cap_ns, self._clock))

    def evaluate(self, asked: Evaluate) -> Evaluated:
        """Detect on every image, write the detections, and answer accuracy if asked to."""
        images = [Path(path) for path in asked.images]
        dataset = load_dataset(Path(asked.data))
        truths = [read_truth(path, dataset.names, dataset.keypoint_columns) for path in images if asked.score]
        settings = evaluation_settings(most_labels(truths))
        deployed: list[Detections] = []
        scored: list[Detections] = []
        sizes: list[tuple[int, int]] = []
        damaged: list[Path] = []
        for chunk in _chunks(images, self._case.batch):
            decoded = [decode(path) for path in chunk]
            pixels = [self._inputs[0].images[0] if image is None else image for image in decoded]
            sizes += [image.shape[:2] for image in pixels]
            padded = pixels + [pixels[-1]] * (self._case.batch - len(pixels))
            batch, placements = preprocess(padded, self._case.imgsz)
            output = self._session.run(batch)
            for found, wanted in ((deployed, DEPLOY), (scored, settings)):
                boxes = postprocess(output, placements, wanted)
                found += [NOTHING_FOUND if it is None else its for it, its in zip(decoded, boxes, strict=False)]
            damaged += [path for path, image in zip(chunk, decoded, strict=True) if image is None]
        # What val leaves out has no labels, and must have no false alarms either.
        if truths:
            scored = [NOTHING_FOUND if it.labels.left_out else found for it, found in zip(truths, scored, strict=True)]
        save_detections(Path(asked.path), deployed)
        save_detections(Path(asked.scored_path), scored)
        if not truths:
            return Evaluated(None)
        notes = (*differences(truths), *capped(most_labels(truths), output.shape))
        kept = [number for number, truth in enumerate(truths) if not truth.labels.left_out]
        left_out = {truth.image for truth in truths if truth.labels.left_out}
        unknown = next((path for path in damaged if path not in left_out), None)
        if unknown is not None:
            # Val would stumble over it.
            return Evaluated(Absent(undecodable(unknown)))
        return Evaluated(
            evaluate(
                [scored[number] for number in kept],
                [truths[number].labels.scaled(sizes[number][1], sizes[number][0]) for number in kept],
                [sizes[number] for number in kept],
                dataset.names,
                self._case.imgsz,
                asked.data_sha256,
                settings,
                notes,
            )
        )

    def _preprocess(self, item: TimedInput) -> FloatArray:
        return preprocess(item.images, self._case.imgsz)[0]

    def _kept_run(self, batch: FloatArray) -> FloatArray:
        self._output = self._session.run(batch)
        return self._output


def _hold_garbage() -> None:
    """Switch the garbage collector off: its pauses are not the runtime's, and a worker does not live for long."""
    if gc.isenabled():
        gc.collect()
        gc.disable()


def _check_finite(output: FloatArray) -> None:
    import numpy as np

    if not np.isfinite(output).all():
        raise SessionError(said("the runtime returned values that are not finite"))


def _deploy(output: FloatArray, item: TimedInput) -> list[Detections]:
    return postprocess(output, item.placements, DEPLOY)


def _timed_inputs(paths: Sequence[Path], case: Case) -> tuple[TimedInput, ...]:
    """Decode the first images, `batch` of them an input, repeating where the data set has fewer."""
    decoded = [read_image(path) for path in paths[: ROTATING_INPUTS * case.batch]]
    rotation = itertools.cycle(decoded)
    inputs = []
    for _ in range(ROTATING_INPUTS):
        images = tuple(itertools.islice(rotation, case.batch))
        inputs.append(TimedInput(images, preprocess(images, case.imgsz)[1]))
    return tuple(inputs)


def _chunks(images: Sequence[Path], size: int) -> list[Sequence[Path]]:
    return [images[start : start + size] for start in range(0, len(images), size)]


def _handler(worker: Worker, name: str) -> Handler:
    """Read a request, let the worker's method of its name answer, and write the answer."""
    asked, _ = REQUESTS[name]
    answer = getattr(worker, name)

    def handle(request: dict[str, Any]) -> dict[str, Any]:
        answered: dict[str, Any] = to_builtins(answer(from_builtins(request, asked)))
        return answered

    return handle


def handlers(worker: Worker) -> dict[str, Handler]:
    """Return what answers each request to a worker."""
    return {name: _handler(worker, name) for name in REQUESTS}


def main() -> None:
    """Serve until the parent closes its end."""
    serve(handlers(Worker()), recorded_packages(), STEPS)


if __name__ == "__main__":
    main()
