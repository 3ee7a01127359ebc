"""Every runtime is whole: what other rooms ask of one is there for each."""

from __future__ import annotations

import pytest

from benchsuite.artifacts.exporters import EXPORTERS
from benchsuite.backends import BACKENDS
from benchsuite.backends.interface import ArtifactChoices, Backend
from benchsuite.backends.offers import EVERY_SCHEME, recorded_packages
from benchsuite.backends.schemes import MOST_INTEGER, SYMMETRIC, UNCALIBRATED
from benchsuite.backends.tools import OBSERVED, STEPS
from benchsuite.report.palette import DASHES, MARKS
from benchsuite.terms.cases import PRECISIONS
from benchsuite.testing import make_case, make_machine

EVERY = pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)


@EVERY
def test_facts_are_given(backend: Backend) -> None:
    """Packages, colour, device and start-up time are there, and a method for what schemes have to calibrate."""
    assert backend.packages
    assert set(backend.substitutes) <= set(backend.packages)
    assert backend.start_s > 0
    assert backend.default_device in ("cpu", "cuda:0")
    assert bool(backend.methods) == bool(backend.schemes)
    assert set(backend.packages) <= set(recorded_packages())


def test_no_two_runtimes_share_a_colour() -> None:
    """Charts tell runtimes apart by colour, and precisions by marks and dashes."""
    assert len({backend.colour for backend in BACKENDS.values()}) == len(BACKENDS)
    assert set(MARKS) == set(DASHES) == set(PRECISIONS)


@EVERY
@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_a_case_needs_can_be_made(backend: Backend, precision: str) -> None:
    """The artifact of every precision that can run somewhere has an exporter, and so has what it is made from."""
    packages = dict.fromkeys(recorded_packages(), "1")
    case = make_case(backend=backend.name, precision=precision, device=backend.default_device)
    machine = make_machine(packages=packages, isa=("avx512_vnni", "avx512_bf16", "avx512_fp16"))
    if backend.why_not(case, machine) is not None:
        return
    need = backend.need(case, machine, ArtifactChoices())
    key = (need.format, need.precision)
    while key:
        artifact_format, stored = key
        assert BACKENDS[artifact_format].tools[stored] is not None
        schemes = BACKENDS[artifact_format].schemes if stored == "int8" else ("",)
        assert all((artifact_format, stored, scheme) in EXPORTERS for scheme in schemes)
        key = BACKENDS[artifact_format].made_from.get(stored, ())


@EVERY
def test_what_benchsuite_makes_names_its_own_steps(backend: Backend) -> None:
    """Every artifact that is more than a copy of the weights changes its recipe with the step that writes it."""
    own = {precision: set(tools) & set(STEPS) for precision, tools in backend.tools.items()}
    assert all(own.values()) or own == {"fp32": set()}
    assert not set(recorded_packages()) & set(STEPS)


def test_exporters_make_nothing_that_no_runtime_offers() -> None:
    """Every exporter serves a stored precision of a runtime, and every INT8 one a scheme of it."""
    # An engine is made from that ONNX file.
    offered = {("onnx", "int8", SYMMETRIC)}
    for name, backend in BACKENDS.items():
        offered |= {(name, "int8", scheme) for scheme in backend.schemes}
        offered |= {(name, stored, "") for stored in backend.tools if stored != "int8"}
    assert set(EXPORTERS) == offered


@EVERY
def test_an_artifact_takes_the_tools_of_what_it_is_made_from(backend: Backend) -> None:
    """A new version of a package that made the source means a new artifact too."""
    for stored, (source, precision) in backend.made_from.items():
        assert set(BACKENDS[source].tools[precision]) <= set(backend.tools[stored]), stored


def test_schemes_that_are_named_apart_are_offered() -> None:
    """What a search starts from, what needs no images and what engines take are schemes that there are."""
    assert {MOST_INTEGER, SYMMETRIC, *UNCALIBRATED} <= set(EVERY_SCHEME)
    assert OBSERVED not in PRECISIONS
