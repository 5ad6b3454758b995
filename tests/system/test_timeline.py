# SPDX-License-Identifier: MIT
"""What erlinit writes down about itself: the boot's time line, and how the last run ended."""
import json
import re

from machine import Machine, TOP

READ = """until [ -e /run/erlinit/boot.json ]; do :; done
report_file boot /run/erlinit/boot.json
ls -ldn /run/erlinit /run/erlinit/boot.json | report modes
report boot_id "$(cat /proc/sys/kernel/random/boot_id)"
"""


def steps_of(source):
    """The names in a table of steps."""
    return re.findall(r'^    \{"([a-z-]+)", ', (TOP / source).read_text(), re.M)


def test_the_boot():
    machine = Machine(config="-t\n-m /dev/none:/mnt:ext4::", script=READ + "exit 0")
    with machine.boot() as vm:
        boot = json.loads(vm.reported("boot"))
        modes = vm.reported("modes").decode()
        assert boot["boot_id"] == vm.reported("boot_id").decode()
        assert vm.wait_end() == "reboot"
        kmsg = vm.kmsg.decode(errors="replace")
    assert boot["schema"] == 1 and boot["crashes"] == 0
    assert f"Starting erlinit {boot['erlinit']}" in kmsg
    assert re.match(r"drwxr-xr-x +\d+ 0 +0 .*\n-rw-r--r-- +1 0 +0 ", modes)
    steps = boot["steps"]
    assert [step["name"] for step in steps] == steps_of("src/boot/boot.c")
    assert {step["name"]: step["result"] for step in steps}["mounts"] == "with warnings"
    now = boot["start_us"]
    assert now > 0
    for step in steps:
        assert step["start_us"] >= now
        now = step["start_us"] + step["duration_us"]
        assert f"erlinit: {step['name']}: {step['result']}, {step['duration_us']} us" in kmsg
    assert boot["vm_start_us"] >= now
    slowest = sorted(steps, key=lambda step: -step["duration_us"])[:3]
    assert f"erlinit: boot: {boot['vm_start_us'] - boot['start_us']} us, {boot['vm_start_us']} us " \
        "since the kernel's start; slowest, " + ", ".join(
            f"{step['name']} {step['duration_us']} us" for step in slowest) in kmsg
