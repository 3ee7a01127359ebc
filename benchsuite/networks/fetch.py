"""Child process that lets Ultralytics download official weights, or build random ones from a yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchsuite.machine.processes import serve
from benchsuite.machine.scratch import scratch_folder
from benchsuite.networks.untrained import write_untrained
from benchsuite.terms.errors import BuildError
from benchsuite.terms.said import said


def fetch(request: dict[str, Any]) -> dict[str, Any]:
    """Download `name` into `folder`, whole or not at all."""
    from ultralytics.utils.downloads import attempt_download_asset

    folder = Path(request["folder"])
    with scratch_folder(folder) as scratch:
        partial = scratch / request["name"]
        attempt_download_asset(partial)
        if not partial.is_file():
            raise BuildError(said("{1} was not downloaded", request["name"]))
        partial.replace(folder / request["name"])
    return {"path": str(folder / request["name"])}


def build(request: dict[str, Any]) -> dict[str, Any]:
    """Write random weights of the network of `yaml` to `output`, whole or not at all."""
    write_untrained(request["yaml"], Path(request["output"]), request["classes"])
    return {}


if __name__ == "__main__":
    serve({"fetch": fetch, "build": build})
