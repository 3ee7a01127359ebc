"""What `--against` names, read and checked before anything is measured."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from benchsuite.backends.offers import recorded_packages
from benchsuite.compare import baselines
from benchsuite.machine.facts import read_machine
from benchsuite.machine.processes import PROTOCOL_VERSION, PROTOCOLS, Child, offline_environment
from benchsuite.networks.weights import ModelRef, resolve
from benchsuite.options.chosen import Options
from benchsuite.runs.checks import read_cards
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import ProcessError, UsageError, raise_all

Kind = Literal["env", "weights", "store", "baseline"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_HELLO_DEADLINE_S = 60


@dataclass(frozen=True)
class Against:
    """What the candidate is compared with; `packages` are those of another environment, with its Python and steps."""

    kind: Kind
    value: str
    packages: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


def refuse_windows(asked: str) -> None:
    """Raise UsageError where no process can be stopped while another one runs."""
    if sys.platform == "win32":
        raise UsageError(f"{asked}: the gate stops one arm while the other runs, which Windows cannot; use WSL.")


def parse_against(text: str, baseline_root: Path) -> Against:
    """Read `env:PYTHON`, `weights:PT`, `store:DIR`, `baseline:NAME`, or a path that tells which it is.

    Raises UsageError for anything else and for what is not there.
    """
    named = (Against(kind, text[len(kind) + 1 :]) for kind in _KINDS if text.startswith(f"{kind}:"))
    against = next(named, None) or _recognise(text, baseline_root)
    if against.kind == "baseline" and against.value not in baselines.names(baseline_root):
        known = ", ".join(baselines.names(baseline_root)) or "none yet"
        raise UsageError(f"--against {text}: {baseline_root} holds no such baseline; there are {known}.")
    if against.kind == "env":
        return replace(against, value=str(_interpreter(text, Path(against.value))))
    if against.kind == "weights" and not Path(against.value).is_file():
        found = "it is a folder" if Path(against.value).is_dir() else "there is no such file"
        raise UsageError(f"--against {text}: {found}; give the path of a YOLO detection .pt.")
    if against.kind == "store" and not (Path(against.value) / "artifacts").is_dir():
        raise UsageError(
            f"--against {text}: it is no artifact store, which is a folder with `artifacts` in it; give another "
            "$BENCHSUITE_CACHE folder."
        )
    return against


def _recognise(text: str, baseline_root: Path) -> Against:
    path = Path(text)
    if path.suffix == ".pt":
        return Against("weights", text)
    if (path / "artifacts").is_dir():
        return Against("store", text)
    if text in baselines.names(baseline_root):
        return Against("baseline", text)
    if (path.is_file() and os.access(path, os.X_OK)) or (path / "bin" / "python").exists():
        return Against("env", text)
    raise UsageError(
        f"--against {text}: it is no interpreter, no .pt file, no artifact store and no baseline in {baseline_root}; "
        "give env:PYTHON, weights:PT, store:DIR or baseline:NAME."
    )


def _interpreter(text: str, path: Path) -> Path:
    """Return the interpreter that a path or an environment's folder names, not resolved: a venv's link is the venv."""
    if path.is_dir():
        path = path / "bin" / "python"
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise UsageError(f"--against {text}: {path} is no interpreter; give the python of another environment.")
    return path.absolute()


def ready_against(options: Options, models: Sequence[ModelRef], cache_root: Path) -> Against:
    """Read `--against` and ask another environment what it has, before a run is started.

    Raises UsageError where it cannot be compared with at all.
    """
    assert options.gate.against is not None
    refuse_windows("--against")
    against = parse_against(options.gate.against, options.baseline)
    if options.gate.same_artifacts and against.kind != "env":
        raise UsageError("--same-artifacts: it goes with --against env:PYTHON; leave it out.")
    if against.kind == "weights":
        if len(models) != 1:
            raise UsageError(f"--against {against}: it compares two models; name one with --model, not {len(models)}.")
        try:
            (baseline,) = resolve([against.value], cache_root)
            sizes = [Case.parse(text).imgsz for text in options.case_ids] or options.imgsz
            packages = read_machine(recorded_packages()).packages
            raise_all(read_cards({baseline: sizes}, cache_root, packages).problems)
        except UsageError as error:
            raise UsageError(str(error).replace("--model ", "--against weights:")) from None
    if against.kind == "env":
        with tempfile.TemporaryDirectory() as folder:
            packages = probe(against.value, cache_root, Path(folder) / "hello.log")
        return replace(against, packages=packages)
    return against


def probe(python: str, cache_root: Path, log: Path) -> Mapping[str, str]:
    """Return the packages of another environment; raises UsageError unless its benchsuite can run our workers.

    The worker protocol decides, not the version of benchsuite.
    """
    asked = f"--against env:{python}"
    log.unlink(missing_ok=True)
    try:
        child = Child.start("benchsuite.measure.worker", log, offline_environment(cache_root), python, "its worker")
    except ProcessError as error:
        raise UsageError(f"{asked}: {error}; give the python of another environment.") from None
    try:
        answer = child.request("hello", _HELLO_DEADLINE_S)
    except ProcessError as error:
        found = _why_no_hello(str(error))
        raise UsageError(f"{asked}: {found}; install this benchsuite's release there too.") from None
    finally:
        child.close()
    if answer["protocol"] not in PROTOCOLS:
        raise UsageError(
            f"{asked}: the benchsuite there speaks worker protocol {answer['protocol']}, this one {PROTOCOL_VERSION}; "
            "install a release there that fits."
        )
    # Releases of before tell no versions of their steps.
    return {"python": answer["python"], **answer["packages"], **answer.get("steps", {})}


def _why_no_hello(error: str) -> str:
    if "No module named benchsuite" in error or "No module named 'benchsuite" in error:
        return "benchsuite is not installed there"
    if "KeyError: 'hello'" in error:
        return "the benchsuite there is older than the gate and speaks another worker protocol"
    return f"its worker did not start ({error.splitlines()[-1].strip()})"
