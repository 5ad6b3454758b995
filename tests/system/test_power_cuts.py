# SPDX-License-Identifier: MIT
"""The power goes between two writes to the disk: over boot, a run with writes going on, and shutdown.

ERLINIT_CUTS=200 cuts as often (make powercuts); a check does a few. The number of a cut says all
about it: ERLINIT_CUT=N does that one.
"""
import json
import os
import shutil

import pytest

from cuts import Log
from facts import clean
from image import Disk, Partition, tool
from machine import Machine, Part
from test_seed import LOOK, SEED_BYTES, USED, seeds_seen

CUTS = int(os.environ.get("ERLINIT_CUTS", "6"))
SEED_CUTS = max(8, CUTS // 2)
ONLY = os.environ.get("ERLINIT_CUT")
# An application that replaces its state in the usual way, and appends to a log, on both file systems.
SCRIPT = """mark up
[ "$LIFE" = busy ] || { report_file state /data/state; exit 0; }
i=0; while [ $i -lt 40 ]; do
    for d in /data /fat; do
        yes "state $i" | head -c 5000 >$d/state.new; sync $d/state.new; mv $d/state.new $d/state
        echo "line $i" >>$d/log
    done
    i=$((i + 1))
done
kill -TERM 1; idle"""

DEVICE = {
    "config": "-v\n-m /dev/vda2:/data:ext4::\n-m /dev/vda3:/fat:vfat::\n"
              "--shutdown-report /data/report.md\n--report-keep 1\n",
    # not nvme: QEMU's takes "force unit access" for done, and the log would not show what is durable
    "bus": "virtio", "script": SCRIPT, "first_stage": LOOK, "parts": [Part("ext4"), Part("vfat")],
    "modules": ["vfat", "nls_cp437", "nls_ascii"]}


@pytest.fixture(scope="module", name="life")
def a_life(tmp_path_factory):
    """A disk, what is written to it in one life, and how much of that had been when the old seed was
    known to be credited."""
    folder = tmp_path_factory.mktemp("life")
    device = Machine(**DEVICE)
    with device.boot() as vm:  # for a seed and a report of an earlier life
        assert vm.wait_end() == "reboot"
    before, device.write_log = folder / "before.img", folder / "writes.log"
    shutil.copyfile(device.images[0], before)
    with device.boot(cmdline="LIFE=busy") as vm:
        vm.wait_for(USED, timeout=60)
        credited = device.write_log.stat().st_size
        assert vm.wait_end(180) == "reboot"
        assert seeds_seen(vm)[b"seed.credit"]
    log = Log(device.write_log)
    assert len(log) > 200
    return before, log, sum(write.data <= credited for write in log.writes)


def recovered(disk, number, folder):
    """A partition after its journal was replayed, which is all the repair that it may need."""
    copy = disk.partition(number).extract(folder / f"part{number}")
    tool("e2fsck", "-p", copy, ok=(0, 1))
    part = Partition(copy, 0, copy.stat().st_size)
    assert part.fsck()
    return part


def content(part, path):
    """None: no such file."""
    folder, _, name = path.rpartition("/")
    return part.read(path) if name in part.list(folder or "/") else None


def is_report(text):
    return text.startswith(b"# Erlinit shutdown report\n") and b"\n## dmesg\n" in text \
        and b"\n## Shutdown\n" in text and text.count(b"\n```") == 2


def look(disk, folder):
    """Everything that init, or a careful application, wrote is whole: old or new, or not there."""
    root, data = recovered(disk, 1, folder), recovered(disk, 2, folder)
    for part, path, is_whole in (
            (root, "/root/seedrng/seed.credit", lambda text: len(text) == SEED_BYTES),
            (root, "/root/erlinit/last-end.json", lambda text: isinstance(json.loads(text), dict)),
            (data, "/report.md", is_report), (data, "/report.md.1", is_report),
            (data, "/state", lambda text: len(text) == 5000 and len(set(text.split(b"\n")[:-1])) == 1)):
        text = content(part, path)
        assert text is None or is_whole(text), f"{path}: {text[:300]!r}"
    tool("fsck.vfat", "-a", disk.partition(3).extract(folder / "fat"), ok=(0, 1))


@pytest.mark.parametrize("number", [int(ONLY)] if ONLY else range(CUTS))
def test_cut(life, number, tmp_path):
    before, log, _ = life
    end = (number * 7919 + 13) % (len(log) + 1)  # by steps of a prime: all over the life
    device = Machine(**DEVICE)
    device.boot_disk(lambda path: log.image(before, path, end, log.lost(end, number) if number % 2 else ()))
    look(device.disk(0), tmp_path)
    with device.boot() as vm:
        vm.wait_report(rb"^up$", timeout=60)
        assert vm.wait_end(60) == "reboot"
    # FAT has no journal: its mark of a cut stays until somebody checks it.
    assert clean(device, 1, 2)


def test_a_seed_is_gone_before_it_counts(life, tmp_path):
    """Once it had been credited no cut brings it back."""
    before, log, at_credit = life
    disk = tmp_path / "disk.img"

    def seed_after(end):
        log.image(before, disk, end, log.lost(end, end))
        return content(recovered(Disk(disk), 1, tmp_path), "/root/seedrng/seed.credit")

    old = seed_after(0)
    assert old
    step = max(1, (len(log) - at_credit) // SEED_CUTS)
    for end in [at_credit, *range(at_credit + 1, len(log) + 1, step)]:
        assert seed_after(end) != old, f"cut {end} of {len(log)}, credited by {at_credit}"
