# SPDX-License-Identifier: MIT
"""The process that the VM is: signals, descriptors, terminal, arguments, and what may start it."""
import pytest

import rootfs
from complaints import NAMED, complaints
from machine import Machine

BASE = "/srv/erlang"
VERSION = f"{BASE}/releases/0.1.0"
ARGUMENTS = [b"-config", f"{VERSION}/sys.config".encode(), b"-boot", f"{VERSION}/start".encode(),
             b"-args_file", f"{VERSION}/vm.args".encode(), b"-boot_var", b"ERTS_LIB_DIR",
             b"/usr/lib/erlang/lib", b"-boot_var", b"RELEASE_LIB", f"{BASE}/lib".encode()]
ERLEXEC = f"{BASE}/erts-1.0/bin/erlexec".encode()
REPORT_ARGS = "#!/bin/sh\n. /lib/guest.sh\nreport_args wrapped \"$0\" \"$@\"\n"
# A program that changes no signal itself, as a shell would.
SIGNALS = """--alternate-exec "/usr/bin/awk -v to=/dev/ttyS1
 '/^Sig(Blk|Ign|Cgt)/ {print >to} NR > FNR {exit}'
 /proc/self/status"
""".replace("\n ", " ")


def test_environment_arguments_and_process():
    machine = Machine(files=NAMED, cmdline="inherited=yes",
                      script="report_all \"$@\"; report_file stat /proc/$$/stat; exit 0")
    with machine.boot() as vm:
        assert vm.reported("args") == [ERLEXEC, *ARGUMENTS]
        assert vm.reported("env") == {
            "HOME": "/root", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm-256color",
            "ROOTDIR": BASE, "BINDIR": f"{BASE}/erts-1.0/bin", "EMU": "beam",
            "PROGNAME": "erlexec", "RELEASE_SYS_CONFIG": f"{VERSION}/sys", "RELEASE_ROOT": BASE,
            "RELEASE_TMP": "/tmp", "inherited": "yes"}
        fds = vm.reported("fds").decode()
        links = [line.split()[-3:] for line in fds.splitlines() if "->" in line]
        assert links[:2] == [["0", "->", "/dev/ttyS0"], ["1", "->", "/dev/ttyS0"]]
        # The shell holds its script as descriptor 10.
        assert sorted(words[0] for words in links) == ["0", "1", "10", "2"]
        assert vm.reported("umask") == b"0022"
        before, after = vm.reported("stat").decode().split(" (erlexec) ")
        pid, (_, parent, group, session, _, foreground) = before, after.split()[:6]
        assert (parent, session) == ("1", "1")
        assert pid == group == foreground
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_no_signal_is_blocked_or_ignored():
    with Machine(config=SIGNALS).boot() as vm:
        for name in (b"Blk", b"Ign", b"Cgt"):
            found = vm.wait_report(rb"^Sig" + name + rb":\s*([0-9a-f]+)$")
            # 32 and 33 are the C library's own; it allows nobody to change them.
            assert int(found[1], 16) & ~(0b11 << 31) == 0, name
        assert vm.wait_end() == "reboot"


def test_the_program_is_called_erlexec():
    """Busybox goes by its name, and has no applet of this one."""
    with Machine(script=rootfs.busybox().read_bytes()).boot() as vm:
        vm.wait_for(rb"^erlexec: applet not found")
        assert vm.wait_end() == "reboot"


def test_environment_settings_win_and_keep_odd_values():
    machine = Machine(config="-e HOME=/tmp;TERM=vt100;;EMPTY=;WITH=a=b;\n-e ROOTDIR=/other\n"
                             "--env \"PATH=/opt/my bin\"\n-e RELEASE_TMP=/run;\u00fc=\u00fc\n",
                      script="PATH=$PATH:/bin:/usr/bin; report_env; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
        assert (env["HOME"], env["TERM"], env["EMPTY"], env["WITH"]) == ("/tmp", "vt100", "", "a=b")
        assert (env["ROOTDIR"], env["RELEASE_TMP"]) == ("/other", "/run")
        assert env["PATH"] == "/opt/my bin"
        assert env["\u00fc"] == "\u00fc"


MANY = [f"word{number}" for number in range(70)]
WRAPPERS = {
    "absolute, quotes, 70 words": (
        f"\"/usr/bin/wrapper 'two  words' '' {' '.join(MANY)}\"", "/usr/bin/wrapper",
        [b"/usr/bin/wrapper", b"two  words", b"", *[word.encode() for word in MANY],
         ERLEXEC, *ARGUMENTS]),
    "beside erlexec, joined for run_erl": (
        "\"run_erl -daemon /tmp/ /root exec nice\"", f"{BASE}/erts-1.0/bin/run_erl",
        [f"{BASE}/erts-1.0/bin/run_erl".encode(), b"-daemon", b"/tmp/", b"/root",
         b"exec nice " + b" ".join([ERLEXEC, *ARGUMENTS])]),
}


@pytest.mark.parametrize("case", WRAPPERS.values(), ids=WRAPPERS)
def test_alternate_exec(case):
    command, path, expected = case
    machine = Machine(config=f"--alternate-exec {command}\n",
                      files={path: REPORT_ARGS, **NAMED})
    with machine.boot() as vm:
        assert vm.reported("wrapped").split(b"\0")[:-1] == expected
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []


def test_a_missing_wrapper_costs_no_vm():
    machine = Machine(config="-s \"/usr/bin/nbtty --wait\"\n", files=NAMED,
                      script="report_args args \"$@\"; exit 0")
    with machine.boot() as vm:
        assert vm.reported("args") == ARGUMENTS
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == ["/etc/erlinit.config:1:4: --alternate-exec: no such program; "
                                  "starting erlexec without it"]
