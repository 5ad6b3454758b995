# SPDX-License-Identifier: MIT
"""--help, --version, and what is answered to everything else."""
import re

import pytest

from program import TOP

TABLE = (TOP / "src" / "config" / "table.c").read_text()
NAMES = re.findall(r'\{ROW\("([a-z-]+)"', TABLE)
GROUPS = re.findall(r'^#define [A-Z]+ +"([A-Z][^"]+)"$', TABLE, re.M)


def test_help_fits_and_has_everything(erlinit):
    result = erlinit("--help")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    for use in ("--plan", "--completion", "--help", "--version"):
        assert any(line.startswith(f"  erlinit {use}") for line in lines), use
    shown = [re.search(r"--([a-z-]+)", line)[1] for line in lines
             if re.match(r"  (-\w,|   ) --", line)]
    assert len(NAMES) > 40
    assert [name for name in shown if name in NAMES] == NAMES
    assert [line[:-1] for line in lines if line[:-1] in GROUPS] == GROUPS


def test_help_needs_no_words_cut(erlinit):
    """Every word of an explanation is there, wrapped or not."""
    text = " ".join(erlinit("--help").stdout.split())
    for explanation in re.findall(r'HELP\("([^"]+)"\)', TABLE):
        assert explanation in text


def test_help_on_one_option(erlinit):
    result = erlinit("--help", "mount-timeout", "--hostname-p")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.search(r"--mount-timeout ms +time limit of one mount\n +default 60000, at least 1\n",
                     result.stdout)
    assert "-n, --hostname-pattern pattern\n" in result.stdout
    assert "--ctty" not in result.stdout


def test_version_is_one_line(erlinit):
    version = re.search(r"^VERSION := (\S+)", (TOP / "Makefile").read_text(), re.M)[1]
    result = erlinit("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert re.fullmatch(rf"erlinit {re.escape(version)}, built "
                        r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", result.stdout)


MISUSES = {
    (): "started by its kernel",
    ("--mount", "a:b:c:d:"): "--mount is an option of PID 1",
    ("--hostname-p=x",): "--hostname-pattern is an option of PID 1",
    ("start",): "start is nothing",
    ("--version", "now"): "what is now?",
    ("--version", "--now"): "no option --now",
    ("--help", "mont"): "no option --mont; did you mean --mount?",
    ("--help", "something-else"): "no option --something-else;",
    ("--completion",): "bash, zsh or fish",
    ("--completion", "tcsh"): "bash, zsh or fish",
    ("--completion", "zsh", "fish"): "bash, zsh or fish",
    ("--plan",): "--root",
    ("--plan", "--root"): "--root needs a value, DIR",
    ("--plan", "--root", "/", "more"): "what is more?",
    ("--plan", "--root=/", "--format", "xml"): "not xml",
    ("--plan", "--root", "/no/such"): "/no/such: No such file or directory",
    ("--plan", "--root", "/", "--config", "/no/such"): "/no/such: No such file or directory",
}


@pytest.mark.parametrize("words", MISUSES, ids=" ".join)
def test_misuse_is_one_clear_line(erlinit, words):
    result = erlinit(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert MISUSES[words] in result.stderr
