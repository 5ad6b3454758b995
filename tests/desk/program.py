# SPDX-License-Identifier: MIT
"""Where the program of the desk is."""
import os
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("ERLINIT_DESK") or TOP / "build" / "desk" / "erlinit")
sys.path.insert(0, str(TOP / "tools" / "lib"))  # image.py
