"""Benchmark YOLO detectors on every runtime of a machine, with proof of what ran."""

__version__ = "0.1.0"
