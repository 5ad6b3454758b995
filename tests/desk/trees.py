# SPDX-License-Identifier: MIT
"""Root file systems from a few lines of text, for the tests of the desk and those of machines.

A line is a kind, a path, and perhaps the rest:
    d PATH              a directory
    f PATH CONTENT      a file; \\n in CONTENT is the end of a line, \\r a carriage return
    x PATH CONTENT      a program
    l PATH TARGET       a symbolic link
    p PATH              a FIFO
"""
import os
from pathlib import Path

import image


def read(description):
    """A tree as image.py has them, and the paths of its FIFOs."""
    tree, fifos = {}, []
    for line in description.splitlines():
        if not line or line.startswith("#"):
            continue
        kind, path, value = (line + "  ").split(" ", 2)
        value = value.rstrip(" ").replace("\\n", "\n").replace("\\r", "\r")
        if kind == "p":
            fifos.append(path)
        else:
            tree[path] = {"d": ("dir", 0o755), "f": ("mode", 0o644, value),
                          "x": ("mode", 0o755, value), "l": ("symlink", value)}[kind]
    return tree, fifos


def of_case(case):
    """The tree of the directory CASE: its file `tree`, and its `config` as /etc/erlinit.config."""
    tree, fifos = read((case / "tree").read_text())
    if (case / "config").exists():
        tree["/etc/erlinit.config"] = (case / "config").read_text()
    return tree, fifos


def lay_out(tree, fifos, into):
    """All of it as files below INTO."""
    Path(into).mkdir()
    image.lay_out(tree, into)
    for path in fifos:
        place = Path(into) / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(place)
