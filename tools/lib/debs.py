# SPDX-License-Identifier: MIT
"""Debian packages without installing them: resolve, download, verify, unpack.

A private apt configuration (own sources, lists and caches) lets one host fetch from any suite and
any architecture.  What a request resolved to is kept as a manifest in the cache, so the second
run of the same request needs neither the network nor apt.
"""
import contextlib
import fcntl
import fnmatch
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import unquote

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "erlinit"
KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg",
            "/usr/share/keyrings/debian-archive-keyring.pgp")
ATTEMPTS = 6
BACKOFF_S = 3  # multiplied by the number of the attempt: a mirror in mid-sync settles in a minute


class FetchError(Exception):
    """Something a person has to look at: no mirror, unknown package, no network."""


def say(text):
    print(f"fetch: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked(path):
    """Hold an exclusive lock on PATH; concurrent runs of the tools queue here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def host_arch():
    return subprocess.check_output(["dpkg", "--print-architecture"], text=True).strip()


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_atomically(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text)
    os.replace(scratch, path)


def mirror():
    """The Debian mirror that the machine itself uses for its release."""
    if os.environ.get("ERLINIT_MIRROR"):
        return os.environ["ERLINIT_MIRROR"].rstrip("/")
    release = Path("/etc/os-release").read_text()
    names = set(re.findall(r"^VERSION_CODENAME=(\S+)", release, re.M)) | {"stable"}
    targets = subprocess.check_output(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)",
         "Created-By: Packages"], text=True)
    for line in targets.splitlines():
        release_name, component, uri = line.split(" ", 2)
        if release_name in names and component == "main":
            return uri.rstrip("/")
    raise FetchError("apt knows no Debian main archive here; set ERLINIT_MIRROR to its address")


class Apt:
    """One private apt: a suite and an architecture."""

    def __init__(self, suite, arch):
        self.suite, self.arch = suite, arch
        self.root = CACHE / "apt" / f"{suite}-{arch}"
        self.sources = self.root / "sources.list"

    def _options(self):
        root = self.root
        pairs = {
            "Dir::State": root / "state", "Dir::State::lists": root / "lists",
            "Dir::State::status": root / "status", "Dir::State::extended_states": root / "auto",
            "Dir::Cache": root / "cache", "Dir::Cache::archives": root / "archives",
            "Dir::Etc::sourcelist": self.sources, "Dir::Etc::sourceparts": root / "none",
            "Dir::Etc::preferences": root / "none", "Dir::Etc::preferencesparts": root / "none",
            "APT::Architecture": self.arch, "APT::Architectures": self.arch,
            "APT::Install-Recommends": "false", "APT::Get::AllowUnauthenticated": "false",
            "APT::Sandbox::User": "root", "Acquire::ForceHash": "SHA256",
            "Acquire::Languages": "none", "Acquire::Retries": "3",
        }
        return [word for key, value in pairs.items() for word in ("-o", f"{key}={value}")]

    def run(self, *words, cwd=None):
        result = subprocess.run(["apt-get", "-qq", *self._options(), *words], cwd=cwd, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                                env={**os.environ, "LC_ALL": "C"})
        if result.returncode:
            raise FetchError(f"apt-get {shlex.join(words)}:\n{result.stderr.strip()}")
        return result.stdout

    def update(self):
        keyring = next((name for name in KEYRINGS if os.path.exists(name)), None)
        if keyring is None:
            raise FetchError("debian-archive-keyring is missing")
        for name in ("state", "lists/partial", "cache", "archives/partial"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "status").touch()
        write_atomically(self.sources,
                         f"deb [signed-by={keyring}] {mirror()} {self.suite} main\n")
        say(f"package lists of {self.suite} ({self.arch}), some 10 s")
        self.run("update")

    def resolve(self, packages, closure):
        """[(file name, sha256, package, version)] for PACKAGES, with what they depend on or not."""
        words = ["install"] if closure else ["download"]
        out = self.run(*words, "--print-uris", *packages)
        found = []
        for line in out.splitlines():
            match = re.match(r"'([^']+)' (\S+) \d+ SHA256:([0-9a-f]{64})", line)
            if match:
                package, version, _ = match[2].rsplit(".deb", 1)[0].split("_")
                found.append({"file": match[2], "sha256": match[3], "package": package,
                              "version": unquote(version)})
        if not found:
            raise FetchError(f"{self.suite}: nothing found for {' '.join(packages)}")
        return sorted(found, key=lambda deb: deb["file"])

    def download(self, debs, pool):
        """Bring DEBS into POOL.  apt checks each against the signed index, and so do we."""
        missing = [deb for deb in debs if not _good(pool / deb["file"], deb["sha256"])]
        if not missing:
            return
        say(f"downloading {len(missing)} packages of {self.suite} ({self.arch})")
        scratch = pool / f".partial.{os.getpid()}"
        scratch.mkdir(parents=True, exist_ok=True)
        try:
            self.run("download", *[f"{deb['package']}={deb['version']}" for deb in missing],
                     cwd=scratch)
            for deb in missing:
                if not _good(scratch / deb["file"], deb["sha256"]):
                    raise FetchError(f"{deb['file']} differs from the signed index")
                os.replace(scratch / deb["file"], pool / deb["file"])
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _good(path, digest):
    return path.is_file() and sha256(path) == digest


def _retried(work):
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work()
        except FetchError as error:
            if attempt == ATTEMPTS or "Unable to locate package" in str(error):
                raise
            say(f"attempt {attempt} of {ATTEMPTS} failed, again in {attempt * BACKOFF_S} s: "
                f"{str(error).splitlines()[-1]}")
            time.sleep(attempt * BACKOFF_S)


def request(suite, packages, arch=None, closure=False, exclude=(), only=""):
    """The name and the manifest path of a request; equal requests share both."""
    words = {"suite": suite, "arch": arch or host_arch(), "closure": closure,
             "packages": sorted(packages), "exclude": sorted(exclude), "only": only}
    key = hashlib.sha256(json.dumps(words, sort_keys=True).encode()).hexdigest()[:16]
    return words, CACHE / "manifests" / f"{suite}-{words['arch']}-{key}.json"


def fetch(suite, packages, arch=None, closure=False, exclude=(), only=""):
    """[(path of .deb, manifest entry)], all verified; downloads what is not in the cache."""
    words, manifest = request(suite, packages, arch, closure, exclude, only)
    pool = CACHE / "pool"
    pool.mkdir(parents=True, exist_ok=True)
    apt = Apt(suite, words["arch"])
    with locked(CACHE / "lock"):
        if manifest.exists():
            debs = json.loads(manifest.read_text())["debs"]
            if all(_good(pool / deb["file"], deb["sha256"]) for deb in debs):
                return [(pool / deb["file"], deb) for deb in debs]

        def work():
            if not apt.sources.exists() or not any(apt.root.glob("lists/*_Packages*")):
                apt.update()
            try:
                debs = [deb for deb in apt.resolve(packages, closure)
                        if deb["package"] not in exclude
                        and fnmatch.fnmatch(deb["package"], only or "*")]
                apt.download(debs, pool)
            except FetchError:
                apt.sources.unlink(missing_ok=True)  # old lists: the next attempt updates them
                raise
            return debs
        debs = _retried(work)
        write_atomically(manifest, json.dumps({"request": words, "debs": debs}, indent=1))
    return [(pool / deb["file"], deb) for deb in debs]


def unpack(into, suite, packages, arch=None, closure=False, exclude=(), only=""):
    """Make INTO the union of the packages' files; nothing to do when its stamp says so already."""
    into = Path(into).absolute()
    words, manifest = request(suite, packages, arch, closure, exclude, only)
    stamp = into / ".fetched"
    want = json.dumps(words, sort_keys=True)
    if stamp.exists() and stamp.read_text() == want and manifest.exists():
        return into
    debs = fetch(suite, packages, arch, closure, exclude, only)
    with locked(into.parent / f".{into.name}.lock"):
        if stamp.exists() and stamp.read_text() == want:
            return into
        say(f"unpacking {len(debs)} packages into {into}")
        scratch = into.with_name(f".{into.name}.new")
        shutil.rmtree(scratch, ignore_errors=True)
        _lay_out(scratch, debs, merged_usr=closure)
        (scratch / ".fetched").write_text(want)
        shutil.rmtree(into, ignore_errors=True)
        os.replace(scratch, into)
    return into


def _lay_out(root, debs, merged_usr):
    root.mkdir(parents=True)
    if merged_usr:
        # A closure is meant to be entered by chroot, where programs expect today's merged /usr.
        for name in ("bin", "sbin", "lib", "lib64"):
            (root / "usr" / name).mkdir(parents=True)
            (root / name).symlink_to(f"usr/{name}")
    for path, _ in debs:
        # Through tar, not dpkg -x: tar keeps the links of the merged /usr instead of replacing them.
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", path],
                              stdout=subprocess.PIPE) as source:
            subprocess.run(["tar", "-x", "--keep-directory-symlink", "--no-same-owner", "-p",
                            "-f", "-", "-C", root], stdin=source.stdout, check=True)
        if source.returncode:
            raise FetchError(f"{path}: not a readable package")
