# SPDX-License-Identifier: MIT
"""The seed: kept over boots, and never used twice, whenever the power goes."""
import re

import pytest

from facts import LOG, clean, warnings
from machine import Machine, Part
from programs import programs

# Before init starts: what the disk holds (`seed NAME HASH` on the report's line).
LOOK = """for f in root/seedrng data/seedrng; do for n in seed.credit seed.no-credit; do
[ -f /root/$f/$n ] && echo "seed $n $($b sha256sum <"/root/$f/$n")" >/dev/ttyS1; done; done"""
REGULAR, DIRECTORY = 0o100000, 0o040000
SEED_BYTES = 32  # 256 bits: what /proc/sys/kernel/random/poolsize says since Linux 5.18
# The new seed is stored when the VM runs.
STORED = "until [ -e /root/seedrng/seed.credit ] || [ -e /data/seedrng/seed.credit ]; do :; done\n"
USED = rb"erlinit: entropy seed: (\d+) bytes given to the kernel, (not credited|credited)"


def seeds_seen(vm):
    """{name: hash} of what LOOK saw."""
    return dict(re.findall(rb"^seed (\S+) (\w+)", vm.report, re.M))


def directory(machine, partition=1, path="/root/seedrng"):
    """{name: mode} of the seed's directory, and the content of the creditable seed."""
    part = machine.disk(0).partition(partition)
    return part.list(path), part.read(f"{path}/seed.credit")


def test_three_boots():
    machine = Machine(config="-v", first_stage=LOOK, script=f"{STORED}exit 0")
    seen, contents = [], []
    for number in range(3):
        with machine.boot() as vm:
            assert vm.wait_end() == "reboot"
            seen.append(seeds_seen(vm).get(b"seed.credit"))
            used = re.findall(USED, vm.kmsg)
        # At boot the one of the last shutdown, at shutdown the one of this boot.
        assert used == [(b"32", b"credited")] * (1 if number == 0 else 2)
        names, content = directory(machine)
        assert names == {"seed.credit": REGULAR | 0o400}
        assert len(content) == SEED_BYTES
        assert machine.disk(0).partition(1).list("/root")["seedrng"] == DIRECTORY | 0o700
        contents.append(content)
    assert seen[0] is None and len(set(seen)) == 3
    assert len(set(contents)) == 3
    assert clean(machine, 1)


# The power goes while the VM starts, with the new seed stored, and after another one was used at the end.
CUTS = [rb"erlinit: Launching erl", None, rb"stored", rb"(?s)" + USED + rb".*" + USED, None]


def test_power_cuts():
    machine = Machine(config="-v", first_stage=LOOK, script=f"{STORED}echo stored >/dev/kmsg; exit 0")
    with machine.boot() as vm:
        vm.wait_end()
    credited = []
    for cut in CUTS:
        with machine.boot() as vm:
            if cut:
                vm.wait_for(cut)
                vm.stop()
            else:
                vm.wait_end()
            seed = seeds_seen(vm).get(b"seed.credit")
            at_boot = re.search(USED, vm.kmsg.partition(b"Launching erl")[0])
            if at_boot and at_boot[2] == b"credited":
                assert seed
                credited.append(seed)
    assert len(credited) >= 2
    assert len(set(credited)) == len(credited)


def test_a_seed_that_is_not_creditable():
    """SEEDRNG_SKIP_CREDIT, and the name; a link is no seed."""
    machine = Machine(config="-v", script=f"{STORED}exit 0", files={
        "/root/seedrng/seed.credit": ("mode", 0o400, b"a" * 32),
        "/root/seedrng/seed.no-credit": ("mode", 0o400, b"b" * 64)})
    with machine.boot(cmdline="SEEDRNG_SKIP_CREDIT=Yes") as vm:
        assert vm.wait_end() == "reboot"
        assert re.findall(USED, vm.kmsg)[:2] == [(b"64", b"not credited"), (b"32", b"not credited")]
    names, content = directory(machine)
    assert set(names) == {"seed.credit"} and content not in (b"a" * 32, b"b" * 64)
    machine.edit({"/root/seedrng/seed.credit": ("symlink", "/etc/passwd"),
                  "/root/seedrng/seed.no-credit": ("mode", 0o400, b"c" * 48)})
    with machine.boot(cmdline="") as vm:
        assert vm.wait_end() == "reboot"
        assert re.findall(USED, vm.kmsg) == [(b"48", b"not credited"), (b"32", b"credited")]
        assert len([line for line in vm.log_lines() if b"not one of ours" in line]) == 1
    assert set(directory(machine)[0]) == {"seed.credit"}
    assert machine.disk(0).partition(1).read("/etc/passwd").startswith(b"root:")


@pytest.mark.parametrize("state", [None, "/data"], ids=["read-only", "state-directory"])
def test_read_only_root(state):
    config = "-v\n-m /dev/nvme0n1p2:/data:ext4::\n"
    late = "until dmesg | grep -q 'no seed is read'; do :; done\n" if state is None else STORED
    machine = Machine(config=config + (f"--state-directory {state}\n" if state else ""),
                      root="squashfs", parts=[Part("ext4")], script=f"{late}{LOG}\nexit 0")
    with machine.boot() as vm:
        seen = [line for line in warnings(vm) if "seed" in line]
        assert vm.wait_end() == "reboot"
    if state:
        names, content = directory(machine, 2, "/seedrng")
        assert names == {"seed.credit": REGULAR | 0o400} and len(content) == SEED_BYTES
        assert seen == []
    else:
        assert len(seen) == 1 and "/root/seedrng" in seen[0]
        assert "Read-only file system" in seen[0]
    assert clean(machine, 2)


SEED = {"/seedrng": ("dir", 0o700), "/seedrng/seed.credit": ("mode", 0o400, b"s" * 32)}


def test_a_disk_that_does_not_answer_costs_the_seed():
    """The id command, which comes before, freezes the file system: who writes to it waits for ever. PID 1
    learns all the same that the VM runs, and has the rest done."""
    machine = Machine(config="-m /dev/nvme0n1p2:/data:ext4:nodev:\n--state-directory /data\n-n x-%s\n"
                             '-d "/t/hang freeze /data"', parts=[Part("ext4", SEED)], files=programs("hang"),
                      script="until [ -e /run/erlinit/boot.json ]; do :; done; report up yes; exit 1")
    with machine.boot() as vm:
        vm.wait_report(rb"^up ", timeout=60)
        vm.wait_for(rb"erlinit: entropy seed in /data/seedrng: .*goes on without it")
        assert vm.wait_end(60) == "reboot"
