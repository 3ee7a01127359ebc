"""What this machine can run, why not the rest, and how steady it is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter

from benchsuite.backends import BACKENDS, backend, only_builds
from benchsuite.backends.offers import recorded_packages
from benchsuite.machine.facts import Machine, read_machine, usable_threads
from benchsuite.machine.noise import measure_noise
from benchsuite.options.selection import cases_of
from benchsuite.options.settings import defaults
from benchsuite.report.terminal import aligned, wrap
from benchsuite.terms.cases import PRECISIONS, Case
from benchsuite.terms.errors import UsageError
from benchsuite.terms.installation import missing_requirements

# A few pieces of work, and an hour.
_SECONDS = (0.1, 3600)
# Of a backend's name and device, and of a column a precision.
_WIDTHS = (16, *(8 for _ in PRECISIONS))


def report_lines(noise_seconds: float) -> Iterator[str]:
    """Yield the report line by line, so that what is known shows before the noise has been watched.

    Raises UsageError for seconds that nobody can wait for.
    """
    least, most = _SECONDS
    if noise_seconds and not least <= noise_seconds <= most:
        raise UsageError(
            f"--seconds {noise_seconds:g}: give a number from {least} to {most:,}, or 0 to leave the noise out."
        )
    machine = read_machine(recorded_packages())
    yield from _machine_lines(machine)
    yield ""
    yield from _case_lines(machine)
    if noise_seconds:
        yield ""
        yield f"Watching the machine's noise for {noise_seconds:.0f} s ..."
        for sentence in measure_noise(noise_seconds).sentences:
            yield from _wrapped("Noise     ", f"{sentence}.")


def _machine_lines(machine: Machine) -> Iterator[str]:
    quota = machine.cpu_quota_cores
    limit = "" if quota is None else f", limited to {quota:g}; --threads auto is {usable_threads()}"
    yield f"CPU       {machine.cpu}, {machine.cores} cores, {machine.usable_cores} usable{limit}"
    yield from _wrapped("ISA       ", " ".join(machine.isa) or "unknown")
    yield f"Governor  {machine.governor}"
    yield f"Memory    {machine.memory_bytes / (1 << 30):.0f} GiB"
    yield f"GPU       {', '.join(gpu.name for gpu in machine.gpus) or 'no NVIDIA GPU found'}"
    yield f"Python    {machine.python} on {machine.system} {machine.kernel}"
    yield from _wrapped("Packages  ", ", ".join(f"{name} {version}" for name, version in machine.packages.items()))
    yield f"Baselines {machine.slug}"
    for extra, missing in missing_requirements(_substitutes()).items():
        names = ", ".join(re.split("[<>=!~]", text)[0] for text in missing)
        if extra:
            yield from _wrapped("Extra     ", f"{extra} ({names}): pip install 'benchsuite[{extra}]'")
        else:
            wanted = " ".join(shlex.quote(text) for text in missing)
            yield from _wrapped("Missing   ", f"{names}: pip install {wanted}")


def _substitutes() -> Mapping[str, Sequence[str]]:
    return {name: others for it in map(backend, BACKENDS) for name, others in it.substitutes.items()}


def _case_lines(machine: Machine) -> Iterator[str]:
    rows = [(label, [(case.precision, *_answer(case, machine)) for case in cases]) for label, cases in _rows(machine)]
    yield aligned(("", *PRECISIONS), _WIDTHS)
    for label, answers in rows:
        yield aligned((label, *(answer for _, answer, _ in answers)), _WIDTHS)
    yield ""
    for label, answers in rows:
        for reason, alike in groupby(answers, itemgetter(2)):
            if reason:
                yield from _wrapped(f"{label} {', '.join(precision for precision, _, _ in alike)}: ", reason)


def _rows(machine: Machine) -> Iterator[tuple[str, tuple[Case, ...]]]:
    """Yield each backend on its usual device, and on the first GPU where there is one."""
    gpu = ("cuda:0",) if machine.gpus else ()
    for name in BACKENDS:
        for device in dict.fromkeys((backend(name).default_device, *gpu)):
            yield f"{name} {device}", cases_of(replace(defaults(), backends=(name,), device=device), ["model"], machine)


def _answer(case: Case, machine: Machine) -> tuple[str, str]:
    """Return yes, no or builds, and the reason for the latter two."""
    reason = backend(case.backend).why_not(case, machine)
    if reason:
        return "no", reason
    reason = only_builds(case, machine)
    return ("builds", reason) if reason else ("yes", "")


def _wrapped(label: str, text: str) -> list[str]:
    return wrap(text, label, " " * min(len(label), 14))
