"""How long does one call take?"""


def test_latency(case, run, benchmark, verdict):
    """Latency is within its limits and no worse than the baseline's."""
    latency = run.latency(case)
    latency.replay(benchmark)
    verdict(latency)


def test_cold_start(case, run):
    """The artifact loads and runs a first time, which is recorded apart from steady calls."""
    run.cold(case)
