# SPDX-License-Identifier: MIT
"""What is measured: each function starts machines, and returns {participant: numbers}."""
import re
import statistics

import peers
from guest import debs, image, program, rootfs, run, small_tree

ORPHANS = 10000
GROWTH = {"mounts": (1, 8, 64), "library directories": (1, 50, 400, 2000), "configuration words": (10, 300, 3000),
          "environment settings": (10, 100, 1000)}
ENDS = {"nothing left": "die 0", "200 leftovers": "die 200", "200 that ignore TERM": "ignore 200"}
ENDED = "reboot: (?:Restarting|Power down)"  # runit powers off unless a file says otherwise
NO_END = ("tini", "dumb-init", "catatonit")  # they are for containers: their end is the kernel's panic


def summary(values):
    """Median and spread of some runs; noisy when they differ by more than 2 %."""
    middle = statistics.median(values)
    spread = (max(values) - min(values)) / middle if middle else 0.0
    return {"median": round(middle, 1), "spread_percent": round(100 * spread, 2), "runs": len(values),
            "noisy": spread > 0.02}


def boot_once(name, typical=False, mode="boot", config=None, libraries=None):
    tree, init, arguments, _ = peers.setup(name, typical, config)
    count = libraries or (peers.TYPICAL_LIBRARIES if typical else 1)
    return run(image.merged(tree, small_tree(mode, count)), init, arguments)


def boot(name, typical, runs):
    return summary([boot_once(name, typical).boot_us for _ in range(runs)])


def kilobytes(lines, key):
    return sum(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def private_dirty(lines):
    """Private dirty memory as a disk's root would show it: in a root in memory every page of a file counts as dirty."""
    total, of_file = 0, False
    for line in lines:
        header = re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(\S*)", line)
        if header:
            of_file = header[1].startswith("/") and not header[1].startswith("/memfd:")
        elif line.startswith("Anonymous:" if of_file else "Private_Dirty:"):
            total += int(line.split()[1])
    return total


def status_number(lines, key):
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def footprint(name):
    """Memory, wake-ups and reaping, of one run."""
    result = boot_once(name, mode=f"all {ORPHANS}")
    smaps, stat = result.lines("smaps"), result.lines("stat")[0].rsplit(") ", 1)[1].split()
    switches = [status_number(result.lines(key), "voluntary_ctxt") + status_number(result.lines(key), "nonvoluntary_ctxt")
                for key in ("before", "after")]
    return {"file_bytes": peers.program_bytes(name), "rss_kb": kilobytes(smaps, "Rss"), "pss_kb": kilobytes(smaps, "Pss"),
            "private_dirty_kb": private_dirty(smaps), "fds": result.number("fds"),
            "page_faults": int(stat[7]) + int(stat[9]), "switches_idle_minute": switches[1] - switches[0],
            "reap_count": result.number("reap_count"), "reap_us_each": result.number("reap_ns") / 1000 / ORPHANS,
            "reap_cpu_us_each": result.number("reap_cpu_ns") / 1000 / ORPHANS,
            "rss_after_reaping_kb": kilobytes(result.lines("smaps_after"), "Rss")}


def end(name, case, runs):
    """From the VM's last word to the kernel's last word, in µs."""
    def once():
        tree, init, arguments, how = peers.setup(name)
        tree = image.merged(tree, small_tree(f"end {ENDS[case]} {how}"))
        result = run(tree, init, arguments, until="end")
        return result.console_us(ENDED) - result.console_us("the VM ends")
    return summary([once() for _ in range(runs)])


def calls(name, typical=False):
    """System calls of PID 1 and of all it starts, until the VM is started: {process: [[number, words]]}."""
    tree, init, arguments, _ = peers.setup(name, typical)
    tree = image.merged(tree, small_tree("boot", peers.TYPICAL_LIBRARIES if typical else 1),
                        {"/bench-trace": ("file", str(program("trace")))})
    result = run(tree, "/bench-trace", f"{init} {arguments}".strip())
    found = [line.split(" ", 2) for line in result.lines("call")]
    started = next(i for i, call in enumerate(found) if call[1] == "59")
    return found[started + 1:]  # the first is how the tracer's process becomes the init


def growth_config(kind, count):
    if kind == "mounts":
        return "".join(f"-m tmpfs:/mnt/{n}:tmpfs:nodev:size=1m\n" for n in range(count))
    if kind == "configuration words":
        return "".join(f"word{n}\n" for n in range(count))
    if kind == "environment settings":
        return "".join(f"-e SETTING_{n}=value\n" for n in range(count))
    return ""


def growth(kind, count):
    libraries = count if kind == "library directories" else 1
    return boot_once("erlinit", config=growth_config(kind, count), libraries=libraries).boot_us


def steps():
    """Where erlinit's own boot spends its time, µs by step; from --print-timing, on a quiet console."""
    result = {}
    for typical in (False, True):
        config = (peers.TYPICAL_CONFIG if typical else "") + "--print-timing\n"
        found = boot_once("erlinit", typical, config=config)
        rows = re.findall(r"erlinit: ([\w-]+): [\w ]+, (\d+) us", "\n".join(found.lines("log")))
        result["typical" if typical else "default"] = {step: int(us) for step, us in rows}
    return result


def debs_of(name):
    """The package of a peer and what it depends on, as tools/fetch has them."""
    package = peers.PEERS[name]
    found = debs.fetch("bookworm", [package], closure=True)
    return sorted(found, key=lambda deb: deb[1]["package"] != package)


# --- the whole way, with a real release ---

EVAL = "\n-eval 'file:write_file(\"/dev/kmsg\",\"<0>bench: the VM ends\\n\"),init:stop().'\n"


def _otp_tree(otp):
    tree = rootfs.device_tree(otp, rootfs.hello(otp))
    path = next(name for name in tree if name.endswith("/vm.args"))
    with open(tree[path][1], encoding="utf-8") as handle:
        return {**tree, path: handle.read() + EVAL}


def _erts_version(tree):
    with open(tree["/srv/erlang/releases/start_erl.data"][1], encoding="utf-8") as handle:
        return handle.read().split()


def _otp_program(tree):
    """The words with which erlinit starts this release's VM, and its environment."""
    erts, version = _erts_version(tree)
    folder = f"/srv/erlang/releases/{version}"
    return f"/usr/lib/erlang/erts-{erts}", [
        "-config", f"{folder}/sys.config", "-boot", f"{folder}/hello", "-args_file", f"{folder}/vm.args",
        "-boot_var", "ERTS_LIB_DIR", "/usr/lib/erlang/lib", "-boot_var", "RELEASE_LIB", "/srv/erlang/lib"]


def whole_way(name, otp="25"):
    """Power-on to the release's greeting, and from there to the kernel's restart, in ms of the guest."""
    tree = _otp_tree(otp)
    erts, words = _otp_program(tree)
    own, init, arguments, _ = peers.setup(name)
    if name == "straight-line":
        quoted = ",".join(f'"{word}"' for word in words)
        folder = words[1].removesuffix(".config")
        own["/init"] = ("file", str(program(
            "straight", f'-DBENCH_ERTS="{erts}"', '-DBENCH_BASE="/srv/erlang"', '-DBENCH_ROOT="/srv/erlang"',
            f"-DBENCH_ARGUMENTS={quoted}", f'-DBENCH_SYSCONFIG="{folder}"', out="straight-otp")))
    elif name != "erlinit":
        own["/srv/erlang/erts-1.0/bin/erlexec"] = (
            f"#!/bin/sh\nexport HOME=/root ROOTDIR=/srv/erlang BINDIR={erts}/bin EMU=beam PROGNAME=erlexec\n"
            f"export TERM=xterm-256color RELEASE_ROOT=/srv/erlang RELEASE_TMP=/tmp\ncd /srv/erlang\n"
            f"{erts}/bin/erlexec {' '.join(words)}\nkill -TERM 1\n")
    result = run(image.merged(tree, own), init, arguments, until="end", memory_mib=512)
    greeting = result.console_us("the VM ends")
    return {"greeting_ms": greeting / 1000, "end_ms": (result.console_us(ENDED) - greeting) / 1000}

