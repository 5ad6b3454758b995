# SPDX-License-Identifier: MIT
"""Disks that fail at the end: with errors, by silence, by going away.

What was on them may be lost. The machine ends within its budget and as it was told to, everything
else is clean, and report and log say which file system lost what.
"""
import re

import pytest

from ending import END, LATER, device, end_s, ends, report_of, said
from facts import clean
from machine import Part

BUDGET_S = 8
# /bad, which is partition 3 through a device-mapper device, with something on it.
BAD = """mkdir /bad; sectors=$(busybox blockdev --getsz /dev/nvme0n1p3)
/t/hang map bad /dev/nvme0n1p3 $sectors
mount -t ext4 /dev/dm-0 /bad
"""
DIRTY = "dd if=/dev/zero of=/bad/dirty bs=64k count=10 2>/dev/null\n"
ERRORS = "/t/hang table bad $sectors error\n"
WRITE_ERRORS = '/t/hang table bad $sectors flakey "/dev/nvme0n1p3 0 0 1000 1 error_writes"\n'
ASKED = "trap 'exit 0' TERM; kill -USR2 1; idle"
LOST = "/bad (/dev/dm-0): writing back failed: I/O error"


def bad_disk(script, config="", parts=2, **options):
    return device(config, BAD + script, parts=[Part("ext4")] * parts,
                  modules=["dm_mod", "dm_flakey"], **options)


def lost(vm, target="/bad"):
    """What the log says about data of TARGET that could not be written."""
    return [line.decode() for line in said(vm, target.encode() + rb" .*writing back")]


@pytest.mark.parametrize("script, end", [
    (ERRORS + END, "reboot"),
    (WRITE_ERRORS + END, "reboot"),
    (ERRORS + ASKED, "poweroff"),  # the flush that overlaps the VM's end fails
    (ERRORS + "sync; touch /bad/now\n" + END, "reboot"),  # the kernel lets nobody write any more
], ids=["all", "writes", "flushed-before", "known-before"])
def test_errors_while_writing_back(script, end):
    machine = bad_disk(DIRTY + script)
    with machine.boot() as vm:
        assert vm.wait_end(60) == end
    assert lost(vm) == [f"{LOST}. Data may be lost"]
    assert re.findall(r"^- .*writing back.*$", report_of(machine), re.M) == ["- " + LOST]
    assert ends(machine) == {"/": LATER, "/data": LATER, "/bad": "unmounted"}
    assert clean(machine, 1, 2)


def test_a_disk_that_hangs_in_flush_and_unmount():
    machine = bad_disk(DIRTY + "/t/hang suspend bad\n" + ASKED, "-m /dev/nvme0n1p4:/other:ext4::\n", 3)
    with machine.boot() as vm:
        assert vm.wait_end(60) == "poweroff"
        took = vm.time_of(rb"reboot: ") - vm.time_of(rb"Erlang exit status")
    assert len(said(vm, rb"^/bad: unmounting it hangs")) >= 1
    assert ends(machine) == {"/": LATER, "/data": LATER, "/bad": "hangs, not clean",
                             "/other": "unmounted"}
    assert took < BUDGET_S + 0.5
    assert clean(machine, 1, 2, 4)


GONE = "echo 1 >/sys/block/nvme1n1/device/device/remove\n"


def test_a_disk_that_goes_away():
    """With a file system on it that is written to before and after."""
    machine = device("-m /dev/nvme1n1:/bad:ext4::\n", f"{DIRTY}{GONE}{DIRTY}{END}", disks=[Part("ext4")])
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        assert end_s(vm) < 2
    assert lost(vm) == ["/bad (/dev/nvme1n1): writing back failed: I/O error. Data may be lost"]
    assert ends(machine) == {"/": LATER, "/data": LATER, "/bad": "unmounted"}
    assert clean(machine, 1, 2)


def test_the_disk_of_the_root_goes_away():
    """With the program of PID 1; what that needs to end the machine is in memory."""
    machine = device(script="echo 1 >/sys/block/nvme0n1/device/device/remove\n" + END, parts=[], disks=[Part("ext4")])
    with machine.boot(config="-m /dev/nvme1n1:/data:ext4::\n--shutdown-report /data/report.md\n") as vm:
        assert vm.wait_end(60) == "reboot"
        assert end_s(vm) < 2
    data = machine.disk(1).partition(0)
    assert data.fsck()
    assert ends(machine, 1, 0) == {"/": LATER, "/data": LATER}


@pytest.mark.parametrize("how, why, longest_s", [
    (ERRORS, "(I/O error|Read-only file system)", 2), ("/t/hang suspend bad\n", "Operation timed out", BUDGET_S + 0.5)],
    ids=["errors", "hangs"])
def test_the_disk_that_the_report_is_for(how, why, longest_s):
    machine = bad_disk(DIRTY + how + END)
    with machine.boot(config="-m /dev/nvme0n1p2:/data:ext4::\n--shutdown-report /bad/report.md\n") as vm:
        assert vm.wait_end(60) == "reboot"
        assert end_s(vm) < longest_s
    log = [line.decode() for line in vm.log_lines()]
    assert "Erlang exit status: 1. Intentional: no. Now: restart" in log
    about = [line for line in log if "report" in line]
    assert len(about) == 1
    assert re.search(rf":2:\d+: --shutdown-report /bad/report.md: {why}. No report of this shutdown$", about[0])
    assert clean(machine, 1, 2)


# fork(2) fails from now on, for all.
NO_PROCESS = "echo 20 >/proc/sys/kernel/threads-max\n"


def test_no_process_can_be_had():
    machine = device("-m /dev/nvme0n1p3:/fat:vfat::\n", f"""
dd if=/dev/zero of=/data/dirty bs=64k count=10 2>/dev/null
cp /data/dirty /fat/dirty; exec 7>>/data/dirty
{NO_PROCESS}{END}""", parts=[Part("ext4"), Part("vfat")], modules=["vfat", "nls_cp437", "nls_ascii"])
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        assert end_s(vm) < 2
        assert len(said(vm, rb"^Can't unmount: Resource temporarily unavailable")) == 1
    for number in 2, 3:
        assert machine.disk(0).partition(number).read("/dirty") == bytes(64 * 1024 * 10)
    assert clean(machine, 1, 2, 3)


def test_no_process_and_a_disk_that_hangs():
    """PID 1 waits for nothing that may never come."""
    machine = bad_disk(DIRTY + "/t/hang suspend bad\n" + NO_PROCESS + END, "--shutdown-timeout 3000\n")
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        assert 2 < end_s(vm) < 3.5
