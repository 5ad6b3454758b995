# SPDX-License-Identifier: MIT
"""The hostname, as the kernel has it in the end. (A unit test has the whole table of patterns.)"""
import pytest

from complaints import complaints
from machine import Machine

ID = "#!/bin/sh\nprintf '\\n  \\t AB:CD_12-89Ef  and more\\nsecond line\\n'\n"
# pattern, id command, /etc/hostname -> hostname, what is complained about
CASES = {
    "all directives": ("h.%s.%.3s.%-.4s.%-0.2s.%.99s-%%s", ID, None,
                       "h.abcd12-89ef.ab.89ef.ef.abcd12-89ef", None),
    "no command": ("Dev-%s", None, "unused\n", "dev-00000000", None),
    "the pattern is cleaned": ("-_N\u00e4me!%-.40s-", ID, "unused\n", "nmeabcd12-89ef", None),
    "of /etc/hostname, cleaned": (None, ID, " \t-My_Device.Local- \r\nother\n", "mydevice.local",
                                  None),
    "63 characters": (f"{'a' * 70}-%s", None, None, "a" * 63, None),
    "nothing is left": ("_%.0s!", ID, "unused\n", "(none)", "gives no hostname"),
    "no file": (None, None, None, "(none)", "no hostname is set"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_hostname(case):
    pattern, command, file, expected, complaint = case
    config = f'-n "{pattern}"\n' if pattern else ""
    config += "-d /usr/bin/id-of-board\n" if command else ""
    machine = Machine(config=config, files={"/usr/bin/id-of-board": command, "/etc/hostname": file},
                      script="report_file hostname /proc/sys/kernel/hostname; exit 0")
    with machine.boot() as vm:
        assert vm.reported("hostname").decode().strip() == expected
        assert vm.wait_end() == "reboot"
        if complaint:
            assert len(complaints(vm)) == 1 and complaint in complaints(vm)[0]
        else:
            assert complaints(vm) == []
