# SPDX-License-Identifier: MIT
"""How the machine ends: exits, requests, fatal errors, and what is left in order."""
import pytest

from facts import clean
from machine import RELEASE, Machine, Part

DATA = "-m /dev/nvme0n1p2:/data:ext4:nodev:\n"
WRITE = "echo x >/data/x\n"
NO_VM = {f"{RELEASE}/erts-1.0": None}
MIN_UPTIME_S = 5.0
STOP_GRACE_S = 1.0


def device(config="", script="exit 0", **options):
    """A machine with a data partition, which the script writes to."""
    return Machine(config=DATA + config, script=WRITE + script,
                   **{"parts": [Part("ext4")], **options})


def ended_as(machine, vm, action, *words, timeout=30):
    """It ended by ACTION, its last words hold WORDS, and its disks are in order."""
    assert vm.wait_end(timeout) == action
    said = [line.decode() for line in vm.log_lines()]
    for word in words:
        assert [line for line in said if word in line], (word, said)
    assert clean(machine, 1, 2)


@pytest.mark.parametrize("config, script, action, words", [
    ("", "exit 3", "reboot", "Erlang exit status: 3. Intentional: no. Now: restart"),
    ("-h", "exit 0", "halt", "Erlang exit status: 0. Intentional: no. Now: halt"),
    ("--poweroff-on-exit", "kill -SEGV $$", "poweroff",
     "Erlang exited due to signal: 11. Intentional: no. Now: power off"),
    ("-h -H", "exit 1", "reboot", "Erlang exit status: 1. Intentional: no. Now: restart"),
], ids=["default", "halt", "poweroff-signal", "last-wins"])
def test_the_vm_exits(config, script, action, words):
    machine = device(f'--run-on-exit "cp /proc/self/status /data/status"\n{config}', script)
    with machine.boot() as vm:
        ended_as(machine, vm, action, words)
    status = machine.disk(0).partition(2).read("/status").decode()
    assert "\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n" in status


# The request and the exit come together: a request it is, and not a crash.
@pytest.mark.parametrize("request_, action", [
    ("kill -TERM 1", "reboot"), ("kill -USR1 1", "halt"), ("kill -PWR 1", "halt"),
    ("busybox poweroff", "poweroff"),  # which is USR2
])
def test_requests(request_, action):
    machine = device("--poweroff-on-exit" if action != "poweroff" else "-h", f"{request_}; exit 7")
    with machine.boot() as vm:
        ended_as(machine, vm, action, "Erlang exit status: 7. Intentional: yes")
        assert b"Asking the VM to stop" not in vm.kmsg


WRAPPER = """#!/bin/sh
trap 'echo wrapper told >/dev/ttyS1' TERM
"$@" &
while kill -0 $!; do wait $!; done
exit 5
"""


# The VM asked nothing itself: it is told, and only it; after a second, so that it can ask.
@pytest.mark.parametrize("how", ["ctrl-alt-del", "wrapper"])
def test_a_stop_is_passed_on(how):
    wrapped = how == "wrapper"
    machine = device("--alternate-exec /usr/bin/wrap" if wrapped else "",
                     "trap 'echo vm told >/dev/ttyS1; exit 0' TERM; idle",
                     files={"/usr/bin/wrap": WRAPPER})
    with machine.boot() as vm:
        vm.wait_report(rb"^idle$")
        vm.press_ctrl_alt_del()
        vm.wait_report(rb"^vm told$")
        ended_as(machine, vm, "reboot", "Asked to reboot: signal 2 from process 0 (kernel)",
                 "Intentional: yes. Now: restart", f"exit status: {5 if wrapped else 0}")
        assert b"wrapper told" not in vm.report
        waited = vm.time_of(rb"erlinit: Erlang exit status") - vm.time_of(rb"erlinit: Asked to")
    assert STOP_GRACE_S * 0.95 <= waited < 3 * STOP_GRACE_S


def test_a_vm_that_does_not_stop_is_stopped():
    machine = device("--graceful-shutdown-timeout 1500\n--stop-grace 100",
                     "trap '' TERM; kill -USR2 1; idle")
    with machine.boot() as vm:
        ended_as(machine, vm, "poweroff", "Intentional: yes. Now: power off")
        waited = vm.time_of(rb"reboot: ") - vm.time_of(rb"erlinit: Asked to")
    assert 1.4 <= waited < 4


def test_a_second_request_means_now():
    machine = device("--graceful-shutdown-timeout 60000",
                     "trap 'kill -USR2 1' TERM; kill -TERM 1; idle")
    with machine.boot() as vm:
        ended_as(machine, vm, "poweroff", "Asked to reboot", "Asked to power off")


def test_reboot_parameter():
    word = "recovery,and,more,than,31,characters,of,it"
    machine = device(script=f"echo ' {word} ' >/run/reboot-param; kill -TERM 1; exit 0")
    with machine.boot() as vm:
        vm.wait_for(rb"reboot: Restarting system with command '" + word.encode() + b"'")
        ended_as(machine, vm, "reboot", f"Now: restart {word}")


def test_orphans_are_reaped():
    machine = device(script="""i=0
while [ $i -lt 25 ]; do (true & ) ; (sh -c 'exec true' & ); i=$((i + 1)); done
tries=0
while grep -l '^State:.Z' /proc/[0-9]*/status >/dev/null 2>&1 && [ $tries -lt 200 ]
do tries=$((tries + 1)); done
# without a process of the init itself
grep -L '^Name:.init$' $(grep -l '^PPid:.1$' /proc/[0-9]*/status) | wc -l | report children
exit 0""")
    with machine.boot() as vm:
        assert vm.reported("children").strip() == b"1"
        ended_as(machine, vm, "reboot")


def test_leftovers_do_not_keep_the_file_system():
    machine = device(script="""for i in 1 2 3; do
(trap '' TERM; exec >>/data/log 2>&1; while :; do sleep 1000; done) &
(exec sleep 1000 >>/data/log) & done
(setsid sleep 1000 >/data/daemon &)
kill -STOP $!; mark up; exit 0""")
    with machine.boot() as vm:
        ended_as(machine, vm, "reboot")
        took = vm.time_of(rb"reboot: ") - vm.time_of(rb"erlinit: Erlang exit status")
    assert took < 3


# --- errors that init can't mend -----------------------------------------------------------------

@pytest.mark.parametrize("config, action, waits", [
    ("", "reboot", True), ("--reboot-min-uptime 0", "reboot", False),
    ("--poweroff-on-fatal", "poweroff", False), ("--hang-on-fatal", "halt", False),
], ids=["reboot", "reboot-at-once", "poweroff", "halt"])
def test_fatal(config, action, waits):
    machine = device(config, files=NO_VM)
    with machine.boot() as vm:
        ended_as(machine, vm, action, "erlinit can't continue", "Intentional: no, fatal error")
        assert not waits or vm.time_of(rb"reboot: ") >= MIN_UPTIME_S
        assert waits or b"Rebooting at an uptime" not in vm.kmsg


# --- commands ------------------------------------------------------------------------------------

ON_EXIT = """#!/bin/sh
. /lib/guest.sh
report_args args "$@"
stty -a | report stty
report_file stat /proc/$$/stat
"""


def test_run_on_exit_has_a_sane_terminal():
    machine = device("""--run-on-exit "/usr/bin/on_exit 'two words' last"\n""",
                     "stty raw -echo -isig; exit 9",
                     files={"/usr/bin/on_exit": ON_EXIT})
    with machine.boot() as vm:
        assert vm.reported("args") == [b"two words", b"last"]
        settings = vm.reported("stty").decode().replace(";", " ").split()
        assert {"icanon", "echo", "isig", "icrnl", "opost", "onlcr"} <= set(settings)
        # pid (comm) state ppid pgrp session tty_nr tpgid: in front
        fields = vm.reported("stat").decode().rpartition(")")[2].split()
        assert fields[2] == fields[5]
        ended_as(machine, vm, "reboot", "Erlang exit status: 9. Intentional: no")


def test_a_request_during_run_on_exit_wins():
    machine = device('-h\n--run-on-exit "/bin/kill -USR2 1"', "exit 1")
    with machine.boot() as vm:
        ended_as(machine, vm, "poweroff", "Asked to power off while shutting down")


def test_run_on_exit_is_not_for_requests():
    machine = device("--run-on-exit /usr/bin/on_exit", "kill -TERM 1; exit 0",
                     files={"/usr/bin/on_exit": ON_EXIT})
    with machine.boot() as vm:
        ended_as(machine, vm, "reboot")
        assert b"args " not in vm.report


def test_a_request_before_the_vm_starts_prevents_it():
    machine = device('--pre-run-exec "/bin/kill -USR2 1"\n--pre-run-exec "/bin/sleep 1000"',
                     "mark vm; exit 0")
    with machine.boot() as vm:
        ended_as(machine, vm, "poweroff", "Asked to power off")
        assert b"vm" not in vm.report
