# SPDX-License-Identifier: MIT
"""The program of the desk, for all tests here."""
import os
import subprocess

import pytest

from program import PROGRAM


@pytest.fixture(name="erlinit")
def _erlinit():
    """erlinit(*words): its CompletedProcess, with text; it has nothing of our environment."""
    def run(*words):
        return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, check=False, env={"PATH": os.defpath})
    assert PROGRAM.exists(), "make desk builds it"
    return run
