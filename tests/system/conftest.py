# SPDX-License-Identifier: MIT
"""Ends every machine with its test, and shows the consoles of a test that failed."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import machine  # noqa: E402  (the line above makes it importable)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    del item
    outcome = yield
    report = outcome.get_result()
    if report.failed and call.when == "call":
        for number, vm in enumerate(machine.booted):
            vm.stop()
            report.sections.append((f"console of machine {number}",
                                    vm.kmsg.decode(errors="replace")))
            report.sections.append((f"reports of machine {number}",
                                    vm.report.decode(errors="replace")))


@pytest.fixture(autouse=True)
def _machines_end_with_their_test():
    yield
    for vm in machine.booted:
        vm.stop()
    for each in machine.made:
        each.close()
    machine.booted.clear()
    machine.made.clear()
