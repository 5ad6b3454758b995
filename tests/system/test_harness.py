# SPDX-License-Identifier: MIT
"""The harness itself: it sees every end, every word, and every unclean file system."""
import pytest

from machine import Machine, Part

# An init of three lines: what it is given, without ours in between.
INIT = """#!/bin/sh
mount -t devtmpfs devtmpfs /dev; mount -t proc proc /proc
. /lib/guest.sh
report_args args "$@"; report env </proc/1/environ; ls -l /proc/1/fd | report fds
report_mounts
reboot -f
"""


@pytest.fixture(name="plain_init")
def _plain_init(tmp_path):
    path = tmp_path / "init"
    path.write_text(INIT)
    return path


@pytest.mark.parametrize("command, end", [
    ("reboot -f", "reboot"), ("poweroff -f", "poweroff"), ("halt -f", "halt"),
    ("echo c >/proc/sysrq-trigger", "panic")])
def test_each_end_is_told_apart(command, end):
    with Machine(script=command).boot() as vm:
        assert vm.wait_end() == end


def test_first_stage_gives_init_what_the_kernel_gives(plain_init):
    seen = []
    for extra in ({}, {"bus": "virtio"}):
        with Machine(init=plain_init, cmdline='-v NAME=value lonely -- --flag "two words"',
                     **extra).boot() as vm:
            seen.append((vm.reported("args"), vm.reported("env")))
    assert seen[0] == seen[1]
    assert seen[0][0] == [b"-v", b"lonely", b"--flag", b"two words"]
    assert seen[0][1]["NAME"] == "value"


def test_init_can_start_without_descriptors(plain_init):
    with Machine(init=plain_init, closed_fds=True).boot() as vm:
        fds = vm.reported("fds")
    assert b"console" not in fds


def test_a_power_cut_shows_in_the_file_system():
    machine = Machine(
        config="-m /dev/nvme0n1p2:/data:ext4::\n", parts=[Part("ext4")],
        script="echo x >/data/x; sync; mark written; idle")
    with machine.boot() as vm:
        vm.wait_report(rb"^written$")
    data = machine.disk(0).partition(2)
    assert not data.fsck().clean
    with machine.boot(script="report again \"$(cat /data/x)\"; exit 0") as vm:
        assert vm.reported("again") == b"x"
        assert vm.wait_end() == "reboot"
    assert data.fsck().clean
    assert data.read("/x") == b"x\n"


def test_typing_reaches_the_vm():
    with Machine(script="mark up; read -r line; report line \"$line\"; idle").boot() as vm:
        vm.wait_report(rb"^up$")
        vm.send(b"some words\r")
        assert vm.reported("line") == b"some words"
        vm.wait_report(rb"^idle$")
        vm.press_ctrl_alt_del()
        assert vm.wait_end() == "reboot"


def test_disks_without_a_table_and_other_tables():
    machine = Machine(table="dos", disks=[Part("vfat", {"/a.txt": "a"}), [Part(None), Part("ext4")]],
                      modules=["vfat", "nls_cp437", "nls_ascii"],
                      config="-m /dev/nvme1n1:/boot:vfat:ro:\n-m /dev/nvme2n1p2:/data:ext4::\n",
                      script="report a \"$(cat /boot/a.txt)\"; cp /boot/a.txt /data/; exit 0")
    with machine.boot() as vm:
        assert vm.reported("a") == b"a"
        assert vm.wait_end() == "reboot"
    assert machine.disk(1).partition(0).fsck().clean
    assert machine.disk(2).partition(1).fs is None
    assert machine.disk(2).partition(2).read("/a.txt") == b"a"
