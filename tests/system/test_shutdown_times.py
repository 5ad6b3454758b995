# SPDX-License-Identifier: MIT
"""How long the end takes: from the VM's exit, or the request, to reboot(2).

What the kernel does in reboot(2) is not ours, and takes longer than all before it.
"""
import re

import pytest

from ending import COUNTED
from facts import clean
from machine import Machine, Part
from programs import programs

CONFIG = "-m /dev/nvme0n1p2:/data:ext4:nodev:\n--print-timing\n"
DIRTY = "dd if=/dev/urandom of=/data/dirty bs=64k count=16 2>/dev/null\n"
ENDS = "echo '<6>the VM ends' >/dev/kmsg; exit 3"
TRIES = 3
UNASKED = "Erlang exit status: 3. Intentional: no. Now: "


def ms_between(vm, start):
    """From log line START to the end of the last step, less what the disk takes, in ms."""
    steps = re.findall(rb"erlinit: shutdown, ([a-z-]+): (\d+) us", vm.kmsg)
    disk_us = sum(int(took) for name, took in steps if name in (b"seed", b"unmount"))
    took_s = vm.time_of(rb"erlinit: shutdown, pause") - vm.time_of(start)
    return took_s * 1000 - disk_us / 1000


def quickest(boot, least_ms, most_ms):
    """What PID 1 itself takes: a busy host can only add to it, so the best of three counts."""
    took = []
    while not took or (took[-1] >= most_ms and len(took) < TRIES):
        took.append(boot())
        assert took[-1] >= least_ms
    print(", ".join(f"{ms:.1f}" for ms in took), "ms")
    assert took[-1] < most_ms, took


@pytest.mark.parametrize("config, script, end, least_ms, most_ms", [
    ("", "", "reboot", 0, 20),
    ("--poweroff-on-exit", "/t/leftover die 200", "poweroff", 0, 100),
    ("-h", "/t/leftover ignore 50", "halt", 0, 100),
    # Stopped ones are woken, and daemons are found.
    ("", "/t/leftover stop 20; setsid sh -c '(sleep 1000 &) &'", "reboot", 0, 100),
    ("", "/t/leftover catch 20 300", "reboot", 300, 320),
    # All in one crowd: one grace, for those that have use for it.
    ("-h", "for how in 'die 20' 'ignore 20' 'stop 5' 'catch 5 300'; do /t/leftover $how; done",
     "halt", 300, 350),
], ids=["nothing", "die", "ignore", "stopped", "catch", "mixed"])
def test_leftovers(config, script, end, least_ms, most_ms):
    def boot():
        machine = Machine(config=CONFIG + config, script=f"{DIRTY}{script}\n{ENDS}", qemu=COUNTED,
                          parts=[Part("ext4")], files=programs("leftover"))
        with machine.boot() as vm:
            assert vm.wait_end(60) == end
            assert [line for line in vm.log_lines() if UNASKED.encode() in line]
            took = ms_between(vm, rb"the VM ends")
        assert clean(machine, 1, 2)
        return took
    quickest(boot, least_ms, most_ms)


def test_an_application_that_never_stops():
    """Its time, exactly once."""
    def boot():
        machine = Machine(config=CONFIG + "--graceful-shutdown-timeout 1500", qemu=COUNTED,
                          parts=[Part("ext4")], script=DIRTY + "trap '' TERM; kill -USR2 1; idle")
        with machine.boot() as vm:
            assert vm.wait_end(60) == "poweroff"
            took = ms_between(vm, rb"erlinit: Asked to")
        assert clean(machine, 1, 2)
        return took
    quickest(boot, 1500, 1520)
