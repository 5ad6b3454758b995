# SPDX-License-Identifier: MIT
"""What a VM keeps of root's rights, by what the kernel says and lets it do."""
import errno

from complaints import NAMED, complaints
from machine import Machine
from programs import program, programs

NET_BIND_SERVICE, NET_ADMIN, LAST = 1 << 10, 1 << 12, 40
KEPT = NET_BIND_SERVICE | NET_ADMIN
ALL = (1 << LAST + 1) - 1
SETS = ("CapPrm", "CapEff", "CapInh", "CapAmb", "CapBnd")
FILES = {"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:500:600::/tmp:/bin/sh\n",
         "/etc/group": "root:x:0:\napp:x:600:\ndialout:x:20:app\n", **NAMED, **programs("rights"),
         "/t/as-root": ("mode", 0o4755, program("rights"))}
# Only root may write to the serial port that reports go to. And what root is given stays root's.
CONFIG = "--pre-run-exec \"/bin/chmod 666 /dev/ttyS1\"\n--uid app\n"
LOOK = "/t/rights | report own; /t/as-root | report setuid; exit 0"


def seen(vm, key):
    """{field: its words, capability sets as numbers} of /t/rights."""
    lines = dict(line.split(":\t", 1) for line in vm.reported(key).decode().splitlines())
    return {name: int(text, 16) if name.startswith("Cap") else [int(word) for word in text.split()]
            for name, text in lines.items()}


def look(config, **options):
    """What the VM may do, and what a setuid program that it starts."""
    with Machine(config=CONFIG + config, script=LOOK, files=FILES, **options).boot() as vm:
        if options:
            vm.wait_report(b"^PID 1 has 9$")
        own, setuid = seen(vm, "own"), seen(vm, "setuid")
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []
    return own, setuid


def test_what_is_asked_for_and_nothing_else():
    """Also: of the descriptors that PID 1 was given, none gets to the VM."""
    shell = "ls /proc/1/fd | grep -qx 9 && echo PID 1 has 9 >/dev/ttyS1"
    own, setuid = look("--capabilities cap_net_bind_service,12\n--no-new-privs\n"
                       f"--pre-run-exec \"/bin/sh -c '{shell}'\"\n",
                       first_stage="exec 7</dev/null 9</init")
    for process in own, setuid:  # for a setuid program it is the same, without new privileges
        assert [process[name] for name in SETS] == [KEPT] * 5
        assert process["NoNewPrivs"] == [1]
        assert process["Uid"] == [500] * 4 and process["Gid"] == [600] * 4
        assert process["Groups"] == [20]
        assert process["Fds"] == [0, 1, 2]
        assert process["Port80"] == [0]


def test_without_them_setuid_programs_work():
    own, setuid = look("")
    assert [own[name] for name in SETS] == [0, 0, 0, 0, ALL]
    assert own["Port80"] == [errno.EACCES]
    assert own["NoNewPrivs"] == [0]
    assert setuid["Uid"] == [500, 0, 0, 0]
    assert setuid["CapEff"] == ALL and setuid["Port80"] == [0]


def test_none_is_none_for_setuid_programs_too_and_for_root():
    own, setuid = look("--capabilities none\n")
    assert [own[name] for name in SETS] == [0] * 5
    assert setuid["Uid"] == [500, 0, 0, 0]
    assert [setuid[name] for name in SETS] == [0] * 5
    own, _ = look("--uid 0\n--capabilities net_admin\n")
    assert own["Uid"] == [0] * 4
    assert [own[name] for name in SETS] == [NET_ADMIN] * 5
    assert own["Port80"] == [errno.EACCES]


def test_what_the_kernel_has_not_got_is_fatal():
    """It has heard of 41 capabilities. The VM isn't started with those that it has."""
    machine = Machine(config=f"{CONFIG}--capabilities 10,{LAST + 1}\n--poweroff-on-fatal\n",
                      script="mark started; exit 0", files=FILES)
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert b"started" not in vm.report
        assert complaints(vm)[0].startswith(
            "Can't give the VM its user, groups and capabilities: ")
