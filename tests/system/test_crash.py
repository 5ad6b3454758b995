# SPDX-License-Identifier: MIT
"""PID 1 crashes, and nobody but the log notices.

$ERLINIT_FAULTS says how many faults test_many_faults makes; 1000 take about a minute.
"""
import os
import re

import pytest

from ending import VIRTUAL, device, report_of
from facts import clean
from machine import Machine
from programs import programs

WRITE = "echo x >/data/x\n"
FAULTS = int(os.environ.get("ERLINIT_FAULTS", "60"))
APART_S = 31  # more than two in a minute, and the machine would be shut down


def ended(machine, vm, action, *words, crashes=1, report=True):
    """It ended by ACTION, in order, said WORDS, and crashed as often as meant."""
    assert vm.wait_end(60) == action
    said = vm.log_lines()
    for word in words:
        assert [line for line in said if word.encode() in line], (word, said)
    seen = [line for line in said if line.startswith(b"PID 1 has crashed")]
    assert len(seen) == crashes, seen
    assert machine.qemu or clean(machine, 1, 2)
    if machine.qemu or not report:
        return None
    text = report_of(machine)
    assert f"- crashes of PID 1: {crashes}\n" in text
    return text


def test_many_faults():
    """Signals and real faults: VM alive, orphans reaped, memory and descriptors as before."""
    machine = Machine(script=f"""/t/fault loop {FAULTS} {APART_S} | report faults
kill -USR2 1; exit 7""", files=programs("fault"), **VIRTUAL)
    with machine.boot() as vm:
        values = [int(word) for word in vm.reported("faults", timeout=60 + FAULTS).split()]
        ended(machine, vm, "poweroff", "Erlang exit status: 7. Intentional: yes",
              f"PID 1 goes on after crash {FAULTS}.", crashes=FAULTS)
    faults, late, rss_first, rss_last, rss_most, fds_first, fds_last = values
    assert (faults, late) == (FAULTS, 0)
    assert fds_first == fds_last, values
    # Whether the stack has a page more depends on where it begins, which is drawn by lot.
    assert max(rss_last, rss_most) <= rss_first + 8, values
    signals = re.findall(rb"crashed: signal (\d+)", b"\n".join(vm.log_lines()))
    assert {int(number) for number in signals} == {4, 6, 7, 8, 11}


# One boot each: a crash in every phase. What was to happen next still happens, in order.

def test_while_the_boot_child_works():
    machine = device('--pre-run-exec "/t/fault null"\n--pre-run-exec "/bin/touch /data/after"',
                     WRITE + "exit 5")
    with machine.boot() as vm:
        ended(machine, vm, "reboot", "goes on after crash 1", "Launching erl",
              "Erlang exit status: 5. Intentional: no. Now: restart")
    assert "after" in machine.disk(0).partition(2).list()


def test_while_the_vm_stops():
    """The request is known after the crash, and so is when the VM is to be asked."""
    machine = device("-v", "trap 'exit 4' TERM; kill -USR2 1; /t/fault 11; idle")
    with machine.boot() as vm:
        ended(machine, vm, "poweroff", "Asking the VM to stop",
              "Erlang exit status: 4. Intentional: yes. Now: power off")
        asked = vm.time_of(rb"erlinit: Asked to")
        assert 0.95 <= vm.time_of(rb"erlinit: Asking the VM") - asked < 2.5


def test_together_with_a_request_and_the_end_of_the_vm():
    machine = device(script="kill -SEGV 1; kill -USR2 1; exit 6")
    with machine.boot() as vm:
        ended(machine, vm, "poweroff", "Erlang exit status: 6. Intentional: yes. Now: power off")


@pytest.mark.parametrize("step, config, script", [
    ("run-on-exit", '--run-on-exit "/t/fault div"', "exit 3"),
    ("terminate", "", "/t/leftover run /t/fault -n ud; exit 3"),
    # A storage daemon, as it lives until then.
    ("unmount", "", "/t/as @storage /t/leftover mounts /t/fault -n 11; exit 3"),
], ids=["run-on-exit", "terminate", "unmount"])
def test_in_a_step_of_the_shutdown(step, config, script):
    reported = step != "unmount"  # the crash comes behind the report
    machine = device(config, script)
    with machine.boot() as vm:
        report = ended(machine, vm, "reboot", "goes on after crash 1",
                       "Erlang exit status: 3. Intentional: no. Now: restart", report=reported)
    # The step that crashed has no end, and those behind it ran.
    assert not reported or f"- {step}: " not in report and "- kill: started at" in report


def test_the_third_in_a_minute_shuts_down():
    machine = device("-h\n--poweroff-on-fatal", "/t/fault 11; /t/fault null; /t/fault -n ud; idle")
    with machine.boot() as vm:
        report = ended(machine, vm, "poweroff", "goes on after crash 3",
                       "signal: 15. Intentional: no, fatal error. Now: power off", crashes=3)
    assert "- fatal error of erlinit" in report


def test_with_the_state_damaged():
    machine = device(script="/t/fault -n state; idle")
    with machine.boot() as vm:
        ended(machine, vm, "reboot", "The state of PID 1 was damaged in the crash. Shutting down",
              "fatal error. Now: restart", report=False)


def test_with_the_program_replaced_and_the_configuration_broken():
    """What is executed again is what runs, wherever it is by now."""
    machine = device(script="mv /sbin/init /gone; echo rubbish >/sbin/init\n"
                     "echo --no-such >/etc/erlinit.config; /t/fault null; exit 2")
    with machine.boot() as vm:
        ended(machine, vm, "reboot", "goes on after crash 1", "Erlang exit status: 2", report=False)
