#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The README's quick start on a machine where nothing was installed: a fresh Debian root by debootstrap.

The two commands are read from README.md. `tools/run` ends at a shell for a person, so here it gets
--smoke, which plays the person. Needs root and debootstrap; each release takes 10 to 15 minutes, of
which --only run is the first two or three.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "tools" / "lib"))
import debs  # noqa: E402  (the line above makes it importable)

PERSON = {"tools/run": "tools/run --smoke"}
# A mount namespace of its own, and not only chroot(2): in a changed root no user namespaces can be made.
ENTER = """set -e
cd "$1"; mount --bind . .; cd "$1"
mount -t proc proc proc; mount -t sysfs sysfs sys; mount -t tmpfs tmpfs tmp; mount -t tmpfs tmpfs dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
mkdir -p old; pivot_root . old; umount -l /old; cd /erlinit; exec /bin/sh -c "$2" """
CLOSING_LINES = 25


def say(text):
    print(f"cleanroom: {text}", flush=True)


def quick_start():
    """The commands of the quick start, in order."""
    text = re.search(r"^## Quick start\n(.*?)^## ", (TOP / "README.md").read_text(), re.M | re.S)[1]
    return [line for block in re.findall(r"^```\n(.*?)^```", text, re.M | re.S)
            for line in block.splitlines()]


def make_root(suite, root):
    """As small as Debian gets, and with this host's mirror."""
    say(f"{suite}: debootstrap, about a minute")
    subprocess.run(["debootstrap", "--variant=minbase", suite, str(root), debs.mirror()], check=True,
                   stdout=subprocess.DEVNULL)
    for name in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(name, root / "etc/apt/apt.conf.d")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    work = root / "erlinit"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(TOP), str(work)], check=True)


def enter(root, command, log):
    """Nothing of this host's environment but what makes its network work."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return subprocess.run(["unshare", "--mount", "/bin/sh", "-c", ENTER, "sh", str(root), command],
                          stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **kept}).returncode


def try_release(suite, only, keep):
    room = Path(tempfile.mkdtemp(prefix=f"cleanroom-{suite}-", dir=os.environ.get("TMPDIR")))
    room.chmod(0o755)  # for those in it who are not root
    failed = []
    try:
        make_root(suite, room)
        for command in quick_start():
            if only and not command.endswith(only):
                continue
            start = time.monotonic()
            path = TOP / "build" / f"cleanroom-{suite}-{Path(command).name}.log"
            path.parent.mkdir(exist_ok=True)
            say(f"{suite}: {command}, output in {path.relative_to(TOP)}")
            with open(path, "w") as log:
                status = enter(room, PERSON.get(command, command), log)
            for line in path.read_text(errors="replace").splitlines()[-CLOSING_LINES:]:
                print(f"    {line}")
            say(f"{suite}: {command}: {'ok' if status == 0 else 'FAILED'}, "
                f"{time.monotonic() - start:.0f} s")
            if status != 0:
                failed.append(f"{suite}: {command}")
    finally:
        if keep:
            say(f"{suite}: kept in {room}")
        else:
            shutil.rmtree(room, ignore_errors=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", default=["bookworm", "trixie"])
    parser.add_argument("--only", choices=["run", "check"], help="one of the two commands")
    parser.add_argument("--keep", action="store_true", help="leave the roots where they are")
    args = parser.parse_args()
    assert quick_start() == ["tools/run", "tools/check"], quick_start()
    failed = [name for suite in args.suites for name in try_release(suite, args.only, args.keep)]
    sys.exit(f"cleanroom: FAILED: {', '.join(failed)}" if failed else say("all passed"))


if __name__ == "__main__":
    main()
