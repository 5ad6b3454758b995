# SPDX-License-Identifier: MIT
"""Real releases on a real BEAM: what the VM says of its environment and process."""
import pytest

import rootfs
from complaints import complaints
from machine import Machine

CONFIG = """
-e "GREETING=good evening from the config;ERL_CRASH_DUMP=/root/crash.dump"
--limits nofile:12345:23456
--uid nerves
--pre-run-exec "chmod 666 /dev/ttyS0 /dev/ttyS1"
-n %s
"""
FILES = {"/etc/passwd": "root:x:0:0::/root:/bin/sh\nnerves:x:500:500::/tmp:/bin/sh\n"}
# One line of report, as the scripted VM writes it.
ERLANG = """R = fun(K, V) ->
  file:write_file("/dev/ttyS1", [K, 32, base64:encode(iolist_to_binary(V)), 10])
end,
R("env", lists:join(0, os:getenv())),
R("args", [[atom_to_list(K), [[0, W] || W <- V], 0, 10, 0] || {K, V} <- init:get_arguments()]),
R("cwd", element(2, file:get_cwd())),
[R(N, element(2, file:read_file("/proc/self/" ++ N))) || N <- ["status", "limits", "stat"]], ok.
"""
ELIXIR = """:init.get_arguments() |> then(&File.write("/dev/ttyS1",
["args ", Base.encode64(for {k, v} <- &1, into: "",
do: "#{k}\\0" <> Enum.join(v, "\\0") <> "\\0\\n\\0"), "\\n"]))
"""


def arguments(vm):
    """[name, value...] of each argument of the VM."""
    found, words = [], []
    for word in vm.reported("args"):
        if word == b"\n":
            found.append([word.decode() for word in words])
            words = []
        else:
            words.append(word)
    return found


def type_line(vm, text):
    vm.send(text.replace("\n", " ").strip().encode() + b"\r")


@pytest.mark.parametrize("otp", ["25", "27"])
def test_what_the_vm_sees(otp):
    machine = Machine(CONFIG, otp=otp, files=FILES)
    base, version = "/srv/erlang", "/srv/erlang/releases/1.0.0"
    with machine.boot() as vm:
        vm.wait_for(rb"hello: this is Erlang/OTP " + otp.encode(), timeout=60)
        vm.wait_for(rb"hello: over loopback: you said: are you there", timeout=60)
        vm.wait_for(rb"1> ", timeout=60)
        type_line(vm, ERLANG)
        env = vm.reported("env", timeout=60)
        assert env["GREETING"] == "good evening from the config"
        assert env["RELEASE_SYS_CONFIG"] == f"{version}/sys"
        assert (env["ROOTDIR"], env["RELEASE_ROOT"]) == (base, base)
        assert env["BINDIR"].startswith("/usr/lib/erlang/erts-")
        assert (env["HOME"], env["EMU"], env["PROGNAME"]) == ("/tmp", "beam", "erlexec")
        args = arguments(vm)
        for wanted in (["config", f"{version}/sys.config"], ["boot", f"{version}/hello"],
                       ["boot_var", "ERTS_LIB_DIR", "/usr/lib/erlang/lib"],
                       ["boot_var", "RELEASE_LIB", f"{base}/lib"], ["root", base],
                       ["home", "/tmp"]):
            assert wanted in args, wanted
        assert vm.reported("cwd") == base.encode()
        status = vm.reported("status")
        assert status["Uid"].split() == ["500"] * 4
        assert status["Umask"] == "0022"
        assert int(status["SigBlk"], 16) == 0
        limits = vm.reported("limits").decode().splitlines()
        files = [line.split()[3:5] for line in limits if "open files" in line]
        assert files == [["12345", "23456"]]
        # After "pid (name)": state, parent, group, session, terminal, foreground group.
        stat = vm.reported("stat").decode().rsplit(")", 1)[1].split()
        assert stat[1] == "1" and stat[2] == stat[5] and stat[3] == "1"
        type_line(vm, "init:stop().")
        assert vm.wait_end() == "reboot"
        assert complaints(vm) == []
    assert machine.disk(0).partition(1).fsck().clean


@pytest.mark.parametrize("otp, own_erts", [("25", False), ("27", True)])
def test_elixir_release(otp, own_erts):
    """mix release with a runtime.exs; its ERTS comes with it, or it is the device's."""
    release = rootfs.elixir_hello(otp, include_erts=own_erts)
    config = CONFIG.replace("--uid nerves", "--release-include-erts" if own_erts else "")
    machine = Machine(config, otp=otp, release=release, files=FILES)
    with machine.boot() as vm:
        vm.wait_for(rb"elixir_hello: good evening from the config, Elixir 1\.[0-9.]+, "
                    rb"release in /srv/erlang", timeout=90)
        vm.wait_for(rb"iex\(1\)> ", timeout=60)
        type_line(vm, ELIXIR)
        args = arguments(vm)
        version = "/srv/erlang/releases/0.1.0"
        assert ["boot", f"{version}/start"] in args
        bindir = [words[1] for words in args if words[0] == "bindir"]
        assert bindir[0].startswith("/srv/erlang/erts-" if own_erts else "/usr/lib/erlang/erts-")
        type_line(vm, "System.stop()")
        assert vm.wait_end() == "reboot"
        assert [line for line in complaints(vm) if "several .boot files" not in line] == []


def test_a_truncated_boot_file():
    """The VM says why it ends, the device reboots."""
    path = "/srv/erlang/releases/1.0.0/hello.boot"
    boot = rootfs.hello("27")[path]
    with open(boot[1], "rb") as file:
        start = file.read(200)
    with Machine(otp="27", files={path: start, **FILES}).boot() as vm:
        vm.wait_for(rb"erlinit: Erlang exit", timeout=60)
        assert rb"boot" in vm.kmsg.split(b"Launching erl...")[1].split(b"erlinit: ")[0]
        assert vm.wait_end() == "reboot"
