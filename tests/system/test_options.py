# SPDX-License-Identifier: MIT
"""Options that change the machine or the VM's process: each does what it says."""
import image
from complaints import NAMED, complaints
from machine import Machine, Part

CONFIG = "/etc/erlinit.config"
UNLIMITED = "unlimited"
# --limits value: its line in /proc/PID/limits, soft, hard
LIMITS = {
    "as:4000000000:0x100000000": ("Max address space", "4000000000", "4294967296"),
    "core:unlimited:infinity": ("Max core file size", UNLIMITED, UNLIMITED),
    "cpu:1000:": ("Max cpu time", "1000", UNLIMITED),
    "data:1000000000:2000000000": ("Max data size", "1000000000", "2000000000"),
    "fsize:010000000:": ("Max file size", "2097152", UNLIMITED),
    "locks:100:200": ("Max file locks", "100", "200"),
    "memlock:65536:131072": ("Max locked memory", "65536", "131072"),
    "msgqueue:4096:8192": ("Max msgqueue size", "4096", "8192"),
    "nice:5:10": ("Max nice priority", "5", "10"),
    "nofile:65536:1048576": ("Max open files", "65536", "1048576"),
    "nproc:300:400": ("Max processes", "300", "400"),
    "rss::": ("Max resident set", UNLIMITED, UNLIMITED),
    "rtprio:1:2": ("Max realtime priority", "1", "2"),
    "rttime:1000000:2000000": ("Max realtime timeout", "1000000", "2000000"),
    "sigpending:50:60": ("Max pending signals", "50", "60"),
    "stack:4194304:": ("Max stack size", "4194304", UNLIMITED),
}


def limits_of(text):
    """{name: (soft, hard)} of /proc/PID/limits, whose columns have a fixed width."""
    return {line[:26].strip(): (line[26:47].strip(), line[47:68].strip())
            for line in text.decode().splitlines()[1:]}


def test_limits():
    """Every resource, on the VM alone. nofile counts once more: the last one wins."""
    config = "-h\n-H\n-l nofile:1:1\n" + "".join(f"--limits {value}\n" for value in LIMITS)
    machine = Machine(config=config, files=NAMED, script="report_file limits /proc/$$/limits\n"
                      "report_file first /proc/1/limits; exit 0")
    with machine.boot() as vm:
        limits, of_init = limits_of(vm.reported("limits")), limits_of(vm.reported("first"))
        for name, soft, hard in LIMITS.values():
            assert limits[name] == (soft, hard), name
        assert of_init["Max open files"] == ("1024", "4096")
        assert of_init["Max cpu time"] == (UNLIMITED, UNLIMITED)
        assert of_init["Max stack size"][0] == "8388608"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_core_umask_and_directory():
    machine = Machine(
        config="--core-pattern \"/root/core of %e\"\n-l core:unlimited:unlimited\n"
               "--umask 0137\n--working-directory /root\n", files=NAMED,
        script="report cwd \"$(readlink /proc/$$/cwd)\"; touch /root/made; sh -c 'kill -SEGV $$'\n"
               "report umask \"$(umask)\"; report first \"$(grep Umask /proc/1/status)\"; exit 0")
    with machine.boot() as vm:
        assert vm.reported("cwd") == b"/root"
        assert vm.reported("umask") == b"0137"
        assert vm.reported("first") == b"Umask:\t0022"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []
    root = machine.disk(0).partition(1)
    assert root.list("/root")["made"] & 0o7777 == 0o640
    assert root.read("/root/core of sh").startswith(b"\x7fELF")


def test_a_directory_that_cannot_be_used():
    with Machine(config="--working-directory /etc/passwd\n", files=NAMED,
                 script="report cwd \"$(readlink /proc/$$/cwd)\"; exit 0").boot() as vm:
        assert vm.reported("cwd") == b"/srv/erlang"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == [f"{CONFIG}:1:21: --working-directory /etc/passwd: "
                                  "Not a directory; using /srv/erlang"]


def test_commands_before_the_vm():
    """In order, as root, each to its end; what fails or hangs is told and passed over."""
    step = "#!/bin/sh\n. /lib/guest.sh\nmark \"step $*\"\n"
    look = step + ("report ids \"$(id -u):$(id -g) $(umask)\"; report signals \"$(grep SigBlk "
                   "/proc/$$/status)\"\nmkfifo /run/never\n")
    machine = Machine(
        config="--pre-run-exec \"/usr/bin/look 1\"\n--command-timeout 3000\n--uid 500\n"
               "--pre-run-exec \"step 'two  words'\"\n--pre-run-exec \"sh -c 'exit 3'\"\n"
               "--pre-run-exec /no/such/thing\n--pre-run-exec \"cat /run/never\"\n"
               "--pre-run-exec \"sh -c 'kill -KILL $$'\"\n--pre-run-exec \"sh 'open\"\n"
               "--pre-run-exec \"chmod 666 /dev/ttyS1\"\n--pre-run-exec \"step last\"\n",
        files={"/usr/bin/step": step, "/usr/bin/look": look,
               "/etc/passwd": "user:x:500:500::/tmp:/bin/sh\n", **NAMED},
        script="mark \"step vm\"; report alive \"$(pidof cat)\"; exit 0")
    with machine.boot() as vm:
        vm.wait_report(rb"^step vm$")
        assert [line for line in vm.report.splitlines() if line.startswith(b"step")] == \
            [b"step 1", b"step two  words", b"step last", b"step vm"]
        assert vm.reported("ids") == b"0:0 0022"
        assert vm.reported("signals").split() == [b"SigBlk:", b"0" * 16]
        assert vm.reported("alive") == b""
        assert vm.wait_end() == "reboot"
        told = complaints(vm)
        assert len(told) == 5
        for line, start, text in zip(told, (5, 6, 7, 8, 9),
                                     ("status 3", "No such file", "ended after 3000 ms", "signal 9",
                                      "Invalid argument")):
            assert line.startswith(f"{CONFIG}:{start}:16: ") and text in line, line
        assert all("the boot goes on" in line for line in told)


def test_run_on_exit():
    """Waited for, with a limit; what it says of itself is not the machine's end."""
    machine = Machine(
        config="--run-on-exit \"sh -c 'echo started >/dev/ttyS1; cat /run/never; echo no "
               ">/dev/ttyS1'\"\n--command-timeout 2500\n--poweroff-on-exit\n", files=NAMED,
        script="mkfifo /run/never; exit 3")
    with machine.boot() as vm:
        vm.wait_report(rb"^started$")
        assert vm.wait_end() == "poweroff"
        assert b"no\n" not in vm.report
        assert len(complaints(vm)) == 1
        assert complaints(vm)[0].startswith(f"{CONFIG}:1:15: --run-on-exit ")
    asked = Machine(config="--run-on-exit \"sh -c 'echo started >/dev/ttyS1'\"\n",
                    script="kill -USR2 1; exit 0")
    with asked.boot() as vm:
        assert vm.wait_end() == "poweroff"
        assert b"started" not in vm.report


def test_id_command_with_quotes():
    machine = Machine(config="-n %s\n-d \"/usr/bin/board-id 'of  the' board\"\n",
                      files={"/usr/bin/board-id": "#!/bin/sh\necho \"$#-$1-$2\" | tr ' ' s\n"},
                      script="report hostname \"$(hostname)\"; exit 0")
    with machine.boot() as vm:
        assert vm.reported("hostname") == b"2-ofssthe-board"


def test_pauses():
    """--exit-pause before a halt, --reboot-min-uptime before a reboot after a fatal error."""
    machine = Machine(config="--exit-pause 900\n--hang-on-exit\n", script="exit 1")
    with machine.boot() as vm:
        assert vm.wait_end() == "halt"
        assert vm.time_of(rb"reboot: System halted") - \
            vm.time_of(rb"erlinit: Waiting 900 ms before halt") >= 0.85
    broken = Machine(config="--reboot-min-uptime 7000\n",
                     files={"/srv/erlang/releases/0.1.0/start.boot": None})
    with broken.boot() as vm:
        assert vm.wait_end() == "reboot"
        assert vm.time_of(rb"erlinit: erlinit can't continue") < 6.5
        # The uptime counts from a little before the kernel's own time stamps do.
        assert vm.time_of(rb"reboot: Restarting system") > 6.5


def test_time_to_stop():
    """--stop-grace until the VM is told, --shutdown-timeout for everything after its end."""
    stubborn = "trap 'echo \"<4>the VM is told\" >/dev/kmsg' TERM\n" \
        "sh -c 'trap x=1 TERM; while :; do sleep 1000 & wait; done' &\n" \
        "kill -USR2 1; while :; do sleep 1000 & wait $!; done"
    machine = Machine(config="--stop-grace 1600\n--graceful-shutdown-timeout 2600\n-t\n"
                             "--shutdown-timeout 300\n", script=stubborn)
    with machine.boot() as vm:
        assert vm.wait_end() == "poweroff"
        told = vm.time_of(rb"the VM is told")
        asked = vm.time_of(rb"erlinit: Asked to power off")
        ended = vm.time_of(rb"erlinit: shutdown, run-on-exit")
        assert 1.5 <= told - asked
        assert told < ended
        assert 2.5 <= ended - asked < 8
        took = [int(line.split()[-2]) for line in vm.log_lines()
                if line.startswith(b"shutdown, terminate: ")]
        assert took[0] < 950_000  # and not the whole second that it would have had


def test_old_reports_are_kept():
    machine = Machine(config="--shutdown-report /root/report.md\n--report-keep 1\n", files=NAMED,
                      script="exit 1")
    for code in (1, 2, 3):
        with machine.boot(script=f"exit {code}") as vm:
            assert vm.wait_end() == "reboot"
            assert complaints(vm) == []
    root = machine.disk(0).partition(1)
    reports = sorted(name for name in root.list("/root") if name.startswith("report.md"))
    assert reports == ["report.md", "report.md.1"]
    assert b"\nErlang exit status: 3\n" in root.read("/root/report.md")
    assert b"\nErlang exit status: 2\n" in root.read("/root/report.md.1")


def test_a_mount_that_takes_too_long(tmp_path):
    """A disk of ten operations a second needs more than 200 ms for its file system."""
    path = tmp_path / "slow.img"
    image.make_part(Part("ext4", {f"/directory{number}/file": "x\n" for number in range(50)}), path)
    slow = ["-drive", f"file={path},format=raw,if=none,id=slow,throttling.iops-total=10",
            "-device", "nvme,drive=slow,serial=slow"]
    machine = Machine(config="-m /dev/nvme1n1:/data:ext4::\n--mount-timeout 200\n", files=NAMED,
                      qemu=slow, script="mark up; exit 0",
                      first_stage="until [ -b /dev/nvme1n1 ]; do $b usleep 5000; done")
    with machine.boot() as vm:
        vm.wait_report(rb"^up$")
        assert vm.wait_end() == "reboot"
        assert len(complaints(vm)) == 1
        assert complaints(vm)[0].startswith(f"{CONFIG}:1:4: ")
        assert "/data" in complaints(vm)[0]
