# SPDX-License-Identifier: MIT
"""Who the VM runs as, by what /proc says of it, and that it is never root by mistake."""
import pytest

from complaints import NAMED, complaints
from machine import Machine

ACCOUNTS = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nbroken line\n"
                   "nerves:x:0500:600:The user:/home/nerves:/bin/sh\n"
                   "4000:x:77:77:named like a number:/nowhere:/bin/sh\n",
    "/etc/group": "root:x:0:\ntty:x:5:nerves\ndialout:x:20:other, nerves,third\n"
                  "nerves:x:600:\naudio:x:29:nervesx\ndouble:x:20:nerves\nvideo:x:44:nerves",
    **NAMED,
}
# Only root may write to the serial port that reports go to.
OPEN_PORT = "--pre-run-exec \"/bin/chmod 666 /dev/ttyS1\"\n"
USER = "nerves with its groups"
CASES = {
    USER: ("--uid nerves", 500, 600, "5 20 44", "/home/nerves"),
    "hexadecimal and octal": ("--uid 0x1f4\n--gid 0144", 500, 100, "5 20 44", "/home/nerves"),
    "a group by name, root otherwise": ("--gid video", 0, 44, "", "/root"),
    "the last one wins": ("--uid nerves\n--gid 20\n--uid 0\n--gid 0", 0, 0, "", "/root"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_identity(case):
    config, uid, gid, groups, home = case
    machine = Machine(config=f"{OPEN_PORT}{config}\n", files=ACCOUNTS,
                      script="report_status; report_env; exit 0")
    with machine.boot() as vm:
        status = vm.reported("status")
        assert status["Uid"].split() == [str(uid)] * 4
        assert status["Gid"].split() == [str(gid)] * 4
        assert status["Groups"].strip() == groups
        assert (int(status["CapEff"], 16) == 0) == (uid != 0)
        assert vm.reported("env")["HOME"] == home
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_a_number_that_nobody_has():
    machine = Machine(config=f"{OPEN_PORT}--uid 4000\n", files=ACCOUNTS,
                      script="report_status; report_env; exit 0")
    with machine.boot() as vm:
        status = vm.reported("status")
        assert status["Uid"].split() == ["4000"] * 4
        assert status["Gid"].split() == ["4000"] * 4
        assert status["Groups"].strip() == ""
        assert vm.reported("env")["HOME"] == "/root"
        assert vm.wait_end() == "reboot"
        assert len(complaints(vm)) == 1
        assert complaints(vm)[0].startswith(
            "/etc/erlinit.config:2:7: user 4000 is not in /etc/passwd")


@pytest.mark.parametrize("option, shown", [("uid", "nobody-knows-me"), ("gid", "-1")])
def test_what_is_no_identity_is_never_root(option, shown):
    machine = Machine(config=f"--{option} {shown}\n--poweroff-on-fatal\n", files=ACCOUNTS,
                      script="mark started; exit 0")
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert b"started" not in vm.report
        assert f"--{option} \"{shown}\"" in complaints(vm)[0]
        assert "not started" in complaints(vm)[0]
        assert len(complaints(vm)) == 3  # and: this step has failed, init can't continue
