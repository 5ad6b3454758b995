# SPDX-License-Identifier: MIT
"""Each time limit is an option, and holds for what it is said to limit. Durations are the init's own."""
import re

from complaints import complaints
from ending import END, device, report_of
from machine import Machine, Part
from programs import programs
from test_seed import SEED

TIMES = "--print-timing\n"


def took_ms(vm, step):
    """How long a step of the shutdown took."""
    found = re.search(rb"^shutdown, %b: (\d+) us$" % step, b"\n".join(vm.log_lines()), re.M)
    return int(found[1]) / 1000


def test_grace_of_the_leftovers():
    """700 ms are not enough for who needs 30 s, and enough for who needs 300 ms."""
    machine = device(TIMES + "--term-grace 700\n", f"/t/leftover catch 1 30000; {END}")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert 700 <= took_ms(vm, b"terminate") < 980  # less than the default
    assert re.search(r"^- killed: process \d+ \(leftover\), state S", report_of(machine), re.M)


def test_no_grace_at_all():
    machine = device(TIMES + "--term-grace 0\n", f"/t/leftover catch 1 30000; {END}")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert took_ms(vm, b"terminate") < 500


def test_time_to_go_and_time_for_a_step():
    """A process waits for ever for a frozen file system, and so does who writes the report there."""
    machine = Machine(config=TIMES + "-m /dev/nvme0n1p2:/frozen:ext4::\n--shutdown-report /frozen/report\n"
                      "--kill-timeout 300\n--step-timeout 400\n", parts=[Part("ext4")],
                      files=programs("leftover", "hang"), script="""
touch /frozen/file; mkfifo /run/fifo
(exec /t/leftover write /frozen/file >/run/fifo) &
{ read open; /t/hang freeze /frozen; } </run/fifo
i=0; until grep -q '^State:.D' /proc/$!/status || [ $i = 1000 ]; do i=$((i + 1)); done
exit 1""")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert 300 <= took_ms(vm, b"kill") < 1500
        assert 400 <= took_ms(vm, b"report") < 1900
        assert any("--shutdown-report /frozen/report: " in line for line in complaints(vm))


def test_time_for_the_id():
    machine = Machine(config="-n x-%s\n-d 'sleep 1000'\n--uniqueid-timeout 300\n--command-timeout 60000\n"
                      .replace("'", '"') + TIMES, script="report name $(hostname); exit 0")
    with machine.boot() as vm:
        assert vm.reported("name") == b"x-00000000"
        log = b"\n".join(vm.log_lines())
        assert 300 <= int(re.search(rb"^id-command: .*, (\d+) us$", log, re.M)[1]) / 1000 < 5000


def test_time_for_the_seed():
    machine = Machine(config=TIMES + "-m /dev/nvme0n1p2:/data:ext4::\n--state-directory /data\n-n x-%s\n"
                      '-d "/t/hang freeze /data"\n--seed-timeout 300\n', script="mark up; exit 1",
                      parts=[Part("ext4", SEED)], files=programs("hang"))
    with machine.boot() as vm:
        vm.wait_report(rb"^up$", timeout=60)
        log = b"\n".join(vm.log_lines())
        assert 300 <= int(re.search(rb"^entropy: .*, (\d+) us$", log, re.M)[1]) / 1000 < 5000
