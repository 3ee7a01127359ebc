"""What tests are built from: plausible values, and a runtime that needs no network, no process and no time.

`fake_runtimes` puts FakeBackends in the place of real runtimes, and every room above them works as it always does:
plugin, runner, gate and studies measure cases in milliseconds, by a clock of their own.
"""

from benchsuite.testing.builders import (
    make_accuracy,
    make_artifact,
    make_case,
    make_loss,
    make_machine,
    make_memory,
    make_metrics,
    make_parity,
    make_ran,
    make_recipe,
    make_record,
    make_run,
    make_site,
    make_throughput,
    write_records,
    write_run,
)
from benchsuite.testing.clock import FakeClock
from benchsuite.testing.fake_backend import FakeBackend
from benchsuite.testing.fake_processes import FakeChild, draw_small_data, fake_runtimes
from benchsuite.testing.onnx_files import save_onnx
from benchsuite.testing.timing_builders import make_distribution, make_latency, make_noise, make_together

__all__ = [
    "FakeBackend", "FakeChild", "FakeClock", "draw_small_data", "fake_runtimes", "make_accuracy", "make_artifact",
    "make_case", "make_distribution", "make_latency", "make_loss", "make_machine", "make_memory", "make_metrics",
    "make_noise", "make_parity", "make_ran", "make_recipe", "make_record", "make_run", "make_site",
    "make_throughput", "make_together", "save_onnx", "write_records", "write_run",
]  # fmt: skip
