"""The store builds once, gives whole artifacts only, and mends what was damaged. (Its builder is a fake.)"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchsuite.artifacts import store as store_module
from benchsuite.artifacts.recipe import Calibration, Recipe
from benchsuite.artifacts.store import Card, Store
from benchsuite.machine import processes
from benchsuite.machine.nvml import Gpu
from benchsuite.terms.errors import BuildError
from benchsuite.terms.input_size import InputSize
from benchsuite.testing import FakeChild

SIZE = InputSize.square(640)
RECIPE = Recipe("torch", "fp32", "0" * 64, "one2many", SIZE, 1, tools={"torch": "2"})


class FakeBuilder:
    """Write the recipe's name instead of exporting anything, and count."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def __call__(self, recipe: Recipe, weights: Path, parent: Path | None, images: Sequence[Path], folder: Path) -> int:
        with self.log.open("a") as file:
            file.write(f"{recipe.format} {recipe.precision}\n")
        (folder / "model.bin").write_text(f"{recipe.format} {recipe.precision} from {bool(parent)} and {len(images)}")
        return 1000


@pytest.fixture
def builder(tmp_path: Path) -> FakeBuilder:
    """Give a builder that writes down what it built."""
    return FakeBuilder(tmp_path / "built")


@pytest.fixture
def store(tmp_path: Path, builder: FakeBuilder) -> Store:
    """Give an empty store."""
    return Store(tmp_path / "store", builder)


def _built(builder: FakeBuilder) -> list[str]:
    return builder.log.read_text().splitlines() if builder.log.exists() else []


def test_second_request_builds_nothing(store: Store, builder: FakeBuilder, tmp_path: Path) -> None:
    """An artifact is built when it is first asked for, and then found."""
    first, notes = store.get(RECIPE, tmp_path / "w.pt")
    again, _ = store.get(RECIPE, tmp_path / "w.pt")
    assert first == again
    assert notes == ()
    assert _built(builder) == ["torch fp32"]
    assert first.bytes == len("torch fp32 from False and 0")
    assert store.has(RECIPE)


def test_an_artifact_is_listed_by_the_name_of_its_model(store: Store, tmp_path: Path) -> None:
    """It keeps the first name that it is asked for under; before, it is called by the digest of its weights."""
    store.get(RECIPE, tmp_path / "w.pt")
    for model, listed in (("", "weights 000000000000"), ("模型", "模型"), ("other", "模型")):
        artifact, notes = store.get(RECIPE, tmp_path / "w.pt", model=model)
        ((entry,), _) = store.entries()
        assert (entry.what, notes) == (f"{listed} torch fp32 640 px b1 one2many", ())
    (Path(artifact.folder).parent / "model.txt").write_bytes(b"\x1b[31m\xff")
    assert store.entries()[0][0].what.isprintable()


def test_cards_belong_to_the_versions_that_told_them(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another Ultralytics may count another way: it is asked again, and the first one's answer stays."""
    asked: list[str] = []

    def describe(request: dict[str, str]) -> dict[str, object]:
        asked.append(request["head"])
        return {"names": ["disc"], "params": 5, "gflops": 1.5, "heads": ["one2many"]}

    monkeypatch.setitem(processes.STAND_INS, "benchsuite.artifacts.builder", lambda: FakeChild({"describe": describe}))
    for packages in ({"ultralytics": "1"}, {"ultralytics": "2"}, {"ultralytics": "1", "pytest": "9"}):
        store.card(tmp_path / "w.pt", "0" * 64, SIZE, "one2many", packages)
    assert len(asked) == 2


def test_derived_artifact_builds_its_parent_first(store: Store, builder: FakeBuilder, tmp_path: Path) -> None:
    """INT8 is made from the FP32 artifact, which the FP32 case then finds."""
    calibration = Calibration("1" * 64, 2, "minmax")
    int8 = Recipe("onnx", "int8", "0" * 64, "one2many", SIZE, 1, "s", calibration, {"onnxruntime": "1"})
    artifact, _ = store.get(int8, tmp_path / "w.pt", [tmp_path / "a.jpg", tmp_path / "b.jpg"])
    # What was observed of the images is an artifact of its own.
    assert _built(builder) == ["onnx fp32", "onnx observed", "onnx int8"]
    assert (Path(artifact.folder) / "model.bin").read_text() == "onnx int8 from True and 2"


def test_altered_artifact_is_rebuilt_and_said(store: Store, builder: FakeBuilder, tmp_path: Path) -> None:
    """A truncated file is noticed on use, rebuilt, and reported."""
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")
    (Path(artifact.folder) / "model.bin").write_text("tor")
    mended, notes = store.get(RECIPE, tmp_path / "w.pt")
    assert mended == artifact
    assert _built(builder) == ["torch fp32"] * 2
    assert "truncated or altered" in notes[0]
    (Path(artifact.folder).parent / "artifact.json").unlink()
    assert "incomplete" in store.get(RECIPE, tmp_path / "w.pt")[1][0]
    # As of a copy that went wrong.
    folder = Path(artifact.folder).parent
    folder.rename(tmp_path / "aside")
    folder.write_text("no folder")
    assert "incomplete" in store.get(RECIPE, tmp_path / "w.pt")[1][0]


def test_damaged_manifest_is_named_where_artifacts_are_listed(store: Store, tmp_path: Path) -> None:
    """The others are listed all the same, and what is being built is not."""
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")
    path = Path(artifact.folder).parent / "artifact.json"
    for name, text in (("f" * 16, '{"recipe": 3'), (".building-x", "{")):
        (path.parents[1] / name).mkdir()
        (path.parents[1] / name / "artifact.json").write_text(text)
    entries, damage = store.entries()
    assert [entry.recipe for entry in entries] == [RECIPE]
    (sentence,) = damage
    assert sentence.startswith(f"cannot read {path.parents[1] / ('f' * 16) / 'artifact.json'}: it is not JSON: ")


def test_damaged_card_is_asked_for_again_and_said(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a checkpoint is, is kept, be it told with more; a file that holds something else is replaced with a note."""

    told = {"names": ["disc"], "params": 5, "gflops": 1.5, "heads": ["one2many"], "stride": 32}
    monkeypatch.setitem(
        processes.STAND_INS, "benchsuite.artifacts.builder", lambda: FakeChild({"describe": lambda _: told})
    )
    card, notes = store.card(tmp_path / "w.pt", "0" * 64, SIZE, "one2many", {})
    assert (card, notes) == (Card(("disc",), 5, 1.5, ("one2many",)), ())
    (path,) = (tmp_path / "store" / "cards").iterdir()
    path.write_text("null")
    again, notes = store.card(tmp_path / "w.pt", "0" * 64, SIZE, "one2many", {})
    assert again == card
    (note,) = notes
    assert note.startswith(f"cannot read {path}: its content is damaged: ")
    assert note.endswith("; it is made again")
    assert store.card(tmp_path / "w.pt", "0" * 64, SIZE, "one2many", {}) == (card, ())


def test_disk_that_reads_nothing_just_now_loses_no_artifact(
    store: Store, builder: FakeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that may pass is told, and the artifact stays: it may be whole."""
    before = store.get(RECIPE, tmp_path / "w.pt")[0]

    def refuse(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(BuildError, match=f"cannot read artifact .*{RECIPE.digest}: Input/output error"):
            store.get(RECIPE, tmp_path / "w.pt")
    assert store.get(RECIPE, tmp_path / "w.pt") == (before, ())
    assert _built(builder) == ["torch fp32"]


def test_engine_is_built_on_the_gpu_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its builder sees the chosen GPU alone, be there another of the same name before it; other builders see none."""
    seen: list[str] = []

    def start(_module: str, _log: Path, environment: Mapping[str, str], *_: object, **__: object) -> FakeChild:
        seen.append(environment["CUDA_VISIBLE_DEVICES"])
        return FakeChild({"build": lambda _: {"peak_rss_bytes": 1}})

    twins = [Gpu("NVIDIA T4", uuid, 16 << 30) for uuid in ("GPU-1", "GPU-2")]
    monkeypatch.setattr("benchsuite.artifacts.store.list_gpus", lambda: (twins, "580"))
    monkeypatch.setattr(processes.Child, "start", start)
    store = Store(tmp_path)
    for level, gpu in (("1", "GPU-2"), ("2", "")):
        store.get(replace(RECIPE, build={"gpu": "NVIDIA T4", "level": level}), tmp_path / "w.pt", gpu=gpu)
    store.get(RECIPE, tmp_path / "w.pt", gpu="GPU-2")
    assert seen == ["GPU-2", "GPU-1", ""]


def test_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    """A build that fails half-way leaves no artifact and no scratch folder."""

    def fail(recipe: Recipe, weights: Path, parent: Path | None, images: Sequence[Path], folder: Path) -> int:
        (folder / "half").write_text("x")
        raise BuildError("the exporter gave up")

    store = Store(tmp_path, fail)
    with pytest.raises(BuildError, match="gave up"):
        store.get(RECIPE, tmp_path / "w.pt")
    assert not store.has(RECIPE)
    assert [path.name for path in (tmp_path / "artifacts").iterdir() if not path.name.endswith(".lock")] == []


def test_recipes_differ_in_their_digest() -> None:
    """Whatever a recipe says decides its digest."""
    others = [
        Recipe("torch", "fp32", "1" * 64, "one2many", SIZE, 1, tools={"torch": "2"}),
        Recipe("torch", "fp32", "0" * 64, "end2end", SIZE, 1, tools={"torch": "2"}),
        Recipe("torch", "fp32", "0" * 64, "one2many", SIZE, 1, tools={"torch": "3"}),
        Recipe("torch", "fp32", "0" * 64, "one2many", SIZE, 1, "s", Calibration("0", 1, "minmax"), {"torch": "2"}),
        Recipe("torch", "fp32", "0" * 64, "one2many", SIZE, 1, "s", Calibration("0", 1, "entropy"), {"torch": "2"}),
    ]
    assert len({recipe.digest for recipe in [RECIPE, *others]}) == 6


def _get(root: Path, log: Path) -> None:
    Store(root, FakeBuilder(log)).get(RECIPE, root / "w.pt")


def test_processes_that_ask_at_once_build_once(tmp_path: Path, builder: FakeBuilder) -> None:
    """Of several processes that want one artifact, one builds and the others wait for it."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_get, args=(tmp_path / "store", builder.log)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * 4
    assert _built(builder) == ["torch fp32"]


def test_clean_removes_the_longest_unused_first(store: Store, tmp_path: Path) -> None:
    """Cleaning keeps the most recently used artifacts that fit; what is in use is never evicted."""
    recipes = [Recipe("torch", "fp32", digit * 64, "one2many", SIZE, 1) for digit in "123"]
    for age_s, recipe in zip((300, 200, 100), recipes, strict=True):
        artifact, _ = store.get(recipe, tmp_path / "w.pt")
        stamp = time.time() - age_s
        os.utime(Path(artifact.folder).parent / "artifact.json", (stamp, stamp))
    assert store.clean(0) == ()
    assert store.clean(2 * artifact.bytes, in_use_s=0) == ()
    for folder in (tmp_path / "store" / "artifacts").iterdir():
        store_module._HELD.let_go(folder)
    removed = store.clean(2 * artifact.bytes, in_use_s=0)
    assert [entry.recipe for entry in removed] == recipes[:1]
    assert [store.has(recipe) for recipe in recipes] == [False, True, True]


def test_what_a_build_took_is_kept(store: Store, tmp_path: Path) -> None:
    """Seconds and peak memory of a build are those that its builder measured."""
    store.get(RECIPE, tmp_path / "w.pt")
    cost = store.cost(RECIPE)
    assert cost.peak_bytes == 1000
    assert 0 <= cost.build_s < 5


def test_artifact_that_was_put_is_found_and_not_made_again(store: Store, builder: FakeBuilder, tmp_path: Path) -> None:
    """What a study puts into the store stands for what a build would have made."""

    def write(folder: Path) -> int:
        (folder / "model.bin").write_text("put")
        return 7

    store.put(RECIPE, write)
    store.put(RECIPE, lambda _: pytest.fail("made again"))
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")
    assert (Path(artifact.folder) / "model.bin").read_text() == "put"
    assert _built(builder) == []
    assert store.cost(RECIPE).peak_bytes == 7


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be opened for writing, made, renamed, removed or stamped in the store, as on a read-only disk."""
    inside = str(tmp_path / "store")

    def refusing(name: str) -> None:
        real = getattr(os, name)

        def call(path: object, *rest: Any, **named: Any) -> Any:
            writes = name != "open" or rest[0] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and str(path).startswith(inside):
                raise OSError(errno.EROFS, "Read-only file system", str(path))
            return real(path, *rest, **named)

        monkeypatch.setattr(os, name, call)

    for name in ("open", "mkdir", "rename", "replace", "unlink", "utime"):
        refusing(name)


def test_store_that_cannot_be_written_gives_what_it_has(store: Store, tmp_path: Path, request: Any) -> None:
    """Nothing is written to take an artifact; one that would have to be built is refused with store and cause."""
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")
    request.getfixturevalue("refused")
    assert store.get(RECIPE, tmp_path / "w.pt") == (artifact, ())
    other = replace(RECIPE, batch=2)
    with pytest.raises(BuildError, match=f"^cannot write to the artifact store {store._root}: Read-only file system$"):
        store.get(other, tmp_path / "w.pt")
    (Path(artifact.folder) / "model.bin").write_text("altered")
    with pytest.raises(BuildError, match="Read-only file system"):
        store.get(RECIPE, tmp_path / "w.pt")


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.ENOMEM, errno.EACCES])
@pytest.mark.parametrize("where", ["read_bytes", "walk"])
def test_passing_error_costs_no_artifact(
    store: Store, builder: FakeBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, where: str
) -> None:
    """An artifact that cannot be read just now is left as it is, and found again when it can."""
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")

    def fail(*_: object, **named: Any) -> Any:
        error = OSError(number, os.strerror(number))
        if where == "walk":
            named["onerror"](error)
        raise error

    with monkeypatch.context() as context:
        context.setattr(*((Path, "read_bytes") if where == "read_bytes" else (os, "walk")), fail)
        with pytest.raises(BuildError, match=os.strerror(number)):
            store.get(RECIPE, tmp_path / "w.pt")
    assert store.get(RECIPE, tmp_path / "w.pt") == (artifact, ())
    assert _built(builder) == ["torch fp32"]


def test_foreign_manifest_breaks_nothing(store: Store, builder: FakeBuilder, tmp_path: Path) -> None:
    """One that lacks a key, or has one more, is named where artifacts are listed and rebuilt where it is needed."""
    artifact, _ = store.get(RECIPE, tmp_path / "w.pt")
    path = Path(artifact.folder).parent / "artifact.json"
    for change in ({"sha256": None}, {"since": 7}):
        manifest = json.loads(path.read_text()) | change
        path.write_text(json.dumps({key: value for key, value in manifest.items() if value is not None}))
        (sentence,) = store.entries()[1]
        assert str(path) in sentence
        assert store.clean(0, in_use_s=0) == ()
        assert "incomplete" in store.get(RECIPE, tmp_path / "w.pt")[1][0]
    assert _built(builder) == ["torch fp32"] * 3


def _get_and_leave(root: Path, log: Path, found: Any) -> None:
    while not found.is_set():
        artifact, _ = Store(root, FakeBuilder(log)).get(RECIPE, root / "w.pt")
        if (Path(artifact.folder) / "model.bin").read_text() != "torch fp32 from False and 0":
            raise AssertionError("half an artifact was handed out")
        store_module._HELD.let_go(Path(artifact.folder).parent)
        time.sleep(0.01)


def test_cleaning_beside_runs_hands_out_no_half_artifact(tmp_path: Path, builder: FakeBuilder) -> None:
    """However often the store is cleaned while others take artifacts from it, each takes a whole one."""
    context = multiprocessing.get_context("spawn")
    done = context.Event()
    takers = [context.Process(target=_get_and_leave, args=(tmp_path / "store", builder.log, done)) for _ in range(2)]
    for taker in takers:
        taker.start()
    removed, until = 0, time.monotonic() + 20
    while removed < 20 and time.monotonic() < until:
        removed += len(Store(tmp_path / "store").clean(0, in_use_s=0))
    done.set()
    for taker in takers:
        taker.join(30)
    assert [taker.exitcode for taker in takers] == [0, 0]
    assert removed == 20
