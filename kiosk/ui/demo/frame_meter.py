"""Measures how smoothly a window runs: paints, their duration, and stalls of its event loop.

`FrameMeter` computes with times that it receives; `FrameWatch` records those of a window. Everything counts from the
first image; what comes before is the launch.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QEvent, QObject, Qt, QTimer
from PyQt6.QtWidgets import QWidget

from kiosk.common.process_usage import Usage, seconds_since_launch, usage

TURN_MS = 10
STALL = 0.05
"""Seconds without a turn of the event loop that count as a stall: a touch would have had to wait."""


class FrameMeter:
    """Counts and durations, in seconds of one clock."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._now = 0.0
        self._beat: tuple[float, float] | None = None
        self._last_picture = 0.0
        self.pictures = 0
        self.paints: list[float] = []
        self.intervals: list[float] = []
        """Seconds between two paints with a new image each."""
        self.stalls: list[float] = []
        self.own_stalls = 0
        """Stalls in which the thread itself used the processor for longer than `STALL`.

        The machine caused the others.
        """

    @property
    def began(self) -> bool:
        """Whether an image was painted."""
        return self._began is not None

    def record_paint(self, began: float, ended: float, *, new_picture: bool) -> None:
        """Records a paint of the window, from `began` to `ended`."""
        if new_picture:
            if self._began is None:
                self._began = ended
            else:
                self.intervals.append(ended - self._last_picture)
                self.pictures += 1
            self._last_picture = ended
        if self._began is not None:
            self._now = max(self._now, ended)
            self.paints.append(ended - began)

    def record_turn(self, now: float, worked: float) -> None:
        """Records a turn of the event loop; `worked` is the processor time of its thread so far."""
        if self._began is None:
            return
        self._now = max(self._now, now)
        if self._beat is not None:
            before, worked_before = self._beat
            if now - before > STALL:
                self.stalls.append(now - before)
                self.own_stalls += worked - worked_before > STALL
        self._beat = now, worked

    @property
    def seconds(self) -> float:
        """Seconds since the first image."""
        return 0.0 if self._began is None else self._now - self._began

    def summary(self) -> dict[str, Any]:
        """Returns the results for JSON, with times in milliseconds; None where nothing was measured."""
        return {
            "seconds": round(self.seconds, 2),
            "pictures_per_second": self._rate(self.pictures),
            "picture_interval_ms": _spread(self.intervals),
            "paints": len(self.paints),
            "paints_per_second": self._rate(len(self.paints)),
            "paint_ms": _spread(self.paints),
            "stalls": len(self.stalls),
            "stalls_by_own_work": self.own_stalls,
            "longest_stall_ms": _ms(max(self.stalls)) if self.stalls else None,
        }

    def _rate(self, count: int) -> float | None:
        return round(count / self.seconds, 2) if self.seconds else None


class FrameWatch(QObject):
    """Records the paints and event loop turns of a window in a meter. It costs one timer tick per `TURN_MS`.

    `pictures` returns the number of images painted so far.
    """

    def __init__(self, window: QWidget, pictures: Callable[[], int]) -> None:
        super().__init__(window)
        self.meter = FrameMeter()
        self._pictures = pictures
        self._launch: float | None = None
        self._before: dict[int, Usage] = {}
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._timer.start(TURN_MS)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Measures the event in which Qt paints the window and sends it to the screen."""
        if watched is None or event is None or event.type() != QEvent.Type.UpdateRequest:
            return False
        pictures, began = self._pictures(), time.perf_counter()
        watched.event(event)
        self.meter.record_paint(began, time.perf_counter(), new_picture=self._pictures() != pictures)
        if self._launch is None and self.meter.began:
            self._launch = seconds_since_launch()
            self._before = {pid: used for _, pid, used in self._used()}
        return True

    def report(self) -> dict[str, Any]:
        """Returns the meter's summary with the launch time and the resources of each process, for JSON."""
        report: dict[str, Any] = {"launch_to_first_picture_s": None if self._launch is None else round(self._launch, 2)}
        report |= self.meter.summary()
        report["processes"] = {
            name: {"processor_percent": self._share(pid, used), "memory_mb": round(used.memory / 1e6, 1)}
            for name, pid, used in self._used()
        }
        return report

    def _share(self, pid: int, used: Usage) -> float | None:
        """Returns the processor time in percent of one core."""
        before = self._before.get(pid)
        seconds = self.meter.seconds
        return round((used.processor - before.processor) / seconds * 100, 1) if before and seconds else None

    def _used(self) -> list[tuple[str, int, Usage]]:
        pids = [("window", os.getpid()), *((child.name, child.pid) for child in multiprocessing.active_children())]
        asked = ((name, pid, usage(pid)) for name, pid in pids if pid is not None)
        return [(name, pid, used) for name, pid, used in asked if used is not None]

    def _on_beat(self) -> None:
        self.meter.record_turn(time.perf_counter(), time.thread_time())


def as_text(report: dict[str, Any]) -> str:
    """Returns a report as text, one line for each value."""
    lines = [
        f"first picture      {_said(report['launch_to_first_picture_s'], 's')} after the launch",
        f"pictures           {_said(report['pictures_per_second'])} a second over {report['seconds']:g} s",
        f"picture to picture {_spread_said(report['picture_interval_ms'])}",
        f"paints             {_said(report['paints_per_second'])} a second",
        f"a paint            {_spread_said(report['paint_ms'])}",
        f"stalls over {STALL * 1000:g} ms  {report['stalls']}, {report['stalls_by_own_work']} of them by the window's "
        f"own work, the longest {_said(report['longest_stall_ms'], 'ms')}",
    ]
    lines += [
        f"{name + ' process':<18} {_said(used['processor_percent'], '%')} of a core, {used['memory_mb']:g} MB"
        for name, used in report["processes"].items()
    ]
    return "\n".join(lines)


def _said(value: float | None, unit: str = "") -> str:
    return "–" if value is None else f"{value:g} {unit}".rstrip()


def _spread_said(spread: dict[str, float] | None) -> str:
    if spread is None:
        return "–"
    return f"{spread['p50']:g} ms (median), {spread['p95']:g} ms (95th percentile), {spread['max']:g} ms at most"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _spread(seconds: list[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {"p50": _ms(ordered[last // 2]), "p95": _ms(ordered[last * 95 // 100]), "max": _ms(ordered[-1])}
