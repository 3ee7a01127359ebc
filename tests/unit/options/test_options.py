"""Options are read once, and all that is wrong with them is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.backends import BACKENDS
from benchsuite.backends.interface import EngineChoices
from benchsuite.machine import facts
from benchsuite.options.settings import SETTINGS, parse
from benchsuite.options.texts import size_bytes
from benchsuite.terms.errors import UsageError
from benchsuite.terms.input_size import InputSize


def test_bare_command_selects_every_backend_and_precision() -> None:
    """Without options every backend at every precision is selected, on the bundled model at 640."""
    options = parse({})
    assert options.models == ("yolo26n_shapes",)
    assert options.backends == tuple(BACKENDS)
    assert options.precisions == ("fp32", "fp16", "bf16", "int8")
    assert options.imgsz == (InputSize.square(640),)
    assert options.threads >= 1


def test_every_bad_option_is_named_in_one_message() -> None:
    """One error lists each bad option with what was given and what would be valid."""
    with pytest.raises(UsageError) as caught:
        parse({"backend": "tensorflow", "imgsz": "641", "batch": "0", "precision": "fp8", "max_latency": "p42=3"})
    message = str(caught.value)
    for text in ("--backend tensorflow", "--imgsz 641", "multiple of 32", "--batch 0", "--precision fp8", "p95=50ms"):
        assert text in message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("device", "gpu"), ("threads", "0"), ("threads", "100000"), ("effort", "long"),
        ("min_map", "55"), ("head", "nms"),
        ("data", "no.yaml"), ("calib", "no.yaml"), ("calib_size", "-1"), ("calib_method", "kl"),
        ("max_memory", "lots"), ("backend", ","), ("max_map_drop", "-1"), ("max_latency", "p95=50"),
        ("variant", "fast"), ("trt_level", "6"), ("trt_workspace", "much"), ("trt_batches", "1,8"),
        ("trt_batches", "8,4,16"), ("rebuilds", "0"), ("rebuilds", "1000000000"), ("imgsz", "16416"),
        *((name, "9" * 5000) for name in (
            "imgsz", "batch", "threads", "calib_size", "search_budget", "trt_workspace", "max_latency", "max_memory",
            "min_map", "max_map_drop", "gate_budget", "alpha",
        )),
        ("max_latency", f"p95={'9' * 400}ms"), ("max_memory", "1.2.3"), ("batch", "²"), ("batch", "٣"),
    ],
)  # fmt: skip
def test_bad_value_is_refused(name: str, text: str) -> None:
    """Each option refuses a value that it cannot use, naming itself."""
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        parse({name: text})


@pytest.mark.parametrize("name", ["data", "calib"])
def test_folder_in_place_of_a_data_yaml_is_called_one(name: str, tmp_path: Path) -> None:
    """What is there is not said to be missing."""
    for path, found in ((tmp_path, "it is a folder"), (tmp_path / "gone", "there is no such file")):
        with pytest.raises(UsageError, match=rf"^--{name} {path}: {found}; give the path of a data.yaml"):
            parse({name: str(path)})


@pytest.mark.parametrize("text", ["a\0b", "a\nb", "\x1b[31m", "\udcff.pt"])
@pytest.mark.parametrize("name", ["model", "data", "report", "case", "machine", "backend", "against", "imgsz"])
def test_text_that_no_file_or_terminal_can_hold_is_refused(name: str, text: str) -> None:
    """A control character or a byte that is no UTF-8 ends in a message that can itself be printed."""
    with pytest.raises(UsageError, match="it holds") as caught:
        parse({name: text})
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


def test_long_texts_are_not_said_again() -> None:
    """A message holds the beginning of what was given, whatever its length."""
    for name in ("backend", "imgsz", "device", "calib"):
        with pytest.raises(UsageError) as caught:
            parse({name: "x," * 50_000})
        assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("720", "give 704 or 736"), ("10", "give 32"), ("20000", "give 16384"), ("640x480", "give one side, as in 640"),
        ("640,720,six", "720: .*give 704 or 736; six: it must be a multiple"),
        ("720x1280", "give one side, as in 1280"), ("650x10", "give one side, as in 640 or 672"),
    ],
)  # fmt: skip
def test_sizes_that_cannot_be_are_told_the_nearest(text: str, advice: str) -> None:
    """A side between two multiples, and an input that is not square, are answered with sides that can be had."""
    with pytest.raises(UsageError, match=f"--imgsz {text}: .*{advice}"):
        parse({"imgsz": text})


def test_threads_keep_within_the_cpu_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` is what a quota leaves of the cores, at least one; more may be asked for, up to the cores."""
    monkeypatch.setattr(facts, "usable_cores", lambda: 8)
    for quota, threads in ((None, 8), (2.5, 2), (0.5, 1), (100.0, 8)):
        monkeypatch.setattr(facts, "cpu_quota", lambda quota=quota: quota)
        assert parse({}).threads == threads
        assert parse({"threads": "8"}).threads == 8


@pytest.mark.parametrize(
    ("name", "method"), [("IInt8EntropyCalibrator2", "entropy"), ("IInt8MinMaxCalibrator", "minmax")]
)
def test_calibrators_of_older_articles_are_told_what_took_their_place(name: str, method: str) -> None:
    """TensorRT's former calibrator classes are answered with the same choice of method."""
    with pytest.raises(UsageError, match=f"Q/DQ pairs in the ONNX file.*--calib-method {method} is the same choice"):
        parse({"calib_method": name})


def test_engines_are_built_as_asked_for() -> None:
    """Level, workspace and profile are left to TensorRT where nothing is asked for, and a batch must lie within."""
    assert parse({}).engine == EngineChoices()
    asked = {"trt_level": "5", "trt_workspace": "1GiB", "trt_batches": "1,4,8", "batch": "8", "rebuilds": "2"}
    assert parse(asked).engine == EngineChoices(5, 1 << 30, (1, 4, 8))
    assert parse(asked).rebuilds == 2
    with pytest.raises(UsageError, match="--batch 16: --trt-batches takes 1 to 8 images a call; widen it"):
        parse({"trt_batches": "1,4,8", "batch": "4,16"})


def test_limits_are_read_with_their_units() -> None:
    """Limits keep ns and bytes, whatever unit they were given in."""
    limits = parse({"max_latency": "p50=20ms,p95=1.5s", "max_memory": "1GiB", "min_map": "0.5"}).limits
    assert limits.latency_ns == {"p50": 20e6, "p95": 1.5e9}
    assert limits.memory_bytes == 1 << 30
    assert limits.map50_95 == 0.5


@pytest.mark.parametrize(("text", "size"), [("500MB", 500_000_000), ("1.5GiB", 1_610_612_736), ("42", 42), ("", None)])
def test_sizes_are_decimal_unless_they_say_otherwise(text: str, size: int | None) -> None:
    """MB is 10^6 bytes and MiB 2^20."""
    assert size_bytes(text) == size


def test_option_names_are_unique() -> None:
    """No two settings share a flag."""
    assert len({setting.flag for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("imgsz", "9" * 5_000),
        ("batch", "²"),
        ("threads", "٣"),
        ("device", "cuda:" + "9" * 5_000),
        ("max_memory", "9" * 400),
        ("max_memory", "1.2.3GB"),
        ("max_latency", f"p95={'9' * 400}ms"),
        ("min_map", "."),
        ("max_map_drop", "9" * 400),
        ("gate_budget", "9" * 400),
        ("alpha", "1e999"),
        ("backend", "\x1b[2J" + "x" * 100_000),
        ("report", "a\0b"),
        ("data", "a\0b"),
        ("data", "a" * 5_000),
    ],
)
def test_text_that_no_option_can_mean_is_refused_in_a_short_sentence(name: str, text: str) -> None:
    """Huge numbers, digits of other scripts, control characters and paths that cannot be end in one printable line."""
    with pytest.raises(UsageError) as caught:
        parse({name: text})
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


def test_path_that_the_locale_cannot_read_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte that was no letter to the process stands in the text as half a sign, and nothing is looked for by it."""
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "ascii")
    with pytest.raises(UsageError, match=r"--model .*: it has letters that .* does not know; set PYTHONUTF8=1"):
        parse({"model": "\udce6\udca8\udca1.pt"})
