"""Where the control window of a demonstration goes: beside the shop, and never over what a customer touches."""

from __future__ import annotations

from PyQt6.QtCore import QPoint, QRect
from PyQt6.QtWidgets import QWidget

GAP = 8
"""Pixels between the two, and right of them: a window manager adds frames, and tells their width too late."""
NARROWEST = 640
"""Pixels that a shop's window is not made narrower than for its controls."""


def beside(window: QWidget, width: int, room: QRect) -> QPoint | None:
    """Where something of this width has its place in `room`, right of `window`; None where there is none.

    A window that leaves too little is moved to the left and made narrower, unless it fills the screen.
    """
    frame = window.frameGeometry()
    lack = max(frame.right() + 1 + GAP + width + GAP - (room.right() + 1), 0)
    moved = min(lack, max(frame.left() - room.left(), 0))
    narrower = lack - moved
    if lack and (window.isFullScreen() or window.width() - narrower < NARROWEST):
        return None
    if moved:
        window.move(window.pos() - QPoint(moved, 0))
    if narrower:
        window.resize(window.width() - narrower, window.height())
    return QPoint(frame.right() + 1 + GAP - lack, max(frame.top(), room.top()))
