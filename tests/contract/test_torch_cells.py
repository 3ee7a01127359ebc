"""The centres of a head's cells in PyTorch, which decide where boxes lie."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchsuite.machine.processes import offline_environment
from benchsuite.networks.weights import BUNDLED, resolve

pytestmark = pytest.mark.slow

_CELLS = """
import sys
import numpy as np
import torch
from pathlib import Path
from benchsuite.backends.interface import RunPolicy
from benchsuite.backends.torch import TorchBackend
from benchsuite.terms.cases import Case
from benchsuite.terms.input_size import InputSize

def opened(imgsz):
    case = Case("yolo26n", "torch", "bf16", "cpu", InputSize.square(imgsz), 2, 1, sys.argv[2])
    return TorchBackend().open(Path(sys.argv[1]), case, RunPolicy(1))

def cells(session):
    return session._model.model[-1].anchors

large = cells(opened(1280))[0, :160].float()
assert torch.equal(large, torch.arange(160) + 0.5), large
session = opened(64)
made = cells(session)
session.run(np.zeros((2, 3, 64, 64), np.float32))
assert cells(session) is made, "the head has made its cells again"
"""


@pytest.mark.parametrize("head", ["one2many", "end2end"])
def test_cells_are_exact_in_bf16(head: str, tmp_path: Path) -> None:
    """At 1,280 px in bf16 every cell's centre is exact, and the head takes these cells instead of its own."""
    (bundled,) = resolve([BUNDLED], tmp_path)
    assert bundled.path is not None
    (tmp_path / "model.pt").write_bytes(bundled.path.read_bytes())
    environment = {**os.environ, **offline_environment(tmp_path)}
    subprocess.run([sys.executable, "-c", _CELLS, tmp_path, head], check=True, env=environment)
