# SPDX-License-Identifier: MIT
"""The file systems of the kernel, and those in memory, with their exact options."""
import re

import pytest

from facts import LOG, mounts, warnings
from machine import Machine

PAGE_KIB = 4
EXPECTED = {
    "/proc": ("proc", {"rw", "nosuid", "nodev", "noexec", "relatime"}, b"555"),
    "/sys": ("sysfs", {"rw", "nosuid", "nodev", "noexec", "relatime"}, b"555"),
    "/dev": ("devtmpfs", {"rw", "nosuid", "noexec", "relatime"}, b"755"),
    "/dev/pts": ("devpts", {"rw", "nosuid", "noexec", "relatime"}, b"755"),
    "/dev/shm": ("tmpfs", {"rw", "nosuid", "nodev", "relatime"}, b"1777"),
    "/tmp": ("tmpfs", {"rw", "nosuid", "nodev", "noexec", "relatime"}, b"1777"),
    "/run": ("tmpfs", {"rw", "nosuid", "nodev", "noexec", "relatime"}, b"755"),
}
SCRIPT = f"""report_mounts
stat -c %a {' '.join(EXPECTED)} | report modes
dd if=/dev/zero of=/dev/shm/large bs=1M count=3 && rm /dev/shm/large && report shm fits
report_file memory /proc/meminfo
{LOG}
exit 0"""


# The kernel has mounted /dev; it has not (initramfs, CONFIG_DEVTMPFS_MOUNT off); nothing is
# writable.
@pytest.mark.parametrize("root", ["ext4", "initramfs", "squashfs"])
def test_flags_and_options(root):
    with Machine(root=root, script=SCRIPT).boot() as vm:
        found, modes = mounts(vm), vm.reported("modes").split()
        assert vm.reported("shm") == b"fits"
        total = int(re.search(rb"MemTotal: *(\d+)", vm.reported("memory"))[1])
        if root != "squashfs":  # where no seed can be stored
            assert warnings(vm) == []
        assert vm.wait_end() == "reboot"
    for (target, (kind, options, mode)), seen in zip(EXPECTED.items(), modes):
        assert (target, found[target].type) == (target, kind)
        assert (target, found[target].options) == (target, options)
        assert (target, seen) == (target, mode)
    assert found["/dev"].super_options >= {"size=1024k"}
    assert found["/dev/pts"].super_options >= {"gid=5", "mode=620"}
    for target, percent in (("/tmp", 10), ("/run", 5)):
        size = next(int(option[5:-1]) for option in found[target].super_options
                    if option.startswith("size="))
        assert size == pytest.approx(total * percent / 100, abs=2 * PAGE_KIB)
    assert len([target for target in found if target == "/dev/pts"]) == 1
