# SPDX-License-Identifier: MIT
"""/dev/rootdisk0: the disk below the root, whatever lies between."""
import subprocess
from pathlib import Path

import pytest

from facts import clean
from machine import Machine, Part

SCRIPT = """ls -l /dev/ | sed -n 's/.* \\(rootdisk[^ ]*\\) -> /\\1 /p' | report links
report_mounts; exit 0"""
NVME = {"rootdisk0": "/dev/nvme0n1", "rootdisk0p1": "/dev/nvme0n1p1",
        "rootdisk0p2": "/dev/nvme0n1p2", "rootdisk0p3": "/dev/nvme0n1p3"}
VIRTIO = {"rootdisk0": "/dev/vda", "rootdisk0p1": "/dev/vda1", "rootdisk0p2": "/dev/vda2",
          "rootdisk0p3": "/dev/vda3"}
# As overlayroot and others do: what is below stays to be seen.
KEEP_LOWER = "$b mkdir -p /root/lower && $b mount --move /lower /root/lower"
MAPPED = """$b cp /root/dmlinear / && $b umount /root
/dmlinear /dev/nvme0n1p1 $(($($b blockdev --getsz /dev/nvme0n1p1)))
$b mount -t ext4 /dev/dm-0 /root"""
MORE = [Part(None), Part(None)]


def links(vm):
    return dict(line.split(" ", 1) for line in vm.reported("links").decode().splitlines())


@pytest.mark.parametrize("expected, options", [
    (NVME, {}),
    (VIRTIO, {"bus": "virtio", "table": "dos"}),
    (NVME, {"root": "loop", "first_stage": KEEP_LOWER}),
    (NVME, {"root": "overlay", "first_stage": KEEP_LOWER}),
    # Nothing in the machine says any more what is below.
    ({}, {"root": "overlay"}),
    (NVME, {"root": "squashfs", "config": "--x-pivot-root-on-overlayfs", "modules": ["overlay"]}),
    ({}, {"table": None, "parts": ()}),
    ({}, {"root": "initramfs"}),
    # Somebody else made it: theirs.
    ({"rootdisk0": "nvme9n9"}, {"first_stage": "$b ln -s nvme9n9 /dev/rootdisk0"}),
], ids=["nvme", "virtio", "loop", "overlay", "overlay-hidden", "pivoted", "no-table", "initramfs",
        "there-already"])
def test_links(expected, options):
    machine = Machine(script=SCRIPT, **{"parts": MORE, **options})
    with machine.boot() as vm:
        assert links(vm) == expected
        assert vm.wait_end() == "reboot"
    if "root" not in options and "table" not in options:
        assert clean(machine, 1)



def test_device_mapper(tmp_path):
    program = tmp_path / "dmlinear"
    subprocess.run(["gcc", "-static", "-Os", "-o", program,
                    Path(__file__).with_name("dmlinear.c")], check=True)
    machine = Machine(script=SCRIPT, parts=MORE, modules=["dm_mod"], first_stage=MAPPED,
                      files={"/dmlinear": program.read_bytes()})
    with machine.boot() as vm:
        assert links(vm) == NVME
        assert [words for words in vm.reported("mounts") if "/dev/dm-0" in words or
                "/dev/root" in words]
        assert vm.wait_end() == "reboot"
    assert clean(machine, 1)


def test_a_loop_root_ends_clean():
    machine = Machine(root="loop", first_stage=KEEP_LOWER, script="sync; mark up; exit 0")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert not [line for line in vm.log_lines() if b"Unmounting hangs" in line]
    assert clean(machine, 1)
