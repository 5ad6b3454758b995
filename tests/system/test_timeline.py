# SPDX-License-Identifier: MIT
"""What erlinit writes down about itself: the boot's time line, and how the last run ended."""
import json
import re
import subprocess
import xml.etree.ElementTree as xml

from ending import said
from machine import Machine, Part, TOP

READ = """until [ -e /run/erlinit/boot.json ]; do :; done
report_file boot /run/erlinit/boot.json
ls -ldn /run/erlinit /run/erlinit/boot.json | report modes
report boot_id "$(cat /proc/sys/kernel/random/boot_id)"
"""


def steps_of(source):
    """The names in a table of steps."""
    return re.findall(r'^    \{"([a-z-]+)", ', (TOP / source).read_text(), re.M)


def drawn(tmp_path, name, content):
    """The texts of the picture that tools/bootchart makes of it."""
    (tmp_path / name).write_bytes(content)
    svg = subprocess.run([TOP / "tools" / "bootchart", tmp_path / name], capture_output=True, check=True)
    return [text.text for text in xml.fromstring(svg.stdout).iter("{http://www.w3.org/2000/svg}text")]


def test_the_boot(tmp_path):
    machine = Machine(config="-t\n-m /dev/none:/mnt:ext4::", script=READ + "exit 0")
    with machine.boot() as vm:
        record = vm.reported("boot")
        boot = json.loads(record)
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
        assert step["start_us"] >= now or step["name"] == "id-command"
        now = step["start_us"] + step["duration_us"]
        assert f"erlinit: {step['name']}: {step['result']}, {step['duration_us']} us" in kmsg
    assert boot["vm_start_us"] >= now
    names = [step["name"] for step in steps]
    assert set(names) <= set(drawn(tmp_path, "boot.json", record))
    assert set(names + steps_of("src/shutdown/shutdown.c")) <= set(drawn(tmp_path, "serial.log", kmsg.encode()))
    slowest = sorted(steps, key=lambda step: -step["duration_us"])[:3]
    assert f"erlinit: boot: {boot['vm_start_us'] - boot['start_us']} us, {boot['vm_start_us']} us " \
        "since the kernel's start; slowest: " + ", ".join(
            f"{step['name']} {step['duration_us']} us" for step in slowest) in kmsg


PREVIOUS = """until [ -e /run/erlinit/previous.json ]; do :; done
report_file previous /run/erlinit/previous.json
report boot_id "$(cat /proc/sys/kernel/random/boot_id)"
"""
STATE = "/root/erlinit"


def previous(machine, end, what="reboot"):
    """Boots, ends as END says; returns what the boot was told, and its id."""
    with machine.boot(script=PREVIOUS + end) as vm:
        told = json.loads(vm.reported("previous"))
        boot_id = vm.reported("boot_id").decode()
        if what:
            assert vm.wait_end() == what
    assert told["schema"] == 1
    return told, boot_id


def test_why_it_rebooted():
    machine = Machine()
    told, first = previous(machine, "echo tryboot >/run/reboot-param; kill -TERM 1; sleep 0.3")
    assert told == {"schema": 1, "recorded": False, "reason": "No such file or directory", "pstore": []}

    told, second = previous(machine, "kill -KILL $$")
    assert told["recorded"] and told["boot_id"] == first
    assert told["intentional"] and told["graceful"] and told["vm_started"] and told["fatal"] is None
    assert (told["signal"], told["uid"], told["command"]) == (15, 0, "erlexec")
    assert (told["action"], told["argument"]) == ("restart", "tryboot")
    assert (told["vm_status"], told["vm_signal"], told["crashes"]) == (0, 0, 0)
    assert told["pid"] > 1 and told["time"].startswith("1970-01-01T00:00:")
    assert 200 <= told["shutdown_ms"] - told["requested_ms"] < 10000
    assert 0 < told["requested_ms"] < told["shutdown_ms"] <= told["uptime_ms"]
    names = steps_of("src/shutdown/shutdown.c")
    assert [step["name"] for step in told["steps"]] == names[:names.index("seed")]
    assert told["steps"][0]["start_us"] // 1000 >= told["shutdown_ms"]

    # Told once: the power goes in this boot, and that is what the next one is told.
    told, third = previous(machine, "idle", what=None)
    assert told["recorded"] and told["boot_id"] == second
    assert (told["intentional"], told["graceful"], told["command"]) == (False, False, "")
    assert (told["vm_status"], told["vm_signal"], told["requested_ms"]) == (0, 9, 0)
    told, _ = previous(machine, "exit 0")
    assert not told["recorded"] and third not in json.dumps(told)
    assert machine.disk(0).partition(1).list(STATE) == {"last-end.json": 0o100644}


def test_a_boot_that_could_not_start_the_vm():
    machine = Machine(config="--poweroff-on-fatal\n--uid nobody-knows")
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
    told = json.loads(machine.disk(0).partition(1).read(f"{STATE}/last-end.json"))
    assert (told["fatal"], told["action"], told["vm_started"]) == ("identity", "power off", False)
    machine.edit({"/srv/erlang/erts-1.0/bin/erlexec": "#!/gone\n", "/etc/erlinit.config": ""})
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
    told = json.loads(machine.disk(0).partition(1).read(f"{STATE}/last-end.json"))
    assert (told["fatal"], told["vm_started"]) == ("launch", False)


def test_a_hostile_state_directory():
    """Nothing is followed, nothing foreign is believed, and nothing of it is in the way."""
    machine = Machine(files={"/secret": "kept\n", f"{STATE}/last-end.json": ("symlink", "/secret"),
                             f"{STATE}/last-end.json.new": ("symlink", "/secret"),
                             "/other/erlinit": ("symlink", "/elsewhere"),
                             "/elsewhere/last-end.json": '{"a":1}\n'})
    told, first = previous(machine, "exit 3")
    assert not told["recorded"] and "ymbolic link" in told["reason"]
    root = machine.disk(0).partition(1)
    assert json.loads(root.read(f"{STATE}/last-end.json"))["boot_id"] == first
    machine.edit({f"{STATE}/last-end.json": b"{" * 3000000})
    told, _ = previous(machine, "exit 5")
    assert not told["recorded"] and told["reason"] == "Bad message"
    with machine.boot(script=PREVIOUS + "exit 6", config="--state-directory /other") as vm:
        told = json.loads(vm.reported("previous"))
        assert vm.wait_end() == "reboot"
        assert len(said(vm, rb"Can't write /other/erlinit/last-end.json: Not a directory\.")) == 1
    assert not told["recorded"] and told["reason"] == "Not a directory"
    assert root.read("/elsewhere/last-end.json") == b'{"a":1}\n' and root.read("/secret") == b"kept\n"
