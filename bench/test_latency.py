"""How long does one call take?"""


def test_latency(case, run, benchmark, verdict):
    """Latency is within its limits and no worse than the baseline's."""
    latency = run.latency(case)
    latency.replay(benchmark)
    verdict(latency)


def test_cold_start(case, run, verdict):
    """Loading and the first inference are recorded apart from steady calls."""
    cold = run.cold(case)
    assert cold.value.load_ns > 0
    verdict(cold)
