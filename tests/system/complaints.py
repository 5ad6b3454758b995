# SPDX-License-Identifier: MIT
"""What our init complained about: its lines in the kernel log that are not part of every boot."""
import re

USUAL = re.compile(
    rb"Starting erlinit |Launching erl\.\.\.|Erlang exit(ed| status)|Asked to |Rebooting at ")
NAMED = {"/etc/hostname": "device\n"}  # no hostname is a complaint of its own


def complaints(vm):
    """Everything a person would have to look at, as text, in order."""
    return [line.decode(errors="replace") for line in vm.log_lines() if not USUAL.match(line)]
