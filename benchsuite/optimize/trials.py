"""What a search has found out so far, kept by Optuna's journal so that no finished trial is ever repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from benchsuite.terms.codec import from_builtins, to_builtins
from benchsuite.terms.errors import RecordError, UsageError
from benchsuite.terms.said import said

T = TypeVar("T")
JOURNAL_FILE = "trials.journal"
_ASKED, _NAME, _FOUND = "asked", "name", "found"


class Trials:
    """Trials by their names; `asked` is what all of them answer, and another question's journal is refused."""

    def __init__(self, folder: Path, asked: str) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        path = folder / JOURNAL_FILE
        folder.mkdir(parents=True, exist_ok=True)
        try:
            storage = JournalStorage(JournalFileBackend(str(path)))
            self._study = optuna.create_study(storage=storage, study_name="lighten", load_if_exists=True)
        except Exception as error:  # Whatever damage makes of it.
            found = (str(error).splitlines() or [type(error).__name__])[0]
            raise RecordError(said("cannot read {1}: {2}; remove it to begin again", path, found)) from None
        kept = self._study.user_attrs.get(_ASKED, asked)
        if kept != asked:
            raise UsageError(f"-o {folder}: it holds the search for {kept}; name another folder, or remove that one.")
        self._study.set_user_attr(_ASKED, asked)
        self._known: dict[str, Any] = {
            trial.user_attrs[_NAME]: trial.user_attrs[_FOUND]
            for trial in self._study.get_trials(deepcopy=False)
            if trial.state == optuna.trial.TrialState.COMPLETE
        }

    def found(self, name: str, kind: type[T], find: Callable[[], T]) -> T:
        """Return what a trial found before, or let it find it now and keep that."""
        if name not in self._known:
            trial = self._study.ask()
            value = find()
            self._known[name] = json.loads(json.dumps(to_builtins(value)))
            trial.set_user_attr(_NAME, name)
            trial.set_user_attr(_FOUND, self._known[name])
            # There is nothing to sample by: what comes next is planned.
            self._study.tell(trial, 0.0)
        return from_builtins(self._known[name], kind)

    def is_known(self, name: str) -> bool:
        """Say whether a trial has ended."""
        return name in self._known
