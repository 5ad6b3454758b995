# SPDX-License-Identifier: MIT
"""What PID 1 costs while the VM runs: memory, descriptors, wake-ups."""
import re

import pytest

from machine import Machine

RSS_MAX_KB = 100
FDS_MAX = 9
IDLE_S = 3
SCRIPT = f"""wakeups() {{ sed -n 's/^voluntary_ctxt_switches:.//p' /proc/1/status; }}
exec sleep {IDLE_S} & first=$!
wait $first # the boot's last wake-up is over
before=$(wakeups); ticks=$(cut -d ' ' -f 14,15 /proc/1/stat)
sh -c 'exec sleep {IDLE_S}'
report_file smaps /proc/1/smaps
ls -l /proc/1/fd | report fds
report wakeups "$before $(wakeups)"
report ticks "$ticks $(cut -d ' ' -f 14,15 /proc/1/stat)"
grep Threads /proc/1/status | report threads
exit 0"""


@pytest.fixture(name="at_rest", scope="module")
def _at_rest():
    """What the guest reported, of one boot for all these tests."""
    with Machine(config="--shutdown-report /root/report.md", script=SCRIPT).boot() as vm:
        return {key: vm.reported(key).decode()
                for key in ("smaps", "fds", "wakeups", "ticks", "threads")}


def test_memory(at_rest):
    rss_kb = sum(int(value) for value in re.findall(r"^Rss: *(\d+) kB$", at_rest["smaps"], re.M))
    assert 0 < rss_kb <= RSS_MAX_KB, at_rest["smaps"]
    assert "[heap]" not in at_rest["smaps"]


def test_descriptors(at_rest):
    fds = [line for line in at_rest["fds"].splitlines() if "->" in line]
    assert len(fds) <= FDS_MAX, fds


def test_no_wake_ups(at_rest):
    before, after = map(int, at_rest["wakeups"].split())
    assert after - before == 0
    ticks = at_rest["ticks"].split()
    assert ticks[:2] == ticks[2:]


def test_one_thread(at_rest):
    assert at_rest["threads"].split() == ["Threads:", "1"]
