# SPDX-License-Identifier: MIT
"""Put an example device together and boot it: for a person at its shell, or as a smoke test."""
import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import debs
import image
import rootfs
from kernel import Kernel
from stage1 import tree as first_stage
from vm import KERNEL_WORDS, QEMU, Vm, VmError

DATA_MIB = 64
MEMORY_MIB = 512
ROOT_DEVICE = "/dev/nvme0n1p1"
# Emulated, a VM with a cold disk takes up to ten seconds on a small machine.
SMOKE_TIMEOUT_S = 120
PROMPTS = {"hello": rb"^%d> ", "elixir_hello": rb"^iex\(%d\)> "}
COLOUR = rb"(?:\x1b\[[0-9;]*m)*"  # IEx colours what it prints
GREETINGS = {"hello": rb"hello: over loopback: you said: are you there\?",
             "elixir_hello": rb"elixir_hello: hello, Elixir"}
STOP = {"hello": b"init:stop().\r", "elixir_hello": b":init.stop()\r"}
WRITE = {"hello": b'file:write_file("/root/note", <<"kept">>).\r',
         "elixir_hello": b'File.write("/root/note", "kept")\r'}


class Progress:
    """Says what is going on, how long it should take, and how long it took."""

    def __init__(self):
        self.start = None

    def begin(self, text, expected):
        print(f"run: {text} ({expected})", flush=True)
        self.start = time.monotonic()

    def end(self):
        print(f"run:   {time.monotonic() - self.start:.1f} s", flush=True)


def prepare(args, work, progress):
    """(kernel image, initrd or None, disk) of the device."""
    have = (debs.CACHE / "manifests").is_dir()
    progress.begin("kernel and Erlang/OTP of Debian", "seconds" if have else
                   "downloads 60 MB at the first time, a minute")
    kernel = Kernel()
    rootfs.sysroot(args.otp)
    progress.end()
    progress.begin(f"release {args.release} with OTP {args.otp}", "5 s, when it changed")
    release = getattr(rootfs, args.release)(args.otp)
    progress.end()
    progress.begin(f"disk image, root on {args.root}, data partition", "1 s")
    tree = image.merged(rootfs.device_tree(args.otp, release), {
        "/sbin/init": ("mode", 0o755, Path(args.init).read_bytes()),
        "/etc/erlinit.config": (rootfs.TOP / "examples" / "erlinit.config").read_text(),
        "/etc/hostname": "hello\n"})
    disk = work / f"device-{args.release}-otp{args.otp}-{args.root}.img"
    if not (args.keep and disk.exists()):
        fresh = disk.with_name(f"{disk.name}.{os.getpid()}")  # another run may be using the old one
        image.make_disk(fresh, [image.Part(args.root, tree, label="root"),
                                image.Part("ext4", {}, DATA_MIB, "data")])
        os.replace(fresh, disk)
    initrd = None
    if args.root != "ext4":
        initrd = work / f"initrd-{args.root}"
        initrd.write_bytes(image.cpio(first_stage(
            rootfs.busybox(), kernel, device=ROOT_DEVICE, fstype=args.root, modules=[],
            read_only=True)))
    progress.end()
    return kernel.image, initrd, disk


def kernel_words(args):
    words = [] if args.root != "ext4" else [f"root={ROOT_DEVICE} rootwait rw"]
    return " ".join(words + args.append)


def interactive(args, kernel, initrd, disk):
    """Hand the terminal to QEMU."""
    level = "loglevel=7" if args.verbose else "loglevel=5"
    words = [QEMU, "-accel", args.accel, "-cpu", "max",
             "-machine", "q35", "-m", str(MEMORY_MIB), "-nodefaults", "-display", "none",
             "-no-reboot", "-kernel", str(kernel),
             "-append", f"{KERNEL_WORDS.replace('ignore_loglevel', level)} {kernel_words(args)}",
             "-chardev", "stdio,id=console,mux=on,signal=off",
             "-serial", "chardev:console", "-mon", "chardev=console",
             "-drive", f"file={disk},format=raw,if=none,id=disk0", "-device",
             "nvme,drive=disk0,serial=disk0"]
    words += ["-initrd", str(initrd)] if initrd else []
    print("run: booting, the shell comes in five to ten seconds.\n"
          f"run: {STOP[args.release].decode().strip()} ends the machine in order, "
          "Ctrl-A X ends QEMU, Ctrl-A H helps.", flush=True)
    os.execvp(words[0], words)


def smoke(args, kernel, initrd, disk):
    """Boot without a person; 0 when all went as it should."""
    checks = []

    def passed(text):
        checks.append(text)
        print(f"run: ok: {text} ({time.monotonic() - vm.started:.1f} s)", flush=True)
    with Vm(kernel, kernel_words(args), initrd, [disk], memory_mib=MEMORY_MIB) as vm:
        try:
            vm.wait_for(GREETINGS[args.release], SMOKE_TIMEOUT_S)
            passed("the release is up" +
                   (" and spoke over loopback" if args.release == "hello" else ""))
            vm.wait_for(PROMPTS[args.release] % 1, SMOKE_TIMEOUT_S)
            vm.send(b"6 * 7" + (b".\r" if args.release == "hello" else b"\r"))
            vm.wait_for(rb"^%s42%s$" % (COLOUR, COLOUR), SMOKE_TIMEOUT_S)
            passed("the shell answered")
            place = vm.wait_for(PROMPTS[args.release] % 2, SMOKE_TIMEOUT_S).end()
            vm.send(WRITE[args.release])
            vm.wait_for(rb"^%s:?ok%s$" % (COLOUR, COLOUR), SMOKE_TIMEOUT_S, after=place)
            vm.wait_for(PROMPTS[args.release] % 3, SMOKE_TIMEOUT_S)
            vm.send(STOP[args.release])
            how = vm.wait_end(SMOKE_TIMEOUT_S)
            if how != "reboot" or b"reboot: Restarting system" not in vm.kmsg:
                raise VmError(f"ended by {how}, wanted a reboot")
            passed("init:stop() ended in a reboot")
            check_disk(args, image.Disk(disk))
            passed("the file systems are clean and kept what was written")
        except VmError as error:
            vm.stop()
            print(vm.kmsg.decode(errors="replace"))
            print(f"run: FAILED after {len(checks)} checks: {str(error).splitlines()[0]}")
            return 1
    print("run: smoke test passed")
    return 0


def check_disk(args, disk):
    data = disk.partition(2)
    if data.read("/note") != b"kept":
        raise VmError("the file written to the data partition is not there")
    for name, part in (("data", data), ("root", disk.partition(1))):
        if part.fs == "ext4":
            check = part.fsck()
            if not check:
                print(check.text)
                raise VmError(f"{name} file system is not clean")
    if args.root == "squashfs" and disk.partition(1).fs != "squashfs":
        raise VmError("the root partition is damaged")


def main():
    parser = argparse.ArgumentParser(prog="tools/run", description=__doc__)
    parser.add_argument("--otp", choices=sorted(rootfs.SUITES), default="27")
    parser.add_argument("--root", choices=["ext4", "squashfs"], default="squashfs",
                        help="file system of the root partition (default: squashfs)")
    parser.add_argument("--release", choices=sorted(PROMPTS), default="hello",
                        help="example to run (default: hello)")
    parser.add_argument("--smoke", action="store_true", help="no person: exit 0 when all is well")
    parser.add_argument("--keep", action="store_true", help="go on with the disk of the last run")
    parser.add_argument("--append", action="append", default=[], metavar="WORDS",
                        help="further words for the kernel command line (options reach init)")
    parser.add_argument("--init", default=str(rootfs.BUILD / "erlinit"), help="program to run as init")
    parser.add_argument("--accel", default="tcg", help="kvm, where it works: quicker than tcg")
    parser.add_argument("-v", "--verbose", action="store_true", help="the kernel's whole log")
    args = parser.parse_args()
    work = rootfs.BUILD / "run"
    work.mkdir(parents=True, exist_ok=True)
    if not shutil.which(QEMU):
        sys.exit(f"run: {QEMU} is missing, tools/setup run installs it")
    try:
        ready = prepare(args, work, Progress())
    except (debs.FetchError, image.ImageError) as error:
        sys.exit(f"run: {error}")
    if args.smoke:
        sys.exit(smoke(args, *ready))
    interactive(args, *ready)


if __name__ == "__main__":
    main()
