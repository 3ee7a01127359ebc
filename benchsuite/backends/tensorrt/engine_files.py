"""What lies beside a TensorRT engine: who built it, and what its ONNX file asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchsuite.backends.interface import Ran
from benchsuite.backends.tensorrt.flavours import FLAVOURS, Flavour
from benchsuite.machine.json_files import read_json, write_json

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
    write_json(folder / ACCOUNT_FILE, account)


def read_account(folder: Path) -> EngineAccount:
    """Return the account in an engine's folder; raises RecordError."""
    return read_json(folder / ACCOUNT_FILE, EngineAccount, "remove its folder, and the next run builds it again")
