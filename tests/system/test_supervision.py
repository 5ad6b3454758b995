# SPDX-License-Identifier: MIT
"""PID 1 while the VM runs, and what it is asked meanwhile."""
import re

import pytest

from ending import VIRTUAL, device, report_of, said
from facts import clean
from machine import Machine

RSS_OF_1 = "sed -n 's/^Rss: *//p' /proc/1/smaps | awk '{ sum += $1 } END { print sum }'"


def test_a_minute_of_idling():
    """No wake-up at all: neither voluntary nor involuntary context switches."""
    switches = "grep ctxt_switches /proc/1/status"
    with Machine(**VIRTUAL, script=f"sleep 2 & wait $!; {switches} | report before; "
                 f"sh -c 'exec sleep 60'; {switches} | report after; exit 0").boot() as vm:
        assert vm.reported("before") == vm.reported("after", timeout=60)
        assert vm.wait_end() == "reboot"


ORPHANS = 10000


def test_orphans_all_at_once():
    machine = device(script=f"""echo 20000 >/proc/sys/kernel/threads-max
{RSS_OF_1} | report before; /t/leftover storm {ORPHANS} | report storm; {RSS_OF_1} | report after
exit 0""", memory_mib=768)
    with machine.boot() as vm:
        most, left = vm.reported("storm", timeout=120).split()
        assert int(most) >= ORPHANS - 10 and int(left) <= 0  # kernel threads come and go
        assert int(vm.reported("after")) <= int(vm.reported("before")) + 4
        assert vm.wait_end() == "reboot"
    assert clean(machine, 1, 2)


def test_the_oom_killer_is_named():
    machine = device(script="exec /t/leftover eat 100")
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
    report = report_of(machine)
    details = report.split("\n## Shutdown\n")[1]
    assert re.search(r"^- Out of memory: Killed process \d+ \(leftover\)", details, re.M)
    assert clean(machine, 1, 2)


SLOGAN = "Kernel pid terminated (application_controller)"
DUMP = f"=erl_crash_dump:0.5\\nThu Jan  1 00:00:07 1970\\nSlogan: {SLOGAN}\\nSystem version: 25\\n"


def test_reports_are_rotated_and_hold_the_crash_dump():
    """Four boots: two older reports are kept; the dump belongs to the run that wrote it."""
    machine = device("--report-keep 2\n-e ERL_CRASH_DUMP=/data/erl_crash.dump", f"""
n=$(cat /data/n || echo 0); echo $((n + 1)) >/data/n
[ $n != 2 ] || printf '{DUMP}' >$ERL_CRASH_DUMP
exit $n""")
    for number in range(4):
        machine.rtc = f"base=200{number}-01-01"
        with machine.boot() as vm:
            assert vm.wait_end() == "reboot"
    expected = {"report.md": 3, "report.md.1": 2, "report.md.2": 1}
    names = machine.disk(0).partition(2).list()
    assert {name for name in names if name.startswith("report")} == set(expected)
    for name, number in expected.items():
        text = report_of(machine, "/" + name)
        assert f"Erlang exit status: {number}\n" in text
        assert (SLOGAN in text) == (number == 2)
    assert clean(machine, 1, 2)


# --- requests at any moment ----------------------------------------------------------------------

@pytest.mark.parametrize("request_", [
    "kill -USR2 1", "kill -STOP 1; kill -USR2 1; kill -CONT 1",
    "for i in 1 2 3 4 5 6 7 8; do true & done; kill -USR2 1", "kill -USR2 1; kill -CHLD 1",
    "poweroff", "/bin/kill -USR2 1 & wait",
])
def test_a_request_and_the_exit_at_once(request_):
    machine = Machine(script=f"{request_}; exit 9")
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert said(vm, rb"exit status: 9. Intentional: yes. Now: power off")


def test_a_request_during_pre_run_exec():
    """The command ends at once, the VM is never started, and the disks are in order."""
    asks = "#!/bin/sh\necho x >/data/x; kill -USR2 1; exec sleep 1000\n"
    machine = device('--pre-run-exec "/usr/bin/asks"\n', "mark vm; exit 0",
                     files={"/usr/bin/asks": asks})
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert b"vm" not in vm.report
        asked = vm.time_of(rb"erlinit: Asked to power off")
        assert vm.time_of(rb"reboot: ") - asked < 4
    assert "Intentional exit: yes" in report_of(machine)
    assert clean(machine, 1, 2)


@pytest.mark.parametrize("again", ["signal", "keys"])
def test_asked_again_everything_is_cut_short(again):
    """Leftovers and a VM that would take a minute."""
    told = "mark told" if again == "keys" else "kill -TERM 1"
    machine = device("--graceful-shutdown-timeout 60000\n--shutdown-timeout 60000\n--stop-grace 0",
                     f"/t/leftover catch 3 60000; trap '{told}' TERM; kill -TERM 1; idle")
    with machine.boot() as vm:
        if again == "keys":
            vm.wait_report(rb"^told$")
            vm.press_ctrl_alt_del()
        assert vm.wait_end() == "reboot"
        asked = re.findall(rb"^\[ *([0-9.]+)\] erlinit: Asked to", vm.kmsg, re.M)
        assert vm.time_of(rb"reboot: ") - float(asked[1]) < 2.5
    assert clean(machine, 1, 2)


# --- commands and pauses at the end --------------------------------------------------------------

RUN_ON_EXIT = """#!/bin/sh
. /lib/guest.sh
cat /proc/self/status | report self
(true &); (sh -c 'true &'); i=0
zombies() { grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null; }
while [ $i -lt 1000 ] && zombies >/dev/null; do i=$((i + 1)); done
zombies | wc -l | report zombies
exit 42
"""


def test_run_on_exit():
    """With clean signals, orphans reaped meanwhile, and its result is in the report."""
    machine = device("-h\n--run-on-exit /usr/bin/last", "stty raw -echo; exit 3",
                     files={"/usr/bin/last": RUN_ON_EXIT})
    with machine.boot() as vm:
        status = vm.reported("self").decode()
        assert "\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" in status
        assert vm.reported("zombies").strip() == b"0"
        assert vm.wait_end() == "halt"
    report = report_of(machine)
    assert "- run-on-exit result: 42\n" in report
    assert "Erlang exit status: 3\n" in report
    assert clean(machine, 1, 2)


def test_a_person_leaves_the_last_shell():
    """--run-on-exit /bin/sh is what people use it for: it is a shell that one can type at."""
    machine = device("--run-on-exit /bin/sh", "exit 3")
    with machine.boot() as vm:
        vm.wait_for(rb"# \x1b\[6n")
        vm.send(b"echo six times seven is $((6 * 7)); exit 5\r")
        vm.wait_for(rb"^six times seven is 42$")
        assert vm.wait_end() == "reboot"
    assert "- run-on-exit result: 5\n" in report_of(machine)


@pytest.mark.parametrize("request_, waits", [("", True), ("kill -USR1 1; ", False)],
                         ids=["unasked", "asked"])
def test_exit_pause(request_, waits):
    machine = device("-h\n--exit-pause 1500", f"{request_}exit 3")
    with machine.boot() as vm:
        assert vm.wait_end() == "halt"
        ended = vm.time_of(rb"EXT4-fs \(nvme0n1p2\): unmounting")
        assert (vm.time_of(rb"reboot: ") - ended >= 1.45) == waits
    assert clean(machine, 1, 2)
