from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.vision.process.memory_watch import HARD_LIMIT, SETTLED_AFTER, SOFT_LIMIT, MemoryWatch, resident_bytes

MB = 1 << 20


def test_growth_before_settling_is_not_a_leak() -> None:
    used = [2000 * MB, 2000 * MB + SOFT_LIMIT // 2]
    watch = MemoryWatch(lambda: used.pop(0))
    assert watch.excess_bytes(10.0, quiet=True) == 0
    assert len(used) == 2
    assert watch.excess_bytes(10.0 + SETTLED_AFTER, quiet=True) == 0
    assert watch.excess_bytes(20.0 + SETTLED_AFTER, quiet=True) == 0


@pytest.mark.proves("vision-leaking")
@pytest.mark.parametrize(
    ("growth", "quiet", "ends"),
    [
        (SOFT_LIMIT - 1, True, False),
        (SOFT_LIMIT, True, True),
        (SOFT_LIMIT, False, False),
        (HARD_LIMIT - 1, False, False),
        (HARD_LIMIT, False, True),
    ],
)
def test_leak_counts_only_while_quiet_and_a_flood_always(growth: int, quiet: bool, ends: bool) -> None:
    used = [300 * MB, 300 * MB + growth]
    watch = MemoryWatch(lambda: used.pop(0))
    watch.excess_bytes(0.0, quiet=True)
    watch.excess_bytes(SETTLED_AFTER, quiet=True)
    assert watch.excess_bytes(SETTLED_AFTER + 10, quiet=quiet) == (growth if ends else 0)


def test_memory_is_measured_only_every_few_seconds() -> None:
    calls: list[int] = []
    watch = MemoryWatch(lambda: calls.append(1) or 0)  # type: ignore[func-returns-value]
    for frame in range(300):
        watch.excess_bytes(frame / 30 + SETTLED_AFTER, quiet=True)
    watch.excess_bytes(1000.0, quiet=True)
    assert len(calls) == 1
    watch.excess_bytes(1001.0, quiet=True)
    assert len(calls) == 1


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not report the memory of a process")
def test_resident_bytes_of_this_process_are_plausible() -> None:
    assert 10 * MB < resident_bytes() < 10_000 * MB
