"""What is done to the machine from outside, what has to come of it, and within what time."""

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
"""Seconds from when the cause is gone to when the machine works again. Back-offs are in it (the journal's is 30 s, the
terminal's 60 s), and a busy machine."""

OF_KIOSK = ("kiosk killed", "kiosk ended", "kiosk frozen")
OF_VISION = ("vision killed", "vision hangs", "camera away")
OF_DISK = ("disk full",)


@dataclass
class Fault:
    """One fault and its end. Times in seconds since the soak began."""

    kind: str
    began: float
    over: float | None = None
    """When its cause was gone."""
    mended: float | None = None
    """When the machine worked again."""
    reported: bool = False
    """Whether the machine named it, meanwhile."""

    @property
    def in_time(self) -> bool:
        """Whether it was recovered from, soon enough."""
        return self.over is not None and self.mended is not None and self.mended - self.over <= WITHIN_S[self.kind]


@dataclass(frozen=True)
class Target:
    """What is running now."""

    kiosk: int
    vision: int | None
    clip: Path


@dataclass(frozen=True)
class Cause:
    """How a fault is made: `begin`, and after some seconds `end`; `works` says from a sign of life that it is over."""

    begin: Callable[[Target], None]
    end: Callable[[Target], None]
    seconds: tuple[float, float]
    works: Callable[[Mapping[str, Any], Target], bool]
    """Of the first sign of life since, and what was running when it began."""
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
    """As a cable that is pulled: the picture is gone, and the driver's reader dies of it."""
    target.clip.rename(target.clip.with_suffix(".away"))
    _signal_vision(signal.SIGKILL)(target)


def bring_back(clip: Path) -> None:
    """The cable is in again."""
    away = clip.with_suffix(".away")
    if away.exists():
        away.rename(clip)


def _limit(size: int) -> Callable[[Target], None]:
    """No file may grow beyond `size` bytes any more, or be written there: for who writes it, a full disk."""

    def set_it(target: Target) -> None:
        _, hard = resource.prlimit(target.kiosk, resource.RLIMIT_FSIZE)
        resource.prlimit(target.kiosk, resource.RLIMIT_FSIZE, (size, hard))

    return set_it


def _sees(beat: Mapping[str, Any], target: Target) -> bool:
    return bool(beat["vision_state"] == "running" and beat["vision_pid"] != target.vision)


def _sells(beat: Mapping[str, Any], _: Target) -> bool:
    return "journal" not in beat["faults"]


def _lives(_beat: Mapping[str, Any], _: Target) -> bool:
    return True


def _is_another(beat: Mapping[str, Any], target: Target) -> bool:
    return bool(beat["pid"] != target.kiosk)


def _blind(beat: Mapping[str, Any]) -> bool:
    return bool(beat["vision_state"] != "running")


CAUSES: Mapping[str, Cause] = {
    "kiosk killed": Cause(_signal(signal.SIGKILL), _nothing, (0, 0), _is_another),
    "kiosk ended": Cause(_signal(signal.SIGTERM), _nothing, (0, 0), _is_another),
    "kiosk frozen": Cause(_signal(signal.SIGSTOP), _signal(signal.SIGCONT), (1, 6), _lives),
    "vision killed": Cause(_signal_vision(signal.SIGKILL), _nothing, (0, 0), _sees, _blind),
    "vision hangs": Cause(_signal_vision(signal.SIGSTOP), _nothing, (0, 0), _sees, _blind),
    "camera away": Cause(_hide, lambda target: bring_back(target.clip), (2, 8), _sees, _blind),
    "disk full": Cause(
        _limit(0), _limit(resource.RLIM_INFINITY), (2, 8), _sells, lambda beat: "journal" in beat["faults"]
    ),
}
