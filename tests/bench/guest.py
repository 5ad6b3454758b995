# SPDX-License-Identifier: MIT
"""One run of one init on a machine whose clock counts instructions.

QEMU with -icount shift=0: an instruction takes 1 ns, whatever the host does, and time in which the guest is idle passes
at once (sleep=off). The root is an initramfs, so that no disk and no file system of the host comes into it; the console
is quiet. What such a clock does not know: caches, memory, the price of a system call's entry. It compares work done.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools" / "lib"))

import debs  # noqa: E402,F401  (the line above makes them importable)
import image  # noqa: E402
import kernel as kernels  # noqa: E402
import rootfs  # noqa: E402
from vm import Vm, VmError  # noqa: E402,F401

HERE = Path(__file__).resolve().parent
BUILD = TOP / "build" / "bench"
CC = ["musl-gcc", "-std=c11", "-D_GNU_SOURCE", "-Os", "-static", "-no-pie", "-Wall", "-Wextra", "-Werror", "-s",
      "-isystem", str(TOP / "build" / "deps" / "include")]
COUNTED = ["-icount", "shift=0,sleep=off"]
# No random addresses: one run is to be like the other.
WORDS = ("console=ttyS0 panic=-1 loglevel=1 printk.devkmsg=on tsc=reliable no_timer_check cryptomgr.notests nokaslr "
         "norandmaps 8250.nr_uarts=2 mitigations=off nowatchdog random.trust_cpu=on")
VM = "/srv/erlang/erts-1.0/bin/erlexec"
LIMIT_S = 180
_lock = threading.Lock()


def program(name, *options, out=None):
    """The path of a compiled tests/bench/NAME.c."""
    source, out = HERE / f"{name}.c", BUILD / (out or name)
    with _lock:
        newest = max(path.stat().st_mtime_ns for path in (source, HERE / "vm.h"))
        if options or not out.exists() or out.stat().st_mtime_ns <= newest:
            BUILD.mkdir(parents=True, exist_ok=True)
            scratch = out.with_name(f".{out.name}.{os.getpid()}")
            subprocess.run([*CC, *options, "-o", scratch, source], check=True)
            os.replace(scratch, out)  # another run may just be reading it
    return out


def small_tree(mode, libraries=1):
    """A device with the probe for a VM, and LIBRARIES directories in the release."""
    release = "/srv/erlang/releases"
    tree = {VM: ("mode", 0o755, program("probe").read_bytes()),
            f"{release}/start_erl.data": "1.0 0.1.0\n", f"{release}/0.1.0/start.boot": "boot\n",
            f"{release}/0.1.0/sys.config": "[].\n", f"{release}/0.1.0/vm.args": "\n",
            "/usr/lib/erlang": ("dir", 0o755), "/etc/hostname": "bench\n", "/bench.mode": f"{mode}\n",
            "/bin/helper": ("mode", 0o755, program("helper").read_bytes())}
    for number in range(libraries):
        tree[f"/srv/erlang/lib/app{number:04}-1.0.0/ebin"] = ("dir", 0o755)
    return tree


class Result:
    """What a run has said: lines of the probe by their first word, and the console."""

    def __init__(self, report, console):
        self.text, self.console = report.decode(errors="replace"), console.decode(errors="replace")

    def lines(self, key):
        return re.findall(rf"^{key} (.*)$", self.text, re.M)

    def number(self, key):
        return int(self.lines(key)[0])

    def log(self, text):
        """The kernel's time, in µs, of the first line of its log that contains TEXT."""
        for line in self.lines("log"):
            time_us, words = line.split(" ", 1)
            if text in words:
                return int(time_us)
        raise VmError(f"no {text!r} in the kernel log:\n{self.text}\n{self.console}")

    def console_us(self, text):
        # not at the start of a line: the console has what programs write, too
        found = re.search(rf"\[ *([0-9]+\.[0-9]+)\] [^\[\n]*{text}", self.console)
        if not found:
            raise VmError(f"no {text!r} on the console:\n{self.console}")
        return float(found[1]) * 1e6

    @property
    def boot_us(self):
        """From the kernel's "Run /init" to the first instruction of the VM."""
        return self.log("bench: mark") - self.number("since_entry_ns") / 1000 - self.log("Run ")


def run(tree, init="/init", arguments="", until="done", memory_mib=256, words=WORDS):
    """Start TREE with INIT as PID 1; UNTIL: "done" by the probe's word, "end" when the machine has ended."""
    with tempfile.TemporaryDirectory(prefix="erlinit-bench-") as work:
        initrd = Path(work) / "initrd"
        initrd.write_bytes(image.cpio(tree))
        command = f"rdinit={init}" + (f" -- {arguments}" if arguments else "")
        with Vm(kernels.Kernel().image, command, initrd, memory_mib=memory_mib, extra=COUNTED,
                base_words=words) as vm:
            if until == "done":
                vm.wait_report(rb"^done$", LIMIT_S)
            else:
                vm.wait_end(LIMIT_S)
            return Result(vm.report, vm.kmsg)


def erlinit_file():
    return Path(os.environ.get("ERLINIT") or TOP / "build" / "erlinit")
