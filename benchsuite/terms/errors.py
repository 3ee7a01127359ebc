"""Every error that benchsuite raises on purpose.

BenchsuiteError
├── UsageError          the user asked for something that cannot be; exit code 2, one line, no traceback
│   ├── ModelError      weights that are missing, unreadable or not a detector
│   ├── DataError       a data set that is missing, unreadable or empty
│   └── BaselineError   a baseline file that exists and cannot be read
├── BuildError          an artifact could not be made
├── SessionError        a runtime refused to load or to run an artifact
├── NotRunError         an artifact was built, and this machine cannot run it
├── ProcessError        a child process died, hung or broke the protocol
└── RecordError         a file of a run or a cache that cannot be read or written
    ├── SchemaError     such a file of a schema that this version does not know
    └── PassingError    such a file that the system does not hand out just now, whole as it may be
"""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.terms.said import said


class BenchsuiteError(Exception):
    """Root of all errors raised on purpose."""


class UsageError(BenchsuiteError):
    """Say what was asked, what was found, what would be valid and what to do."""


class ModelError(UsageError):
    """Weights are missing, unreadable or not a detector."""


class DataError(UsageError):
    """A data set is missing, unreadable or empty."""


class BaselineError(UsageError):
    """A baseline file exists and cannot be read."""


class BuildError(BenchsuiteError):
    """An artifact could not be made."""


class SessionError(BenchsuiteError):
    """A runtime refused to load or to run an artifact."""


class NotRunError(BenchsuiteError):
    """An artifact was built, and this machine cannot run it."""


class ProcessError(BenchsuiteError):
    """A child process died, hung or broke the protocol."""


class RecordError(BenchsuiteError):
    """A file that a run or a cache keeps cannot be read or written."""


class SchemaError(RecordError):
    """A file has a schema that this version does not know: `found`, or None where it names none.

    The sentence ends in what to install, unless none was found.
    """

    def __init__(
        self, sentence: str, found: object = None, newer: str = "the version of benchsuite that wrote it"
    ) -> None:
        super().__init__(sentence if found is None else said("{1}: install {2}", sentence, newer))
        self.sentence = sentence
        self.found = found


class PassingError(RecordError):
    """The system does not hand a file out, for want of memory or rights or by a fault of the disk: it may be whole."""


def raise_all(problems: Sequence[str]) -> None:
    """Raise one UsageError that lists every problem; do nothing for none."""
    if problems:
        raise UsageError("\n".join(problems))
