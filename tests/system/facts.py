# SPDX-License-Identifier: MIT
"""What the guest says about itself, in the form in which tests ask for it.

LOG and MARKED are lines for a script; warnings() and mounts() read what comes of it.
"""
import re
from dataclasses import dataclass

# All that init logged so far, with its priority: the console shows no priorities.
LOG = "dmesg -r | grep 'erlinit: ' | report log"
WARNING = 3 << 3 | 4  # facility daemon; a smaller number is worse


@dataclass
class Mount:
    """One line of mountinfo."""
    options: set
    type: str
    source: str
    super_options: set
    order: int

    @property
    def all_options(self):
        return self.options | self.super_options


def mounts(vm, key="mounts"):
    """{target: Mount} of report_mounts; the newest one of several on one target."""
    found = {}
    for order, words in enumerate(vm.reported(key)):
        rest = words[words.index("-") + 1:]
        target = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4])
        found[target] = Mount(set(words[5].split(",")), rest[0], rest[1],
                              set(rest[2].split(",")), order)
    return found


def warnings(vm, nth=0):
    """Warnings, and worse, that LOG reported; that the plain image has no hostname is not meant."""
    found = []
    for line in vm.reported("log", nth=nth).decode(errors="replace").splitlines():
        priority, text = re.match(r"<(\d+)>.*?erlinit: (.*)", line).groups()
        if int(priority) <= WARNING and "no hostname is set" not in text:
            found.append(text)
    return found


def clean(machine, *numbers, disk=0):
    """True if partitions NUMBERS of DISK need no repair and no journal replay."""
    return all(machine.disk(disk).partition(number).fsck() for number in numbers)
