"""Times as text have one width, so that their order is the order of time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from kiosk.common.utc import utc_now, utc_text


def test_a_time_of_any_zone_is_written_in_utc_with_milliseconds() -> None:
    berlin = datetime(2026, 3, 2, 13, 0, 0, 500, tzinfo=timezone(timedelta(hours=1)))
    assert utc_text(berlin) == "2026-03-02T12:00:00.000Z"


def test_sorted_texts_are_in_the_order_of_time() -> None:
    now = utc_now()
    times = [now + timedelta(milliseconds=step) for step in (0, 1, 999, 60_000, 10**9)]
    assert sorted(map(utc_text, times)) == [utc_text(time) for time in times]
