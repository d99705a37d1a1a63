from __future__ import annotations

from kiosk.common.backoff import Backoff, delay_after, doubling_delays


def test_the_last_delay_repeats_until_the_back_off_is_reset() -> None:
    backoff = Backoff((0.5, 1.0, 2.0))
    assert [backoff.next_delay() for _ in range(5)] == [0.5, 1.0, 2.0, 2.0, 2.0]
    backoff.reset()
    assert backoff.next_delay() == 0.5


def test_doubling_delays_end_with_the_longest() -> None:
    assert doubling_delays(2.0, 60.0) == (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
    assert doubling_delays(0.5, 10.0) == (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)
    assert doubling_delays(5.0, 1.0) == (1.0,)


def test_any_number_of_failures_has_a_delay() -> None:
    assert delay_after(0, (1.0, 3.0)) == 1.0
    assert delay_after(5000, (1.0, 3.0)) == 3.0
