"""How large are the artifact and the network in it?"""


def test_artifact_size(case, run, verdict):
    """The artifact that was measured is no larger than the baseline's."""
    verdict(run.artifact(case))


def test_complexity(case, run, verdict):
    """Parameters and GFLOPs are no more than the baseline's."""
    verdict(run.complexity(case))
