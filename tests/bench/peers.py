# SPDX-License-Identifier: MIT
"""Who takes part: the floors, erlinit, and the inits that Debian has, each told to do the same for the VM.

A peer gets a script of busybox for what erlinit does itself (the same mounts, loopback, host name; no random seed and no
search for a release, which favours it), and is then to start the same program in the way that costs it least.
"""
import os
from functools import lru_cache

from guest import TOP, VM, debs, erlinit_file, image, program, rootfs

PEERS = {"busybox": "busybox-static", "runit": "runit", "finit": "finit", "sysvinit": "sysvinit-core", "tini": "tini",
         "dumb-init": "dumb-init", "catatonit": "catatonit", "s6": "s6"}
FLOORS = ("null", "straight-line")
BINARIES = {"runit": "usr/sbin/runit", "finit": "usr/sbin/finit", "sysvinit": "usr/sbin/init", "tini": "usr/bin/tini",
            "dumb-init": "usr/bin/dumb-init", "catatonit": "usr/bin/catatonit", "s6": "usr/bin/s6-svscan"}
TYPICAL_MOUNTS = 6
TYPICAL_LIBRARIES = 400
TYPICAL_CONFIG = "".join(f"-m tmpfs:/mnt/{n}:tmpfs:nodev:size=1m\n" for n in range(TYPICAL_MOUNTS)) + \
    "-d /bin/helper\n--pre-run-exec /bin/helper\n-n nerves-%s\n"
SHELL = "#!/bin/sh\n"
KILL_ALL = "/bin/busybox killall5 -15\n/bin/busybox killall5 -9\n"  # as scripts do, without their pause in between
MOUNTS = """b=/bin/busybox
$b mount -t devtmpfs -o nosuid,noexec devtmpfs /dev
$b mount -t proc -o nosuid,nodev,noexec proc /proc
$b mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
$b mkdir -p /dev/pts /dev/shm
$b mount -t devpts -o nosuid,noexec,gid=5,mode=620 devpts /dev/pts
$b mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm
$b mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=10% tmpfs /tmp
$b mount -t tmpfs -o nosuid,nodev,noexec,mode=0755,size=5% tmpfs /run
$b ip link set lo up
"""
DEFAULT_REST = "$b hostname -F /etc/hostname\n"
TYPICAL_REST = "".join(
    f"$b mkdir -p /mnt/{n}; $b mount -t tmpfs -o nodev,size=1m tmpfs /mnt/{n}\n" for n in range(TYPICAL_MOUNTS)) + \
    "$b hostname nerves-$(/bin/helper)\n/bin/helper >/dev/null\n"


@lru_cache
def package(name):
    """The unpacked package, with what it depends on."""
    return debs.unpack(TOP / "build" / "sysroot" / f"bench-{PEERS[name]}", "bookworm", [PEERS[name]], closure=True)


def base_tree():
    """Directories, a shell, and the names that shells and inits look for."""
    tree = {f"/{name}": ("dir", 0o755) for name in ("proc", "sys", "dev", "run", "mnt", "tmp")}
    return {**tree, "/root": ("dir", 0o700), "/etc/passwd": rootfs.PASSWD, "/etc/group": rootfs.GROUP}


def shell_tree(script):
    busybox = {"/bin/busybox": ("file", str(rootfs.busybox())), "/etc/rc": SHELL + script}
    for applet in ("sh", "reboot", "umount", "sync", "kill", "mount"):
        busybox[f"/bin/{applet}"] = ("symlink", "/bin/busybox")
    return busybox


def dynamic_tree(name, *more):
    """The peer's program(s) with their shared libraries."""
    root = package(name)
    files = [root / BINARIES[name], *(root / path for path in more)]
    tree = {}
    if (root / "usr/lib64/ld-linux-x86-64.so.2").exists():  # else a static program alone
        tree = rootfs.shared_libraries(root, [os.path.realpath(path) for path in files])
    for path in files:
        tree["/" + str(path.relative_to(root))] = ("file", os.path.realpath(path))
    return tree


def _busybox(script):
    return {**shell_tree(script), "/init": ("symlink", "/bin/busybox"), "/etc/inittab":
            f"::sysinit:/etc/rc\n::once:{VM}\n::shutdown:/bin/umount -a -r\n"}, "/init", "", "15"


def _runit(script):
    tree = {**shell_tree(script), **dynamic_tree("runit"), "/etc/runit/1": SHELL + ". /etc/rc\n",
            "/etc/runit/2": f"{SHELL}exec {VM}\n", "/etc/runit/3": SHELL + "/bin/umount -a -r\n"}
    return tree, "/usr/sbin/runit", "", "exit"


def _finit(script):
    tree = {**shell_tree(script), **dynamic_tree("finit"), "/etc/fstab": "", "/etc/finit.conf":
            f"host bench\nrunlevel 2\nrun [S] /etc/rc\nservice [2] {VM}\n"}
    return tree, "/usr/sbin/finit", "", "15"


def _sysvinit(script):
    tree = {**shell_tree(script), **dynamic_tree("sysvinit"), "/etc/inittab":
            f"id:2:initdefault:\nsi::sysinit:/etc/rc\nvm:2:once:{VM}\nr6:6:wait:/etc/rc6\n",
            "/etc/rc6": SHELL + KILL_ALL + "/bin/umount -a -r\nexec /bin/reboot -f\n",
            "/bin/stop": SHELL + "exec /usr/sbin/init 6\n"}
    return tree, "/usr/sbin/init", "", "/bin/stop"


def _wrapper(name):
    def make(script):
        tree = {**shell_tree(f"{script}exec {VM}\n"), **dynamic_tree(name)}
        return tree, f"/{BINARIES[name]}", "/etc/rc", None
    return make


def _s6(script):
    tree = {**shell_tree(f"{script}exec /usr/bin/s6-svscan /service\n"), **dynamic_tree("s6", "usr/bin/s6-supervise"),
            "/service/vm/run": f"{SHELL}exec {VM}\n",
            "/service/.s6-svscan/finish": SHELL + KILL_ALL + "/bin/umount -a -r\nexec /bin/reboot -f\n"}
    return tree, "/etc/rc", "", "15"


MAKERS = {"busybox": _busybox, "runit": _runit, "finit": _finit, "sysvinit": _sysvinit, "s6": _s6,
          **{name: _wrapper(name) for name in ("tini", "dumb-init", "catatonit")}}


def setup(name, typical=False, config=None):
    """(tree without the VM, init, its arguments, how the probe ends the machine or None) of a participant."""
    tree = base_tree()
    if name == "null":
        return {**tree, "/init": ("file", str(program("null")))}, "/init", "", "reboot"
    if name == "straight-line":
        options = ("-DTYPICAL", '-DHOSTNAME="nerves-0123abcd"') if typical else ()
        floor = program("straight", *options, out="straight-typical" if typical else "straight")
        return {**tree, "/init": ("file", str(floor))}, "/init", "", "exit"
    if name == "erlinit":
        text = config if config is not None else TYPICAL_CONFIG if typical else None
        own = {"/init": ("mode", 0o755, erlinit_file().read_bytes())}
        if text is not None:
            own["/etc/erlinit.config"] = text
        return {**tree, **own}, "/init", "", "exit"
    script = MOUNTS + (TYPICAL_REST if typical else DEFAULT_REST)
    more, init, arguments, how = MAKERS[name](script)
    return image.merged(tree, more), init, arguments, how


def program_bytes(name):
    """Size of what is PID 1, without shared libraries."""
    if name == "erlinit":
        return erlinit_file().stat().st_size
    if name in FLOORS:
        return program({"null": "null", "straight-line": "straight"}[name]).stat().st_size
    return (rootfs.busybox() if name == "busybox" else package(name) / BINARIES[name]).stat().st_size
