from __future__ import annotations

import json

import pytest
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kiosk.ui.demo.frame_meter import FrameMeter, FrameWatch, as_text
from kiosk.ui.demo.window import DemoWindow
from tests.fakes.ui import FakeVision, make_face, make_preview


def smooth(meter: FrameMeter, pictures: int, start: float = 10.0) -> None:
    """Thirty pictures a second, each painted in 4 ms, and a frame moved between two of them in 1 ms."""
    for number in range(pictures):
        at = start + number / 30
        meter.record_paint(at, at + 0.004, new_picture=True)
        meter.record_paint(at + 0.016, at + 0.017, new_picture=False)


def test_nothing_is_measured_before_the_first_picture() -> None:
    meter = FrameMeter()
    meter.record_paint(1.0, 1.5, new_picture=False)
    meter.record_turn(1.0, 0.0)
    meter.record_turn(9.0, 8.0)
    assert not meter.began
    summary = meter.summary()
    assert (summary["seconds"], summary["paints"], summary["stalls"]) == (0.0, 0, 0)
    for key in ("pictures_per_second", "picture_interval_ms", "paints_per_second", "paint_ms", "longest_stall_ms"):
        assert summary[key] is None


def test_pictures_and_paints_are_counted_from_the_first() -> None:
    meter = FrameMeter()
    smooth(meter, 301)
    summary = meter.summary()
    assert summary["pictures_per_second"] == pytest.approx(30, abs=0.1)
    assert summary["paints"] == 602
    assert summary["paints_per_second"] == pytest.approx(60, abs=0.2)
    assert summary["picture_interval_ms"]["p50"] == pytest.approx(33.33, abs=0.01)


def test_times_of_paints_are_spread() -> None:
    meter = FrameMeter()
    for milliseconds in range(1, 101):
        at = milliseconds * 1.0
        meter.record_paint(at, at + milliseconds / 1000, new_picture=True)
    assert meter.summary()["paint_ms"] == {"p50": 50.0, "p95": 95.0, "max": 100.0}


def test_a_stall_is_a_beat_that_came_late_and_says_whose_work_it_was() -> None:
    meter = FrameMeter()
    meter.record_paint(0.0, 0.004, new_picture=True)
    worked = 0.0
    for now, work in ((0.01, 0.0), (0.06, 0.05), (0.13, 0.002), (0.25, 0.11), (0.26, 0.0)):
        worked += work
        meter.record_turn(now, worked)
    summary = meter.summary()
    assert (summary["stalls"], summary["stalls_by_own_work"]) == (2, 1)
    assert summary["longest_stall_ms"] == pytest.approx(120)


def test_launch_is_no_stall() -> None:
    meter = FrameMeter()
    meter.record_turn(0.0, 0.0)
    meter.record_paint(3.0, 3.1, new_picture=True)
    meter.record_turn(3.11, 2.0)
    meter.record_turn(3.12, 2.0)
    assert meter.summary()["stalls"] == 0


@pytest.fixture
def watched(qtbot: QtBot, vision: FakeVision) -> tuple[DemoWindow, FrameWatch]:
    window = DemoWindow(vision)
    qtbot.addWidget(window)
    window.timer.stop()
    watch = FrameWatch(window, lambda: window.view.pictures)
    window.show()
    QApplication.processEvents()
    return window, watch


def test_a_window_tells_of_its_paints(watched: tuple[DemoWindow, FrameWatch], vision: FakeVision) -> None:
    window, watch = watched
    assert watch.report()["launch_to_first_picture_s"] is None
    for _ in range(3):
        vision.next_preview = make_preview()
        vision.see(make_face())
        window.advance(0.03)
        QApplication.processEvents()
    report = watch.report()
    assert report["paints"] >= 3
    assert watch.meter.pictures == 2  # after the first, from which it counts
    assert report["launch_to_first_picture_s"] > 0
    assert report["processes"]["window"]["memory_mb"] > 1
    assert json.loads(json.dumps(report)) == report


def test_a_report_is_readable_with_and_without_figures(watched: tuple[DemoWindow, FrameWatch]) -> None:
    _, watch = watched
    assert "first picture      – after the launch" in as_text(watch.report())
    smooth(watch.meter, 31)
    text = as_text(watch.report())
    assert "pictures           29.62 a second over 1.01 s" in text
    assert "picture to picture 33.33 ms (median)" in text
    assert "stalls over 50 ms  0, 0 of them" in text
    assert "window process" in text
