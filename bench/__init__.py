"""A package, so that tests of the same names elsewhere in the repository are other modules."""
