# SPDX-License-Identifier: MIT
"""The terminal of the VM, and machines that have none."""
import functools
import os
import re
import time

import pytest

import machine as machines
from facts import LOG, warnings
from machine import Machine

HELD = """for fd in 0 1 2; do readlink /proc/$$/fd/$fd; done | report held
report_file stat /proc/$$/stat
"""
TTYS0_DEVICE = 4 << 8 | 64  # include/uapi/linux/major.h: TTY_MAJOR; 64 and up are serial ports
TTYS1_DEVICE = 4 << 8 | 65


def held(vm):
    return vm.reported("held").decode().split()


def controls(vm):
    """(pgrp, session, tty_nr, tpgid) of the VM: proc(5), after the name in parentheses."""
    return tuple(map(int, vm.reported("stat").decode().rpartition(")")[2].split()[2:6]))


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_the_console_is_the_controlling_terminal(closed):
    machine = Machine(closed_fds=closed, script=HELD + LOG + """
trap 'mark int' INT; echo out; echo err >&2; mark up
read -r line; report line "$line"; idle""")
    with machine.boot() as vm:
        assert held(vm) == ["/dev/ttyS0"] * 3
        group, session, terminal, front = controls(vm)
        assert (session, terminal) == (1, TTYS0_DEVICE)
        assert group == front and group != 1  # in front, and keys don't reach PID 1
        assert warnings(vm) == []
        vm.wait_for(rb"^out\r*\nerr")
        vm.wait_report(rb"^up$")
        vm.send(b"typed\r")
        assert vm.reported("line") == b"typed"
        vm.wait_report(rb"^idle$")
        vm.send(b"\x03")
        vm.wait_report(rb"^int$")
        # Had it reached PID 1 too, that would have been a request.
        vm.press_ctrl_alt_del()
        assert vm.wait_end() == "reboot"
        asked = re.findall(rb"erlinit: Asked to .*", vm.kmsg)  # behind an echoed ^C
    assert len(asked) == 1 and b"from process 0 (kernel)" in asked[0]


def test_job_control():
    with Machine(script="exec sh -i").boot() as vm:
        vm.wait_for(rb"# ")
        vm.send(b"sh -c 'echo run\"\"ning; exec sleep 1000'\r")
        vm.wait_for(rb"^running")  # not what was typed, which has quotes
        vm.send(b"\x1a")
        vm.wait_for(rb"Stopped +sh -c")
        vm.send(b"bg; kill %1; wait; echo $((6 * 7)) done\r")
        vm.wait_for(rb"^42 done")
        assert b"job control turned off" not in vm.kmsg
        vm.send(b"exit\r")
        assert vm.wait_end() == "reboot"


@pytest.mark.parametrize("ctty, words", [
    ("ttyS1", None), ("/dev/ttyS1", None), ("ttyAMA0", "No such file"), ("tty0", "tty0"),
    ("null", "Not a tty"),
])
def test_ctty(ctty, words):
    """As asked, else the first active console, with one warning."""
    with Machine(config=f"-c {ctty}", script=f"{HELD}{LOG}\nexit 0").boot() as vm:
        expected = "/dev/ttyS0" if words else "/dev/ttyS1"
        device = TTYS0_DEVICE if words else TTYS1_DEVICE
        assert held(vm) == [expected] * 3
        assert controls(vm)[1:3] == (1, device)
        seen = warnings(vm)
        assert vm.wait_end() == "reboot"
    assert len(seen) == (1 if words else 0)
    for line in seen:
        assert line.startswith("/etc/erlinit.config:1:")
        assert ctty in line and words in line and "ttyS0 is used" in line


RAW = {"-icanon", "-echo", "-isig", "-opost", "-icrnl", "-ixon", "clocal", "cread"}


@pytest.mark.parametrize("format_, speed, flags, complaints", [
    ("57600n8", 57600, {"cs8", "-parenb", "-crtscts"}, 0),
    ("38400e7r", 38400, {"cs7", "parenb", "-parodd", "crtscts"}, 0),
    ("fast", 115200, {"cs8", "-parenb"}, 1),
])
def test_tty_options(format_, speed, flags, complaints):
    machine = Machine(config=f"-c ttyS0\n--tty-options {format_}",
                      script=f"stty -a | report stty\n{LOG}\nexit 0")
    with machine.boot() as vm:
        words = vm.reported("stty").decode().replace(";", " ").split()
        seen = warnings(vm)
        assert vm.wait_end() == "reboot"
    assert f"speed {speed} baud" in " ".join(words)
    assert set(words) >= flags | RAW
    assert len(seen) == complaints, seen
    if seen:
        assert f"'{format_}'" in seen[0] and "115200n8 is used" in seen[0]


@pytest.mark.parametrize("shell, other", [("tty1", "ttyS0"), ("ttyS0", "tty1")])
def test_note_on_the_other_consoles(shell, other):
    on_screen = 'until grep -q "Hostname: board" /dev/vcs1; do :; done\n' if other == "tty1" else ""
    machine = Machine(config=f"--warn-unused-tty\n-c {shell}", cmdline="console=tty0 console=ttyS0",
                      files={"/etc/hostname": "board\n"},
                      script=f"{on_screen}report_file screen /dev/vcs1\n{HELD}{LOG}\nidle")
    with machine.boot() as vm:
        assert held(vm) == [f"/dev/{shell}"] * 3
        assert warnings(vm) == []
        screen = vm.reported("screen").decode()  # 80 columns and no line ends
        if other == "ttyS0":
            vm.wait_for(rb"^or these words .*`-- -c ttyS0`")
        vm.press_ctrl_alt_del()
        assert vm.wait_end() == "reboot"
        serial = re.sub(rb"(?m)^\[.*$", b"", vm.kmsg).decode()
    note = [f"is on {shell}, not on this terminal ({other})", f"`-c {other}` into /etc/erlinit",
            f"`-- -c {other}`", "Hostname: board"]
    there, not_there = (serial, screen) if other == "ttyS0" else (screen, serial)
    assert [line for line in note if line not in there] == []
    assert [line for line in note if line in not_there] == []


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_no_console_at_all(monkeypatch, closed):
    """A console= that names no device: the kernel opens none, sysfs lists none."""
    words = "panic=-1 tsc=reliable no_timer_check nowatchdog 8250.nr_uarts=2 console=ttyUSB9"
    monkeypatch.setattr(machines, "GuestVm",
                        functools.partial(machines.GuestVm, base_words=words))
    machine = Machine(closed_fds=closed, script=f"""{HELD}{LOG}
read -r line; report end "$?"; echo lost; report_file active /sys/class/tty/console/active
exit 0""")
    with machine.boot() as vm:
        assert held(vm) == ["/dev/null"] * 3
        assert controls(vm)[1:3] == (1, 0)
        assert vm.reported("end") == b"1"
        assert vm.reported("active").strip() == b""
        assert warnings(vm) == []
        assert vm.wait_end() == "reboot"


PMSG = "$b mknod /dev/pmsg0 c 4 65"  # the second serial port plays the part: it has a far end
TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"


def test_persistent_messages():
    machine = Machine(config="--unknown-option\n", first_stage=PMSG, script="exit 3")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        lines = re.findall(rb"^(" + TIME + rb") erlinit (.*)$", vm.report, re.M)
        everything = vm.report
    said = [line for _, line in lines]
    assert re.fullmatch(rb"Starting erlinit [0-9.]+\S*", said[0])
    assert said[1:] == [b"Launching erl...",
                        b"Erlang exit status: 3. Intentional: no. Now: restart"]
    assert all(time.startswith(b"1970-01-01T00:00:") for time, _ in lines)
    assert len(everything.splitlines()) == len(lines)  # warnings are not kept


def test_persistent_messages_of_errors():
    machine = Machine(config="--poweroff-on-fatal", first_stage=PMSG,
                      files={f"{machines.RELEASE}/erts-1.0": None})
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        said = re.findall(rb"^" + TIME + rb" erlinit (.*)$", vm.report, re.M)
    assert b"erlinit can't continue" in said
    assert said[-1].endswith(b"Intentional: no, fatal error. Now: power off")


@pytest.fixture
def stuck(tmp_path, monkeypatch):
    """QEMU's words for a third serial port whose far end takes nothing, from the start.

    The kernel's own messages would wait there for each character: none go to any console.
    """
    words = "panic=-1 loglevel=0 tsc=reliable no_timer_check nowatchdog 8250.nr_uarts=3"
    monkeypatch.setattr(machines, "GuestVm",
                        functools.partial(machines.GuestVm, base_words=words))
    for end in ("in", "out"):
        os.mkfifo(tmp_path / f"far.{end}")
    far = os.open(tmp_path / "far.out", os.O_RDWR | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(far, b"x" * 4096)
    yield ["-chardev", f"pipe,id=far,path={tmp_path / 'far'}",
           "-device", "isa-serial,chardev=far,index=2"]
    os.close(far)


@pytest.mark.parametrize("own", ["ttyS0", "ttyS2"])
def test_a_console_that_takes_nothing(stuck, own):
    """Others wrote to it before, a note is to go there, or it is the VM's own: nobody waits for it.

    Who closes such a terminal last waits for 30 s (closing_wait of the kernel's serial ports).
    """
    machine = Machine(config=f"--warn-unused-tty\n-c {own}\n", cmdline="console=ttyS2", qemu=stuck,
                      first_stage="for i in 1 2 3 4 5 6 7 8; do echo in the first stage; done",
                      script=f"{HELD}{LOG}\nreport_file up /proc/uptime\n"
                             "for i in 1 2 3 4; do echo some last words; done; exit 0")
    with machine.boot() as vm:
        up = float(vm.reported("up", timeout=90).split()[0])
        began = re.search(rb"\[ *([0-9.]+)\] erlinit: Starting", vm.reported("log"))
        assert up - float(began[1]) < 20
        assert held(vm) == [f"/dev/{own}"] * 3
        assert warnings(vm) == []
        over = time.monotonic()
        assert vm.wait_end(60) == "reboot"
        assert time.monotonic() - over < 20
