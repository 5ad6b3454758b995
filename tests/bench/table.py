# SPDX-License-Identifier: MIT
"""docs/benchmark.md from the numbers."""

HEAD = """<!-- written by tools/bench; words about the numbers are in tests/bench/table.py -->
# The benchmark

`make bench` makes this page anew. Every participant boots the same kernel ({kernel}) with the same root in memory, mounts
the same file systems, brings loopback up, sets the host name, and starts the same program in the place of the Erlang VM;
that program notes the time of its first instruction.

The clock counts instructions: {qemu}, `-icount shift=0`, one instruction is one nanosecond. So the numbers compare work, and are
the same on a busy host and an idle one; they are no times of a real device, where caches, flash and the console come on top.
Medians; benchmark.json says of how many runs, which repeat within 0.1 %; `~` marks a number whose runs differ by more than 2 %.

- **null** only becomes the VM. **straight-line** makes, with everything known beforehand, the system calls by which erlinit
  changes something. Both are in tests/bench.
- The peers are Debian's packages. Each has a busybox shell script for what erlinit does itself, without the random seed and
  without a search for the release, and then starts the program in the way that costs least. Most of their boot is that script:
  processes started one after the other.
- tini, dumb-init and catatonit are made for containers. They take part with the same script in front; they can't end a machine.

![The benchmark as a plot](benchmark.svg)
"""


def _value(entry, unit=1000.0):
    return entry["median"] / unit


def _ratio(value, base):
    return f"{value / base:.2f}" if base else "-"


def _mark(entry):
    return "~" if entry.get("noisy") else ""


def _plain(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:.2f}"


def _rows(lines):
    return "\n".join(lines) + "\n"


def boot(results):
    default, typical = results["boot default"], results["boot typical"]
    floor, other = default["straight-line"]["median"], typical["straight-line"]["median"]
    ours, ours_typical = default["erlinit"]["median"], typical["erlinit"]["median"]
    out = ["## Boot: from the kernel's \"Run /init\" to the VM's first instruction", "",
           "Typical: 6 mounts, an id command, a pre-run command, a host name pattern, 400 library directories.", "",
           "| | default, ms | of straight-line | of erlinit | typical, ms | of straight-line | of erlinit |",
           "|---|--:|--:|--:|--:|--:|--:|"]
    for name in sorted(default, key=lambda n: default[n]["median"]):
        one, two = default[name], typical.get(name)
        cells = [f"{_value(one):.3f}{_mark(one)}", _ratio(one["median"], floor), _ratio(one["median"], ours)]
        cells += [f"{_value(two):.3f}{_mark(two)}", _ratio(two["median"], other), _ratio(two["median"], ours_typical)] \
            if two else ["-", "-", "-"]
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return _rows(out)


def steps(results):
    out = ["### Where erlinit's boot spends it", "", "µs by step, as --print-timing says (on a quiet console; a step of which "
           "PID 1's own work falls into its time has that too).", "", "| step | default | typical |", "|---|--:|--:|"]
    default, typical = results["steps"]["default"], results["steps"]["typical"]
    out += [f"| {name} | {us} | {typical.get(name, '-')} |" for name, us in default.items()]
    out.append(f"| all steps | {sum(default.values())} | {sum(typical.values())} |")
    return _rows(out)


def growth(results):
    out = ["## Growth", "", "Boot of erlinit, and what one more costs between a count and the next.", "",
           "| | count | boot, ms | µs for each more |", "|---|--:|--:|--:|"]
    for kind, found in results["growth"].items():
        before = None
        for count in sorted(found, key=int):
            more = "" if before is None else f"{(found[count] - found[before]) / (int(count) - int(before)):.2f}"
            out.append(f"| {kind} | {count} | {found[count] / 1000:.3f} | {more} |")
            before = count
    return _rows(out)


def end(results):
    sections = [key for key in results if key.startswith("end, ")]
    names = list(dict.fromkeys(name for key in sections for name in results[key]))
    out = ["## End: from the VM's exit to the kernel's \"Restarting system\"", "",
           "ms; the kernel's own share, which everybody has, is the row null. The Nerves init that this one replaces takes "
           "1018 ms with nothing left (measured on a real clock, cited). There is no disk here: tests/system/bench_shutdown.py has one. straight-line leaves the leftovers to the kernel; runit "
           "and the scripts of s6 and sysvinit kill them without a pause, which gives them no chance to finish.",
           "", "| | " + " | ".join(key.removeprefix("end, ") for key in sections) + " |", "|---|" + "--:|" * len(sections)]
    for name in sorted(names, key=lambda n: results[sections[0]].get(n, {"median": 1e12})["median"]):
        cells = [f"{_value(results[key][name]):.2f}{_mark(results[key][name])}" if name in results[key] else "-"
                 for key in sections]
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return _rows(out)


COLUMNS = (("file_bytes", "file, bytes"), ("rss_kb", "RSS, kB"), ("pss_kb", "PSS, kB"),
           ("private_dirty_kb", "private dirty, kB"), ("fds", "fds"), ("page_faults", "page faults"),
           ("switches_idle_minute", "context switches, idle minute"))


def footprint(results):
    found = results["footprint"]
    out = ["## Footprint of PID 1, 2 s after the VM has started", "",
           "File: the program alone, without shared libraries. Page faults: since its exec.", "",
           "| | " + " | ".join(title for _, title in COLUMNS) + " | system calls until the VM starts |",
           "|---|" + "--:|" * (len(COLUMNS) + 1)]
    for name in sorted(found, key=lambda n: found[n]["rss_kb"]):
        cells = [f"{found[name][key]:,}" for key, _ in COLUMNS]
        out.append(f"| {name} | " + " | ".join(cells) + f" | {results['calls default'].get(name, '-')} |")
    out += ["", "Of finit no calls are counted."]
    typical = ", ".join(f"{name} {count}" for name, count in results.get("calls typical", {}).items())
    out += ["", f"System calls are those of PID 1 and of all that it starts. Typical configuration: {typical}."]
    return _rows(out)


def reaping(results):
    found = results["footprint"]
    count = next(iter(found.values()))["reap_count"]
    out = [f"## Reaping {count:,} orphans, 500 at a time", "", "From the moment at which a crowd may end until the last is reaped; the "
           "time has the orphans' own ends in it, CPU is PID 1's alone.", "", "| | µs each | CPU µs each | RSS afterwards, kB |",
           "|---|--:|--:|--:|"]
    for name in sorted(found, key=lambda n: found[n]["reap_cpu_us_each"]):
        row = found[name]
        out.append(f"| {name} | {row['reap_us_each']:.1f} | {row['reap_cpu_us_each']:.2f} | {row['rss_after_reaping_kb']:,} |")
    return _rows(out)


def whole_way(results):
    found = results.get("whole way")
    if not found:
        return ""
    out = ["## The whole way, with a real release (OTP 25)", "",
           "Power-on to the release's word that it runs, and from its init:stop() to the kernel's restart.", "",
           "| | to the greeting, ms | to the end, ms |", "|---|--:|--:|"]
    for name in sorted(found, key=lambda n: found[n]["greeting_ms"]):
        out.append(f"| {name} | {found[name]['greeting_ms']:.1f} | {found[name]['end_ms']:.1f} |")
    out += ["", "Nearly all of it is the kernel and the VM. A null init can't take part: the VM wants a /dev and somebody who "
            "restarts the machine; straight-line is the floor here."]
    return _rows(out)


WHY_END = "They send SIGKILL to all at once and go on; erlinit looks at who catches SIGTERM, gives those their time, waits " \
    "until every process is reaped, and names who had to be killed. That is work for each process, and is ours to reduce."


def ahead(results):
    """Where a peer is ahead, in words; the numbers decide."""
    out, found = [], results["footprint"]
    ours, whys = found["erlinit"], {
        "rss_kb": "a smaller program that does less", "file_bytes": "it starts a program and reaps, and does nothing else",
        "fds": "it holds nothing", "private_dirty_kb": "it keeps no state for its own crash",
        "page_faults": "it runs less code of its own; the script's faults are other processes'",
        "reap_cpu_us_each": "one wait call after the other, no event loop in between", "pss_kb": "its pages are shared with libc's other users"}
    for key, why in whys.items():
        better = sorted(name for name in found if name != "straight-line" and found[name][key] < ours[key] * 0.995)
        if better:
            out.append(f"- {key.replace('_', ' ')}: {', '.join(f'{n} ({_plain(found[n][key])})' for n in better)} "
                       f"against {_plain(ours[key])}: {why}.")
    for section in (key for key in results if key.startswith("end, ")):
        better = [name for name, entry in results[section].items()
                  if name not in ("null", "straight-line", "erlinit") and entry["median"] < results[section]["erlinit"]["median"]]
        if better:
            out.append(f"- {section}: {', '.join(sorted(better))}. {WHY_END}")
    return _rows(["## Where a peer is ahead", "", *(out or ["Nowhere."])])


def markdown(results):
    about = results["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    parts = [HEAD.format(**about), boot(results), steps(results), growth(results), end(results), footprint(results),
             reaping(results), whole_way(results), ahead(results), f"Versions: {versions}.\n"]
    return "\n".join(part for part in parts if part)
