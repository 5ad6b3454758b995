# SPDX-License-Identifier: MIT
"""--update-clock: after a start in 1970 the clock is later than all that is known to be past."""
from machine import RELEASE, Machine, image

SCRIPT = "report now \"$(date +%s)\"; exit 0"
START_ERL = f"{RELEASE}/releases/start_erl.data"
BUILT_BEFORE_S = 2_000_000_000  # 2033: this program was made before
RELEASE_S = 2_100_000_000
LATER_RELEASE_S = 2_110_000_000
A_MINUTE = 60


def set_release_time(machine, seconds):
    """Of start_erl.data, on the disk."""
    part = machine.disk(0).partition(1)
    image.tool("debugfs", "-w", "-R", f'sif "{START_ERL}" mtime @{seconds}',
               f"{part.disk}?offset={part.start}")


def clock(machine, **options):
    with machine.boot(**options) as vm:
        now = int(vm.reported("now"))
        assert vm.wait_end() == "reboot"
    return now


def test_the_latest_wins():
    machine = Machine(config="--update-clock", script=SCRIPT)
    machine.edit({})
    # Older than the program, so that nothing but its build time is left.
    set_release_time(machine, 1_000_000_000)
    assert image.EPOCH - 1 < clock(machine) < BUILT_BEFORE_S
    set_release_time(machine, RELEASE_S)
    assert RELEASE_S <= clock(machine) < RELEASE_S + A_MINUTE
    # The seed that this boot stored has its time.
    set_release_time(machine, 1_000_000_000)
    assert RELEASE_S <= clock(machine) < RELEASE_S + A_MINUTE
    set_release_time(machine, LATER_RELEASE_S)
    assert LATER_RELEASE_S <= clock(machine) < LATER_RELEASE_S + A_MINUTE


def test_without_the_option_it_stays():
    machine = Machine(script=SCRIPT)
    assert 0 <= clock(machine) < A_MINUTE


def test_a_clock_that_is_right_is_left_alone():
    machine = Machine(config="--update-clock", script=SCRIPT, rtc="base=2037-01-01T00:00:00")
    assert 2_114_380_800 <= clock(machine) < 2_114_380_800 + A_MINUTE
