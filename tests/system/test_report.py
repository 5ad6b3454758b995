# SPDX-License-Identifier: MIT
"""--shutdown-report, line by line; the tools that read it know the old program's."""
import re

import pytest

from facts import clean
from machine import Machine, Part

CONFIG = "-m /dev/nvme0n1p2:/data:ext4:nodev:\n--shutdown-report /data/report.md\n"
HEAD = r"""# Erlinit shutdown report

Uptime: 0 days, 0:00:\d\d
Current time: 1970-01-01T00:00:\d\d\.\d{{6}}\+00:00
Intentional exit: {intentional}
Graceful shutdown succeeded: {graceful}
Graceful shutdown time: {took}
{status}
Shutdown action: {action}
{more}
## dmesg

```
(.*?)```
"""
NO_GRACE = {"graceful": "no", "took": "N/A", "more": ""}


def report_of(machine, path="/report.md"):
    return machine.disk(0).partition(2).read(path).decode()


@pytest.mark.parametrize("config, script, end, lines", [
    ("", "kill -TERM 1; exec sleep 0.3", "reboot",
     {"intentional": "yes", "graceful": "yes", "took": r"0\.\d{3} seconds",
      "status": "Erlang exit status: 0", "action": "restart", "more": ""}),
    ("", "echo now >/run/reboot-param; kill -TERM 1; exec sleep 0.3", "reboot",
     {"intentional": "yes", "graceful": "yes", "took": r"0\.\d{3} seconds",
      "status": "Erlang exit status: 0", "action": "restart", "more": "Reboot args: now\n"}),
    ("-h", "exit 17", "halt",
     {"intentional": "no", "status": "Erlang exit status: 17", "action": "halt", **NO_GRACE}),
    ("--poweroff-on-exit", "kill -KILL $$", "poweroff",
     {"intentional": "no", "status": "Erlang exited due to signal: 9", "action": "power off",
      **NO_GRACE}),
    ("--graceful-shutdown-timeout 300", "trap '' TERM; kill -USR2 1; idle", "poweroff",
     {"intentional": "yes", "status": "Erlang exited due to signal: 9", "action": "power off",
      **NO_GRACE}),
], ids=["asked", "asked-with-argument", "exit", "signal", "timeout"])
def test_lines(config, script, end, lines):
    machine = Machine(config=CONFIG + config, parts=[Part("ext4")], script=script)
    with machine.boot() as vm:
        assert vm.wait_end() == end
    report = report_of(machine)
    found = re.match(HEAD.format(**lines), report, re.S)
    assert found, report
    assert re.search(r"^\[ *\d+\.\d{6}\] Linux version", found[1], re.M)
    assert re.search(r"^\[ *\d+\.\d{6}\] .*erlinit: Launching erl", found[1], re.M)
    assert clean(machine, 1, 2)


def test_never_through_a_link():
    machine = Machine(config=CONFIG, script="exit 0", parts=[
        Part("ext4", {"/secret": "kept\n", "/report.md": ("symlink", "/data/secret")})])
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
    assert report_of(machine).startswith("# Erlinit shutdown report")
    assert report_of(machine, "/secret") == "kept\n"
    # Nothing half-written is left beside it.
    assert set(machine.disk(0).partition(2).list()) == {"lost+found", "secret", "report.md"}


def test_a_missing_directory_is_one_warning():
    machine = Machine(config="--shutdown-report /data/none/report.md", script="exit 0")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        seen = [line for line in vm.log_lines() if b"report" in line]
    assert len(seen) == 1 and b"/data/none/report.md: No such file or directory" in seen[0]
    assert seen[0].startswith(b"/etc/erlinit.config:1:")
    assert clean(machine, 1)


def test_a_long_record_and_an_overrun_log():
    """Records that were overwritten, and the longest ones, leave the rest whole."""
    script = """i=0; long=$(head -c 900 /dev/zero | tr '\\0' x)
while [ $i -lt 200 ]; do echo "<6>filler $i $long" >/dev/kmsg; i=$((i + 1)); done
echo '<6>the last words' >/dev/kmsg; exit 0"""
    machine = Machine(config=CONFIG, parts=[Part("ext4")], script=script,
                      cmdline="log_buf_len=128K quiet loglevel=0")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
    report = report_of(machine)
    numbers = [int(number) for number in re.findall(r"\] filler (\d+) x{900}$", report, re.M)]
    assert len(numbers) > 50 and numbers == list(range(numbers[0], 200))
    assert "the last words" in report
    assert report.count("```") == 2
