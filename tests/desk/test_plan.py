# SPDX-License-Identifier: MIT
"""--plan on trees whose boots are known, line by line.

A case is a directory plan/NAME:

    tree            the root file system, see trees.py
    config          its /etc/erlinit.config (optional)
    args            words for the command line, as a shell would split them (optional)
    expected.txt    what is printed, and the exit status
    expected.json   what --format json prints, a line each step

    /usr/bin/python3 tests/desk/test_plan.py --update [NAME...]    writes them anew: for a person to read and to judge
"""
import json
import os
import pty
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from program import PROGRAM, TOP  # which makes image.py importable, for trees
import trees

CASES = sorted(path.parent for path in (TOP / "tests/desk/plan").glob("*/tree"))
BOOT = (TOP / "src/boot/boot.c").read_text()
STEPS = re.findall(r'^    \{"([a-z-]+)", boot_\w+\},$', BOOT, re.M)
VERSION = re.search(r"^VERSION := (\S+)", (TOP / "Makefile").read_text(), re.M)[1]


def plan(*words, cwd, prefix=()):
    return subprocess.run([*prefix, PROGRAM, "--plan", "--root", "tree", *words], cwd=cwd,
                          capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL, env={"PATH": os.defpath, "TERM": "xterm", "SECRET": "desk"})


def arguments(case):
    path = case / "args"
    return shlex.split(path.read_text()) if path.exists() else []


def snapshot(root):
    """All that could have been changed."""
    found = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


def run_case(case, work):
    """(text with the status, JSON) of the case's plan."""
    trees.lay_out(*trees.of_case(case), work / "tree")
    before = snapshot(work / "tree")
    text = plan(*arguments(case), cwd=work)
    data = plan(*arguments(case), "--format", "json", cwd=work)
    assert snapshot(work / "tree") == before
    assert text.stderr == data.stderr == "" and text.returncode == data.returncode
    return (f"{text.stdout.replace(VERSION, 'VERSION')}status {text.returncode}\n",
            json.loads(data.stdout.replace(VERSION, "VERSION")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case, tmp_path):
    text, data = run_case(case, tmp_path)
    assert text == (case / "expected.txt").read_text()
    assert data == json.loads((case / "expected.json").read_text())


def expected():
    return {case.name: json.loads((case / "expected.json").read_text()) for case in CASES}


def test_cases_cover_the_boot():
    """Every step is planned in each of its ways, up to a fatal error, and in the order of the boot."""
    results = {}
    for name, data in expected().items():
        names = [step["name"] for step in data["steps"]]
        assert names == STEPS[:len(names)], name
        fatal = [step["name"] for step in data["steps"] if step["result"] == "failed"]
        assert fatal == names[-1:] if fatal else len(names) == len(STEPS), name
        assert data["boots"] == (not fatal and not any(
            message["severity"] == "error" for message in data["vm"]["messages"])), name
        for step in data["steps"]:
            results.setdefault(step["name"], set()).add(step["result"])
            assert all("isn't known" not in message["text"] for message in step["messages"])
    assert set(STEPS) == set(results)
    assert results["release"] == {"done", "with warnings", "failed"}
    assert results["identity"] == {"done", "nothing to do", "failed"}
    for optional in ("overlay", "clock", "core-pattern"):
        assert results[optional] == {"done", "nothing to do"}, optional
    for optional in ("mounts", "limits", "pre-run"):
        assert "nothing to do" in results[optional] and len(results[optional]) > 1, optional


def test_text_and_json_say_the_same():
    """Each message, candidate, argument and setting of the JSON is a line of the text."""
    for case in CASES:
        text = (case / "expected.txt").read_text()
        data = json.loads((case / "expected.json").read_text())
        for part in [data["configuration"], *data["steps"], data["end"], data["vm"] or {}]:
            for message in part.get("messages", []):
                assert f"{message['severity']}: {message['text']}\n" in text
        for step in data["steps"]:
            for kind in ("releases", "boot_files", "run_time_systems"):
                for candidate in step["facts"].get(kind, []):
                    shown = candidate["path"].replace("\x1b", "\\x1b")
                    sign = "+" if candidate["taken"] else "-"
                    assert f"{sign} {shown}: {candidate['why']}\n" in text
        for word in data["vm"]["arguments"] + data["vm"]["environment"] if data["vm"] else []:
            assert f" {word}\n".replace("\x1b", "\\x1b") in text


def test_what_is_taken_is_what_is_started():
    """Of each kind of candidate at most one is taken, and it is what the VM gets."""
    for name, data in expected().items():
        facts = {step["name"]: step["facts"] for step in data["steps"]}.get("release")
        if not facts or not data["vm"]:
            continue
        taken = {kind: [each["path"] for each in facts.get(kind, []) if each["taken"]]
                 for kind in ("releases", "boot_files", "run_time_systems")}
        words = " ".join(data["vm"]["arguments"]).split()  # a wrapper may want them in one
        boot = [words[at + 1] + ".boot" for at, word in enumerate(words) if word == "-boot"]
        assert taken["boot_files"] == boot, name
        assert [f"BINDIR={path}/bin" for path in taken["run_time_systems"]] == [
            setting for setting in data["vm"]["environment"] if setting.startswith("BINDIR=")], name
        config = [words[at + 1] for at, word in enumerate(words) if word == "-config"]
        assert all(path == f"{taken['releases'][0]}/sys.config" for path in config), name


@pytest.fixture(name="tree")
def _tree(tmp_path):
    trees.lay_out(*trees.of_case(TOP / "tests/desk/plan/links"), tmp_path / "tree")
    return tmp_path


def test_nothing_is_executed(tmp_path):
    """Programs of the tree that would leave a mark, wherever one is named."""
    proof = tmp_path / "executed"
    program = ("mode", 0o755, f"#!/bin/sh\ntouch {proof}\n")
    tree = {"/etc/erlinit.config": "-d /id\n-n %s\n--pre-run-exec /pre\n--run-on-exit /exit\n-s /wrap\n"}
    tree.update({path: program for path in ("/id", "/pre", "/exit", "/wrap", "/sbin/init",
                                            "/usr/lib/erlang/erts-1/bin/erlexec")})
    trees.lay_out(tree, [], tmp_path / "tree")
    result = plan(cwd=tmp_path)
    assert result.returncode == 0 and "/pre" in result.stdout and not proof.exists()


def test_a_configuration_from_elsewhere(tree):
    (tree / "other.config").write_text("--hostname-pattern other\n-e A\n")
    data = json.loads(plan("--config", "other.config", "--format=json", cwd=tree).stdout)
    assert data["configuration"]["file"] == "other.config"
    steps = {step["name"]: step for step in data["steps"]}
    assert steps["hostname"]["facts"]["hostname"] == "other"
    assert [(m["file"], m["line"]) for m in steps["release"]["messages"]] == [("other.config", 2)]
    # that of the tree says /work
    assert data["vm"]["working_directory"] == "/opt/releases/app"


def test_not_the_environment_of_the_desk(tree):
    assert "SECRET" not in plan(cwd=tree).stdout


def test_colours_are_for_terminals(tree):
    def on_terminal(env):
        output = b""
        main, other = pty.openpty()
        with subprocess.Popen([PROGRAM, "--plan", "--root", "tree"], cwd=tree, stdout=other,
                              stdin=subprocess.DEVNULL, env=env) as process:
            os.close(other)
            try:
                while part := os.read(main, 65536):
                    output += part
            except OSError:  # how Linux says that nobody has the terminal open any more
                pass
            os.close(main)
        assert process.returncode == 0
        return output.decode()
    plain = plan(cwd=tree).stdout
    coloured = on_terminal({"TERM": "xterm"})
    assert "\x1b[1mconfiguration\x1b[0m" in coloured and "\x1b[2m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m|\r", "", coloured) == plain
    for env in ({"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}, {}):
        assert on_terminal(env).replace("\r", "") == plain, env


def test_without_root(tree):
    """A user namespace is as good as root. Nobody owns this tree, and all may read it."""
    os.chmod(tree, 0o755)
    for parent in tree.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            os.chmod(parent, parent.stat().st_mode | 0o555)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] \
        if os.getuid() == 0 else []
    result = plan(cwd=tree, prefix=as_nobody)
    assert (result.returncode, result.stdout) == (0, plan(cwd=tree).stdout)


def test_where_the_tree_cannot_be_entered(tree):
    """Neither chroot(2) nor a user namespace: that is said, and paths are looked at from outside."""
    shut = "echo 0 >/proc/sys/user/max_user_namespaces && " \
        "exec setpriv --bounding-set=-sys_chroot --inh-caps=-sys_chroot \"$@\""
    prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", shut, "sh"]
    (tree / "tree" / "etc" / "erlinit.config").unlink()
    (tree / "tree" / "srv" / "erlang").unlink()
    (tree / "tree" / "srv" / "erlang").symlink_to("../opt/releases/app")
    (tree / "tree/opt/releases/app/releases/0.1.0").unlink()
    (tree / "tree/opt/releases/app/releases/0.1.0").symlink_to("../../../versions/one")
    (tree / "tree/opt/releases/app/erts-15.2").unlink()
    (tree / "tree/opt/releases/app/erts-15.2").symlink_to("../../erts")
    inside = json.loads(plan("--format=json", cwd=tree).stdout)
    result = plan("--format=json", cwd=tree, prefix=prefix)
    outside = json.loads(result.stdout)
    notes = [message["text"] for message in outside["configuration"]["messages"]]
    assert len(notes) == 1
    assert re.fullmatch("can't enter the tree: .+; absolute links in it lead outside", notes[0])
    assert outside["vm"]["program"] == inside["vm"]["program"]
    # the links to /etc/app of the tree are links to ours
    assert not any("-config" == word for word in outside["vm"]["arguments"])
    assert "-config" in inside["vm"]["arguments"]
    assert result.returncode == 0


def layout(data):
    """A line for each member of the whole, and for each step."""
    lines = []
    for name, value in data.items():
        if name == "steps":
            steps = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in value)
            lines.append(f'"steps": [\n  {steps}]')
        else:
            lines.append(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{" + ",\n ".join(lines) + "}\n"


def update(names):
    for case in CASES:
        if not names or case.name in names:
            with tempfile.TemporaryDirectory() as work:
                text, data = run_case(case, Path(work))
            (case / "expected.txt").write_text(text)
            (case / "expected.json").write_text(layout(data))


if __name__ == "__main__":
    assert sys.argv[1:2] == ["--update"], __doc__
    update(sys.argv[2:])
