"""Did what the row is called really run?"""


def test_proof(case, run, verdict):
    """The runtime's own account does not contradict the case's name, and counts the baseline's kernels."""
    verdict(run.proof(case))
