# SPDX-License-Identifier: MIT
"""Processes that are left when the VM has gone: ended, or named."""
import re

from facts import clean
from machine import Machine, Part
from programs import programs

DATA = "-m /dev/nvme0n1p2:/data:ext4:nodev:\n--shutdown-report /data/report.md\n"


def device(config="", script="exit 0", **options):
    return Machine(config=DATA + config, script=script, **{
        "parts": [Part("ext4")], "files": programs("leftover", "hang", "as"), **options})


def report_of(machine):
    return machine.disk(0).partition(2).read("/report.md").decode()


def said(vm, pattern):
    return [line for line in vm.log_lines() if re.search(pattern, line)]


def test_a_gigabyte_of_heap():
    """Its memory is freed before its files are closed: unmounting waits for the process, not for a while."""
    machine = device("-h", "exec 7>/data/open; /t/leftover heap 1024; echo '<6>the VM ends' >/dev/kmsg; exit 1",
                     memory_mib=1600)
    with machine.boot() as vm:
        assert vm.wait_end(90) == "halt"
        assert not said(vm, rb"busy|hang|can't")
        assert vm.time_of(rb"reboot: ") - vm.time_of(rb"the VM ends") < 3
    assert re.search(r"^- killed: process \d+ \(leftover\), state S", report_of(machine), re.M)
    assert clean(machine, 1, 2)


def test_the_vm_itself_with_a_gigabyte_is_killed():
    machine = device("--graceful-shutdown-timeout 300", "exec 7>/data/open; /t/leftover heap 1024\n"
                     "trap '' TERM; kill -USR2 1; idle", memory_mib=1600)
    with machine.boot() as vm:
        assert vm.wait_end(90) == "poweroff"
        assert not said(vm, rb"busy|hang|can't")
    report = report_of(machine)
    assert "Erlang exited due to signal: 9\n" in report
    assert re.search(r"^- killed: process \d+ \(erlexec\)", report, re.M)
    assert clean(machine, 1, 2)


def test_daemons_stopped_ones_and_those_that_multiply():
    machine = device(script="""exec 7>/data/open
(setsid sh -c 'cd /data; (sleep 1000 >/data/daemon &) &' &)
/t/leftover stop 5; /t/leftover ignore 5
(trap '' TERM; while :; do sh -c 'trap "" TERM; sleep 0.01 & sleep 0.01' & sleep 0.02; done) &
exit 1""")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert not said(vm, rb"busy|hang|can't")
    assert clean(machine, 1, 2)


def test_a_storage_daemon_is_spared():
    """argv[0] begins with @: alive when the file systems are unmounted, and not worth any grace."""
    machine = device(script="""/t/leftover ignore 3
/t/as @storage /t/leftover mounts /bin/sh -c 'echo "<6>spared until now" >/dev/kmsg'
echo '<6>the VM ends' >/dev/kmsg; exit 1""")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        vm.time_of(rb"spared until now")
        assert not said(vm, rb"busy|hang|can't")
        assert vm.time_of(rb"reboot: ") - vm.time_of(rb"the VM ends") < 2
    report = report_of(machine)
    assert re.search(r"^- killed: process \d+ \(leftover\), state S", report, re.M)
    assert clean(machine, 1, 2)


def test_one_that_can_not_be_killed_is_named():
    """It waits in the kernel for a frozen file system, and holds files of two others open; one of them can't be frozen."""
    machine = device("-m /dev/nvme0n1p3:/other:ext4::\n-m /dev/nvme0n1p4:/fat:vfat::\n", """touch /other/file
mkfifo /run/fifo
(exec 7>/data/held 8>/fat/held; exec /t/leftover write /other/file >/run/fifo) &
{ read open; /t/hang freeze /other; } </run/fifo
i=0; until grep -q '^State:.D' /proc/$!/status || [ $i = 1000 ]; do i=$((i + 1)); done
echo '<6>the VM ends' >/dev/kmsg; exit 1""", parts=[Part("ext4"), Part("ext4"), Part("vfat")],
                     modules=["vfat", "nls_cp437", "nls_ascii"])
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        log = b"\n".join(vm.log_lines())
        took = vm.time_of(rb"reboot: ") - vm.time_of(rb"the VM ends")
    report = report_of(machine)
    assert re.search(rb"can't be killed: process \d+ \(leftover\), state D", log)
    assert re.search(rb"^/data \(/dev/nvme0n1p2\): busy, now frozen$", log, re.M)
    assert re.search(rb"^/data is kept busy by process \d+ \(leftover\), descriptor 7", log, re.M)
    assert re.search(rb"^/fat \(/dev/nvme0n1p4\): can be neither unmounted nor made read-only nor frozen", log, re.M)
    assert re.search(rb"^/fat is kept busy by process \d+ \(leftover\), descriptor 8", log, re.M)
    assert re.search(r"^- can't be killed: process \d+ \(leftover\), state D, in \w+", report, re.M)
    assert took < 4  # the two seconds that a killed process gets
    assert clean(machine, 1, 2, 3)
