# SPDX-License-Identifier: MIT
"""What --plan says of a tree is what happens when a machine boots it: no result is written down here."""
import json
import os
import subprocess
import sys

import pytest

from complaints import complaints
from machine import GUEST, TOP, Machine, image

sys.path.insert(0, str(TOP / "tests" / "desk"))
import trees  # noqa: E402  (the line above makes it importable)
from program import PROGRAM  # noqa: E402

CASES = TOP / "tests" / "desk" / "plan"
PLAYERS = ("erlexec", "run_erl")  # what the tree's programs are played by
REPORT = "#!/bin/sh\n. /lib/guest.sh\nPATH=/usr/bin:/bin\nreport_all \"$@\"\n" \
    "report_file cmdline /proc/cmdline\nexit 0\n"
# Only root may write to the serial port that reports go to.
OPEN_PORT = "--pre-run-exec \"/bin/chmod 666 /dev/ttyS1\"\n"
CMDLINES = {
    "command-line": "BOTH=line spaced=\"a b\" TERM=vt220 HOME=/nowhere loose foo.bar=1 \"quoted=c d\" "
                    "inner=x\"y\"z release.config --option=value panic=5 -- -n named -e SET=here "
                    "--mount=none:/mnt:tmpfs::size=1k",
    "own-run-time-system": "loose -t init=/sbin/init --hostname-pattern late-%s",
}
BOOTING = ("plain", "one-below", "missing-version", "own-run-time-system", "no-release", "user",
           "wrapper", "wrapper-missing", "links", "command-line", "programs")
FATAL = ("no-boot-file", "no-program")


def machine_of(case, config):
    """A machine with the tree of this case, whose VM reports."""
    tree, fifos = trees.of_case(CASES / case)
    assert not fifos
    for path, entry in tree.items():
        if os.path.basename(path) in PLAYERS and entry[1] == 0o755:
            tree[path] = REPORT
    own = tree.pop("/etc/erlinit.config", "")
    return Machine(config=own if isinstance(own, tuple) else own + config,
                   release={"/lib/guest.sh": GUEST, **tree}, cmdline=CMDLINES.get(case, ""))


def plan_of(machine, cmdline, folder):
    """The plan of what is on the machine's disk."""
    assert PROGRAM.exists(), "make desk builds it"
    image.lay_out(image.merged(machine.base, machine.own), folder)
    result = subprocess.run([PROGRAM, "--plan", "--root", folder, "--cmdline", cmdline,
                             "--format", "json"], capture_output=True, check=False)
    plan = json.loads(result.stdout)
    assert (result.returncode == 0) == plan["boots"] and result.stderr == b""
    return plan


def foretold(plan):
    """The complaints that the plan says the boot will have."""
    lines = []
    for part in [plan["configuration"], *plan["steps"], plan["vm"] or {"messages": []}, plan["end"]]:
        for message in part["messages"]:
            place = ""
            if "file" in message:
                place = "{file}:{line}:{column}: ".format(**message)
            elif "argument" in message:
                place = "kernel command line, argument {argument}: ".format(**message)
            if message["severity"] != "note":
                lines.append(place + message["text"])
    return lines


@pytest.mark.parametrize("case", BOOTING)
def test_the_vm_is_as_planned(case, tmp_path):
    machine = machine_of(case, OPEN_PORT)
    with machine.boot() as vm:
        arguments = [word.decode() for word in vm.reported("args", timeout=60)]
        env, status = vm.reported("env"), vm.reported("status")
        cwd, umask, hostname = (vm.reported(key).decode().strip()
                                for key in ("cwd", "umask", "hostname"))
        plan = plan_of(machine, vm.reported("cmdline").decode(), tmp_path)
        vm.wait_end()
        told = complaints(vm)
    # a script sees its path, and not the name that it was given
    assert arguments == [plan["vm"]["program"], *plan["vm"]["arguments"][1:]]
    assert env == dict(setting.split("=", 1) for setting in plan["vm"]["environment"])
    assert cwd == plan["vm"]["working_directory"]
    assert umask == plan["vm"]["umask"]
    assert status["Uid"].split() == [str(plan["vm"]["uid"])] * 4
    assert status["Gid"].split() == [str(plan["vm"]["gid"])] * 4
    assert [int(group) for group in status["Groups"].split()] == plan["vm"]["groups"]
    kept = plan["vm"]["capabilities"]
    if kept is not None:
        assert all(bin(int(status[each], 16)).count("1") == len(kept)
                   for each in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"))
    assert status["NoNewPrivs"] == str(int(plan["vm"]["no_new_privs"]))
    names = [step["facts"].get("hostname") for step in plan["steps"] if step["name"] == "hostname"]
    assert names in ([hostname], [None])  # which only the id command knows
    assert told == foretold(plan)


@pytest.mark.parametrize("case", FATAL)
def test_it_ends_as_planned(case, tmp_path):
    machine = machine_of(case, "--poweroff-on-fatal\n")
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        told = complaints(vm)
    plan = plan_of(machine, "", tmp_path)
    assert not plan["boots"] and plan["end"]["fatal_error"]["action"] == "power off"
    assert [line for line in told
            if not line.endswith((" of the boot has failed", "can't continue"))] == foretold(plan)


ROOM = {"arguments": ("-- ", "a{0}", 32), "environment": ("", "NAME{0}=1", 31)}


@pytest.mark.parametrize("kind", ROOM)
def test_the_kernel_has_room_for_so_many_words(kind, tmp_path):
    """With one more it panics before it starts init, and the plan says so."""
    before, word, most = ROOM[kind]
    for count, end in ((most, "reboot"), (most + 1, "panic")):
        words = before + " ".join(word.format(number) for number in range(count))
        machine = Machine(cmdline=words, script="exit 0")
        with machine.boot() as vm:
            assert vm.wait_end() == end
        told = plan_of(machine, words, tmp_path / str(count))["configuration"]["messages"]
        assert any("panic" in message["text"] for message in told) == (end == "panic")
