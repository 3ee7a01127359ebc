"""How large are the artifact and the network in it?"""


def test_artifact_size(case, run):
    """The artifact that was measured has bytes and a digest."""
    artifact = run.artifact(case)
    assert artifact.bytes > 0
    assert artifact.sha256


def test_complexity(case, run, verdict):
    """Parameters and GFLOPs are counted and equal the baseline's."""
    complexity = run.complexity(case)
    assert complexity.value.gflops > 0
    assert complexity.value.params > 0
    verdict(complexity)
