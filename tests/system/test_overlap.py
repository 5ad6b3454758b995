# SPDX-License-Identifier: MIT
"""What can overlap does: slow mounts side by side, the id command beside them."""
import re

from facts import LOG, mounts, warnings
from machine import Machine, Part
from programs import programs

DELAY_MS = 250  # of every request, of which mounting an ext4 has a few
ID_S = 0.5      # what the id command takes
NUMBERS = (1, 2, 3)
MODULES = ["dm_mod", "dm_delay"]
SLOW = "".join(f"/hang slow slow{n} /dev/nvme0n1p{n + 1} $($b blockdev --getsz /dev/nvme0n1p{n + 1}) "
               f"{DELAY_MS}\n" for n in NUMBERS)
ID = f"#!/bin/sh\nsleep {ID_S}\necho board\n"
ID_ON_MOUNT = "#!/bin/sh\necho id-runs >/dev/ttyS1\ncat /b/serial\n"
ID_THAT_HANGS = "#!/bin/sh\necho id-runs >/dev/ttyS1\nsleep 1000\n"


def slow_machine(id_script, parts, first_stage="", **options):
    """/dev/dm-0 to /dev/dm-2 are slow, with PARTS below them."""
    files = {"/usr/bin/board-id": id_script, **programs("hang")}
    return Machine(parts=parts, modules=MODULES, files=files,
                   first_stage=f"$b cp /root/t/hang /\n{SLOW}{first_stage}", **options)


def config(targets, id_command="board-id", more=""):
    lines = [f"-m /dev/dm-{n}:{target}:ext4:ro:" for n, target in enumerate(targets)]
    return "\n".join([*lines, "-n x-%s", f'-d "{id_command}"', "--print-timing", more, ""])


def step(vm, name):
    """(start, end) of a step in seconds, by the kernel's clock and the step's own word."""
    end = vm.time_of(f"erlinit: {name}: done, ".encode())
    took = int(re.search(f"erlinit: {name}: done, (\\d+) us".encode(), vm.kmsg)[1]) / 1e6
    return end - took, end


SCRIPT = f"""report_mounts; report_file hostname /proc/sys/kernel/hostname
{LOG}
exit 0"""


def test_side_by_side():
    """The same three devices; with dots in the names nobody can tell that they are independent."""
    machine = slow_machine(ID, [Part("ext4") for _ in NUMBERS], script=SCRIPT)
    took = {}
    for names in (["/a", "/b", "/c"], ["/./a", "/./b", "/./c"]):
        with machine.boot(config=config(names)) as vm:
            assert set(mounts(vm)) >= {"/a", "/b", "/c"}
            assert vm.reported("hostname").strip() == b"x-board"
            assert warnings(vm) == []
            assert vm.wait_end() == "reboot"
            mount_start, mount_end = step(vm, "mounts")
            hostname_end = step(vm, "hostname")[1]
            took[names[0]] = mount_end - mount_start, hostname_end - mount_end
    (beside, id_beside), (behind, id_behind) = took.values()
    assert beside < behind * 0.6, took
    assert id_behind >= ID_S and beside > ID_S
    assert id_beside < ID_S / 2, took  # it has run before


# PID 1 keeps one pipe until it knows that the VM runs.
KNOWN = "until ! ls -l /proc/1/fd | grep -q pipe:; do :; done; mark known\n"


def test_what_fails_and_what_hangs():
    """One disk never answers, the next one holds the id, on the third there is nothing."""
    machine = slow_machine(ID_ON_MOUNT, [Part("ext4"), Part("ext4", {"/serial": "S4711\n"}),
                                         Part(None, size_mib=16)],
                           "/hang suspend slow1\n", script=KNOWN + SCRIPT)
    words = config(["/a", "/b", "/c"], more="--mount-timeout 3000")
    with machine.boot(config=words) as vm:
        assert not {"/a", "/c"} & set(mounts(vm)) and "/b" in mounts(vm)
        assert vm.reported("hostname").strip() == b"x-s4711"
        hung, empty = warnings(vm)  # in the order given, whatever failed first
        assert hung.startswith("/etc/erlinit.config:1:") and "/dev/dm-0 on /a" in hung
        assert "timed out" in hung
        assert empty.startswith("/etc/erlinit.config:3:") and "/dev/dm-2 on /c" in empty
        assert "Invalid argument" in empty
        assert len(re.findall(rb"^id-runs", vm.report, re.M)) == 2
        assert re.search(rb"^known", vm.report, re.M)
        assert vm.wait_end() == "reboot"
        took = int(re.search(rb"erlinit: mounts: with warnings, (\d+) us", vm.kmsg)[1]) / 1e6
        assert 3 <= took < 6  # the limit, and what a kill is given, once
    machine.edit({"/usr/bin/board-id": ("mode", 0o755, ID_THAT_HANGS.encode())})
    with machine.boot(config=config(["/a", "/b", "/c"])) as vm:
        vm.wait_report(rb"^id-runs")
        vm.press_ctrl_alt_del()
        assert vm.wait_end() == "reboot"
        assert b"Launching" not in vm.kmsg
