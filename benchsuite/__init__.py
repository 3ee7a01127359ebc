"""Benchmark YOLO detectors on every runtime of a machine, with proof of what ran.

The rooms of the house, top to bottom. Imports only point down; an indented room stands beside the one above it, and the
two never import each other.

    plugin       what pytest sees: hooks, fixtures, one session
      commands   what `benchsuite` does, a file a command
      testing    builders and doubles for tests, public
    report       texts, tables, charts, pages: everything that is shown, and nothing that is decided
    optimize     lighter weights for the same task: pruned, distilled, and the search for the lightest artifact
    gate         did this change make it slower? two arms, blocks, a proof
      study      which precision, scheme, calibration? many artifacts, one table
    compare      a run against what was accepted: baselines, tolerances, limits, findings
    runs         one run: from cases to records on disk, its figures, and the folder read again
    options      what the user asked for: settings, their texts, the cases that they choose
    measure      the worker process, turns, readings, and what a measurement is
    artifacts    recipes, the store, exporters
    quantize     INT8: observe, set ranges, write
    backends     the runtimes, a folder each: why not, what to load, a session, the proof, its own facts
    detect       from a network's output to boxes, mAP and parity, in NumPy
      networks   network files of every kind: find them, check them, read them as graphs, narrow them
    data         images, labels, letterbox, the drawn set
    machine      this machine and its processes: facts, noise, memory, NVML, files, children
    terms        the words of the house, how they are written as JSON and in other languages

A run goes down and up again: options choose cases, a case gets its artifact, a worker opens one session and measures,
a record keeps it, a comparison judges it, a report shows it. CONTRIBUTING.md has the rules, and where to change what.
"""

__version__ = "0.1.0"
