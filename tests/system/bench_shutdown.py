#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""How long the end takes, against busybox init. By hand: tests/system/bench_shutdown.py [RUNS]

Medians, from the VM's last line to the kernel's "reboot: Restarting system". The kernel's own share
(drivers shut their devices down before it says so) is what `reboot -f` of an idle machine takes.
"""
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from ending import COUNTED  # noqa: E402
from machine import Machine, Part, rootfs  # noqa: E402  (the line above makes them importable)
from programs import programs  # noqa: E402

THE_OLD_ONE_MS = 1018  # Nerves erlinit, as it was measured before, with nothing left to do
ENDS = "echo '<6>the VM ends' >/dev/kmsg\n"
SAY = "dd if=/dev/urandom of=/data/dirty bs=64k count=16 2>/dev/null\n{leave}\n" + ENDS
CASES = {"nothing left": "", "200 leftovers": "/t/leftover die 200",
         "200 that ignore TERM": "/t/leftover ignore 200",
         "20 that need 300 ms": "/t/leftover catch 20 300"}
INITTAB = """::sysinit:/bin/mount -t devtmpfs devtmpfs /dev
::sysinit:/bin/mount -t proc proc /proc
::sysinit:/bin/mount -t ext4 /dev/nvme0n1p2 /data
::once:/bin/sh /vm
::shutdown:/bin/umount -a -r
"""


def ours(leave):
    return Machine(config="-m /dev/nvme0n1p2:/data:ext4:nodev:\n", qemu=COUNTED,
                   script=SAY.format(leave=leave) + "exit 0", parts=[Part("ext4")],
                   files=programs("leftover"))


def busybox(leave):
    files = {"/etc/inittab": INITTAB, "/vm": SAY.format(leave=leave) + "kill -TERM 1\n"}
    return Machine(init=rootfs.busybox(), files={**files, **programs("leftover")},
                   parts=[Part("ext4")], qemu=COUNTED)


def kernel_alone(_):
    return Machine(script=f"sync; {ENDS}exec reboot -f", qemu=COUNTED)


def took_ms(make, leave):
    machine = make(leave)
    try:
        with machine.boot() as vm:
            vm.wait_end(90)
            clean = make is kernel_alone or all(machine.disk(0).partition(n).fsck() for n in (1, 2))
            return (vm.time_of(rb"reboot: Restarting") - vm.time_of(rb"the VM ends")) * 1000, clean
    finally:
        machine.close()


def main(runs):
    kernel = statistics.median(took_ms(kernel_alone, "")[0] for _ in range(runs))
    print(f"the kernel: {kernel:.0f} ms; Nerves erlinit, nothing left: {THE_OLD_ONE_MS} ms\n")
    print(f"{'':24}{'erlinit':>9}{'busybox':>9}{'ratio':>7}  images")
    for name, leave in CASES.items():
        results = {make: [took_ms(make, leave) for _ in range(runs)] for make in (ours, busybox)}
        mine, other = (statistics.median(took for took, _ in runs_) for runs_ in results.values())
        ends = " / ".join("clean" if all(clean for _, clean in runs_) else "NOT CLEAN"
                          for runs_ in results.values())
        print(f"{name:24}{mine:6.0f} ms{other:6.0f} ms{other / mine:7.1f}  {ends}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
