"""What takes part in making artifacts: a new version of one of these packages means a new artifact."""

from __future__ import annotations

# Stands in recipes like a package's version: raise it with any change to benchsuite's own quantising that moves a bit.
QUANTISER, QUANTISER_VERSION = "benchsuite-quantiser", "7"
# In place of a precision: an artifact that holds what a network's tensors did on the calibration images. Every INT8
# scheme of the network, and every method of setting ranges, is made from the same one.
OBSERVED = "observed"
# They write the ONNX file of a network, from which most other files are made.
ONNX_EXPORT = ("ultralytics", "torch", "onnx", "onnxslim")
# One of them runs it over the calibration images.
ONNX_RUNTIMES = ("onnxruntime", "onnxruntime-gpu")
