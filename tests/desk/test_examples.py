# SPDX-License-Identifier: MIT
"""The manual's examples, and every line of the example configuration, are what --check has nothing against."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("ERLINIT_DESK") or TOP / "build" / "desk" / "erlinit")
PAGE = (TOP / "man" / "erlinit.config.5").read_text()
EXAMPLES = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed$", PAGE[PAGE.index("\n.Sh EXAMPLES"):], re.M | re.S)
# One line each, as some exclude each other.
LINES = re.findall(r"^#(--.*)$", (TOP / "erlinit.config.example").read_text(), re.M)


def findings(config):
    """What is worse than a note."""
    done = subprocess.run([PROGRAM, "--check", "-"], input=config, capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if ": note: " not in line], done.returncode


def test_there_are_examples():
    assert len(EXAMPLES) >= 6 and len(LINES) >= 45


@pytest.mark.parametrize("config", EXAMPLES + LINES)
def test_example(config):
    if config.startswith("--hostname-pattern"):  # which is nothing without an id
        config = "--uniqueid-exec /usr/bin/boardid\n" + config
    assert findings(config.replace("\\e", "\\")) == ([], 0)


def test_a_fault_would_be_found():
    assert findings(EXAMPLES[0].replace("--boot", "--bout"))[1] == 1
