# SPDX-License-Identifier: MIT
"""The plain boot, and how quick the harness is."""
import time

import pytest

from machine import Machine, Part

PLAIN_BOOT_S = 3.0


def test_plain_boot_reaches_the_vm():
    machine = Machine(script="report_all \"$@\"; exit 0")
    with machine.boot() as vm:
        assert vm.reported("args")[0].endswith(b"erlexec")
        assert vm.reported("cwd") == b"/srv/erlang"
        assert vm.reported("env")["HOME"] == "/root"
        assert vm.wait_end() == "reboot"
    assert machine.disk(0).partition(1).fsck().clean


def test_plain_boot_is_quick():
    with Machine(script="mark up; idle").boot() as vm:
        vm.wait_report(rb"^up$")
        wall = time.monotonic() - vm.started
        # Booting in emulation only computes. Where others compute too, wall time would measure them.
        assert min(wall, vm.cpu_s()) < PLAIN_BOOT_S


def test_words_of_the_kernel_command_line_arrive():
    machine = Machine(cmdline="GREETING=hello --env A=b", script="report_env; exit 0")
    with machine.boot() as vm:
        env = vm.reported("env")
    assert env["GREETING"] == "hello"
    assert env["A"] == "b"


@pytest.mark.parametrize("root", ["squashfs", "initramfs", "loop", "overlay"])
def test_other_roots(root):
    with Machine(root=root, script="report_mounts; exit 0").boot() as vm:
        mounts = vm.reported("mounts")
        assert [words for words in mounts if words[4] == "/"]
        assert vm.wait_end() == "reboot"


def test_data_partition_on_virtio():
    machine = Machine(
        config="-m /dev/vda2:/data:ext4:nodev,noexec,nosuid:\n"
               "-m /dev/vda3:/boot:vfat:ro:\n",
        bus="virtio", modules=["vfat", "nls_cp437", "nls_ascii"],
        parts=[Part("ext4", label="data"), Part("vfat", {"/cmdline.txt": "quiet\n"})],
        script="report boot \"$(cat /boot/cmdline.txt)\"; echo kept >/data/note; exit 0")
    with machine.boot() as vm:
        assert vm.reported("boot") == b"quiet"
        assert vm.wait_end() == "reboot"
    data = machine.disk(0).partition(2)
    assert data.fsck().clean
    assert data.read("/note") == b"kept\n"


@pytest.mark.parametrize("otp", ["25", "27"])
def test_real_otp(otp):
    machine = Machine(otp=otp)
    with machine.boot() as vm:
        vm.wait_for(rb"hello: over loopback: you said: are you there", timeout=60)
        vm.wait_for(rb"1> ", timeout=60)
        vm.send(b"6 * 7.\r")
        vm.wait_for(rb"^42$", timeout=30)
        vm.send(b"init:stop().\r")
        assert vm.wait_end() == "reboot"
    assert machine.disk(0).partition(1).fsck().clean
