"""The baseline's arm: what `--against` names, and a runner that prepares its cases."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from benchsuite.artifacts.recipe import Artifact, Recipe
from benchsuite.artifacts.store import Store
from benchsuite.compare import baselines
from benchsuite.machine.facts import Machine
from benchsuite.machine.processes import PROTOCOL_VERSION, Child, offline_environment
from benchsuite.networks.weights import ModelRef, resolve
from benchsuite.options.settings import Options
from benchsuite.runs.runner import Runner, Say
from benchsuite.terms.absence import Absent
from benchsuite.terms.cases import Case
from benchsuite.terms.errors import BuildError, ModelError, ProcessError, UsageError

Kind = Literal["env", "weights", "store", "baseline"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_HELLO_DEADLINE_S = 60


@dataclass(frozen=True)
class Against:
    """What the candidate is compared with; `packages` are those of another environment, with its Python."""

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
        raise UsageError(f"--against {text}: there is no such file; give the path of a YOLO detection .pt.")
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
            resolve([against.value], cache_root)
        except ModelError as error:
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
    if answer["protocol"] != PROTOCOL_VERSION:
        raise UsageError(
            f"{asked}: the benchsuite there speaks worker protocol {answer['protocol']}, this one {PROTOCOL_VERSION}; "
            "install a release there that fits."
        )
    return {"python": answer["python"], **answer["packages"]}


def _why_no_hello(error: str) -> str:
    if "No module named benchsuite" in error or "No module named 'benchsuite" in error:
        return "benchsuite is not installed there"
    if "KeyError: 'hello'" in error:
        return "the benchsuite there is older than the gate and speaks another worker protocol"
    return f"its worker did not start ({error.splitlines()[-1].strip()})"


@dataclass(frozen=True)
class BaselineArm:
    """The baseline's side of a gate: a runner for its cases and the case that pairs with a candidate's."""

    against: Against
    runner: Runner
    machine: Machine
    model: str | None

    def case(self, candidate: Case) -> Case:
        """Return the baseline's case; weights pair by id without the model."""
        return candidate if self.model is None else replace(candidate, model=self.model)


def baseline_arm(
    against: Against,
    options: Options,
    models: Sequence[ModelRef],
    machine: Machine,
    cache_root: Path,
    folder: Path,
    candidate: Runner,
    say: Say,
) -> BaselineArm:
    """Return the runner that prepares the baseline's cases."""
    python, model, find = sys.executable, None, None
    if against.kind == "env":
        python = against.value
        packages = dict(against.packages)
        machine = replace(machine, python=packages.pop("python"), packages=packages)
        find = _candidates_artifact(candidate) if options.gate.same_artifacts else None
    elif against.kind == "weights":
        models = resolve([against.value], cache_root)
        model = models[0].slug
    elif against.kind == "store":
        find = _stored_artifact(Store(Path(against.value).absolute()), candidate)
    else:
        find = _promoted_artifact(options.baseline / against.value, Store(cache_root), candidate)
    runner = Runner(options, models, machine, cache_root, folder, say, python=python, find=find, locked=True)
    return BaselineArm(against, runner, machine, model)


def _candidates_artifact(candidate: Runner) -> Callable[[Case], Artifact]:
    return lambda case: candidate.case_run(case).subject.setup.artifact


def _stored_artifact(store: Store, candidate: Runner) -> Callable[[Case], Artifact]:
    """Find the artifact in another store that is for the same case, however it was made."""

    def find(case: Case) -> Artifact:
        wanted = candidate.recipe(case)
        entries, damage = store.entries()
        alike = [entry.recipe for entry in entries if _same_case(entry.recipe, wanted)]
        exact = [recipe for recipe in alike if recipe.digest == wanted.digest]
        if not alike:
            raise BuildError("; ".join(["the store holds no artifact of these weights for this case", *damage]))
        if len(alike) > 1 and not exact:
            found = ", ".join(sorted(recipe.digest for recipe in alike))
            raise BuildError(f"the store holds {len(alike)} artifacts for this case ({found}); leave one of them")
        artifact = store.find((exact or alike)[0])
        if artifact is None:
            raise BuildError("the store's artifact for this case is damaged")
        return artifact

    return find


def _same_case(one: Recipe, other: Recipe) -> bool:
    names = ("format", "precision", "weights_sha256", "head", "imgsz", "batch")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _promoted_artifact(folder: Path, store: Store, candidate: Runner) -> Callable[[Case], Artifact]:
    """Find or make again the artifact that a promoted baseline was measured with."""
    accepted = baselines.load(folder)

    def find(case: Case) -> Artifact:
        setting = (case.head, case.threads)
        entries = [it for it in accepted.entries(case.id) if (it.case.head, it.case.threads) == setting]
        if not entries:
            raise BuildError(f"the baseline has no such case with head {case.head} and {case.threads} threads")
        facts = entries[0].artifact
        if isinstance(facts, Absent):
            raise BuildError(f"the baseline has no artifact of it: {facts.reason}")
        wanted = candidate.recipe(case)
        if facts.recipe.digest == wanted.digest:
            return candidate.case_run(case).subject.setup.artifact
        artifact = store.find(facts.recipe)
        if artifact is None:
            raise BuildError(f"the baseline's artifact cannot be made again here: {_unlike(facts.recipe, wanted)}")
        return artifact

    return find


def _unlike(promoted: Recipe, here: Recipe) -> str:
    """Say what of a promoted recipe is not to be had here."""
    if promoted.weights_sha256 != here.weights_sha256:
        return f"it was made of other weights, with SHA-256 {promoted.weights_sha256[:16]}"
    changed = [
        f"{name} {promoted.tools.get(name, 'none')} then, {here.tools.get(name, 'none')} here"
        for name in sorted({**promoted.tools, **here.tools})
        if promoted.tools.get(name) != here.tools.get(name)
    ]
    if changed:
        return f"{'; '.join(changed)}; use --against env: with an environment that has them"
    if promoted.calibration != here.calibration:
        return "it was calibrated on other images or by another method"
    return f"its scheme was {promoted.scheme or 'none'}, here it is {here.scheme or 'none'}"
