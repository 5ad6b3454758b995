# SPDX-License-Identifier: MIT
"""Power cuts, at every place where one can be: between any two writes to the disk.

QEMU logs what a whole life writes, in order (its blklogwrites driver; the format is that of Linux's
dm-log-writes, Documentation/admin-guide/device-mapper/log-writes.rst). The disk as it would be after
a power cut is the disk from before plus a beginning of that log; a disk with a cache may also have
lost any of the writes since its last flush. So one life gives thousands of cuts, each of which can be
made again from its number.
"""
import random
import shutil
import struct
from dataclasses import dataclass

SECTOR = 512
HEAD = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


@dataclass
class Write:
    """One entry of the log; `data` is where its bytes are in the file of the log."""
    sector: int
    sectors: int
    flags: int
    data: int


class Log:
    def __init__(self, path):
        self.path, self.writes = path, []
        with open(path, "rb") as file:
            magic, version, _, size = HEAD.unpack(file.read(HEAD.size))
            assert (magic, version, size) == (MAGIC, 1, SECTOR)
            file.seek(SECTOR)
            while len(head := file.read(ENTRY.size)) == ENTRY.size:
                sector, sectors, flags, _ = ENTRY.unpack(head)
                data = file.tell() - ENTRY.size + SECTOR
                self.writes.append(Write(sector, sectors, flags, data))
                file.seek(data + (0 if flags & (DISCARD | MARK) else sectors * SECTOR))

    def __len__(self):
        return len(self.writes)

    def lost(self, end, seed):
        """Numbers of writes before END that a cut there may lose, and by SEED does."""
        chance, pending = random.Random(seed), []
        for number in range(end):
            write = self.writes[number]
            if write.flags & FLUSH:
                pending.clear()
            if write.sectors and not write.flags & FUA:
                pending.append(number)
        return {number for number in pending if chance.random() < 0.5}

    def image(self, before, after, end, lost=frozenset()):
        """AFTER becomes the disk BEFORE with the writes up to END, without those LOST."""
        shutil.copyfile(before, after)
        with open(self.path, "rb") as log, open(after, "r+b") as disk:
            for number in range(end):
                write = self.writes[number]
                if number in lost or not write.sectors or write.flags & MARK:
                    continue
                disk.seek(write.sector * SECTOR)
                if write.flags & DISCARD:
                    disk.write(bytes(write.sectors * SECTOR))
                    continue
                log.seek(write.data)
                disk.write(log.read(write.sectors * SECTOR))
