"""The faults that are caused from outside, and how quickly the machine must recover from each."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WITHIN_S: Mapping[str, float] = {
    "terminal": 90.0,
    "dispenser": 30.0,
    "vision killed": 60.0,
    "vision hangs": 60.0,
    "camera away": 60.0,
    "disk full": 90.0,
    "kiosk frozen": 60.0,
    "kiosk killed": 90.0,
    "kiosk ended": 90.0,
}
"""Seconds allowed from the end of the cause until the machine works again.

They include back-off (30 s for the journal, 60 s for the terminal) and a busy machine.
"""

OF_KIOSK = ("kiosk killed", "kiosk ended", "kiosk frozen")
OF_VISION = ("vision killed", "vision hangs", "camera away")
OF_DISK = ("disk full",)


@dataclass
class Fault:
    """One fault and its end. Times are in seconds since the soak began."""

    kind: str
    began: float
    over: float | None = None
    """When its cause ended."""
    mended: float | None = None
    """When the machine worked again."""
    reported: bool = False
    """Whether the machine reported it while it lasted."""

    @property
    def in_time(self) -> bool:
        """Whether the machine recovered within the time allowed."""
        return self.over is not None and self.mended is not None and self.mended - self.over <= WITHIN_S[self.kind]


@dataclass(frozen=True)
class Target:
    """The processes that run now, and the camera's clip."""

    kiosk: int
    vision: int | None
    clip: Path


@dataclass(frozen=True)
class Cause:
    """How a fault is caused: `begin`, and `end` after some seconds. `works` judges recovery by a sign of life."""

    begin: Callable[[Target], None]
    end: Callable[[Target], None]
    seconds: tuple[float, float]
    works: Callable[[Mapping[str, Any], Target], bool]
    """Whether a sign of life shows recovery; also gets what ran when the fault began."""
    reports: Callable[[Mapping[str, Any]], bool] = lambda _: False


def _signal(which: signal.Signals) -> Callable[[Target], None]:
    return lambda target: os.kill(target.kiosk, which)


def _signal_vision(which: signal.Signals) -> Callable[[Target], None]:
    def send(target: Target) -> None:
        if target.vision:
            os.kill(target.vision, which)

    return send


def _nothing(_: Target) -> None:
    pass


def _hide(target: Target) -> None:
    """Acts like a pulled cable: the clip is gone, and the process that reads it dies."""
    target.clip.rename(target.clip.with_suffix(".away"))
    _signal_vision(signal.SIGKILL)(target)


def bring_back(clip: Path) -> None:
    """Puts the clip back in its place."""
    away = clip.with_suffix(".away")
    if away.exists():
        away.rename(clip)


def _limit(size: int) -> Callable[[Target], None]:
    """Limits files to `size` bytes, which acts like a full disk for the kiosk."""

    def set_it(target: Target) -> None:
        _, hard = resource.prlimit(target.kiosk, resource.RLIMIT_FSIZE)
        resource.prlimit(target.kiosk, resource.RLIMIT_FSIZE, (size, hard))

    return set_it


def _has_vision(beat: Mapping[str, Any], target: Target) -> bool:
    return bool(beat["vision_state"] == "running" and beat["vision_pid"] != target.vision)


def _has_journal(beat: Mapping[str, Any], _: Target) -> bool:
    return "journal" not in beat["faults"]


def _lives(_beat: Mapping[str, Any], _: Target) -> bool:
    return True


def _has_restarted(beat: Mapping[str, Any], target: Target) -> bool:
    return bool(beat["pid"] != target.kiosk)


def _has_no_vision(beat: Mapping[str, Any]) -> bool:
    return bool(beat["vision_state"] != "running")


CAUSES: Mapping[str, Cause] = {
    "kiosk killed": Cause(_signal(signal.SIGKILL), _nothing, (0, 0), _has_restarted),
    "kiosk ended": Cause(_signal(signal.SIGTERM), _nothing, (0, 0), _has_restarted),
    "kiosk frozen": Cause(_signal(signal.SIGSTOP), _signal(signal.SIGCONT), (1, 6), _lives),
    "vision killed": Cause(_signal_vision(signal.SIGKILL), _nothing, (0, 0), _has_vision, _has_no_vision),
    "vision hangs": Cause(_signal_vision(signal.SIGSTOP), _nothing, (0, 0), _has_vision, _has_no_vision),
    "camera away": Cause(_hide, lambda target: bring_back(target.clip), (2, 8), _has_vision, _has_no_vision),
    "disk full": Cause(
        _limit(0), _limit(resource.RLIM_INFINITY), (2, 8), _has_journal, lambda beat: "journal" in beat["faults"]
    ),
}
