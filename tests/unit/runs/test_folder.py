"""A run's folder can be read at any moment, and says in a sentence what cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchsuite.machine.nvml import Gpu
from benchsuite.runs.folder import Run, create_run, finish_run, newest_unfinished, point_latest, read_run
from benchsuite.terms.errors import RecordError, UsageError
from benchsuite.testing import make_case, make_machine, make_record, make_run, write_records, write_run


def _start(root: Path) -> Path:
    run = make_run([make_record()])
    return create_run(root, run.machine, run.command, run.selected_ids, run.effort, run.options, run.policy)


def test_run_survives_the_way_to_disk_and_back(tmp_path: Path) -> None:
    """Everything about a run but its folder and its start is read as it was written."""
    machine = make_machine(
        gpus=(Gpu("NVIDIA T4", "GPU-1", 16 << 30),), gpu_driver="580.1", cpu_quota_cores=1.5, memory_limit_bytes=1 << 33
    )
    made = make_record(environment=machine.fingerprint), make_record(make_case(backend="trt"), "skipped")
    run = make_run(
        [*made[:1], replace(made[1], environment=machine.fingerprint)], machine=machine, options={"imgsz": "640"}
    )
    folder = write_run(tmp_path, run)
    found = read_run(folder)
    assert found == replace(run, folder=folder, started=found.started)


def test_environment_file_names_no_host(tmp_path: Path) -> None:
    """environment.json holds machine, fingerprint and policy, and no host name."""
    import platform

    text = (_start(tmp_path) / "environment.json").read_text()
    data = json.loads(text)
    assert set(data) == {"schema", "fingerprint", "machine", "policy"}
    assert data["fingerprint"] == make_machine().fingerprint
    assert data["policy"] == {"threads": 2, "spin": True, "flush_denormals": True}
    assert platform.node() not in text


def test_root_ignores_itself(tmp_path: Path) -> None:
    """The folder of runs keeps itself out of git, unless somebody wrote a .gitignore of their own."""
    _start(tmp_path / "reports")
    assert (tmp_path / "reports" / ".gitignore").read_text() == "*\n"
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / ".gitignore").write_text("*.html\n")
    _start(tmp_path / "own")
    assert (tmp_path / "own" / ".gitignore").read_text() == "*.html\n"


def test_runs_of_one_second_get_folders_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A taken name gets a suffix."""
    monkeypatch.setattr("time.strftime", lambda _: "20260131-120000")
    assert [_start(tmp_path).name for _ in range(3)] == ["20260131-120000", "20260131-120000-2", "20260131-120000-3"]


def test_run_without_records_is_a_run(tmp_path: Path) -> None:
    """A run killed before its first record is read, running and empty."""
    run = read_run(_start(tmp_path))
    assert (run.state, run.records, run.notes) == ("running", (), ())


def test_unterminated_line_is_noted(tmp_path: Path) -> None:
    """A run killed while it wrote a record keeps the others and says what was dropped."""
    folder = write_run(tmp_path, make_run([make_record()]))
    with (folder / "records.jsonl").open("a") as file:
        file.write('{"schema":1,')
    run = read_run(folder)
    assert len(run.records) == 1
    assert "dropped an unterminated last line" in run.notes[0]


def test_records_of_another_machine_are_noted(tmp_path: Path) -> None:
    """A record that carries another fingerprint than the run is not passed over in silence."""
    folder = write_run(tmp_path, make_run([make_record(environment="feedfacefeedface")]))
    assert "feedfacefeedface" in read_run(folder).notes[0]


def test_latest_names_the_newest_run(tmp_path: Path) -> None:
    """`latest` is a link that moves from run to run, and reading it reads the run behind it."""
    first, second = _start(tmp_path), _start(tmp_path)
    point_latest(tmp_path, first)
    point_latest(tmp_path, second)
    assert (tmp_path / "latest").is_symlink()
    assert read_run(tmp_path / "latest").folder == second.resolve()
    assert not list(tmp_path.glob(".latest-*"))


def test_latest_is_a_text_file_where_links_are_not_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without links `latest` holds the run's name, and reading it reads the run all the same."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("links are not allowed")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = _start(tmp_path)
    point_latest(tmp_path, folder)
    assert (tmp_path / "latest").read_text() == folder.name + "\n"
    assert read_run(tmp_path / "latest").folder == folder
    write_records(folder, [make_record()])
    assert newest_unfinished(tmp_path) == folder


def test_newest_unfinished_run_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest run that did not finish is the one to resume; finished ones, `latest` and empty ones are no such."""
    assert newest_unfinished(tmp_path) is None
    names = iter(["20260101-000000", "20260102-000000", "20260103-000000", "20260104-000000"])
    monkeypatch.setattr("time.strftime", lambda _: next(names))
    folders = [_start(tmp_path) for _ in range(4)]
    for folder in folders[:3]:
        write_records(folder, [make_record()])
    point_latest(tmp_path, folders[2])
    finish_run(folders[1], "interrupted")
    finish_run(folders[2], "finished")
    assert newest_unfinished(tmp_path) == folders[1]


def test_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """A wrong path says what is missing and what would be right."""
    with pytest.raises(UsageError, match=r"is not a run: it has no run\.json; name a folder"):
        read_run(tmp_path)
    with pytest.raises(UsageError, match="is not a run"):
        read_run(tmp_path / "latest")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("run.json", lambda text: text[:30], "cannot read"),
        (
            "run.json",
            lambda text: text.replace('"schema": 1', '"schema": 7'),
            r"schema 7, this version reads schema 1: install benchsuite 0\.1\.0 or newer, which wrote it",
        ),
        ("run.json", lambda text: text.replace('"command"', '"order"'), "is damaged"),
        ("run.json", lambda _: "[]", "names no schema"),
        ("run.json", lambda _: "[" * 100_000, "cannot read"),
        ("environment.json", lambda _: "", "cannot read"),
        ("environment.json", lambda text: text.replace('"cores": 2', '"cores": 64'), "was altered"),
        ("environment.json", lambda text: text.replace('"machine"', '"host"'), "is damaged"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, damage: object, message: str) -> None:
    """Each file that cannot be read gives a sentence with its path."""
    assert callable(damage)
    path = _start(tmp_path) / name
    path.write_text(damage(path.read_text()))
    with pytest.raises(RecordError, match=message) as caught:
        read_run(path.parent)
    assert str(path) in str(caught.value)


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    """A report folder that cannot be made is a usage error that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*file") as caught:
        _start(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_run_finds_its_records_by_case(tmp_path: Path) -> None:
    """A record is looked up by its case's id; there is none for another id."""
    run: Run = make_run([make_record()])
    assert run.record("yolo26n-onnx-fp32-cpu-640-b1") == make_record()
    assert run.record("yolo26n-ncnn-fp32-cpu-640-b1") is None
