# SPDX-License-Identifier: MIT
"""Small static programs for the guests of the system tests, each explained at its top.

    Machine(files=programs("fault", "leftover"))     # they are /t/fault and /t/leftover there
"""
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent.parent
BUILD = TOP / "build" / "test-programs"
CC = ["musl-gcc", "-std=c11", "-D_GNU_SOURCE", "-Os", "-static", "-no-pie", "-Wall", "-Wextra",
      "-Werror", "-isystem", TOP / "build" / "deps" / "include"]


def program(name):
    """The program's bytes; compiled anew when its source changed."""
    source, out = HERE / f"{name}.c", BUILD / name
    if not out.exists() or out.stat().st_mtime_ns <= source.stat().st_mtime_ns:
        BUILD.mkdir(parents=True, exist_ok=True)
        scratch = out.with_name(f".{name}.{os.getpid()}")
        subprocess.run([*CC, "-o", scratch, source], check=True)
        os.replace(scratch, out)  # others may compile it at the same moment
    return out.read_bytes()


def programs(*names):
    """A tree with the programs in /t."""
    return {f"/t/{name}": program(name) for name in names}
