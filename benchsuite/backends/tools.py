"""What takes part in making artifacts: a new version of one of these packages or steps means a new artifact."""

from __future__ import annotations

from collections.abc import Mapping

# benchsuite's own steps, which stand in recipes like packages.
QUANTISER = "benchsuite-quantiser"
# Exports, and what is made of an exported file without quantising it: narrow weights, an open batch, OpenVINO's files.
EXPORTER = "benchsuite-exporter"
ENGINE_BUILDER = "benchsuite-engine-builder"
# Raise a step's version with any change to it that moves a bit of what it writes.
STEPS: Mapping[str, str] = {QUANTISER: "7", EXPORTER: "1", ENGINE_BUILDER: "1"}
# Recipes were written without these before; at their first version they write what they wrote then.
NAMED_LATER: Mapping[str, str] = {EXPORTER: "1", ENGINE_BUILDER: "1"}
# In place of a precision: an artifact that holds what a network's tensors did on the calibration images. Every INT8
# scheme of the network, and every method of setting ranges, is made from the same one.
OBSERVED = "observed"
# They write the ONNX file of a network, from which most other files are made.
ONNX_EXPORT = ("ultralytics", "torch", "onnx", "onnxslim", EXPORTER)
# One of them runs it over the calibration images.
ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")


def steps_of(packages: Mapping[str, str]) -> Mapping[str, str]:
    """Return the steps of another environment, by what its worker tells; of a release that is silent, the release."""
    told = {name: packages[name] for name in STEPS if name in packages}
    return told or {QUANTISER: f"of benchsuite {packages.get('benchsuite', 'unknown')}"}
