# SPDX-License-Identifier: MIT
"""tools/bootchart: from records and from logs to pictures."""
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from program import TOP

SVG = "{http://www.w3.org/2000/svg}"
BOOT = {"schema": 1, "erlinit": "9.8", "boot_id": "b-<&>", "start_us": 1000000, "vm_start_us": 1100000,
        "crashes": 0, "steps": [
            {"name": "first", "start_us": 1010000, "duration_us": 20000, "result": "done"},
            {"name": "second", "start_us": 1030000, "duration_us": 40000, "result": "with warnings"},
            {"name": "third", "start_us": 0, "duration_us": 0, "result": "not run"},
            {"name": "last-one", "start_us": 1099000, "duration_us": 400, "result": "nothing to do"}]}
END = {"schema": 1, "erlinit": "9.8", "boot_id": "e", "recorded": True, "time": "2026", "action": "halt",
       "requested_ms": 5000, "shutdown_ms": 5400, "uptime_ms": 5500, "command": "a<b", "steps": [
           {"name": "quiet", "start_us": 5410000, "duration_us": 500, "result": "done"}]}
LOG = """[    1.000000] Run /sbin/init as init process
[    1.500000] erlinit: Starting erlinit 9.8
[    1.510000] erlinit: start
[    1.600000] erlinit: early: done, 20000 us
[    1.600000] erlinit: later: nothing to do, 10000 us
<30>[    1.700000] erlinit: mounts: with warnings, 90000 us\r
[    1.701000] erlinit: id-command: done, 60000 us
[    1.702000] erlinit: hostname: done, 500 us
[    1.710000] erlinit: Launching erl...
[    1.720000] erlinit: stop
[    1.800000] erlinit: boot: 210000 us, 1710000 us since the kernel's start; slowest: mounts 90000 us
[    9.000000] erlinit: Asked to reboot: signal 15 from process 70 (sh)
[    9.200000] erlinit: shutdown, quiet: 1000 us
[    9.300000] erlinit: Erlang exit status: 0. Intentional: yes. Now: restart
[    9.400000] erlinit: shutdown, unmount: 50000 us
"""


def chart(*words, stdin=""):
    return subprocess.run([sys.executable, TOP / "tools" / "bootchart", *words], input=stdin,
                          capture_output=True, text=True, timeout=60, check=False)


def picture(*words, stdin=""):
    """The picture's texts, bars {name: (x, width)}, and lines' x."""
    run = chart(*words, stdin=stdin)
    assert (run.returncode, run.stderr) == (0, "")
    root = xml.fromstring(run.stdout)
    bars = {rect.find(f"{SVG}title").text.split(":")[0]: (float(rect.get("x")), float(rect.get("width")))
            for rect in root.iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None}
    return list(root.iter(f"{SVG}text")), bars, \
        [float(line.get("x1")) for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray")]


def words_of(texts):
    return [text.text for text in texts]


def box(text):
    """From where to where a text goes, if each character is as wide as a wide one."""
    x, length = float(text.get("x")), len(text.text) * 6.5
    before = {"end": length, "middle": length / 2}.get(text.get("text-anchor"), 0)
    return x - before, x - before + length


def test_a_boot():
    texts, bars, marks = picture(stdin=json.dumps(BOOT))
    words = words_of(texts)
    for expected in ("first", "second", "third", "last-one", "20.0 ms", "40.0 ms, with warnings",
                     "0.40 ms, nothing to do", "not run", "the VM is executed: 100.0 ms",
                     "standard input: boot, erlinit 9.8", "0 ms", "100"):
        assert expected in words
    assert any("b-<&>" in word and "1000.0 ms after" in word for word in words)
    # To scale: 100 ms are ten times 10 ms.
    assert set(bars) == {"first", "second", "last-one"}
    unit = bars["second"][0] - bars["first"][0]
    assert bars["first"][1] == pytest.approx(unit, abs=0.2)
    assert bars["second"][1] == pytest.approx(2 * unit, abs=0.2)
    assert marks == [pytest.approx(bars["first"][0] + 4.5 * unit, abs=0.2)]


def test_nothing_lies_on_anything():
    for stdin in (json.dumps(BOOT), json.dumps(END), LOG + LOG):
        texts, _, _ = picture(stdin=stdin)
        for text in texts:
            begin, end = box(text)
            assert begin >= 0 and end <= 1000, text.text
            for other in texts:
                if other is not text and other.get("y") == text.get("y"):
                    assert box(other)[0] >= end or box(other)[1] <= begin, (text.text, other.text)


def test_an_end():
    texts, bars, marks = picture(stdin=json.dumps(END))
    for expected in ("asked by a<b", "the shutdown begins: 400.0 ms", "this is written down: 500.0 ms",
                     "quiet", "standard input: shutdown, halt, erlinit 9.8"):
        assert expected in words_of(texts)
    assert len(marks) == 3 and marks[0] < marks[1] < bars["quiet"][0] < marks[2]
    unasked = {**END, "requested_ms": 0}
    assert "the shutdown begins" in words_of(picture(stdin=json.dumps(unasked))[0])


def test_a_log():
    texts, bars, marks = picture("-", stdin=LOG)
    words = words_of(texts)
    for expected in ("standard input: boot, erlinit 9.8", "standard input: shutdown", "early", "later",
                     "90.0 ms, with warnings", "quiet", "unmount",
                     "Erlang exit status: 0. Intentional: yes. Now: restart",
                     "Asked to reboot: signal 15 from process 70 (sh)", "the VM is executed: 210.0 ms"):
        assert expected in words
    assert not any("slowest" in word for word in words)
    # Two lines of one time: what they tell of came one after the other.
    assert bars["early"][0] + bars["early"][1] == pytest.approx(bars["later"][0], abs=0.2)
    # Steps beside others push nobody away.
    assert bars["id-command"][0] < bars["mounts"][0] + bars["mounts"][1] < bars["hostname"][0]
    unit = bars["mounts"][1] / 90
    assert bars["hostname"][0] - sum(bars["mounts"]) == pytest.approx(1.5 * unit, abs=0.2)
    assert len(marks) == 2
    assert len([word for word in words_of(picture(stdin=LOG * 3)[0]) if "boot, erlinit" in word]) == 3


def test_several_files_to_one_scale(tmp_path):
    slow = json.loads(json.dumps(BOOT))
    slow["vm_start_us"] = 1400000
    for name, record in (("a.json", BOOT), ("b.json", slow), ("c.json", END)):
        (tmp_path / name).write_text(json.dumps(record))
    out = tmp_path / "out.svg"
    run = chart(*(str(tmp_path / name) for name in ("a.json", "b.json", "c.json")), "-o", str(out))
    assert (run.returncode, run.stdout) == (0, "")
    root = xml.fromstring(out.read_text())
    widths = [float(rect.get("width")) for rect in root.iter(f"{SVG}rect")
              if rect.find(f"{SVG}title") is not None and rect.find(f"{SVG}title").text.startswith("second")]
    assert len(widths) == 2 and widths[0] == widths[1]


@pytest.mark.parametrize("stdin, said", [
    ("", "neither a record of erlinit nor a log with lines of --print-timing"),
    ("hello\n", "neither a record of erlinit nor a log"),
    ('{"schema":2}', "JSON, but no record of erlinit, or of a later one"),
    ("[1]", "JSON, but no record"),
    ('{"schema":1,"recorded":false,"reason":"No such file"}', "no end was recorded: No such file"),
    ('{"schema":1,"vm_start_us":1}', "no 'start_us' in it"),
])
def test_what_is_none(stdin, said):
    run = chart(stdin=stdin)
    assert run.returncode == 1 and run.stdout == ""
    assert re.match(r"bootchart: -: .*\n\Z", run.stderr) and said in run.stderr


def test_no_file():
    run = chart("/none")
    assert run.returncode == 1 and "bootchart: /none: " in run.stderr and "Traceback" not in run.stderr
