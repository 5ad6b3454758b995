# SPDX-License-Identifier: MIT
"""What is inside the images: Debian's busybox and Erlang/OTP, and the example releases.

The packages are unpacked into sysroots under build/; releases are built by the sysroot's own tools,
inside a chroot in a private mount namespace. Nothing is installed on the host.
"""
import os
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import debs
from image import from_directory, merged

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
SUITES = {"25": "bookworm", "27": "trixie"}
NOT_NEEDED = ("adduser", "debconf", "dpkg", "perl", "perl-base", "perl-modules-5.36",
              "libperl5.36", "usrmerge", "passwd", "tar", "libpam-modules", "libpam-modules-bin",
              "libpam0g", "libdb5.3", "libdb5.3t64", "libgdbm6", "libgdbm-compat4",
              "libsemanage2", "libsepol2", "libfile-find-rule-perl", "libnumber-compare-perl",
              "libtext-glob-perl", "init-system-helpers", "base-passwd", "login.defs")
OTP_LIBS = ("kernel", "stdlib", "sasl", "compiler", "crypto", "runtime_tools")
LIB_DIR = "usr/lib/x86_64-linux-gnu"
APPLETS = """sbin: halt poweroff reboot modprobe insmod ip ifconfig losetup mdev swapon swapoff hwclock
bin: sh ash cat cp mv rm ln ls mkdir rmdir mount umount ps kill sleep sync stty hostname uname dmesg
bin: grep sed dd df touch date chmod chown echo false true pwd usleep ping mknod base64 zcat
usr/bin: awk base64 cut env find head id killall md5sum sha256sum hexdump od tr tail tee test wc xargs
usr/bin: which sort uniq printf printenv seq timeout readlink realpath expr nohup setsid stat mkfifo
usr/bin: [ basename dirname cmp du free logger nc pgrep pkill pidof time top tty uptime whoami xxd"""
PASSWD = "root:x:0:0:root:/root:/bin/sh\n"
GROUP = "root:x:0:\ntty:x:5:\n"


def busybox():
    """The static busybox of the images."""
    return debs.unpack(BUILD / "sysroot" / "busybox", "bookworm", ["busybox-static"]) / "bin/busybox"


def small_tree():
    """The smallest root that has a shell: busybox with its links, and the directories init uses."""
    tree = {"/bin/busybox": ("file", str(busybox())), "/etc/passwd": PASSWD, "/etc/group": GROUP,
            "/root": ("dir", 0o700), "/tmp": ("dir", 0o1777)}
    for name in ("proc", "sys", "dev", "run", "mnt", "data", "boot"):
        tree[f"/{name}"] = ("dir", 0o755)
    for line in APPLETS.splitlines():
        folder, names = line.split(": ")
        for name in names.split():
            tree[f"/{folder}/{name}"] = ("symlink", "/bin/busybox")
    return tree


def sysroot(otp):
    """Debian's Erlang/OTP and Elixir with all they need, entered by chroot."""
    root = debs.unpack(BUILD / "sysroot" / f"otp{otp}", SUITES[otp], ["elixir", "busybox-static"],
                       closure=True, exclude=NOT_NEEDED)
    shell = root / "bin/sh"
    if not shell.exists():
        for name in ("sh", "sed", "readlink", "dirname", "basename", "env", "uname"):
            if not (root / "bin" / name).exists():
                (root / "bin" / name).symlink_to("busybox")
    return root


@lru_cache
def otp_tree(otp):
    """The part of the sysroot that a device has: shared libraries, ERTS, a few OTP libraries."""
    root = sysroot(otp)
    libs = tuple(name + "-" for name in OTP_LIBS)
    erlang = root / "usr/lib/erlang"

    def keep(path):
        words = path.strip("/").split("/")
        if words[0] == "lib" and len(words) > 1:
            return words[1].startswith(libs) and (
                len(words) < 3 or words[2] in ("ebin", "priv")) and "otp_test_engine" not in path
        if words[0].startswith("erts-"):
            return len(words) < 2 or words[1] == "bin"
        return words[0] in ("", "bin", "lib")
    tree = from_directory(erlang, "/usr/lib/erlang", keep)
    # Debian's package leaves links to /usr/share and /var here; a device has neither.
    for path in [p for p, e in tree.items() if e[0] == "symlink" and not _inside(root, p, e[1])]:
        del tree[path]
    tree.update(shared_libraries(root, [entry[1] for entry in tree.values() if entry[0] == "file"]))
    return tree


def _inside(root, path, target):
    base = root if target.startswith("/") else root / Path(path).parent.relative_to("/")
    return os.path.exists(os.path.join(base, target.lstrip("/")))


def shared_libraries(root, files):
    """The libraries that FILES name, and those that these name, where the loader finds them."""
    folder, tree, todo, seen = root / LIB_DIR, {}, list(files), set()
    while todo:
        path = todo.pop()
        with open(path, "rb") as handle:
            if handle.read(4) != b"\x7fELF":
                continue
            text = handle.read()
        for name in set(re.findall(rb"lib[\w+-]+\.so(?:\.[0-9]+)+|ld-linux[\w-]+\.so\.2", text)):
            name = name.decode()
            library = folder / name
            if name in seen or not library.exists():
                continue
            seen.add(name)
            real = os.path.realpath(library)
            tree[f"/{LIB_DIR}/{name}"] = ("file", real)
            todo.append(real)
    tree["/lib64"] = ("symlink", "usr/lib64")
    tree["/lib"] = ("symlink", "usr/lib")
    tree["/usr/lib64/ld-linux-x86-64.so.2"] = (
        "file", os.path.realpath(folder / "ld-linux-x86-64.so.2"))
    return tree


# --- releases ------------------------------------------------------------------------------------

ENTER = r"""set -e
root=$1 source=$2 out=$3; shift 3
mkdir -p "$root/dev" "$root/proc" "$root/tmp" "$root/mnt/source" "$root/mnt/out"
# In a chroot / is no mount, and can't be made private; nothing is shared there either.
mount --make-rprivate / 2>/dev/null || true
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$source" "$root/mnt/source"
mount --bind "$out" "$root/mnt/out"
exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin LANG=C.UTF-8 HOME=/tmp \
    SOURCE_DATE_EPOCH=1700000000 "$@"
"""


def in_sysroot(otp, source, out, *words):
    """Run WORDS in the sysroot, which sees SOURCE as /mnt/source and OUT as /mnt/out."""
    out.mkdir(parents=True, exist_ok=True)
    result = subprocess.run(
        ["unshare", "--mount", "--propagation", "unchanged", "--", "sh", "-c", ENTER, "enter", sysroot(otp), source, out, *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode:
        raise RuntimeError(f"{' '.join(words)} (OTP {otp}):\n{result.stdout.decode()}")


def _newest(folder):
    return max(path.stat().st_mtime_ns for path in folder.rglob("*"))


def _built(name, otp, build):
    """The directory of a release, built anew when its source changed."""
    source, out = TOP / "examples" / name, BUILD / "release" / f"{name}-otp{otp}"
    stamp = out / ".built"
    with debs.locked(out.parent / f".{out.name}.lock"):
        if stamp.exists() and stamp.read_text() == str(_newest(source)):
            return out
        shutil.rmtree(out, ignore_errors=True)
        build(source, out)
        stamp.write_text(str(_newest(source)))
    return out


def hello(otp):
    """The tree of examples/hello's release, at /srv/erlang."""
    def build(source, out):
        in_sysroot(otp, source, out, "escript", "/mnt/source/release.escript", "/mnt/out")
    out = _built("hello", otp, build)
    return from_directory(out, "/srv/erlang", lambda path: not path.endswith(("/.built", ".script")))


def elixir_hello(otp, include_erts=True):
    """The tree of examples/elixir_hello's mix release, at /srv/erlang."""
    def build(source, out):
        in_sysroot(otp, source, out, "sh", "-c",
                   "cp -r /mnt/source /tmp/project && cd /tmp/project && "
                   "MIX_ENV=prod mix release --quiet --path /mnt/out --overwrite")
    out = _built("elixir_hello", otp, build)
    return from_directory(
        out, "/srv/erlang",
        lambda path: path != "/.built" and (include_erts or not path.startswith("/erts-")))


def device_tree(otp, release):
    """A whole root: busybox, OTP, a release tree."""
    return merged(small_tree(), otp_tree(otp), release)
