"""The seam between the harness, which measures, and runtimes, which only run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from benchsuite.backends.schemes import DEFAULT
from benchsuite.machine.facts import Machine
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.said import said

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ArtifactNeed:
    """What a case loads: recipe fields that the backend decides.

    `tools` names the packages that take part, `build` holds what else decides the artifact's bytes, and `batch` is set
    where cases of several batches load the same artifact.
    """

    format: str
    precision: str
    scheme: str
    calibrated: bool
    tools: tuple[str, ...]
    build: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None


@dataclass(frozen=True)
class DeviceTimes:
    """The device's own times of one call in ns: copying in, computing, copying out."""

    copy_in_ns: int
    compute_ns: int
    copy_out_ns: int


@dataclass(frozen=True)
class RunPolicy:
    """How every runtime is set up, equal for all: threads, spinning after work, denormals flushed to zero."""

    threads: int
    spin: bool = True
    flush_denormals: bool = True


@dataclass(frozen=True)
class Ran:
    """Prove what ran: read back from the runtime, not from what it was asked to do.

    `compute` is the precision of the convolutions' arithmetic, `storage` that of the stored weights;
    `kernels` counts kernels (or layers) by type and precision; `settings` are the options in force; `fallback` counts
    the kernels that ran on another device than the case's.
    """

    runtime: str
    compute: str
    storage: str
    kernels: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    int8_mac_share: float | Absent = field(default_factory=lambda: Absent("not an INT8 artifact"))
    fallback: Mapping[str, int] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Return the precision as a row must name it: `fp16 storage, fp32 compute` where the two differ."""
        if self.compute == self.storage:
            return self.compute
        return said("{1} storage, {2} compute", self.storage, self.compute)


class Session(Protocol):
    """A loaded artifact."""

    def run(self, batch: FloatArray) -> FloatArray:
        """Run one batch (N, 3, height, width), RGB 0 to 1, and return once the output lies on the host.

        The next call may overwrite the output.

        The output is (N, 4 + classes, anchors) with xywh boxes in pixels and class scores for the one2many
        head, or (N, 300, 6) with xyxy, score, class for the end2end head.
        """
        ...

    def ran(self) -> Ran:
        """Read back from the runtime what ran."""
        ...


@runtime_checkable
class MarkedSession(Session, Protocol):
    """A loaded artifact whose device notes the times of a call itself."""

    def run_marked(self, batch: FloatArray) -> DeviceTimes:
        """Run one batch and return the device's own times of its parts."""
        ...


@dataclass(frozen=True)
class EngineChoices:
    """How TensorRT builds: None leaves the builder's own choice; `batches` are least, usual and most images a call."""

    level: int | None = None
    workspace_bytes: int | None = None
    batches: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class ArtifactChoices:
    """What a user chooses of how artifacts are made."""

    quant_scheme: str = DEFAULT
    engine: EngineChoices = field(default_factory=EngineChoices)


class Backend(Protocol):
    """One runtime and all that is known of it. Constructing it and asking `why_not` or `need` imports no runtime."""

    name: str
    # What one installs by name; what these pull in is counted with them.
    packages: tuple[str, ...]
    # Distributions that provide one of the packages for other hardware.
    substitutes: Mapping[str, tuple[str, ...]]
    # Artifacts can be built without a GPU, and not run.
    gpu_only: bool
    # Where cases run unless --device says so.
    default_device: str
    # On the CPU, detections differ in their last bits between numbers of threads.
    threads_change_results: bool
    # Seconds to start a worker and import the runtime, as seen on two cores of a server CPU.
    start_s: float
    # In charts: one of Okabe and Ito's palette, which colour-blind readers can tell apart.
    colour: str
    # Ways to run other than the plain one.
    ways: tuple[str, ...]
    # INT8 schemes, and ways to set their ranges, the default first.
    schemes: tuple[str, ...]
    methods: tuple[str, ...]
    # By stored precision: the packages that make an artifact, those of the one that it is made from included.
    tools: Mapping[str, tuple[str, ...]]
    # By stored precision: format and precision of what an artifact is made from; the others are made from the weights.
    made_from: Mapping[str, tuple[str, str]]

    def why_not(self, case: Case, machine: Machine) -> str | None:
        """Say in one sentence why the case cannot run here and what would make it run; None if it can."""
        ...

    def need(self, case: Case, machine: Machine, choices: ArtifactChoices) -> ArtifactNeed:
        """Say which artifact the case loads."""
        ...

    def slow_to_load(self, case: Case) -> bool:
        """Say whether loading compiles the network or builds an engine, which takes minutes."""
        ...

    def modules(self, artifact: Path) -> tuple[str, ...]:
        """Name what is imported before loading is timed, so that `load_ns` is the artifact's and not the package's."""
        ...

    def open(self, artifact: Path, case: Case, policy: RunPolicy) -> Session:
        """Load the artifact folder's files; raise SessionError where the runtime refuses."""
        ...
