"""What the operator chose about the screen."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.shop.presence import GONE_AFTER


@dataclass(frozen=True)
class Appearance:
    """The screen, its language and its sound."""

    languages: tuple[str, ...] = ("en", "zh", "de")
    """Those that can be chosen; the first is everybody's until they do."""
    large_text: bool = False
    low_reach: bool = False
    """Whether every control is in the lower half from the start; a customer can have it so in any case."""
    pixels_per_mm: float | None = None
    """Of the screen; None asks the screen, which often does not know."""
    sound: bool = False
    volume: float = 0.6
    mirrored: bool = True
    """Whether the live picture is shown as a mirror does: for a camera, not for a clip."""
    locked: bool = False
    """Fullscreen, without frame and pointer, and nothing closes it but `leave`."""
    counts: bool = False
    """Whether customers have to be told that they are counted by hour and age group."""
    gone_after: float = GONE_AFTER
    """Seconds without a face and a touch, after which it is asked whether anybody is there."""
