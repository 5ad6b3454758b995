# SPDX-License-Identifier: MIT
"""Machines for the system tests: a real kernel in QEMU, our init, and a VM that a test scripts.

    m = Machine(config="-v", script='report_env; exit 3')
    with m.boot() as vm:
        vm.wait_for(rb"erlinit: .*exit", timeout=20)     # on the serial console
        assert vm.reported("env")["HOME"] == "/root"     # what the script reported
        assert vm.wait_end() == "reboot"                 # or poweroff, halt, panic
    assert m.disk(0).partition(2).fsck().clean

Machine's arguments, all optional:
    config    text of /etc/erlinit.config (None: no such file)
    cmdline   words for the kernel's command line, after the harness's own; those that the kernel does
              not know reach init (test_boot shows it)
    script    shell script that plays erlexec: see GUEST for the functions it has.  Its stdin is the
              console.  When it ends, the VM has ended.  bytes: a program of your own instead.
    release   tree of /srv/erlang instead of the scripted one (see rootfs.hello, rootfs.elixir_hello)
    otp       "25" or "27": a root with that Erlang/OTP, and examples/hello unless release is given
    files     {path: content} put into the root last; content as in image.py, None removes
    parts     partitions after the root on the first disk: [image.Part("ext4", {...}, size_mib=16)]
    disks     further disks, each a list of Part, or a Part alone for a disk without a table
    root      "ext4", "squashfs" (read-only), "initramfs" (our init is /init in memory), "loop" (ext4 in a
              file on the first partition), "overlay" (a tmpfs over a squashfs), "none" (write your own
              mount in first_stage)
    table     "gpt", "dos" or None (the first disk is the root file system itself)
    bus       "nvme" (/dev/nvme0n1p1) or "virtio" (/dev/vda1)
    modules   kernel modules to load before init starts ("vfat", "fuse", "softdog", ...)
    first_stage  shell lines that run before init starts, root mounted at /root, /dev there; $b is busybox
    closed_fds   init starts without fds 0-2
    read_only    mount the ext4 root read-only
    rtc       QEMU's -rtc argument; the default is a clock that stands at 1970
    kernel    "cloud" or "full" (the larger one has f2fs and i6300esb; downloads 70 MB once)
    qemu      further QEMU arguments
    memory_mib, cpus   256 and 1
    init      path of the program under test (build/erlinit, or $ERLINIT)

Boot a Machine again and it goes on with the same disks, as a device does; m.edit({path: content}) changes
its ext4 root in between.  Leaving boot() without wait_end() is a power cut.  The disks live until the test ends.
"""
import base64
import os
import re
import shutil
import sys
import tempfile
import weakref
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools" / "lib"))

import image  # noqa: E402  (the line above makes them importable)
import kernel as kernels  # noqa: E402
import rootfs  # noqa: E402
import stage1  # noqa: E402
from image import Part  # noqa: E402,F401  (tests import it from here)
from vm import Vm, VmError  # noqa: E402,F401

IMAGES = TOP / "build" / "images"
ROOT_FS = {"ext4": "ext4", "squashfs": "squashfs", "overlay": "squashfs", "loop": "ext4"}
DEVICE = {"nvme": ("/dev/nvme0n1", "p"), "virtio": ("/dev/vda", "")}
BUS_MODULES = {"nvme": [], "virtio": ["virtio_pci", "virtio_blk"]}
LOOP_MOUNT = """$b mkdir -p /lower && $b mount -t ext4 {device} /lower
$b losetup /dev/loop0 /lower/root.img && $b mount -t ext4 -o {mode} /dev/loop0 /root"""
OVERLAY_MOUNT = """$b mkdir -p /lower /rw && $b mount -t squashfs -o ro {device} /lower
$b mount -t tmpfs tmpfs /rw && $b mkdir /rw/upper /rw/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work overlay /root"""
RELEASE = "/srv/erlang"

# What a scripted VM can say.  Each report is one line on the second serial port: KEY, a space, and the
# value in base64, so that any byte gets through.
GUEST = r"""
# report KEY [VALUE]; without a value: standard input
report() {
    if [ $# -gt 1 ]; then printf %s "$2"; else cat; fi | base64 -w 0 |
        { read -r value; printf '%s %s\n' "$1" "$value" >/dev/ttyS1; }
}
mark() { echo "$1" >/dev/ttyS1; }                                    # no process: see wait_report
report_file() { report "$1" <"$2"; }                                # report_file KEY FILE
report_args() { key=$1; shift; printf '%s\0' "$@" | report "$key"; } # report_args KEY "$0" "$@"
report_env() { report env </proc/$$/environ; }                       # what the VM was given
report_status() { report status </proc/$$/status; }
report_mounts() { report mounts </proc/$$/mountinfo; }
report_fds() { ls -l /proc/$$/fd | report fds; }                     # sh holds the script as fd 10
report_all() {
    report_args args "$0" "$@"
    report_env; report_status; report_mounts; report_fds
    report cwd "$(readlink /proc/$$/cwd)"
    report_file limits /proc/$$/limits
    report umask "$(umask)"
    report hostname "$(cat /proc/sys/kernel/hostname)"
}
# Until a signal; `wait` lets traps run at once, which a process in the foreground would not.
idle() { mark idle; while :; do sleep 100000 & wait $!; done; }
"""
PARSERS = {
    "args": lambda data: data.split(b"\0")[:-1],
    "env": lambda data: dict(word.split("=", 1) for word in
                             data.decode(errors="surrogateescape").split("\0") if "=" in word),
    "status": lambda data: dict(line.split(":\t", 1) for line in data.decode().splitlines()
                                if ":\t" in line),
    "mounts": lambda data: [line.split(" ") for line in data.decode().splitlines()],
}
booted = []  # the machines of the test that runs now; conftest shows their consoles when it fails
made = []


def guest_tree(script):
    """The release of a scripted VM."""
    program = script if isinstance(script, bytes) else f"#!/bin/sh\n. /lib/guest.sh\n{script}\n"
    return {
        "/lib/guest.sh": GUEST,
        f"{RELEASE}/erts-1.0/bin/erlexec": program,
        f"{RELEASE}/releases/start_erl.data": "1.0 0.1.0\n",
        f"{RELEASE}/releases/0.1.0/start.boot": "boot\n",
        f"{RELEASE}/releases/0.1.0/sys.config": "[].\n",
        f"{RELEASE}/releases/0.1.0/vm.args": "\n",
        f"{RELEASE}/lib": ("dir", 0o755),
        # Real devices have the system's libraries here; the arguments name it when it is there.
        "/usr/lib/erlang/lib": ("dir", 0o755),
    }


class GuestVm(Vm):
    """A running machine; adds what the scripted VM reported."""

    def reported(self, key, timeout=30, nth=0):
        """Value number NTH of KEY, waited for: bytes, or parsed (see PARSERS)."""
        def ready():
            lines = re.findall(rb"^" + re.escape(key.encode()) + rb" ([A-Za-z0-9+/=]*)\n",
                               self._report(), re.M)
            return lines[nth] if len(lines) > nth else None
        data = base64.b64decode(self._wait(ready, timeout, f"waiting for report {key!r}"))
        return PARSERS.get(key, bytes)(data)


class Machine:
    """The recipe of a device, and its disks once it was booted."""

    def __init__(self, config="", cmdline="", script="idle", *, release=None, otp=None, files=None,
                 parts=(), disks=(), root="ext4", table="gpt", bus="nvme", modules=(),
                 first_stage="", closed_fds=False, read_only=False, rtc="base=1970-01-01",
                 kernel="cloud", qemu=(), memory_mib=None, cpus=1, init=None):
        self.root, self.table, self.bus, self.cmdline = root, table, bus, cmdline
        self.first_stage, self.closed_fds, self.read_only = first_stage, closed_fds, read_only
        self.modules, self.qemu, self.rtc, self.cpus = list(modules), list(qemu), rtc, cpus
        self.memory_mib = memory_mib or (512 if otp else 256)
        self.kernel = kernels.Kernel(kernel)
        self.init = Path(init or os.environ.get("ERLINIT") or TOP / "build" / "erlinit")
        self.otp = otp
        self.base, self.own = self._trees(config, script, release, files or {})
        self.work = Path(tempfile.mkdtemp(prefix="erlinit-machine-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.work, True)
        self.parts, self.disks = list(parts), list(disks)
        self.images = None
        self.write_log = None  # a Path: QEMU keeps the first disk's writes there, in order (see cuts.py)
        made.append(self)

    def _trees(self, config, script, release, files):
        """What can be shared between tests, and what is this machine's own."""
        if not self.init.exists():
            raise VmError(f"{self.init}: not built")
        if self.otp:
            base = rootfs.device_tree(self.otp, release or rootfs.hello(self.otp))
        else:
            base = image.merged(rootfs.small_tree(), release or guest_tree(script))
        own = {"/init" if self.root == "initramfs" else "/sbin/init":
               ("mode", 0o755, self.init.read_bytes())}
        if config is not None:
            own["/etc/erlinit.config"] = config
        return base, {**own, **files}

    # --- disks ---

    def _make_disks(self):
        tree = image.merged(self.base, self.own)
        first = []
        if self.root in ROOT_FS:
            first = [self._root_part(tree)]
        layout = [first + self.parts] if first or self.parts else []
        layout += [disk if isinstance(disk, list) else [disk] for disk in self.disks]
        self.images = []
        for number, parts in enumerate(layout):
            path = self.work / f"disk{number}.img"
            bare = number >= len(layout) - len(self.disks) and \
                isinstance(self.disks[number - len(layout)], Part)
            image.make_disk(path, parts, None if bare else self.table)
            self.images.append(path)
        if self.root == "initramfs":
            (self.work / "initrd").write_bytes(image.cpio(tree))
        elif self._needs_stage1():
            (self.work / "initrd").write_bytes(image.cpio(self._stage1()))

    def _root_part(self, tree):
        kind = ROOT_FS[self.root]
        if self.otp and kind == "ext4" and not any(entry is None for entry in self.own.values()):
            # 20 MB of OTP: the image comes from the cache, only this machine's own files are written.
            path = self.work / "root.img"
            image.make_part(Part("ext4", self.base), path, IMAGES)
            image.Partition(path, 0, path.stat().st_size, "ext4").write(self.own)
        else:
            path = self.work / "root.img"
            image.make_part(Part(kind, tree), path, IMAGES if kind == "squashfs" else None)
        if self.root == "loop":
            return Part("ext4", {"/root.img": ("file", str(path))})
        return Part(kind, image=str(path))

    @property
    def _device(self):
        name, infix = DEVICE[self.bus]
        return name if self.table is None else f"{name}{infix}1"

    def _needs_stage1(self):
        return (self.modules or self.first_stage or self.closed_fds or self.bus != "nvme"
                or self.root not in ("ext4", "initramfs"))

    def _stage1(self):
        values = {"device": self._device, "mode": "ro" if self.read_only else "rw"}
        mount, modules = None, BUS_MODULES[self.bus] + self.modules
        if self.root == "loop":
            mount, modules = LOOP_MOUNT.format(**values), modules + ["loop"]
        elif self.root == "overlay":
            mount, modules = OVERLAY_MOUNT.format(**values), modules + ["squashfs", "overlay"]
        elif self.root == "none":
            mount = ""
        return stage1.tree(
            rootfs.busybox(), self.kernel, device=self._device if self.root in ROOT_FS else None,
            fstype=self.root if mount is None else None, modules=modules,
            read_only=self.read_only or self.root == "squashfs", extra=self.first_stage,
            mount=mount, closed_fds=self.closed_fds)

    def boot_disk(self, make):
        """MAKE(path) makes the first disk, instead of what the arguments say."""
        if self.images is None:
            self._make_disks()
        make(self.images[0])

    # --- use ---

    def boot(self, cmdline=None, script=None, config=None):
        """Start it; the arguments, where given, replace the Machine's own from now on (ext4 root)."""
        if cmdline is not None:
            self.cmdline = cmdline
        if self.images is None:
            self._make_disks()
        change = {}
        if script is not None:
            change[f"{RELEASE}/erts-1.0/bin/erlexec"] = \
                guest_tree(script)[f"{RELEASE}/erts-1.0/bin/erlexec"]
        if config is not None:
            change["/etc/erlinit.config"] = config
        if change:
            self.edit(change)
        words, initrd = self.cmdline, self.work / "initrd"
        if not initrd.exists():
            words = f"root={self._device} rootfstype=ext4 rootwait " \
                f"{'ro' if self.read_only else 'rw'} {self.cmdline}"
        disks = list(self.images)
        if self.write_log:
            self.write_log.touch()
            disks[0] = f"driver=blklogwrites,file.driver=file,file.filename={disks[0]}," \
                f"log.driver=file,log.filename={self.write_log}"
        vm = GuestVm(self.kernel.image, words, initrd if initrd.exists() else None, disks,
                     self.bus, self.memory_mib, self.cpus, self.rtc, self.qemu)
        booted.append(vm)
        return vm

    def disk(self, number):
        """An image.Disk: look into it while no machine runs on it."""
        return image.Disk(self.images[number])

    def edit(self, files):
        """Change files of the root (ext4) between two boots."""
        if self.images is None:
            self._make_disks()
        self.disk(0).partition(0 if self.table is None else 1).write(files)

    def close(self):
        self._finalizer()
