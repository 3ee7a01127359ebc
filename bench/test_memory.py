"""How much memory does a process need that only runs this model?"""


def test_memory(case, run, verdict):
    """The worker's peak memory is within its limit."""
    memory = run.memory(case)
    assert memory.value.peak_rss_bytes > memory.value.import_rss_bytes
    verdict(memory)
