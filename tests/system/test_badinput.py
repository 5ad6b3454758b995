# SPDX-License-Identifier: MIT
"""What is broken costs a clear line each, and never more of the boot than it must."""
import random

import pytest

import image
from complaints import NAMED, complaints
from machine import Machine, Part, guest_tree

CONFIG = "/etc/erlinit.config"
BASE = "/srv/erlang"
VERSION = f"{BASE}/releases/0.1.0"
ERLEXEC = f"{BASE}/erts-1.0/bin/erlexec"
OPTIONS = ("-e", "-n", "-l", "-m", "-c", "-v", "-t", "-Z", "-", "--", "---", "--env", "--limits",
           "--mount", "--hostname-pattern=", "--uid", "--gid=", "--ctty", "--boot", "--umask",
           "--working-directory", "--tty-options", "--stop-grace=", "--un", "--no-such", "--=",
           "--verbose=", "true", "\"", "#", ":", ";", "%")
# Whatever went before: these are the last to speak.
SURVIVED = (b"\n--env SURVIVED=1\n-n survived\n--uid 0 --gid 0\n--boot start\n-r /srv/erlang\n"
            b"--ctty ttyS0\n--command-timeout 500\n--working-directory /run\n")


def any_bytes(seed):
    """Options, cut and mixed with every byte there is."""
    source = random.Random(seed)
    out = bytearray()
    for _ in range(400):
        out += source.choice(OPTIONS).encode()
        out += source.randbytes(source.choice((0, 1, 1, 9, 300)))
        out += source.choice((b" ", b" ", b"\n", b"\t", b"", b"\0", b"\r\n"))
    return bytes(out)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_bytes_in_the_config(seed):
    machine = Machine(config=any_bytes(seed) + SURVIVED, script="report_all; exit 0")
    with machine.boot() as vm:
        assert vm.reported("env")["SURVIVED"] == "1"
        assert vm.reported("hostname") == b"survived"
        assert vm.reported("cwd") == b"/run"
        assert vm.wait_end() == "reboot"
        told = complaints(vm)
        # Unknown options are told of up to a number, other mistakes always.
        assert len([line for line in told if line.startswith(f"{CONFIG}:")]) > 50
        places = [line.split(": ")[0] for line in told if "unknown option" in line]
        assert len(places) == len(set(places))  # one line a word
    assert machine.disk(0).partition(1).fsck().clean


def test_no_control_characters_in_the_log():
    """A log that a terminal shows must not be able to command it."""
    machine = Machine(config=b"-m \x1b[2J\x07x\n-l \x9b1m\x08\n", script="exit 0")
    with machine.boot() as vm:
        assert vm.wait_end() == "reboot"
        told = [line for line in vm.log_lines() if line.startswith(CONFIG.encode())]
        assert len(told) == 2
        assert not any(byte < 32 or byte == 127 for line in told for byte in line)


def test_missing_values():
    """At the end of the file, where the command line's words are not taken for values."""
    machine = Machine(config="--hostname-pattern kept\n-e A=1 --hostname-pattern", files=NAMED,
                      cmdline="-- -e B=1 --working-directory",
                      script="report_env; report hostname \"$(hostname)\"; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert (env["A"], env["B"]) == ("1", "1")
        assert vm.reported("hostname") == b"kept"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == [
            f"{CONFIG}:2:8: --hostname-pattern needs a value (pattern), ignored",
            "kernel command line, argument 3: --working-directory needs a value (path), ignored"]


def test_directories_in_the_place_of_files():
    here = {path: None for path in (f"{VERSION}/sys.config", f"{VERSION}/vm.args", CONFIG,
                                    f"{BASE}/releases/start_erl.data")}
    there = {f"{path}/file": "x\n" for path in here}
    machine = Machine(config=None, release=image.merged(
        guest_tree("report_args args \"$@\"; exit 0"), here, there, {
            f"{VERSION}/aaa.boot/file": "x\n",
            "/usr/lib/erlang/erts-1.0/bin/erlexec": "#!/bin/sh\nexec /srv/erlang/erts-1.0/bin/"
                                                    "erlexec \"$@\"\n"}), files=NAMED)
    with machine.boot() as vm:
        assert b"-config" not in vm.reported("args")
        assert b"-args_file" not in vm.reported("args")
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == [
            f"can't read {CONFIG}: Is a directory; going on without it",
            f"can't read {BASE}/releases/start_erl.data: Is a directory; going on without it",
            f"{VERSION}/sys.config is a directory, the VM starts without it",
            f"{VERSION}/vm.args is a directory, the VM starts without it"]


NOT_A_RELEASE = {
    "a symbolic link loop": {BASE: ("symlink", "/srv/loop"), "/srv/loop": ("symlink", BASE)},
    "a file": {BASE: "no directory\n"},
}


@pytest.mark.parametrize("release", NOT_A_RELEASE.values(), ids=NOT_A_RELEASE)
def test_a_release_that_is_no_directory(release):
    """The plain VM comes up, for whoever repairs the device."""
    erlexec = "#!/bin/sh\n. /lib/guest.sh\nreport cwd \"$(pwd)\"; exit 0\n"
    tree = {"/usr/lib/erlang/erts-9.9/bin/erlexec": erlexec,
            "/lib/guest.sh": guest_tree("")["/lib/guest.sh"], **release}
    machine = Machine(release=tree, files=NAMED)
    with machine.boot() as vm:
        assert vm.reported("cwd") == b"/usr/lib/erlang"
        assert vm.wait_end() == "reboot"
        told = [line for line in complaints(vm) if "/start_erl.data: " not in line]
        assert len(told) == 2
        assert told[0].startswith(f"can't read {BASE}: ")
        assert told[1] == f"no release found in {BASE}, starting the VM without"


ID_COMMANDS = {
    "binary": ("/bin/cat /every-byte", "Id-%s", "id-0", None),
    "fails": ("sh -c 'echo half; exit 7'", "Id-%s", "id-00000000", "failed with status 7"),
    "never ends": ("sh -c 'echo half; exec sleep 1000'", "Id-%s", "id-00000000", "imed out"),
    "is not there": ("/no/such/command -n", "Id-%s", "id-00000000", "No such file"),
}


@pytest.mark.parametrize("case", ID_COMMANDS.values(), ids=ID_COMMANDS)
def test_id_commands(case):
    command, pattern, hostname, complaint = case
    data = b"\n0" + bytes(range(256)) * 300
    machine = Machine(config=f"-d \"{command}\"\n-n {pattern}\n--uniqueid-timeout 2500\n",
                      files={"/every-byte": data},
                      script="report hostname \"$(hostname)\"; exit 0")
    with machine.boot() as vm:
        assert vm.reported("hostname").decode() == hostname
        assert vm.wait_end() == "reboot"
        told = complaints(vm)
        if complaint is None:
            assert told == []
        else:
            assert len(told) == 1
            assert told[0].startswith(f"{CONFIG}:1:4: id command '") and complaint in told[0]
            assert "the id is 00000000" in told[0]
            # Far from the ten seconds that it would have without --uniqueid-timeout.
            assert vm.time_of(rb"id command") - vm.time_of(rb"Starting erlinit") < 8


def test_a_damaged_file_system():
    """The config's blocks can't be found any more: one line, and the boot goes on."""
    machine = Machine(config="-n lost\n" + "# comment\n" * 1000, files=NAMED,
                      script="report hostname \"$(hostname)\"; exit 0")
    machine.edit({"/root/kept": "kept\n"})
    root = machine.disk(0).partition(1)
    image.tool("debugfs", "-w", "-R", f"sif {CONFIG} block[0] 0xdeadbeef",
               f"{root.disk}?offset={root.start}")
    with machine.boot() as vm:
        assert vm.reported("hostname") == b"device"
        assert vm.wait_end() == "reboot"
        told = complaints(vm)
        assert len(told) == 1
        assert told[0].startswith(f"can't read {CONFIG}: ")
        assert told[0].endswith("; going on without it")
    assert machine.disk(0).partition(1).read("/root/kept") == b"kept\n"


def first_block(path, name):
    """Where the data of a file begins in an ext4 image, in sectors."""
    block = image.tool("debugfs", "-R", f"blocks {name}", path).split(b"\n")[-2].split()[0]
    size = [line.split()[-1] for line in image.tool("dumpe2fs", "-h", path).splitlines()
            if line.startswith(b"Block size:")]
    return int(block) * int(size[0]) // image.SECTOR


def broken_disk(path, sectors):
    """QEMU's words for a disk that answers reads of these sectors with an I/O error."""
    faults = ",".join(f"inject-error.{number}.event=none,inject-error.{number}.iotype=read,"
                      f"inject-error.{number}.errno=5,inject-error.{number}.sector={sector}"
                      for number, sector in enumerate(sectors))
    return ["-blockdev", f"driver=file,node-name=whole,filename={path},read-only=on",
            "-blockdev", f"driver=blkdebug,node-name=faulty,image=whole,read-only=on,{faults}",
            "-blockdev", "driver=raw,node-name=broken,file=faulty,read-only=on",
            "-device", "nvme,drive=broken,serial=broken"]


def test_an_unreadable_disk(tmp_path):
    """A disk with bad blocks: what can't be read is told; without erlexec there is no VM."""
    path = tmp_path / "release.img"
    release = {name[len(BASE):]: content for name, content in
               guest_tree("report_args args \"$@\"; exit 0").items() if name.startswith(BASE)}
    release["/erts-2.0/bin/erlexec"] = "#!/bin/sh\n" + "# long\n" * 2000 + "exit 0\n"
    release["/releases/start_erl.data"] = "2.0 0.0.9\n"
    image.make_part(Part("ext4", release), path)
    files = {**NAMED, "/usr/lib/erlang/erts-1.0/bin/erlexec":
             "#!/bin/sh\n. /lib/guest.sh\nreport_args args \"$@\"; exit 0\n"}
    config = f"-m /dev/nvme0n1:{BASE}:ext4:ro:\n--poweroff-on-fatal\n"

    def boot(*names):
        machine = Machine(config.replace("nvme0n1", "nvme1n1"), files=files, qemu=broken_disk(
            path, [first_block(path, name) for name in names]))
        return machine.boot()
    with boot("/releases/start_erl.data") as vm:
        args = vm.reported("args")
        assert args[args.index(b"-config") + 1] == f"{VERSION}/sys.config".encode()
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == [f"can't read {BASE}/releases/start_erl.data: I/O error; "
                                  "going on without it"]
    with boot("/erts-2.0/bin/erlexec") as vm:
        assert vm.wait_end() == "poweroff"
        told = complaints(vm)
        assert told[-2:] == [f"Can't start {BASE}/erts-2.0/bin/erlexec: I/O error",
                             "erlinit can't continue"]
