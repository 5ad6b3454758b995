# SPDX-License-Identifier: MIT
"""The first stage: a small initramfs that loads modules, mounts the root, and steps aside.

It stands for what a bootloader's initramfs or a kernel with the drivers built in does on a device.
The init of the root gets exactly what the kernel would have given it: the same arguments, the same
environment, the console on fds 0-2, and nothing mounted except the root.
"""
from kernel import module_bytes

# The kernel's own rootwait asks every 5 ms whether the device is there; so does this.
SCRIPT = r"""#!/bin/busybox sh
# Variables of this script stay out of the environment that init gets.
b=/bin/busybox
set +a
$b mount -t devtmpfs devtmpfs /dev
%(load)s
%(wait)s
%(mount)s
%(extra)s
$b umount -l /dev
unset b SHLVL PWD OLDPWD PATH
exec /bin/busybox switch_root /root %(init)s "$@" %(fds)s
"""
WAIT = "until [ -b %s ]; do $b usleep 5000; done"
DIRECT = "$b mount -t %s -o %s %s /root || exec $b sh"


def tree(busybox, kernel, *, device, fstype, modules, read_only=False, extra="", mount=None,
         init="/sbin/init", closed_fds=False):
    """The tree of a first-stage initramfs (see image.cpio)."""
    needed = list(modules)
    if fstype not in ("ext4", None):
        needed.append(fstype)
    out = {"/bin/busybox": ("file", busybox), "/root": ("dir", 0o755), "/proc": ("dir", 0o555),
           "/sys": ("dir", 0o555), "/dev": ("dir", 0o755)}
    load = []
    for name, path in kernel.load_order(needed):
        out[f"/modules/{name}.ko"] = module_bytes(path)
        load.append(f"$b insmod /modules/{name}.ko")
    if mount is None:
        mount = DIRECT % (fstype, "ro" if read_only else "rw", device)
    out["/init"] = SCRIPT % {
        "load": "\n".join(load), "wait": WAIT % device if device else "", "mount": mount,
        "extra": extra, "init": init, "fds": "<&- >&- 2>&-" if closed_fds else ""}
    return out
