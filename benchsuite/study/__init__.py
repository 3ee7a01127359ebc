"""Questions that take many artifacts to answer: which precision, which scheme, how many calibration images."""
