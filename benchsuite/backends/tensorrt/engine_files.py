"""What lies beside a TensorRT engine: who built it, and what its ONNX file asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchsuite.backends.interface import Ran
from benchsuite.backends.tensorrt.flavours import FLAVOURS, Flavour
from benchsuite.terms.codec import from_builtins, to_builtins

ACCOUNT_FILE = "account.json"


@dataclass(frozen=True)
class EngineAccount:
    """What is known of an engine that never ran; `macs` are multiply-adds by the name of the ONNX convolution."""

    built_by: str
    asked: Ran
    macs: Mapping[str, int]

    @property
    def flavour(self) -> Flavour:
        """Return the TensorRT that built the engine, which alone can run it."""
        return next(flavour for flavour in FLAVOURS if flavour.name == self.built_by)


def write_account(folder: Path, account: EngineAccount) -> None:
    """Keep an account in the engine's folder."""
    (folder / ACCOUNT_FILE).write_text(json.dumps(to_builtins(account), indent=1) + "\n")


def read_account(folder: Path) -> EngineAccount:
    """Return the account in an engine's folder."""
    return from_builtins(json.loads((folder / ACCOUNT_FILE).read_text()), EngineAccount)
