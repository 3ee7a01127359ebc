"""What pytest loads: hooks and fixtures, or one sentence where this interpreter lacks what they need."""

import pytest

from benchsuite.terms.installation import wrong_environment

if sentence := wrong_environment():

    def pytest_addoption(parser: pytest.Parser) -> None:  # noqa: ARG001 (pytest asks for it by name)
        """Say it before pytest stumbles over options that it does not know."""
        raise pytest.UsageError(sentence)
else:
    from benchsuite.plugin.bench_fixtures import run, verdict
    from benchsuite.plugin.hooks import (
        pytest_addoption,
        pytest_benchmark_update_json,
        pytest_collection,
        pytest_collection_finish,
        pytest_collection_modifyitems,
        pytest_configure,
        pytest_generate_tests,
        pytest_itemcollected,
        pytest_pyfunc_call,
        pytest_report_collectionfinish,
        pytest_report_header,
        pytest_report_teststatus,
        pytest_runtest_setup,
        pytest_runtest_teardown,
        pytest_runtestloop,
        pytest_sessionfinish,
        pytest_terminal_summary,
        pytest_unconfigure,
    )

__all__ = [
    "pytest_addoption", "pytest_benchmark_update_json", "pytest_collection", "pytest_collection_finish",
    "pytest_collection_modifyitems", "pytest_configure", "pytest_generate_tests", "pytest_itemcollected",
    "pytest_pyfunc_call", "pytest_report_collectionfinish", "pytest_report_header", "pytest_report_teststatus",
    "pytest_runtest_setup", "pytest_runtest_teardown", "pytest_runtestloop", "pytest_sessionfinish",
    "pytest_terminal_summary", "pytest_unconfigure", "run", "verdict",
]  # fmt: skip
