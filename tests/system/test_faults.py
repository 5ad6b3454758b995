# SPDX-License-Identifier: MIT
"""System calls fail, one at a time: the machine boots or ends in order all the same.

A sample, another one for each day's seed in $ERLINIT_FAULT_SEED; tests/faults/faults.py tries all of them.
"""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "faults"))

import faults  # noqa: E402  (the line above makes it importable)

SEED = int(os.environ.get("ERLINIT_FAULT_SEED", "1"))
# Of the runs of one occurrence of each call in each life, every SHARES-th: some forty.
SHARES = 8


def test_sample_of_every_call():
    """A call fails once or for ever in one of five lives; see tests/faults/faultinit.c for what must hold."""
    text = faults.run(f"{faults.LIVES} 1 {SEED % SHARES} {SHARES} {SEED}", timeout=120)
    sums = faults.totals(text)
    assert "BROKEN" not in text, text
    assert sums["failures"] == 0, faults.named(text)
    assert sums["runs"] >= 30 and sums["unreached"] < sums["runs"] / 4, sums
