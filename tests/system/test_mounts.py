# SPDX-License-Identifier: MIT
"""--mount: every type and flag, and every way in which a mount can fail."""
from facts import LOG, clean, mounts, warnings
from machine import Machine, Part

VFAT = ["vfat", "nls_cp437", "nls_ascii"]
# What mountinfo shows of a flag; None: the flag leaves no trace, but the mount must succeed.
FLAGS = {
    "dirsync": {"dirsync"}, "mand": None, "noatime": {"noatime"}, "nodev": {"nodev"},
    "nodiratime": {"nodiratime"}, "noexec": {"noexec"}, "nosuid": {"nosuid"}, "ro": {"ro"},
    "rw": {"rw"}, "relatime": {"relatime"}, "silent": None, "sync": {"sync"},
    "lazytime": {"lazytime"}, "nosymfollow": {"nosymfollow"}, "iversion": None,
    "defaults": {"rw"}, "private": None, "shared": None, "slave": None,
    "nodev,nosuid,noexec,rw": {"nodev", "nosuid", "noexec", "rw"},  # rw takes nothing else back
    "ro,nosuid,suid": {"ro"},
}
ABSENT = {"ro,nosuid,suid": "nosuid", "atime,strictatime": "relatime", "ro,rw": "ro",
          "noexec,exec": "noexec", "nodev,dev": "nodev", "sync,async": "sync"}

TYPES = r"""
-m /dev/nvme0n1p2:/a/b/c:ext4:nodev,noexec,nosuid,noatime:data=ordered
-m /dev/nvme0n1p3:/boot/efi/x:vfat:ro,dirsync:umask=077
-m /dev/nvme0n1p4:/mnt/sq:squashfs:ro:
-m tmpfs:/t/one:tmpfs:rw,nosuid:size=64k,mode=700
-m /a/b/c:/bound/dir:none:bind,ro:
-m /a:/bound/all::rbind:
-m /a/b/c/note:/bound/note:none:bind:
-m a\:b:/colon:tmpfs::
-m "tmpfs:/mnt/a b:tmpfs::"
-m tmpfs:/t/one:tmpfs:remount,noexec:size=64k
-m tmpfs:/was/here:tmpfs::size=128k
-m /was/here:/moved/here:none:move:
"""


def test_types_and_places():
    machine = Machine(
        config=TYPES, modules=VFAT + ["squashfs"],
        parts=[Part("ext4", {"/note": "text\n"}), Part("vfat", {"/x.txt": "x"}),
               Part("squashfs", {"/y.txt": "y"})],
        script=f"report_mounts; report note \"$(cat /bound/note)\"\n{LOG}\n"
               "report mode \"$(stat -c %a /a/b /boot/efi /t/one)\"\n"
               "report x \"$(cat /boot/efi/x/x.txt /mnt/sq/y.txt)\"\n"
               "echo written >/a/b/c/new; exit 0")
    with machine.boot() as vm:
        found = mounts(vm)
        assert vm.reported("note") == b"text"
        assert vm.reported("x") == b"xy"
        assert vm.reported("mode").split() == [b"755", b"755", b"700"]
        assert warnings(vm) == []
        assert vm.wait_end() == "reboot"
    assert found["/a/b/c"].options >= {"nodev", "noexec", "nosuid", "noatime"}
    assert found["/boot/efi/x"].type == "vfat"
    assert found["/boot/efi/x"].all_options >= {"ro", "dirsync", "fmask=0077"}
    assert found["/mnt/sq"].type == "squashfs"
    assert found["/t/one"].all_options >= {"noexec", "size=64k", "mode=700"}
    assert "ro" in found["/bound/dir"].options and "rw" in found["/a/b/c"].options
    assert found["/bound/all/b/c"].type == "ext4"
    assert found["/bound/note"].type == "ext4"
    assert found["/colon"].source == "a:b"
    assert found["/mnt/a b"].type == "tmpfs"
    assert found["/moved/here"].super_options >= {"size=128k"}
    assert "/was/here" not in found
    assert clean(machine, 1, 2, 3)
    assert machine.disk(0).partition(2).read("/new") == b"written\n"


def test_every_flag():
    words = list(FLAGS) + [flag for flag in ABSENT if flag not in FLAGS]
    config = "".join(f"-m tmpfs:/f/{number}:tmpfs:{flag}:\n" for number, flag in enumerate(words))
    with Machine(config=config, script=f"report_mounts\n{LOG}\nexit 0").boot() as vm:
        found = mounts(vm)
        assert warnings(vm) == []
    for number, flag in enumerate(words):
        mount = found[f"/f/{number}"]
        assert mount.all_options >= (FLAGS.get(flag) or set()), flag
        assert ABSENT.get(flag) not in mount.all_options, flag


def test_what_fails_is_one_warning_and_the_rest_goes_on():
    config = """-m tmpfs:/first:tmpfs::
-m /dev/nvme0n1p2:/blank:ext4:nodev:
-m /dev/nowhere:/missing/dir:ext4::
-m four:/four:tmpfs:ro
-m tmpfs:/unknown:tmpfs:nodev,whatever,noexec:
-m tmpfs:/type:nosuchfs::
-m tmpfs:/etc/passwd/sub:tmpfs::
-m tmpfs::tmpfs::
-m tmpfs:/last:tmpfs::
"""
    machine = Machine(config=config, parts=[Part(None)],
                      script=f"report_mounts\n{LOG}\nreport_args args \"$@\"; exit 0")
    with machine.boot() as vm:
        found, seen = mounts(vm), warnings(vm)
        assert vm.wait_end() == "reboot"
    expected = [("2", "/dev/nvme0n1p2 on /blank", "Invalid argument"),
                ("3", "/dev/nowhere on /missing/dir", "No such file"),
                ("4", "four:/four:tmpfs:ro", "fewer than five"),
                ("5", "whatever", "unknown"),
                ("6", "nosuchfs", "No such device"),
                ("7", "/etc/passwd/sub", "Not a directory"),
                ("8", "tmpfs::tmpfs::", "no path")]
    assert len(seen) == len(expected), seen
    for line, (number, what, why) in zip(seen, expected):
        assert line.startswith(f"/etc/erlinit.config:{number}:"), line
        assert what in line and why in line
    assert {"/first", "/unknown", "/last"} <= set(found)
    assert found["/unknown"].options >= {"nodev", "noexec"}
    assert not {"/blank", "/four", "/type"} & set(found)
    assert clean(machine, 1)


def test_forty_mounts_in_order_all_unmounted():
    config = "-m /dev/nvme0n1p2:/data:ext4::\n" + "".join(
        f'-m "/data/{number:02}:/m/with space/{number:02}:none:bind:"\n' for number in range(40))
    machine = Machine(
        config=config, parts=[Part("ext4", {f"/{number:02}": ("dir", 0o755)
                                            for number in range(40)})],
        script="report_mounts; echo x >'/m/with space/39/x'; exit 0")
    with machine.boot() as vm:
        found = mounts(vm)
        assert vm.wait_end() == "reboot"
    orders = [found[f"/m/with space/{number:02}"].order for number in range(40)]
    assert orders == sorted(orders)
    assert clean(machine, 1, 2)
    assert machine.disk(0).partition(2).read("/39/x") == b"x\n"


def test_mounts_of_official_systems():
    config = """-m pstore:/sys/fs/pstore:pstore:nodev,noexec,nosuid:
-m tmpfs:/sys/fs/cgroup:tmpfs:nodev,noexec,nosuid:mode=755,size=1024k
-m cpu:/sys/fs/cgroup/cpu:cgroup:nodev,noexec,nosuid:cpu
-m configfs:/sys/kernel/config:configfs:nodev,noexec,nosuid:
-m /dev/nvme0n1p2:/root:ext4:nodev:
"""
    machine = Machine(config=config, modules=["configfs"], parts=[Part("ext4")],
                      script=f"report_mounts\n{LOG}\nuntil ls /root/seedrng/seed.credit; do :; done | report seeds; exit 0")
    with machine.boot() as vm:
        found = mounts(vm)
        assert warnings(vm) == []
        assert b"seed." in vm.reported("seeds")
        assert vm.wait_end() == "reboot"
    assert found["/sys/fs/pstore"].type == "pstore"
    assert found["/sys/fs/cgroup"].super_options >= {"size=1024k", "mode=755"}
    assert found["/sys/fs/cgroup/cpu"].super_options >= {"cpu"}
    assert found["/sys/fs/cgroup/cpu"].options >= {"nodev", "noexec", "nosuid"}
    assert clean(machine, 1, 2)
