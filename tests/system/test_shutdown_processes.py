# SPDX-License-Identifier: MIT
"""Processes that are left when the VM has gone: ended, or named."""
import re

from ending import END, LATER, device, end_s, ends, report_of, trouble
from facts import clean
from machine import Part


def test_a_gigabyte_of_heap():
    """Its memory is freed before its files are closed: unmounting waits for the process."""
    machine = device("-h", f"exec 7>/data/open; /t/leftover heap 1024; {END}", memory_mib=1600)
    with machine.boot() as vm:
        assert vm.wait_end(90) == "halt"
        assert not trouble(vm)
        assert end_s(vm) < 3
    assert re.search(r"^- killed: process \d+ \(leftover\), state S", report_of(machine), re.M)
    assert clean(machine, 1, 2)


def test_the_vm_itself_with_a_gigabyte_is_killed():
    machine = device("--graceful-shutdown-timeout 300", "exec 7>/data/open; /t/leftover heap 1024\n"
                     "trap '' TERM; kill -USR2 1; idle", memory_mib=1600)
    with machine.boot() as vm:
        assert vm.wait_end(90) == "poweroff"
        assert not trouble(vm)
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
        assert not trouble(vm)
    assert clean(machine, 1, 2)


def test_a_storage_daemon_is_spared():
    """argv[0] begins with @: alive when the file systems are unmounted, and not worth any grace."""
    machine = device(script=f"""/t/leftover ignore 3
/t/as @storage /t/leftover mounts /bin/sh -c 'echo "<6>spared until now" >/dev/kmsg'
{END}""")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        vm.time_of(rb"spared until now")
        assert not trouble(vm)
        assert end_s(vm) < 2
    report = report_of(machine)
    assert re.search(r"^- killed: process \d+ \(leftover\), state S", report, re.M)
    assert clean(machine, 1, 2)


def test_one_that_can_not_be_killed_is_named():
    """It waits in the kernel for a frozen file system, and holds files of two others open."""
    machine = device("-m /dev/nvme0n1p3:/other:ext4::\n-m /dev/nvme0n1p4:/fat:vfat::\n", """
touch /other/file; mkfifo /run/fifo
(exec 7>/data/held 8>/fat/held; exec /t/leftover write /other/file >/run/fifo) &
{ read open; /t/hang freeze /other; } </run/fifo
i=0; until grep -q '^State:.D' /proc/$!/status || [ $i = 1000 ]; do i=$((i + 1)); done
""" + END, parts=[Part("ext4"), Part("ext4"), Part("vfat")],
                     modules=["vfat", "nls_cp437", "nls_ascii"])
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        took = end_s(vm)
    log, report = b"\n".join(vm.log_lines()), report_of(machine)
    assert re.search(rb"can't be killed: process \d+ \(leftover\), state D", log)
    assert re.search(rb"^/data \(/dev/nvme0n1p2\): busy, now frozen$", log, re.M)
    assert re.search(rb"^/data is kept busy by process \d+ \(leftover\), descriptor 7", log, re.M)
    # FAT has nothing that could be frozen.
    assert re.search(rb"^/fat \(/dev/nvme0n1p4\): can be neither unmounted nor made", log, re.M)
    assert re.search(rb"^/fat is kept busy by process \d+ \(leftover\), descriptor 8", log, re.M)
    assert re.search(r"^- can't be killed: process \d+ \(leftover\), state D, in \w+", report, re.M)
    assert re.search(r"^- /fat is kept busy by process \d+ \(leftover\), descriptor 8$", report, re.M)
    assert ends(machine) == {target: LATER for target in ("/", "/data", "/other", "/fat")}
    assert took < 4  # the two seconds that a killed process gets
    assert clean(machine, 1, 2, 3)
