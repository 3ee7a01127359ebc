"""Other weights for the same task: lighter networks, made from a trained one."""
