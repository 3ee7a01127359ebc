"""Engines on a GPU: the order of copies and launches, and what each refusal says. No real GPU takes part."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchsuite.backends.interface import DeviceTimes, MarkedSession
from benchsuite.backends.proof import contradiction
from benchsuite.backends.tensorrt.engine_files import EngineAccount
from benchsuite.backends.tensorrt.flavours import ENGINE_FILE, TENSORRT, EngineOptions, build_engine, split_engine
from benchsuite.backends.tensorrt.session import TensorrtSession, open_engine
from benchsuite.terms.absence import Absent
from benchsuite.terms.errors import SessionError
from benchsuite.testing import make_case, make_ran
from tests.support.fake_tensorrt import OTHER_VERSION, PLAN, FakeTensorrt, inspector_json

CASE = make_case(backend="trt", device="cuda:0", imgsz=32, batch=2)
ACCOUNT = EngineAccount("TensorRT", make_ran(CASE), {"/model.0/conv/Conv": 100, "/model.1/conv/Conv": 300})
GRAPH = replace(CASE, way="cudagraph")


@pytest.fixture(params=[10, 11])
def trt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FakeTensorrt:
    fake = FakeTensorrt(request.param)
    monkeypatch.setitem(sys.modules, "tensorrt", fake)  # type: ignore[arg-type]
    return fake


def opened(trt: FakeTensorrt, folder: Path, case: Any = CASE, content: bytes = PLAN) -> TensorrtSession:
    (folder / ENGINE_FILE).write_bytes(content)
    return open_engine(trt, ACCOUNT, folder, case, trt.cuda)


def images(value: float) -> Any:
    return np.full((2, 3, 32, 32), value, np.float32)


def test_fake_tensorrt_call_copies_in_runs_and_copies_out(trt: FakeTensorrt, tmp_path: Path) -> None:
    """A call's copies and its launch share one stream, and it returns once all have ended."""
    session = opened(trt, tmp_path)
    assert session.run(images(0.25)).mean() == 0.25
    assert trt.cuda.done == ["in", "run on 7", "out", "wait"]
    assert session.run(images(0.5)).mean() == 0.5


def test_fake_tensorrt_graph_is_captured_after_a_first_launch(trt: FakeTensorrt, tmp_path: Path) -> None:
    """The variant launches once plainly, captures, and then only replays; the plain case never captures."""
    session = opened(trt, tmp_path, GRAPH)
    assert session.run(images(0.5)).mean() == 0.5
    assert trt.cuda.done == ["in", "run on 7", "wait", "capture", "run on 7", "out", "wait"]
    trt.cuda.done.clear()
    assert session.run(images(0.75)).mean() == 0.75
    assert trt.cuda.done == ["in", "graph", "run on 7", "out", "wait"]
    assert session.ran().settings["cuda_graph"] == "on"
    assert opened(trt, tmp_path).ran().settings["cuda_graph"] == "off"


def test_fake_tensorrt_device_times_its_parts(trt: FakeTensorrt, tmp_path: Path) -> None:
    """Copying in, computing and copying out lie between four marks."""
    session = opened(trt, tmp_path)
    assert isinstance(session, MarkedSession)
    assert session.run_marked(images(1.0)) == DeviceTimes(1000, 3000, 5000)


def test_fake_tensorrt_open_batch_is_set_within_its_profile(trt: FakeTensorrt, tmp_path: Path) -> None:
    """A batch that the profile takes is set; another is refused with what would take it."""
    trt.images = (-1, 3, 32, 32)
    opened(trt, tmp_path)
    assert trt.input_shapes == [(2, 3, 32, 32)]
    asked = "takes 1 to 4 images a call, and batch 8 was asked for: use --trt-batches 1,8,8"
    with pytest.raises(SessionError, match=asked):
        opened(trt, tmp_path, replace(CASE, batch=8))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"memory_left": False}, "could not make the engine ready to run"),
        ({"dtype": FakeTensorrt.DataType.HALF}, "the engine's images is not FP32"),
        ({"images": (1, 3, 64, 64)}, "another input than the engine's (1, 3, 64, 64)"),
    ],
)
def test_fake_tensorrt_refuses(trt: FakeTensorrt, tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    """Want of memory, half-precision inputs and another size are told before anything runs."""
    for name, value in change.items():
        setattr(trt, name, value)
    with pytest.raises(SessionError) as error:
        opened(trt, tmp_path)
    assert sentence in str(error.value)


def test_fake_tensorrt_engine_of_another_version(trt: FakeTensorrt, tmp_path: Path) -> None:
    """What TensorRT cannot load is told in its own words, with what to do."""
    with pytest.raises(SessionError, match=rf"cannot load the engine: {OTHER_VERSION}; an engine runs only on"):
        opened(trt, tmp_path, content=b"another plan")


def test_fake_tensorrt_launch_that_fails(trt: FakeTensorrt, tmp_path: Path) -> None:
    """A launch that TensorRT reports as failed does not pass for a fast call."""
    session = opened(trt, tmp_path)
    trt.starts = False
    with pytest.raises(SessionError, match="TensorRT did not start the engine"):
        session.run(images(0.0))


def test_fake_tensorrt_int8_that_ran_in_float_contradicts_its_name(tmp_path: Path) -> None:
    """Both dialects of the inspector prove INT8 by multiply-adds, and an engine that ran in float fails the case."""
    int8 = replace(CASE, precision="int8")
    for version in (10, 11):
        trt = FakeTensorrt(version)
        session = opened(trt, tmp_path)
        trt.information = inspector_json(version, [("/model.0/conv/Conv", "FP16"), ("/model.1/conv/Conv", "Int8")])
        ran = session.ran()
        assert (ran.compute, ran.int8_mac_share) == ("int8", 0.75)
        assert ran.kernels == {"Conv fp16": 1, "Conv int8": 1}
        assert contradiction(int8, ran) is None
        trt.information = inspector_json(version, [("/model.0/conv/Conv", "FP16"), ("/model.1/conv/Conv", "FP16")])
        ran = session.ran()
        assert isinstance(ran.int8_mac_share, Absent)
        assert "named int8" in str(contradiction(int8, ran))


def test_header_of_ultralytics_is_cut_off(tmp_path: Path) -> None:
    """A length and JSON before a plan are read; a bare plan, whatever its first bytes, stays whole."""
    metadata = json.dumps({"imgsz": [32, 32], "batch": 2}).encode()
    content = len(metadata).to_bytes(4, "little") + metadata + PLAN
    assert split_engine(content) == ({"imgsz": [32, 32], "batch": 2}, PLAN)
    for bare in (PLAN, b"", b"\x02\0\0\0[]" + PLAN, b"\x04\0\0\0nul" + PLAN, (5).to_bytes(4, "little")):
        assert split_engine(bare) == ({}, bare)
    opened(FakeTensorrt(11), tmp_path, content=content)


def test_fake_tensorrt_builder_is_told_everything(trt: FakeTensorrt, tmp_path: Path) -> None:
    """Level, workspace, profile and TF32 reach the builder, and timings of this GPU are read and renewed."""
    timings = tmp_path / "timings" / "gpu.cache"
    options = EngineOptions(5, 1 << 30, (1, 4, 8), timings)
    assert build_engine(TENSORRT, tmp_path / "model.onnx", tmp_path / ENGINE_FILE, options) == trt.__version__
    config = trt.config
    assert (tmp_path / ENGINE_FILE).read_bytes() == PLAN
    assert config.builder_optimization_level == 5  # type: ignore[attr-defined]
    assert config.profiling_verbosity == trt.ProfilingVerbosity.DETAILED  # type: ignore[attr-defined]
    assert config.pools == {trt.MemoryPoolType.WORKSPACE: 1 << 30}
    assert config.cleared == [trt.BuilderFlag.TF32]
    assert config.profiles[0].shapes == ("images", (1, 3, 32, 32), (4, 3, 32, 32), (8, 3, 32, 32))
    assert timings.read_bytes() == b"+timings"
    build_engine(TENSORRT, tmp_path / "model.onnx", tmp_path / ENGINE_FILE, options)
    assert config.read == [b"", b"+timings"]
    assert timings.read_bytes() == b"+timings+timings"


def test_fake_tensorrt_timings_of_another_gpu_are_not_used(trt: FakeTensorrt, tmp_path: Path) -> None:
    """A timing cache that TensorRT refuses is begun anew."""
    timings = tmp_path / "gpu.cache"
    timings.write_bytes(b"another GPU")
    build_engine(TENSORRT, tmp_path / "model.onnx", tmp_path / ENGINE_FILE, EngineOptions(timing_cache=timings))
    assert trt.config.read == [b"another GPU", b""]
    assert timings.read_bytes() == b"+timings"
