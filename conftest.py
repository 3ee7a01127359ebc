"""Load the plugin for this repository's own runs; it is no pytest entry point, so that its options stay here."""

pytest_plugins = ["benchsuite.plugin", "pytester"]
