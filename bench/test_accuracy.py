"""Does the artifact that was timed still detect?"""


def test_accuracy(case, run, verdict):
    """mAP of the very artifact that was timed is within its limits and the baseline's tolerance."""
    verdict(run.accuracy(case))


def test_parity(case, run, verdict):
    """Detections agree with those of PyTorch FP32 as far as the baseline's did."""
    verdict(run.parity(case))
