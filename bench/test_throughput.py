"""How many images a second can this machine do?"""


def test_throughput(case, run, verdict):
    """Saturated workers finish images, and in a gate no fewer than the baseline's."""
    verdict(run.throughput(case))
