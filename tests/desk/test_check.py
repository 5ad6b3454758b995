# SPDX-License-Identifier: MIT
"""--check on configurations whose findings are known, line by line.

A case is a directory check/NAME:

    config          given as FILE, unless args names files itself
    args            words for the command line, as a shell would split them (optional)
    tree            what --root tree has, see trees.py (optional)
    expected.txt    what is printed, then what goes to standard error, then the exit status
    expected.json   what --format json prints

    /usr/bin/python3 tests/desk/test_check.py --update [NAME...]    writes them anew: for a person to read and to judge
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from program import PROGRAM, TOP
import trees

CASES = sorted(path.parent for path in (TOP / "tests/desk/check").glob("*/config"))
KIND = re.compile(r'\{"([a-z-]+)",\s*CHECK_(ERROR|WARNING|NOTE)\}')
FINDING = re.compile(r"^(?P<file>.+?):(?:(?P<line>\d+):(?P<column>\d+):)? "
                     r"(?P<severity>error|warning|note): (?P<text>.*) \[(?P<id>[a-z-]+)\]$")
# "other" is for what PID 1 may say one day; the other needs a kernel that refuses root: tests/unit/test_desk_check.c.
NEVER_SEEN = {"other", "root-not-entered"}


def check(*args, cwd=None, stdin=b""):
    return subprocess.run([PROGRAM, "--check", *args], cwd=cwd, input=stdin, capture_output=True,
                          timeout=20, check=False)


def run_case(case, *more):
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        (work / "config").write_bytes((case / "config").read_bytes())
        if (case / "tree").exists():
            trees.lay_out(*trees.read((case / "tree").read_text()), work / "tree")
        args = shlex.split((case / "args").read_text()) if (case / "args").exists() else ["config"]
        return check(*args, *more, cwd=work, stdin=(case / "config").read_bytes())


def as_text(run):
    return (run.stdout + b"-- standard error\n" + run.stderr +
            b"-- exit status %d\n" % run.returncode).decode()


def test_program_is_built():
    assert PROGRAM.exists(), "make desk"


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case):
    run, run_json = run_case(case), run_case(case, "--format", "json")
    assert as_text(run) == (case / "expected.txt").read_text()
    assert run_json.stdout.decode() == (case / "expected.json").read_text()
    assert run_json.returncode == run.returncode
    if not run_json.stdout:
        assert run.returncode == 2
        return
    document = json.loads(run_json.stdout)
    lines = [FINDING.match(line) for line in run.stdout.decode().splitlines()]
    assert [(found["file"], int(found["line"] or 0), int(found["column"] or 0), found["severity"],
             found["id"], found["text"]) for found in lines] == \
        [tuple(found[key] for key in ("file", "line", "column", "severity", "id", "text"))
         for found in document["findings"]]
    counted = {kind: sum(found["severity"] == kind for found in document["findings"])
               for kind in ("error", "warning", "note")}
    assert counted == {kind: document[f"{kind}s"] for kind in counted}
    assert document["schema"] == 1
    if run.returncode != 2:
        assert run.returncode == (1 if counted["error"] + counted["warning"] else 0)


def kinds():
    """{id: severity} of the sources; a kind has the same severity everywhere."""
    found = {}
    for source in sorted((TOP / "src/desk").glob("check*.c")):
        for name, severity in KIND.findall(source.read_text()):
            if name != "other":
                assert found.setdefault(name, severity) == severity, name
    return found


def test_every_kind_has_a_case():
    seen = {(found["id"], found["severity"].upper()) for case in CASES
            for found in map(FINDING.match, (case / "expected.txt").read_text().splitlines())
            if found}
    assert seen == {kind for kind in kinds().items() if kind[0] not in NEVER_SEEN}


def test_every_kind_is_documented():
    headings = re.findall(r"^### ([a-z-]+) \((error|warning|note)\)$",
                          (TOP / "docs/check.md").read_text(), re.M)
    assert [name for name, _ in headings] == sorted(name for name, _ in headings)
    assert {(name, severity.upper()) for name, severity in headings} == set(kinds().items())
    manual = (TOP / "man/erlinit.8").read_text()
    listed = re.search(r"\.Ss Findings of --check\n.*?Errors:\n(.*?)\.S[sh] ", manual, re.S).group(1)
    ids = re.findall(r"(?<![\w./-])[a-z-]+(?=[,.]\s)", listed.replace("\\-", "-"))
    assert sorted(ids) == sorted(kinds())


@pytest.mark.parametrize("words, source", [
    ("mount '%s' is left out: %s", "src/boot/mounts.c"),
    ("limit '%s' is left out: %s", "src/boot/limits.c"),
    ("'%s' is no format like 115200n8 for the terminal, 115200n8 is used", "src/boot/console.c"),
    ("'%s' gives no hostname, none is set", "src/boot/hostname.c")])
def test_the_device_has_the_same_words(words, source):
    """Where PID 1 says it in a step that the desk doesn't run."""
    ours = "".join(path.read_text() for path in (TOP / "src/desk").glob("check*.c"))
    for text in (ours, (TOP / source).read_text()):
        assert words in re.sub(r'"\s+"', "", text)


def test_the_readme_shows_what_is_said():
    said = (TOP / "tests/desk/check/readme/expected.txt").read_text().partition("-- ")[0]
    for line in said.replace("config:", "rootfs_overlay/etc/erlinit.config:").splitlines():
        assert line + "\n" in (TOP / "README.md").read_text()


def manual_examples():
    text = (TOP / "man/erlinit.config.5").read_text()
    return re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", text, re.M | re.S)


def commented_examples():
    """What erlinit.config.example has to take the # off, each alone."""
    lines = (TOP / "erlinit.config.example").read_text().splitlines()
    return [line[1:] + "\n" for line in lines if line.startswith("#--")]


@pytest.mark.parametrize("config", manual_examples() + commented_examples())
def test_our_own_examples_are_fine(config):
    run = check("-", stdin=config.replace("\\e", "\\").encode())
    assert [line for line in run.stdout.decode().splitlines() if ": note: " not in line
            and not line.endswith("[hostname-no-id]")] == []


def test_the_example_device():
    run = check(TOP / "examples" / "erlinit.config")
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


@pytest.mark.parametrize("args, said", [
    (("--frobnicate",), "--frobnicate"), (("--root",), "--root"), (("--format", "xml"), "xml"),
    (("--format=",), "text or json"), (("-x",), "-x"), (("--cmdline",), "--cmdline"),
    (("--rooted", "/"), "--rooted")])
def test_misuse(args, said):
    run = check(*args)
    assert run.returncode == 2
    assert run.stdout == b""
    line, = run.stderr.decode().splitlines()
    assert line.startswith("erlinit --check: ") and said in line


def test_files_that_cannot_be_read(tmp_path):
    """Each is told, and the others are checked all the same."""
    (tmp_path / "bad").write_text("--bood x\n")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "big").write_bytes(b"#" * (4 << 20) + b"#")
    run = check("none", ".", "fifo", "big", "bad", cwd=tmp_path)
    assert run.returncode == 2
    assert [line.split(": ")[:2] for line in run.stderr.decode().splitlines()[:-1]] == \
        [["erlinit --check", f"can't read {name}"] for name in ("none", ".", "fifo", "big")]
    assert run.stdout.decode().startswith("bad:1:1: error: ")
    run = check("-", cwd=tmp_path, stdin=b"#" * (4 << 20) + b"#")
    assert (run.returncode, run.stdout) == (2, b"")
    run = check("--root", "bad", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (2, b"")


def test_output_that_cannot_be_written():
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run([PROGRAM, "--check", "-"], input=b"--bood x\n", stdout=full,
                             stderr=subprocess.PIPE, timeout=20, check=False)
    assert run.returncode == 2
    assert b"not all" in run.stderr


def update(names):
    for case in CASES:
        if names and case.name not in names:
            continue
        (case / "expected.txt").write_text(as_text(run_case(case)))
        (case / "expected.json").write_bytes(run_case(case, "--format", "json").stdout)
        print(f"--- {case.name}\n{(case / 'expected.txt').read_text()}")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--update"]:
        sys.exit(__doc__)
    update(sys.argv[2:])
