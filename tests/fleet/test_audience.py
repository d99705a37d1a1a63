"""People are counted by the hour and by group, and nobody can be told from the counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.estimate import DECADES, Estimate, FaceObservation, Observation
from kiosk.fleet.audience import FEWEST, GONE_AFTER_S, FinishedTracks, VisitorCounter
from tests.fakes.fleet_rig import BEGIN, Machine, status


def face(track: int, group: int | None, *, known: bool = True) -> FaceObservation:
    estimate = None
    if group is not None:
        ages = tuple(float(index == group) for index in range(len(DECADES)))
        estimate = Estimate(("female", "male"), (0.5, 0.5), DECADES, ages)
    return FaceObservation(track, (0, 0, 9, 9), 1.0, "known" if known else "unknown", estimate)


def seen(time: float, *faces: FaceObservation) -> Observation:
    return Observation(time, 0, 1.0, faces)


def test_a_track_is_counted_once_and_when_it_is_over() -> None:
    tracks = FinishedTracks()
    assert tracks.finished([seen(1, face(1, 3)), seen(2, face(1, 3)), seen(3, face(1, 4, known=False))]) == []
    assert tracks.finished([seen(3 + GONE_AFTER_S)]) == []
    assert tracks.finished([seen(3.1 + GONE_AFTER_S)]) == ["30-39"]
    assert tracks.finished([seen(99)]) == []


def test_a_track_without_an_estimate_is_not_counted() -> None:
    tracks = FinishedTracks()
    assert tracks.finished([seen(1, face(1, 3, known=False)), seen(2, face(2, None, known=False)), seen(99)]) == []


def test_a_number_that_is_a_place_in_a_frame_keeps_nobody_there() -> None:
    tracks = FinishedTracks()
    noticed = [seen(time, face(1, None, known=False)) for time in (2, 4, 6)]
    assert tracks.finished([seen(1, face(1, 3)), *noticed]) == ["20-29"]


def test_a_new_vision_process_ends_the_tracks_of_the_old_one() -> None:
    tracks = FinishedTracks()
    assert tracks.finished([seen(500, face(1, 3)), seen(1)]) == ["20-29"]


@pytest.mark.proves("network-customers")
def test_small_counts_are_not_reported() -> None:
    audience = VisitorCounter()
    assert audience.finish_hour(BEGIN) is None
    for label, count in (("20-29", FEWEST), ("30-39", FEWEST - 1), ("60+", 40)):
        for _ in range(count):
            audience.add(label)
    assert audience.finish_hour(BEGIN + timedelta(minutes=59)) is None
    assert audience.finish_hour(BEGIN + timedelta(hours=1)) == (BEGIN, {"20-29": 5, "60+": 40})
    audience.add("20-29")
    assert audience.finish_hour(BEGIN + timedelta(hours=2)) is None


@pytest.mark.parametrize("people", [FEWEST - 1, FEWEST])
def test_an_hourly_report_needs_enough_visitors(tmp_path, people: int) -> None:  # type: ignore[no-untyped-def]
    machine = Machine(tmp_path, 1)
    machine.step()
    for _ in range(people):
        machine.worker.count_visitor("20-29")
    machine.after(3600)
    reports = [row for row in machine.outbox.messages_after(0, 9) if row.topic == "audience"]
    if people < FEWEST:
        assert reports == []
    else:
        (row,) = reports
        assert row.data == {"kind": "audience", "hour": "2026-03-02T12:00:00.000Z", "counts": {"20-29": 5}}
    machine.close()


def everything_told(folder: Path, people: list[int]) -> list[tuple[str, dict[str, Any]]]:
    """Returns all messages of a day in which `people` of one group come in each hour."""
    machine = Machine(folder, 1, health_every=600)
    machine.step()
    for hour in range(24):
        machine.tell(status(count=hour % 8))
        for label, count in zip(("20-29", "30-39", "60+"), people, strict=True):
            for _ in range(count):
                machine.worker.count_visitor(label)
        machine.after(1200)
        machine.after(-7200 if hour == 12 else 1200)  # once its clock is set back
        machine.after(1200)
    reports = [(row.topic, dict(row.data)) for row in machine.outbox.messages_after(0, 9999)]
    machine.close()
    for _, data in reports:
        data.pop("disk_free", None)
    return reports


def test_fewer_than_five_leave_no_trace_in_any_message(tmp_path: Path) -> None:
    """Sums, numbers of messages, gaps and topics are the same as without these visitors."""
    nobody = everything_told(tmp_path / "nobody", [0, 0, 0])
    assert everything_told(tmp_path / "few", [FEWEST - 1, 1, 3]) == nobody
    many = everything_told(tmp_path / "many", [0, 0, 9])
    assert everything_told(tmp_path / "both", [FEWEST - 1, 2, 9]) == many
    assert len([topic for topic, _ in many if topic != "audience"]) == len(nobody)
    assert {count for topic, data in many if topic == "audience" for count in data["counts"].values()} == {9}
