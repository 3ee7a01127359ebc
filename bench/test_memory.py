"""How much memory does a process need that only runs this model?"""


def test_memory(case, run, verdict):
    """The worker's peak memory is within its limit, and in a gate no more than the baseline's."""
    verdict(run.memory(case))
