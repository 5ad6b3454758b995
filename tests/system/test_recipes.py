# SPDX-License-Identifier: MIT
"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the tree, which is then built, checked and booted."""
import os
import re
import shutil
import subprocess
import sys

from machine import TOP

# **FILE**, new | **FILE**, after `LINE`; then a fenced block, indented as the list it is in.
STEP = re.compile(r"^( *)\*\*(?P<file>\S+)\*\*, (?:(?P<new>new)|after (?:the last )?`(?P<after>.+?)`)\n\n"
                  r"\1```\w*\n(?P<text>.*?)^\1```$", re.M | re.S)
LEFT_OUT = (".git", "build", "__pycache__", ".pytest_cache", "corpus")


def steps():
    return list(STEP.finditer((TOP / "CONTRIBUTING.md").read_text()))


def follow(step, tree):
    path = tree / step["file"]
    text = re.sub(f"^{step[1]}", "", step["text"], flags=re.M)
    if step["new"]:
        assert not path.exists()
        path.write_text(text)
        return
    lines = path.read_text().splitlines(keepends=True)
    places = [index for index, line in enumerate(lines) if line.rstrip("\n") == step["after"]]
    assert places, f"{step['file']} has no line {step['after']!r}"
    lines.insert(places[-1] + 1, text)
    path.write_text("".join(lines))


def run(tree, *command):
    done = subprocess.run(command, cwd=tree, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300,
                          env={**os.environ, "ERLINIT": "", "SOURCE_DATE_EPOCH": "1700000000"})
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout


def plan_of(tree):
    """The program for the desk knows the new option and the new step."""
    run(tree, "make", "desk")
    assert "say this before the VM starts" in run(tree, "build/desk/erlinit", "--help", "greeting")
    (tree / "root" / "usr" / "lib" / "erlang" / "erts-1" / "bin").mkdir(parents=True)
    (tree / "root" / "usr" / "lib" / "erlang" / "erts-1" / "bin" / "erlexec").touch(mode=0o755)
    (tree / "root.config").write_text('--greeting "Good morning"\n')
    plan = run(tree, "build/desk/erlinit", "--plan", "--root", "root", "--config", "root.config")
    assert re.search(r"^greeting: done\n +greeting +Good morning$", plan, re.M), plan


def test_recipes_work_as_they_are_written(tmp_path):
    tree = tmp_path / "tree"
    shutil.copytree(TOP, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (tree / "build").mkdir()
    for name in ("deps", "images", "kernel"):  # made before, and the same
        if (TOP / "build" / name).exists():
            (tree / "build" / name).symlink_to(TOP / "build" / name)
    kinds = steps()
    assert len(kinds) == 14 and sum(bool(step["new"]) for step in kinds) == 3
    for step in kinds:
        follow(step, tree)
    run(tree, "make", "all")
    run(tree, "tests/unit/check_manual", "--messages")
    run(tree, "clang-format", "--dry-run", "-Werror", "src/boot/greeting.c", "tests/unit/test_greeting.c",
        "src/config/table.c", "include/erlinit/options.h", "include/erlinit/boot.h",
        "src/desk/plan_steps.c", "src/desk/plan.h", "src/desk/plan.c")
    plan_of(tree)
    for name in ("test_greeting", "test_options"):
        run(tree, "make", f"build/unit/{name}")
        run(tree, f"build/unit/{name}")
    told = run(tree, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/system/test_greeting.py")
    assert "1 passed" in told
