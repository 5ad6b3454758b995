# SPDX-License-Identifier: MIT
"""Every file system ends unmounted, read-only or frozen, or it is named, within the budget."""
import pytest

from ending import COUNTED, END, LATER, device, end_s, ends, report_of, said, trouble
from facts import clean
from image import make_ext4, tool
from machine import Part

BUDGET_S = 8
MANY = r"""cd /
put() { mkdir -p "$1"; }
for i in 0 1 2 3 4 5 6 7 8; do
    d="$(printf '/data/two words %d' $i)"; put "$d"; mount -t tmpfs "tmp fs" "$d"; echo x >"$d/x"
    d="$(printf '/data/new\nline %d' $i)"; put "$d"; mount --bind "/data/a place" "$d"
    d="$(printf '/data/back\\slash 040 %d' $i)"; put "$d"; mount --bind /data "$d"
    d="$(printf '/data/two words %d/below\ttab' $i)"; put "$d"; mount --bind "/data/a place" "$d"
done
mkdir -p /run/o/upper /run/o/work /data/upper /data/work "/data/over lay" "/data/over lay 2"
mount -t overlay -o "lowerdir=/data/a place,upperdir=/run/o/upper,workdir=/run/o/work" over \
    "/data/over lay"
mount -t overlay -o "lowerdir=/etc,upperdir=/data/upper,workdir=/data/work" over "/data/over lay 2"
echo x >"/data/over lay 2/x"
losetup /dev/loop0 /data/disk.img; mkdir -p "/data/on loop"
mount -t ext4 /dev/loop0 "/data/on loop"; echo x >"/data/on loop/x"
losetup /dev/loop1 "/data/on loop/inner.img"; mkdir "/data/on loop/in ner"
mount -t ext4 /dev/loop1 "/data/on loop/in ner"; echo x >"/data/on loop/in ner/x"
mkdir "/fat mount"; mount -t vfat /dev/nvme0n1p3 "/fat mount"; echo x >"/fat mount/x"
dd if=/dev/zero of=/data/swap bs=64k count=64 2>/dev/null
chmod 600 /data/swap; busybox mkswap /data/swap; swapon /data/swap
mount | wc -l | report count; wc -l </proc/swaps | report swaps
grep -c overlay /proc/mounts | report overlays
""" + END


def test_mounts_of_all_kinds(tmp_path):
    """40 with spaces and newlines in their names, bind, overlay, two loops, vfat, a swap file."""
    make_ext4(tmp_path / "inner.img", {}, 4)
    make_ext4(tmp_path / "disk.img", {"/inner.img": ("file", tmp_path / "inner.img")}, 24)
    data = Part("ext4", size_mib=64, tree={"/a place": ("dir", 0o755),
                                           "/disk.img": ("file", tmp_path / "disk.img")})
    machine = device(script=MANY, parts=[data, Part("vfat")],
                     modules=["vfat", "nls_cp437", "nls_ascii", "loop", "overlay"])
    with machine.boot() as vm:
        assert int(vm.reported("count")) >= 45
        assert (vm.reported("swaps").strip(), vm.reported("overlays").strip()) == (b"2", b"2")
        assert vm.wait_end() == "reboot"
        assert not trouble(vm)
        assert end_s(vm) < 2
    assert ends(machine) == {"/": LATER, "/data": LATER, "/fat mount": "unmounted",
                             "/data/on loop": "unmounted", "/data/on loop/in ner": "unmounted"}
    assert clean(machine, 1, 2, 3)
    assert machine.disk(0).partition(3).read("/x") == b"x\n"
    outer, inner = tmp_path / "outer-now", tmp_path / "inner-now"
    outer.write_bytes(machine.disk(0).partition(2).read("/disk.img"))
    tool("debugfs", "-R", f"dump /inner.img {inner}", outer)
    for image in (outer, inner):
        tool("e2fsck", "-fn", image)  # says so when it finds anything
        assert "needs_recovery" not in tool("dumpe2fs", "-h", image).decode()


def test_a_fuse_server_that_never_answers():
    """It looks like a storage daemon, so it stays; and somebody who asked it can't be killed."""
    machine = device(script="""mkdir -p /data/fuse; mkfifo /run/fifo
/t/as @hung /t/hang fuse /data/fuse >/run/fifo &
read ready </run/fifo
(exec 7>/data/held; exec ls /data/fuse) &
(exec sleep 1000 </dev/null >/data/fuse/file) &
""" + END, modules=["fuse"])
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        took = end_s(vm)
    print(f"{took:.3f} s", report_of(machine).split("## Shutdown")[1])
    assert took < BUDGET_S
    assert clean(machine, 1, 2)


def test_a_hung_fuse_server_that_can_be_killed():
    machine = device(script="""mkdir -p /data/fuse; mkfifo /run/fifo
/t/hang fuse /data/fuse >/run/fifo &
read ready </run/fifo
(exec 7>/data/held; exec ls /data/fuse) &
""" + END, modules=["fuse"])
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        assert end_s(vm) < 2
        assert not trouble(vm)
    assert clean(machine, 1, 2)


# Each with dirty pages and somebody who waits for it, stuck in the kernel.
HUNG_DEVICES = """for n in {parts}; do
mkdir /other$n
/t/hang map other$n /dev/nvme0n1p$n $(busybox blockdev --getsz /dev/nvme0n1p$n)
mount -t ext4 /dev/dm-$((n - 3)) /other$n
dd if=/dev/zero of=/other$n/dirty bs=64k count=10 2>/dev/null
/t/hang suspend other$n
ls /other$n/lost+found &
done
""" + END


@pytest.mark.parametrize("parts, config, budget_s", [
    ([3], "", BUDGET_S), ([3], "--shutdown-timeout 2000", 2), ([3, 4, 5, 6, 7, 8, 9], "", BUDGET_S)],
    ids=["one", "one-short", "seven"])
def test_devices_that_never_answer(parts, config, budget_s):
    """Named, and given up; the other disks are in order, and the machine ends in time."""
    script = HUNG_DEVICES.format(parts=" ".join(map(str, parts)))
    machine = device(config, script, modules=["dm_mod"], parts=[Part("ext4")] * (1 + len(parts)),
                     qemu=COUNTED)
    with machine.boot() as vm:
        assert vm.wait_end(60) == "reboot"
        took = end_s(vm)
        assert len(said(vm, rb"^/other\d: unmounting it hangs")) == len(parts)
    print(f"{took:.3f} s", report_of(machine).split("## Shutdown")[1])
    assert took < budget_s + 0.5
    assert clean(machine, 1, 2)


def test_a_swap_file_on_the_root():
    """It would keep the root from becoming read-only."""
    machine = device(script="""dd if=/dev/zero of=/swap bs=64k count=16 2>/dev/null
chmod 600 /swap; busybox mkswap /swap; swapon /swap; wc -l </proc/swaps | report swaps
""" + END)
    with machine.boot() as vm:
        assert vm.reported("swaps").strip() == b"2"
        assert vm.wait_end() == "reboot"
        assert end_s(vm) < 2
    assert clean(machine, 1, 2)
