# SPDX-License-Identifier: MIT
"""--completion, tried at the prompts of the shells themselves."""
import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from program import PROGRAM, TOP

NAMES = re.findall(r'\{ROW\("([a-z-]+)"', (TOP / "src" / "config" / "table.c").read_text())
LIMIT_S = 60  # a loaded machine; a prompt takes tens of milliseconds
# What stands for the program says which arguments it was given.
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "erlinit",
             "erlinit() {{ printf '<%s>' \"$@\"; echo; }}; . {script}; PS1='ready''> '\n"),
    "zsh": (["zsh", "-f", "-i"], "_erlinit",
            "erlinit() {{ printf '<%s>' \"$@\"; echo; }}; fpath=({folder} $fpath); "
            "autoload -U compinit; compinit -u -D; unsetopt PROMPT_SP AUTO_REMOVE_SLASH; PS1='ready''> '\n"),
}
# typed, where Tab is pressed at the end -> the arguments
TYPED = {
    "--pl": ["--plan"],
    "--plan --ro": ["--plan", "--root"],
    "--plan --root tr": ["--plan", "--root", "tree/"],
    "--plan --config tru": ["--plan", "--config", "trunk.config"],
    "--plan --format j": ["--plan", "--format", "json"],
    "--plan --root tree --format=j": ["--plan", "--root", "tree", "--format=json"],
    "--plan --cmdline --hostn": ["--plan", "--cmdline", "--hostname-pattern"],
    "--completion z": ["--completion", "zsh"],
    "--help mount-t": ["--help", "mount-timeout"],
    "--versi": ["--version"],
}


class Terminal:
    """A shell at a terminal, and what it has written."""

    def __init__(self, words, cwd):
        self.written, self.seen = b"", 0
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(cwd)
            os.execvpe(words[0], words, {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(cwd),
                                         "PS1": "$ "})
        self.pid = pid

    def send(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern):
        """The match of PATTERN in what came since the last one."""
        end = time.monotonic() + LIMIT_S
        while True:
            found = re.search(pattern, self.written[self.seen:])
            if found:
                self.seen += found.end()
                return found
            left = end - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], \
                f"no {pattern!r} in {self.written!r}"
            self.written += os.read(self.fd, 65536)

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture(name="folder")
def _folder(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "trunk.config").write_text("")
    (tmp_path / "scripts").mkdir()
    return tmp_path


def script_for(shell, name, folder):
    path = folder / "scripts" / name
    with open(path, "wb") as file:
        subprocess.run([PROGRAM, "--completion", shell], stdout=file, check=True, timeout=60)
    return path


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_at_the_prompt(shell, folder):
    words, name, prepare = SHELLS[shell]
    assert shutil.which(shell), "tools/setup check installs it"
    script = script_for(shell, name, folder)
    terminal = Terminal(words, folder)
    try:
        terminal.send(prepare.format(script=script, folder=script.parent))
        terminal.wait_for(rb"ready> ")
        for typed, arguments in TYPED.items():
            terminal.send(f"erlinit {typed}\t\n")
            found = terminal.wait_for(rb"\n\r?((?:<[^>\n]*>)+)\r?\n")
            assert re.findall("<([^>]*)>", found[1].decode()) == arguments, typed
            terminal.wait_for(rb"ready> ")
    finally:
        terminal.close()


def test_bash_lists_every_option_and_use(erlinit, folder):
    script = script_for("bash", "erlinit", folder)
    driver = f". {script}; COMP_WORDS=(erlinit \"$@\"); COMP_CWORD=$#; _erlinit; echo ${{COMPREPLY[*]}}"

    def complete(*words):
        return subprocess.run(["bash", "-c", driver, "driver", *words], capture_output=True, text=True,
                              check=True, timeout=60).stdout.split()
    uses = complete("")
    assert set(uses) >= {"--plan", "--completion", "--help", "--version"}
    for use in uses:
        assert f"erlinit {use}" in erlinit("--help").stdout
    assert complete("--help", "") == NAMES
    assert complete("--plan", "--cmdline", "--") == [f"--{name}" for name in NAMES]
    assert complete("--plan", "") == ["--root", "--cmdline", "--config", "--format"]
    assert complete("--plan", "--format", "=") == ["text", "json"]
    assert complete("--version", "") == []


FISH = {
    "--pl": {"--plan"},
    "--plan --ro": {"--root"},
    "--plan --root tr": {"tree/"},
    "--plan --config tr": {"tree/", "trunk.config"},
    "--plan --format ": {"text", "json"},
    "--completion ": {"bash", "zsh", "fish"},
    "--plan --cmdline=--hostn": {"--cmdline=--hostname-pattern"},  # a word of its own is an option to fish
    "--help ": set(NAMES),
    "--version ": set(),
}


def test_fish_candidates(folder):
    assert shutil.which("fish"), "tools/setup check installs it"
    script = script_for("fish", "erlinit.fish", folder)
    lines = "".join(f"echo '= {typed}'; complete -C 'erlinit {typed}'\n" for typed in FISH)
    result = subprocess.run(["fish", "--no-config", "-c", f"source {script}\n{lines}"], cwd=folder,
                            capture_output=True, text=True, check=True, timeout=60,
                            env={"PATH": os.environ["PATH"], "HOME": str(folder)})
    assert result.stderr == ""
    answers = dict(part.split("\n", 1) for part in result.stdout.split("= ")[1:])
    assert list(answers) == list(FISH)
    for typed, candidates in FISH.items():
        words = [line.split("\t")[0] for line in answers[typed].splitlines()]
        # Newer ones add, behind these, whatever has the same letters in this order.
        words = [word for word in words if word.startswith(typed.rpartition(" ")[2])]
        assert set(words) == candidates and len(words) == len(candidates), typed
    assert "--root\tthe root file system" in answers["--plan --ro"]
