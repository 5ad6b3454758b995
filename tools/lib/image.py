# SPDX-License-Identifier: MIT
"""Put disks together without mounting anything: trees of files, file systems, partition tables.

A tree is a dict from absolute path to content:
    bytes or str          a regular file (0755 when it starts with #! or ELF, else 0644)
    ("symlink", target)   a symbolic link
    ("file", path)        a copy of a file of the host, with its mode
    ("dir", mode)         a directory; parents appear by themselves
    ("mode", mode, data)  a regular file with exactly this mode
    None                  take this path (and all below it) out of the tree again
Everything is reproducible: times and UUIDs are fixed.
"""
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

EPOCH = 1700000000  # time of every file in an image
MIB = 1 << 20
SECTOR = 512
FIRST_MIB = 1       # the first partition begins here; the table lies before
TAIL_MIB = 1        # a GPT keeps its copy at the end of the disk
GROWTH = 1.25       # ext4 needs room for its own tables and journal
ENV = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), "LC_ALL": "C", "TZ": "UTC",
       "E2FSPROGS_FAKE_TIME": str(EPOCH), "MTOOLS_SKIP_CHECK": "1",
       "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


class ImageError(Exception):
    """A tool that builds images failed; its words are in the text."""


def tool(*words, stdin=None, ok=(0,)):
    """Run a host tool; its output as bytes."""
    words = [str(word) for word in words]
    result = subprocess.run(words, input=stdin, env=ENV, check=False,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode not in ok:
        raise ImageError(f"{' '.join(words)}: {result.stdout.decode(errors='replace').strip()}")
    return result.stdout


# --- trees ---------------------------------------------------------------------------------------

def merged(*trees):
    """One tree of several; later ones win, None removes."""
    out = {}
    for tree in trees:
        for path, content in tree.items():
            if content is None:
                for name in [n for n in out if n == path or n.startswith(path + "/")]:
                    del out[name]
            else:
                out[path] = content
    return out


def from_directory(source, at="/", keep=lambda path: True):
    """The tree of a host directory; KEEP decides by the path inside SOURCE."""
    source, tree = Path(source), {}
    for folder, names, files in os.walk(source):
        names.sort()
        relative = Path("/") / Path(folder).relative_to(source)
        names[:] = [n for n in names if keep(str(relative / n))]
        links = [n for n in names if os.path.islink(os.path.join(folder, n))]
        for name in sorted(files) + links:
            inside = str(relative / name)
            if not keep(inside):
                continue
            path = os.path.join(folder, name)
            target = os.path.normpath(at + inside)
            tree[target] = ("symlink", os.readlink(path)) if os.path.islink(path) \
                else ("file", path)
    return tree


def _content(entry):
    """(mode, bytes) of an entry, links included."""
    if isinstance(entry, str):
        entry = entry.encode()
    if isinstance(entry, bytes):
        program = entry.startswith((b"#!", b"\x7fELF"))
        return stat.S_IFREG | (0o755 if program else 0o644), entry
    kind = entry[0]
    if kind == "symlink":
        return stat.S_IFLNK | 0o777, entry[1].encode()
    if kind == "dir":
        return stat.S_IFDIR | entry[1], b""
    if kind == "mode":
        data = entry[2]
        return stat.S_IFREG | entry[1], data.encode() if isinstance(data, str) else data
    if kind == "file":
        info = os.stat(entry[1])
        return stat.S_IFREG | stat.S_IMODE(info.st_mode), Path(entry[1]).read_bytes()
    raise ImageError(f"no such kind of tree entry: {kind}")


def entries(tree):
    """[(path, mode, bytes)] with all parents, in the order in which they can be created."""
    made = {}
    for path, entry in tree.items():
        made[path] = _content(entry)
        for parent in Path(path).parents:
            if str(parent) != "/":
                made.setdefault(str(parent), (stat.S_IFDIR | 0o755, b""))
    made.pop("/", None)
    return [(path, *made[path]) for path in sorted(made)]


def digest(tree, *more):
    """A name for the content: equal trees, equal names."""
    total = hashlib.sha256(repr(more).encode())
    for path in sorted(tree):
        entry = tree[path]
        if isinstance(entry, tuple) and entry[0] == "file":
            info = os.stat(entry[1])  # reading 40 MB of OTP for each test would take too long
            entry = (entry[1], info.st_size, info.st_mtime_ns, info.st_mode)
        total.update(repr((path, entry)).encode())
    return total.hexdigest()[:20]


def lay_out(tree, into):
    """Write TREE as files of the host, for the tools that want a directory."""
    into = Path(into)
    paths = []
    for path, mode, data in entries(tree):
        place = into / path.lstrip("/")
        paths.append(place)
        if stat.S_ISDIR(mode):
            place.mkdir(parents=True, exist_ok=True)
        elif stat.S_ISLNK(mode):
            place.symlink_to(data.decode())
            continue
        else:
            place.write_bytes(data)
        place.chmod(stat.S_IMODE(mode))
    for place in reversed(paths):
        os.utime(place, (EPOCH, EPOCH), follow_symlinks=False)
    into.chmod(0o755)
    os.utime(into, (EPOCH, EPOCH))


def cpio(tree):
    """TREE as an initramfs (newc), with /dev/console, which the kernel opens for init."""
    out = bytearray()

    def add(number, name, mode, data, device=(0, 0)):
        fields = (number, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, EPOCH, len(data), 0, 0,
                  *device, len(name) + 1, 0)
        out.extend(b"070701" + b"".join(b"%08X" % value for value in fields))
        for part in (name.encode() + b"\0", data):
            out.extend(part)
            out.extend(b"\0" * (-len(out) % 4))
    tree = merged({"/dev": ("dir", 0o755)}, tree)
    number = 0
    for number, (path, mode, data) in enumerate(entries(tree), 1):
        add(number, path.lstrip("/"), mode, data)
    add(number + 1, "dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))
    add(0, "TRAILER!!!", 0, b"")
    return bytes(out)


# --- file systems --------------------------------------------------------------------------------

def _size_of(tree):
    return sum(len(data) + 4096 for _, _, data in entries(tree))


def make_ext4(path, tree, size_mib=None, label="", options=()):
    """An ext4 file system holding TREE."""
    size = size_mib or max(16, int(_size_of(tree) * GROWTH / MIB) + 12)
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(tree, scratch)
        Path(path).unlink(missing_ok=True)
        tool("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-L", label,
             "-U", "11111111-2222-3333-4444-555555555555",
             "-E", "hash_seed=66666666-7777-8888-9999-aaaaaaaaaaaa,lazy_itable_init=1,"
             "root_owner=0:0", *options, "-d", scratch, path, f"{size}M")


def make_squashfs(path, tree, size_mib=None, label="", options=()):
    """A squashfs holding TREE; it has no label and is as large as it is."""
    del size_mib, label
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(tree, scratch)
        Path(path).unlink(missing_ok=True)
        tool("mksquashfs", scratch, path, "-quiet", "-no-progress", "-all-root", "-comp", "zstd",
             "-Xcompression-level", "1", "-noappend", *options)


def make_vfat(path, tree, size_mib=None, label="", options=()):
    """A FAT file system holding TREE (files and directories only)."""
    size = size_mib or 16
    Path(path).unlink(missing_ok=True)
    with open(path, "wb") as handle:
        handle.truncate(size * MIB)
    tool("mkfs.vfat", "-i", "12345678", *(("-n", label) if label else ()), *options, path)
    with tempfile.TemporaryDirectory() as scratch:
        lay_out(tree, scratch)
        names = sorted(os.listdir(scratch))
        if names:
            tool("mcopy", "-s", "-p", "-m", "-i", path,
                 *[os.path.join(scratch, name) for name in names], "::")


def make_f2fs(path, tree, size_mib=None, label="", options=()):
    """An empty f2fs (there is no tool here that fills one)."""
    if tree:
        raise ImageError("f2fs: only empty ones")
    Path(path).unlink(missing_ok=True)
    with open(path, "wb") as handle:
        handle.truncate((size_mib or 64) * MIB)
    tool("mkfs.f2fs", "-q", *(("-l", label) if label else ()), *options, path)


def make_blank(path, tree, size_mib=None, label="", options=()):
    """An unformatted partition."""
    del tree, label, options
    Path(path).unlink(missing_ok=True)
    with open(path, "wb") as handle:
        handle.truncate((size_mib or 16) * MIB)


MAKERS = {"ext4": make_ext4, "squashfs": make_squashfs, "vfat": make_vfat, "f2fs": make_f2fs,
          None: make_blank}


@dataclass
class Part:
    """A partition to be made: file system (None: unformatted), content, size, label."""
    fs: str | None = "ext4"
    tree: dict = field(default_factory=dict)
    size_mib: int | None = None
    label: str = ""
    options: tuple = ()
    image: str | None = None  # a finished file system, used instead of the above


def make_part(part, path, cache=None):
    """The file system of PART at PATH; from CACHE (a directory) if it was made before."""
    if part.image:
        copy_sparse(part.image, path)
        return
    if cache is None:
        MAKERS[part.fs](path, part.tree, part.size_mib, part.label, part.options)
        return
    kept = Path(cache) / f"{digest(part.tree, part.fs, part.size_mib, part.label, part.options)}.img"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        scratch = kept.with_name(f".{kept.name}.{os.getpid()}")
        MAKERS[part.fs](scratch, part.tree, part.size_mib, part.label, part.options)
        os.replace(scratch, kept)
    copy_sparse(kept, path)


def copy_sparse(source, target):
    tool("cp", "--reflink=auto", "--sparse=always", source, target)


# --- disks ---------------------------------------------------------------------------------------

TYPES = {"gpt": {"vfat": "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7",
                 "": "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
         "dos": {"vfat": "c", "": "83"}}


def make_disk(path, parts, table="gpt", cache=None):
    """A raw disk with PARTS behind a partition table ("gpt", "dos"); None: one part, no table."""
    path = Path(path)
    if table is None:
        make_part(parts[0], path, cache)
        return
    lines, offset, placed = [], FIRST_MIB * MIB, []
    for number, part in enumerate(parts, 1):
        scratch = path.with_name(f"{path.name}.part{number}")
        make_part(part, scratch, cache)
        size = -(-scratch.stat().st_size // MIB) * MIB
        kind = TYPES[table].get(part.fs) or TYPES[table][""]
        extra = f", uuid=00000000-0000-4000-8000-{number:012d}" if table == "gpt" else ""
        extra += f', name="{part.label}"' if table == "gpt" and part.label else ""
        lines.append(f"start={offset // SECTOR}, size={size // SECTOR}, type={kind}{extra}")
        placed.append((scratch, offset))
        offset += size
    with open(path, "wb") as handle:
        handle.truncate(offset + TAIL_MIB * MIB)
    head = f"label: {table}\nlabel-id: " + \
        ("00000000-0000-4000-8000-000000000000\n" if table == "gpt" else "0x12345678\n")
    tool("sfdisk", "-q", "--no-reread", "--no-tell-kernel", path,
         stdin=(head + "\n".join(lines) + "\n").encode())
    for scratch, place in placed:
        _insert(scratch, path, place)
        scratch.unlink()


def _insert(source, disk, offset):
    """Copy SOURCE to OFFSET of DISK, data only, holes stay holes."""
    _copy_data(source, 0, os.stat(source).st_size, disk, offset)


def _copy_data(source, start, size, target, offset):
    with open(source, "rb") as reader, open(target, "r+b") as writer:
        position, end = start, start + size
        while position < end:
            try:
                position = os.lseek(reader.fileno(), position, os.SEEK_DATA)
            except OSError:
                return  # only a hole is left
            hole = min(os.lseek(reader.fileno(), position, os.SEEK_HOLE), end)
            os.lseek(writer.fileno(), offset + position - start, os.SEEK_SET)
            while position < hole:
                done = os.sendfile(writer.fileno(), reader.fileno(), position, hole - position)
                if done == 0:
                    return
                position += done


# --- looking into disks --------------------------------------------------------------------------

@dataclass
class Check:
    """What a file system checker found."""
    clean: bool
    text: str

    def __bool__(self):
        return self.clean


class Partition:
    """A file system on a disk that no machine is using at the moment."""

    def __init__(self, disk, start, size, fs=None):
        self.disk, self.start, self.size = Path(disk), start, size
        self.fs = fs or self._probe()

    def _probe(self):
        with open(self.disk, "rb") as handle:
            handle.seek(self.start)
            head = handle.read(4096)
        if head[1080:1082] == b"\x53\xef":
            return "ext4"
        if head[:4] == b"hsqs":
            return "squashfs"
        if head[1024:1028] == b"\x10\x20\xf5\xf2":
            return "f2fs"
        if head[510:512] == b"\x55\xaa" and b"FAT" in head[:96]:
            return "vfat"
        return None

    @property
    def _ext4(self):
        return f"{self.disk}?offset={self.start}"

    def extract(self, target):
        """The file system alone, as a file of the host."""
        with open(target, "wb") as handle:
            handle.truncate(self.size)
        _copy_data(self.disk, self.start, self.size, target, 0)
        return target

    def fsck(self):
        """Clean means: nothing to repair and no journal to replay."""
        with tempfile.TemporaryDirectory() as scratch:
            # A copy: some releases of the checkers take an offset in the name for a LABEL=.
            copy = self.extract(Path(scratch) / "fs")
            if self.fs == "ext4":
                return _check_ext4(copy)
            checker = {"vfat": ["fsck.vfat", "-n"], "f2fs": ["fsck.f2fs", "--dry-run"]}[self.fs]
            text = tool(*checker, copy, ok=range(256)).decode(errors="replace")
            clean = not any(word in text for word in ("Dirty bit", "differ", "rror", "Fixed"))
            return Check(clean, text)

    def read(self, path):
        """Content of a file, or None when there is none."""
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "file"
            if self.fs == "ext4":
                tool("debugfs", "-R", f'dump "{path}" "{copy}"', self._ext4)
            elif self.fs == "vfat":
                tool("mcopy", "-n", "-i", f"{self.disk}@@{self.start}", f"::{path}", copy,
                     ok=(0, 1))
            elif self.fs == "squashfs":
                image = self.extract(Path(scratch) / "fs")
                tool("unsquashfs", "-q", "-n", "-d", Path(scratch) / "out", image, path.lstrip("/"),
                     ok=(0, 1))
                copy = Path(scratch) / "out" / path.lstrip("/")
            return copy.read_bytes() if copy.exists() else None

    def list(self, path="/"):
        """{name: octal mode, including the type} of a directory (ext4)."""
        lines = tool("debugfs", "-R", f'ls -p "{path}"', self._ext4).decode(errors="replace")
        found = {}
        for line in lines.splitlines():
            words = line.split("/")
            if len(words) >= 6 and words[0] == "" and words[5] not in (".", ".."):
                found[words[5]] = int(words[2], 8)
        return found

    def stat(self, path):
        """What debugfs tells about a file (ext4), as text."""
        return tool("debugfs", "-R", f'stat "{path}"', self._ext4).decode(errors="replace")

    def write(self, tree):
        """Put the files of TREE there, replacing what was there (ext4); None removes a file."""
        with tempfile.TemporaryDirectory() as scratch:
            script = []
            gone = [path for path, entry in tree.items() if entry is None]
            kept = {path: entry for path, entry in tree.items() if entry is not None}
            script += [f'rm "{path}"' for path in gone]
            for number, (path, mode, data) in enumerate(entries(kept)):
                if stat.S_ISDIR(mode):
                    script.append(f'mkdir "{path}"')
                    continue
                script.append(f'rm "{path}"')
                if stat.S_ISLNK(mode):
                    script.append(f'symlink "{path}" {data.decode()}')
                    continue
                copy = Path(scratch) / str(number)
                copy.write_bytes(data)
                script += [f'write "{copy}" "{path}"', f'sif "{path}" mode 0{mode:o}',
                           f'sif "{path}" uid 0', f'sif "{path}" gid 0']
            commands = Path(scratch) / "commands"
            commands.write_text("\n".join(script) + "\n")
            tool("debugfs", "-w", "-f", commands, self._ext4)


def _check_ext4(copy):
    head = tool("dumpe2fs", "-h", copy).decode(errors="replace")
    text = tool("e2fsck", "-fn", copy, ok=range(256)).decode(errors="replace")
    clean = re.search(r"^Filesystem state: +clean$", head, re.M) \
        and "needs_recovery" not in head and "WARNING" not in text and "? no" not in text
    return Check(bool(clean), head + text)


class Disk:
    """A raw disk image and its partitions."""

    def __init__(self, path):
        self.path = Path(path)

    def partitions(self):
        out = tool("sfdisk", "-d", self.path).decode()
        found = []
        for line in out.splitlines():
            if "start=" in line:
                values = dict(word.strip().split("=", 1) for word in line.split(":", 1)[1].split(",")
                              if "=" in word)
                found.append((int(values["start"]) * SECTOR, int(values["size"]) * SECTOR))
        return found

    def partition(self, number):
        """Partition NUMBER, counted from 1; 0: the disk itself, when it has no table."""
        if number == 0:
            return Partition(self.path, 0, self.path.stat().st_size)
        return Partition(self.path, *self.partitions()[number - 1])


def remove(path):
    shutil.rmtree(path, ignore_errors=True)
