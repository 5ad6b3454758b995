#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make every system call of whole lives of erlinit fail, in a machine (see docs/faults.md).

    tests/faults/faults.py                        everything: all calls, all errors
    tests/faults/faults.py --per-call 2           a sample: two occurrences of each call, one error each
    tests/faults/faults.py --again "r call 165 16 o 3"     one run again, with its log
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tests" / "system"))

from machine import Machine, VmError, image, kernels  # noqa: E402  (the line above makes it importable)

BUILD = TOP / "build" / "test-programs"
CC = ["musl-gcc", "-std=c11", "-D_GNU_SOURCE", "-Os", "-static", "-no-pie", "-Wall", "-Wextra", "-Werror",
      "-isystem", str(TOP / "build" / "deps" / "include")]
LIVES = "rxplc"
CALLS = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
# The clock counts instructions and jumps to the next timer when all sleep: runs repeat, and waits cost nothing.
VIRTUAL = ["-icount", "shift=0,sleep=off"]


def faultinit():
    """The program, compiled anew when its source changed."""
    sources, out = sorted(HERE.glob("*.c")), BUILD / "faultinit"
    newest = max(path.stat().st_mtime_ns for path in HERE.glob("*.[ch]"))
    if not out.exists() or out.stat().st_mtime_ns <= newest:
        BUILD.mkdir(parents=True, exist_ok=True)
        scratch = out.with_name(f".faultinit.{os.getpid()}")
        subprocess.run([*CC, "-o", scratch, *sources], check=True)
        os.replace(scratch, out)
    return out


def disk():
    """A small ext4 file system, as bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "disk.img"
        image.make_ext4(path, {}, size_mib=2)
        return path.read_bytes()


def machine(plan):
    """A Machine that follows PLAN (see faultinit.c) and powers off."""
    init = Path(os.environ.get("ERLINIT") or TOP / "build" / "erlinit")
    module = dict(kernels.Kernel("cloud").load_order(["brd"]))["brd"]
    return Machine(root="initramfs", config=None, init=faultinit(), qemu=VIRTUAL,
                   cmdline="printk.devkmsg=on",
                   files={"/t/erlinit": ("mode", 0o755, init.read_bytes()), "/t/plan": plan,
                          "/t/brd.ko": kernels.module_bytes(module), "/t/disk.img": disk()})


def run(plan, timeout):
    """What the machine said about PLAN, as text."""
    device = machine(plan)
    try:
        with device.boot() as vm:
            try:
                vm.wait_report(rb"^DONE .*\n", timeout)
                end = ""
            except VmError as error:
                end = f"BROKEN machine: {error}\nDONE runs=0 failures=1 calls=0 unreached=0\n"
            return vm.report.decode(errors="replace") + end
    finally:
        device.close()


def named(text):
    """TEXT with the names of the system calls behind their numbers."""
    names = dict(re.findall(r"__NR_(\w+) (\d+)", CALLS.read_text()))
    names = {number: name for name, number in names.items()}
    return re.sub(r"^((?:WAS|USUAL|UNREACHED) . call|COUNT .) (\d+)",
                  lambda m: f"{m[1]} {m[2]} ({names.get(m[2], '?')})", text, flags=re.M)


def totals(text):
    """The numbers of the last line: runs, failures, calls, unreached."""
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)",
                                                         re.search(r"^DONE .*", text, re.M)[0])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lives", default=LIVES)
    parser.add_argument("--per-call", type=int, default=0, help="occurrences of each call; 0: all, with all errors")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machines", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=4 * 3600, help="seconds")
    parser.add_argument("--again", help="LIFE call CALL ERRNO MODE NTH")
    options = parser.parse_args()
    if options.again:
        print(named(run(options.again, options.timeout)))
        return 0
    plans = [f"{options.lives} {options.per_call} {share} {options.machines} {options.seed}"
             for share in range(options.machines)]
    faultinit()  # once, before all want it
    with ThreadPoolExecutor(options.machines) as pool:
        texts = list(pool.map(lambda plan: run(plan, options.timeout), plans))
    print("\n".join(map(named, texts)))
    sums = [totals(text) for text in texts]
    result = {key: sum(each[key] for each in sums) for key in sums[0]}
    result["calls"] = sums[0]["calls"]
    print("faults:", ", ".join(f"{value} {key}" for key, value in result.items()))
    return 1 if result["failures"] or any("BROKEN" in text for text in texts) else 0


if __name__ == "__main__":
    sys.exit(main())
