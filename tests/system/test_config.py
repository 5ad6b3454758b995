# SPDX-License-Identifier: MIT
"""The configuration: its file, the kernel command line, who wins, how much there may be."""
import pytest

from complaints import NAMED, complaints
from machine import Machine

CONFIG = "/etc/erlinit.config"
BOARDID = "#!/bin/sh\necho \"$*\" >/run/boardid\necho abcd1234\n"
NBTTY = "#!/bin/sh\necho nbtty >/run/nbtty\nexec \"$@\"\n"
MIX_LIBRARY = {"/srv/erlang/releases/0.1.0/shoehorn.boot": "boot\n"}


def test_the_command_line_wins_and_lists_add_up():
    machine = Machine(
        config="-v\n-e FIRST=file;BOTH=file\n--env SECOND=file\n--working-directory /tmp\n"
               "-n file-name\n--limits nofile:100:200\n--umask 0077\n--core-pattern of-the-file\n"
               "--pre-run-exec \"/bin/touch /run/of-the-file\"\n-h\n",
        cmdline="quiet stray=1 -- --verbose false -e BOTH=line -e THIRD=line "
                "--working-directory /run "
                "--hostname-pattern=line-name -lcore:7:9 --umask 027 --poweroff-on-exit "
                "--core-pattern \"with space\" --pre-run-exec \"/bin/touch /run/of-the-line\"",
        script="report_all; report_file core /proc/sys/kernel/core_pattern\n"
               "report made \"$(ls /run)\"\nexit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert (env["FIRST"], env["SECOND"], env["THIRD"]) == ("file", "file", "line")
        assert env["BOTH"] == "line"
        assert env["stray"] == "1"
        assert vm.reported("cwd") == b"/run"
        assert vm.reported("hostname") == b"line-name"
        assert vm.reported("umask") == b"0027"
        limits = vm.reported("limits").decode().splitlines()
        assert [line.split()[3:5] for line in limits if "open files" in line] == [["100", "200"]]
        assert [line.split()[4:6] for line in limits if "core file" in line] == [["7", "9"]]
        assert vm.reported("core") == b"with space\n"
        assert {b"of-the-file", b"of-the-line"} <= set(vm.reported("made").split())
        assert vm.wait_end() == "poweroff"
        assert complaints(vm) == []


def test_no_file_and_no_option_at_all():
    with Machine(config=None, files=NAMED, script="report_all \"$@\"; exit 0").boot() as vm:
        assert vm.reported("hostname") == b"device"
        assert vm.reported("umask") == b"0022"
        assert vm.reported("cwd") == b"/srv/erlang"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_hundreds_of_options_and_endless_lines():
    """More than the 63 words and 255 characters that the old program kept."""
    long_value = "x" * 9000
    many = "".join(f"-e NUMBER_{number}={number}\n" for number in range(300))
    one_line = " ".join(f"--env WORD_{number}={number}" for number in range(100))
    machine = Machine(
        config=f"# a comment{' that goes on' * 100}\n{many}{one_line}\n-e LONG={long_value}\n"
               "-n last-of-all\n", script="report_env; report hostname \"$(hostname)\"; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert [env.get(f"NUMBER_{number}") for number in range(300)] == \
            [str(number) for number in range(300)]
        assert [env.get(f"WORD_{number}") for number in range(100)] == \
            [str(number) for number in range(100)]
        assert env["LONG"] == long_value
        assert vm.reported("hostname") == b"last-of-all"
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_short_forms():
    """Clusters, attached values, prefixes, what build tools write, quotes and comments."""
    machine = Machine(
        config="-vte CLUSTER=1\n-hlnofile:99:199\n--limit core:1:2\n--hostname-p=\"pre-fix\n"
               "--hang-on-exit true\n--poweroff-on-exit false\n--warn-unused-tty false\n"
               "--env \"QUOTED=a # b\" # comment\n-e CUT=b#c\n-e MIDDLE=\"x\"\n"
               "word another=word\n--workin /tmp\n--um 0002\n",
        script="report_all; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert (env["CLUSTER"], env["QUOTED"], env["CUT"]) == ("1", "a # b", "b")
        assert env["MIDDLE"] == '"x"'
        limits = vm.reported("limits").decode().splitlines()
        assert [line.split()[3:5] for line in limits if "open files" in line] == [["99", "199"]]
        assert [line.split()[4:6] for line in limits if "core file" in line] == [["1", "2"]]
        assert vm.reported("cwd") == b"/tmp"
        assert vm.reported("umask") == b"0002"
        assert vm.wait_end() == "halt"
        lines = vm.log_lines()
        assert b"start" in lines and b"stop" in lines
        assert [line for line in lines if line.startswith(b"program /srv/erlang/")]


def test_mistakes_are_told_and_skipped():
    machine = Machine(
        files=NAMED,
        config="--hostnam-pattern typo\n-Z\n  --frobnicate 7\n--on 1\n--verbose=maybe\n"
               "--stop-grace soon\n--umask rw\n-e novalue;GOOD=1\n-l nofile:x:y\n-l rubbish:1:1\n"
               "--limits nofile:5\n-e AFTER=1\n",
        cmdline="--nonsense -e", script="report_env; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert (env["GOOD"], env["AFTER"]) == ("1", "1")
        assert vm.wait_end() == "reboot"
        told = "\n".join(complaints(vm))
        for place in ("1:1: unknown option \"--hostnam-pattern\", ignored; did you mean "
                      "--hostname-pattern?", "2:1: unknown option -Z, ignored",
                      "3:3: unknown option \"--frobnicate\"", "4:1: ", "5:1: --verbose takes no value",
                      "6:14: --stop-grace: \"soon\" is no number", "7:9: --umask rw is no octal",
                      "8:4: --env: \"novalue\" is not NAME=value", "9:4: limit 'nofile:x:y'",
                      "10:4: limit 'rubbish:1:1'", "11:10: limit 'nofile:5'"):
            assert told.count(f"{CONFIG}:{place}") == 1, place
        assert "kernel command line, argument 1: unknown option \"--nonsense\"" in told
        assert "kernel command line, argument 2: --env" in told
        assert len(complaints(vm)) == 13


OFFICIAL = {
    "a board with f2fs": """
# Turn on the debug prints
#-v
-c tty1
--warn-unused-tty
-s "/usr/bin/nbtty"
-e LANG=en_US.UTF-8;LANGUAGE=en;ERL_INETRC=/etc/erl_inetrc
-e ERL_CRASH_DUMP=/root/erl_crash.dump;ERL_CRASH_DUMP_SECONDS=5
-m /dev/mmcblk0p1:/boot:vfat:ro,nodev,noexec,nosuid:
-m /dev/mmcblk0p3:/root:f2fs:nodev:
-m pstore:/sys/fs/pstore:pstore:nodev,noexec,nosuid:
-m tmpfs:/sys/fs/cgroup:tmpfs:nodev,noexec,nosuid:mode=755,size=1024k
-m cpu:/sys/fs/cgroup/cpu:cgroup:nodev,noexec,nosuid:cpu
-r /srv/erlang
-d /usr/bin/boardid
-n nerves-%-.4s
--boot shoehorn
""",
    "an id command of 17 words": """
-r /srv/erlang
--boot shoehorn
-d "/usr/bin/boardid -b uboot_env -u nerves_serial_number -b uboot_env -u serial_number -b bbb -n 4 -b macaddr -n 4"
-n nerves-%s
-e LANG=en_US.UTF-8;LANGUAGE=en
""",
}
MACHINE_WORDS = ("/dev/mmcblk0p", "pstore", "cgroup", "tty1", "f2fs", "vfat")


@pytest.mark.parametrize("config", OFFICIAL.values(), ids=OFFICIAL)
def test_official_configs(config):
    machine = Machine(config=config, script="report_all \"$@\"\n"
                      "report ran \"$(cat /run/boardid)\"\nreport nbtty \"$(cat /run/nbtty)\"; exit 0",
                      files={"/usr/bin/boardid": BOARDID, "/usr/bin/nbtty": NBTTY, **MIX_LIBRARY})
    with machine.boot() as vm:
        args = vm.reported("args")
        assert args[args.index(b"-boot") + 1] == b"/srv/erlang/releases/0.1.0/shoehorn"
        assert vm.reported("env")["LANG"] == "en_US.UTF-8"
        command = config.split("-d ")[1].splitlines()[0].strip('"')
        assert vm.reported("ran").decode() == " ".join(command.split()[1:])
        if "nbtty" in config:
            assert vm.reported("hostname") == b"nerves-1234"
            assert vm.reported("nbtty") == b"nbtty"
            assert vm.reported("env")["ERL_CRASH_DUMP_SECONDS"] == "5"
        else:
            assert vm.reported("hostname") == b"nerves-abcd1234"
        assert vm.wait_end() == "reboot"
        # This machine has another disk and another kernel; nothing else may be said.
        assert [line for line in complaints(vm)
                if not any(word in line for word in MACHINE_WORDS)] == []
