"""The tests of benchsuite."""
