# SPDX-License-Identifier: MIT
"""lo is up, with both addresses, before the VM starts."""
import pytest

from facts import LOG, warnings
from machine import Machine

SCRIPT = f"""ip addr show lo | report lo
nc -l -p 5555 -e echo hello & listener=$!
until answer=$(nc 127.0.0.1 5555) || ! kill -0 $listener; do :; done
report answer "$answer"
ping -c 1 -W 5 ::1 >/dev/null 2>&1; report ping6 $?
{LOG}
exit 0"""


# An initramfs that has had lo for itself, and left it up without its usual addresses.
TAKEN = """$b ip addr add 10.1.2.3/8 dev lo; $b ip link set lo up
$b ip addr del 127.0.0.1/8 dev lo; $b ip addr del ::1/128 dev lo"""


@pytest.mark.parametrize("ipv6, before", [(True, ""), (False, ""), (True, TAKEN), (True, "$b ip link set lo up")],
                         ids=["", "ipv6-disabled", "taken", "up"])
def test_loopback(ipv6, before):
    with Machine(script=SCRIPT, cmdline="" if ipv6 else "ipv6.disable=1", first_stage=before).boot() as vm:
        lo = vm.reported("lo")
        assert b",UP" in lo and b"inet 127.0.0.1/8" in lo
        assert lo.count(b"127.0.0.1/8") == 1
        assert vm.reported("answer") == b"hello"
        assert (b"10.1.2.3/8" in lo) == (before == TAKEN)
        assert (b"inet6 ::1/128" in lo) == ipv6
        assert (vm.reported("ping6") == b"0") == ipv6
        assert warnings(vm) == []
        assert vm.wait_end() == "reboot"
