"""OpenVINO without its usage statistics: import `openvino` from here, in child processes only.

OpenVINO and NNCF send an event over the network when they are imported and when they convert or quantise, and write to
the user's home. Both do without where the package that sends is not there, and None makes an import fail as if it
were not.
"""

from __future__ import annotations

import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import openvino  # noqa: E402

__all__ = ["openvino"]
