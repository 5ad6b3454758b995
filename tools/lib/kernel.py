# SPDX-License-Identifier: MIT
"""Debian's kernels: fetched, unpacked for a quick start, and their modules.

QEMU starts an uncompressed kernel through PVH, which saves the firmware and, in emulation, most of a
second for the decompression.
"""
import os
import re
import struct
import subprocess
from functools import lru_cache
from pathlib import Path

import debs

BUILD = Path(__file__).resolve().parent.parent.parent / "build"
# cloud: small, NVMe and ext4 built in.  full: also f2fs and the watchdog i6300esb, as modules.
FLAVOURS = {"cloud": "linux-image-cloud-amd64", "full": "linux-image-amd64"}
SETUP_SECTS, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1f1, 0x248, 0x24c  # kernel doc: x86 boot protocol


class Kernel:
    """A kernel of Debian: Kernel("cloud").image is what QEMU boots."""

    def __init__(self, flavour="cloud", suite="bookworm"):
        self.root = BUILD / "kernel" / f"{suite}-{flavour}"
        debs.unpack(self.root, suite, [FLAVOURS[flavour]], closure=True, only="linux-image-*")
        self.packed = next((self.root / "boot").glob("vmlinuz-*"))
        self.release = self.packed.name.removeprefix("vmlinuz-")
        self.modules = next(self.root.glob(f"usr/lib/modules/{self.release}"))
        self.config = (self.root / "boot" / f"config-{self.release}").read_text()

    @property
    def image(self):
        image = self.root / "vmlinux"
        if not image.exists():
            with debs.locked(self.root / ".vmlinux.lock"):
                if not image.exists():
                    scratch = image.with_suffix(".new")
                    scratch.write_bytes(unpacked(self.packed.read_bytes()))
                    os.replace(scratch, image)
        return image

    @property
    def size_hint(self):
        return self.image.stat().st_size

    @lru_cache
    def _files(self):
        return {path.name.split(".ko")[0].replace("-", "_"): path
                for path in sorted(self.modules.rglob("*.ko*"))}

    @lru_cache
    def _builtin(self):
        text = (self.modules / "modules.builtin").read_text()
        return {Path(line).name.split(".ko")[0].replace("-", "_") for line in text.split()}

    def load_order(self, names):
        """[(name, path of .ko)]: NAMES and what they need, in the order in which to load them."""
        order, seen = [], set()

        def visit(name):
            name = name.replace("-", "_")
            if name in seen or name in self._builtin():
                return
            seen.add(name)
            if name not in self._files():
                raise KeyError(f"kernel {self.release} has no module {name}")
            path = self._files()[name]
            for needed in re.findall(rb"\0depends=([^\0]*)\0", b"\0" + module_bytes(path)):
                for other in needed.decode().split(","):
                    if other:
                        visit(other)
            order.append((name, path))
        for name in names:
            visit(name)
        return order


def module_bytes(path):
    """The module itself; newer Debian kernels compress theirs."""
    if path.suffix == ".xz":
        return subprocess.check_output(["xz", "-dc", path])
    return path.read_bytes()


def unpacked(image):
    """The ELF image inside a bzImage."""
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    start = (image[SETUP_SECTS] + 1) * 512 + offset
    payload = image[start:start + length]
    for magic, command, tail in ((b"\x02\x21\x4c\x18", ["lz4", "-dc"], 4),
                                 (b"\x28\xb5\x2f\xfd", ["zstd", "-dc"], 4),
                                 (b"\xfd7zXZ", ["xz", "-dc", "--single-stream"], 4)):
        if payload.startswith(magic):
            # The last 4 bytes are the unpacked size, which the kernel's own unpacker wants.
            return subprocess.run(command, input=payload[:-tail], stdout=subprocess.PIPE,
                                  check=True).stdout
    raise ValueError("kernel packed in an unknown way")
