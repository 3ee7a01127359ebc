"""How many images a second can this machine do?"""


def test_throughput(case, run, verdict):
    """Saturated workers finish images."""
    throughput = run.throughput(case)
    assert throughput.value.images_per_s > 0
    verdict(throughput)
