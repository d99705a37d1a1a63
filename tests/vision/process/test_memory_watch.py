from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vision.process.memory_watch import FLOOD, LEAK, SETTLED_AFTER, MemoryWatch, resident_bytes

MB = 1 << 20


def test_what_it_takes_to_settle_is_no_leak() -> None:
    held = [2000 * MB, 2000 * MB + LEAK // 2]
    watch = MemoryWatch(lambda: held.pop(0))
    assert watch.excess_bytes(10.0, quiet=True) == 0
    assert len(held) == 2
    assert watch.excess_bytes(10.0 + SETTLED_AFTER, quiet=True) == 0
    assert watch.excess_bytes(20.0 + SETTLED_AFTER, quiet=True) == 0


@pytest.mark.proves("vision-leaking")
@pytest.mark.parametrize(
    ("grown", "quiet", "ends"),
    [
        (LEAK - 1, True, False),
        (LEAK, True, True),
        (LEAK, False, False),
        (FLOOD - 1, False, False),
        (FLOOD, False, True),
    ],
)
def test_a_leak_waits_for_a_quiet_moment_and_a_flood_does_not(grown: int, quiet: bool, ends: bool) -> None:
    held = [300 * MB, 300 * MB + grown]
    watch = MemoryWatch(lambda: held.pop(0))
    watch.excess_bytes(0.0, quiet=True)
    watch.excess_bytes(SETTLED_AFTER, quiet=True)
    assert watch.excess_bytes(SETTLED_AFTER + 10, quiet=quiet) == (grown if ends else 0)


def test_it_does_not_look_at_every_frame() -> None:
    looks: list[int] = []
    watch = MemoryWatch(lambda: looks.append(1) or 0)  # type: ignore[func-returns-value]
    for frame in range(300):
        watch.excess_bytes(frame / 30 + SETTLED_AFTER, quiet=True)
    watch.excess_bytes(1000.0, quiet=True)
    assert len(looks) == 1
    watch.excess_bytes(1001.0, quiet=True)
    assert len(looks) == 1


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not say what a process holds")
def test_what_this_process_holds() -> None:
    assert 10 * MB < resident_bytes() < 10_000 * MB
