# SPDX-License-Identifier: MIT
"""What the tests of the end share: a machine with a data partition and a report, and its words."""
import re

from machine import Machine, Part
from programs import programs

DATA = "-m /dev/nvme0n1p2:/data:ext4:nodev:\n--shutdown-report /data/report.md\n"
# The clock counts instructions, so that a busy host does not count; waiting takes real time.
COUNTED = ["-icount", "shift=0,sleep=on"]
# The clock counts instructions, and jumps to the next timer when all sleep: days take seconds. For
# machines in memory, as a disk would seem slow to such a machine.
VIRTUAL = {"root": "initramfs", "qemu": ["-icount", "shift=0,sleep=off"]}
LATER = "still mounted, a bad end is only in the log"
END = "echo '<6>the VM ends' >/dev/kmsg; exit 1"


def device(config="", script="exit 0", **options):
    """Everything in /t, the report in /data."""
    return Machine(config=DATA + config, script=script, **{
        "parts": [Part("ext4")], "files": programs("fault", "leftover", "hang", "as"), **options})


def report_of(machine, path="/report.md"):
    return machine.disk(0).partition(2).read(path).decode()


def ends(machine, disk=0, partition=2):
    """{mount point: how its file system ended} as the report says it; each is there once."""
    report = machine.disk(disk).partition(partition).read("/report.md").decode()
    section = report.split("\n## Shutdown\n")[1]
    print(section)
    found = re.findall(r"^- (/.*?)(?: \([^()]*, \w+\))?: (unmounted|read-only|hangs, not clean|still .*)$",
                       section, re.M)
    assert len(dict(found)) == len(found), found
    return dict(found)


def said(vm, pattern):
    """Lines that our init logged and that PATTERN is found in."""
    return [line for line in vm.log_lines() if re.search(pattern, line)]


def trouble(vm):
    """What was said about file systems and processes that made trouble."""
    return said(vm, rb"busy|hang|can't|not clean")


def end_s(vm):
    """Seconds from the VM's last line, END, to the kernel's."""
    return vm.time_of(rb"reboot: ") - vm.time_of(rb"the VM ends")
