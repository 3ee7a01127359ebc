"""A child process that takes long to import, and tells by a file that it has begun to."""

from __future__ import annotations

import os
import time
from pathlib import Path

if "BEGUN" in os.environ:
    Path(os.environ["BEGUN"]).write_text(str(os.getpid()))
    time.sleep(60)
