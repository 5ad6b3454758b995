# SPDX-License-Identifier: MIT
"""--x-pivot-root-on-overlayfs: the root is writable, and the disk never hears of it."""
import hashlib

import pytest

from facts import LOG, clean, mounts, warnings
from machine import Machine, Part

SCRIPT = f"""echo changed >/etc/passwd; rm /etc/group; mkdir -p /new/directory; echo x >/new/file
report_mounts
report passwd "$(cat /etc/passwd)"; report gone "$([ -e /etc/group ] || echo yes)"
ls / | report root
{LOG}
echo data >/data/file; exit 0"""


def digest(disk, partition):
    """Of the content of one partition."""
    part = disk.partition(partition)
    with open(part.disk, "rb") as handle:
        handle.seek(part.start)
        return hashlib.sha256(handle.read(part.size)).hexdigest()


@pytest.mark.parametrize("options", [
    {"root": "squashfs"}, {"read_only": True}, {}, {"root": "initramfs"},
], ids=["squashfs", "read-only-ext4", "writable-ext4", "initramfs"])
def test_root_is_writable_and_the_disk_unchanged(options):
    machine = Machine(
        config="--x-pivot-root-on-overlayfs\n-m /dev/nvme0n1p2:/data:ext4::\n",
        parts=[Part("ext4")] if options.get("root") != "initramfs" else [Part(None), Part("ext4")],
        modules=["overlay"], script=SCRIPT, **options)
    machine._make_disks()  # pylint: disable=protected-access; to see them before the first boot
    before = digest(machine.disk(0), 1)
    with machine.boot() as vm:
        found = mounts(vm)
        assert vm.reported("passwd") == b"changed"
        assert vm.reported("gone") == b"yes"
        assert b"proc" in vm.reported("root").split()
        assert warnings(vm) == []
        assert vm.wait_end() == "reboot"
    in_memory = options.get("root") == "initramfs"
    assert found["/"].type == ("rootfs" if in_memory else "overlay")
    # The old root and what helped to leave it are out of sight.
    assert "/mnt" not in found and len([m for m in found.values() if m.type == "proc"]) == 1
    if options:  # a writable ext4 has been mounted, which leaves its marks
        assert digest(machine.disk(0), 1) == before
    assert machine.disk(0).partition(2).read("/file") == b"data\n"
    assert clean(machine, *([2] if options.get("root") in ("squashfs", "initramfs") else [1, 2]))
    if not in_memory:
        assert machine.disk(0).partition(1).read("/new/file") is None


def test_no_overlay_in_this_kernel():
    machine = Machine(config="--x-pivot-root-on-overlayfs", root="squashfs",
                      script=f"report_mounts\n{LOG}\nexit 0")
    with machine.boot() as vm:
        found = mounts(vm)
        seen = [line for line in warnings(vm) if "overlay" in line]
        assert vm.wait_end() == "reboot"
    assert len(seen) == 1 and "goes on with the plain root" in seen[0]
    assert found["/"].type == "squashfs"
    assert "/mnt" not in found
