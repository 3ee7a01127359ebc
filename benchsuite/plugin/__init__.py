"""What pytest loads: hooks and fixtures, or one sentence where this interpreter lacks what they need."""

import pytest

from benchsuite.terms.installation import wrong_environment

if sentence := wrong_environment():
    raise pytest.UsageError(sentence)

from benchsuite.plugin.hooks import (
    pytest_addoption,
    pytest_collection,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_itemcollected,
    pytest_pyfunc_call,
    pytest_report_teststatus,
    pytest_runtest_setup,
    pytest_runtest_teardown,
    pytest_runtestloop,
    pytest_sessionfinish,
    pytest_terminal_summary,
    run,
    verdict,
)

__all__ = [
    "pytest_addoption", "pytest_collection", "pytest_collection_finish", "pytest_collection_modifyitems",
    "pytest_generate_tests", "pytest_itemcollected", "pytest_pyfunc_call", "pytest_report_teststatus",
    "pytest_runtest_setup", "pytest_runtest_teardown", "pytest_runtestloop", "pytest_sessionfinish",
    "pytest_terminal_summary", "run", "verdict",
]  # fmt: skip
