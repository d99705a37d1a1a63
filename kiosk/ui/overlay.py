"""The calm frame on each face: rounded corners that glide after the face, and a small label.

The face that the panel speaks of has corners and label in the accent colour; the others are thinner,
white, and say less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from kiosk.estimate import FaceObservation
from kiosk.ui import theme
from kiosk.ui.finder import corners
from kiosk.ui.mapping import Mapping
from kiosk.ui.motion import ease
from kiosk.ui.theme import Scale
from kiosk.ui.words import Words

GLIDE = 0.07
"""Seconds in which a frame comes two thirds of the way to where the face is."""
FADE = 0.12
AROUND, ABOVE = 0.12, 0.24
"""How far the frame stands off the detector's box, which ends at brows and chin, as shares of its size."""


@dataclass
class Mark:
    """One face's frame, in pixels of the camera's frame."""

    box: QRectF
    target: QRectF
    text: str = ""
    nearest: bool = False
    known: bool = False
    present: bool = True
    opacity: float = 0.0


class Overlay:
    """All the marks, by track."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self.marks: dict[int, Mark] = {}

    def set_faces(self, faces: Sequence[FaceObservation], nearest: int | None) -> None:
        """Aim at `faces`; whoever is not among them fades."""
        for mark in self.marks.values():
            mark.present = False
        for face in faces:
            target = QRectF(*face.box)
            mark = self.marks.setdefault(face.track, Mark(QRectF(target), target))
            mark.target = target
            mark.present = True
            mark.nearest = face.track == nearest
            mark.known = face.status == "known" and face.estimate is not None
            mark.text = self._words.tag(face) if mark.nearest else self._words.short_tag(face)

    def clear(self) -> None:
        self.marks.clear()

    def advance(self, seconds: float) -> bool:
        """Move on by `seconds`; says whether anything looks different."""
        moved = False
        for track, mark in list(self.marks.items()):
            before = (QRectF(mark.box), mark.opacity)
            mark.box = _glide(mark.box, mark.target, seconds)
            mark.opacity = ease(mark.opacity, 1.0 if mark.present else 0.0, seconds, FADE, near=0.02)
            if not mark.present and mark.opacity == 0.0:
                del self.marks[track]
            moved = moved or before != (mark.box, mark.opacity)
        return moved

    def paint(self, painter: QPainter, mapping: Mapping, scale: Scale) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark in sorted(self.marks.values(), key=lambda mark: mark.nearest):
            painter.setOpacity(mark.opacity)
            frame = frame_of(mark, mapping)
            _paint_frame(painter, frame, mark.nearest, scale)
            _paint_tag(painter, frame, mark, mapping, scale)
        painter.restore()


def frame_of(mark: Mark, mapping: Mapping) -> QRectF:
    """Where the mark's corners stand in the view."""
    box = mapping.to_view(mark.box)
    around, above = box.width() * AROUND, box.height() * ABOVE
    return box.adjusted(-around, -above, around, around)


def _paint_frame(painter: QPainter, frame: QRectF, nearest: bool, scale: Scale) -> None:
    width = scale.unit * (0.75 if nearest else 0.4)
    side = min(frame.width(), frame.height())
    path = corners(frame, radius=min(scale.unit * 2.4, side * 0.2), arm=side * (0.12 if nearest else 0.06))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    line = theme.ACCENT if nearest else theme.LINE
    for colour, thickness in ((theme.SHADOW, width + scale.unit * 0.5), (line, width)):
        painter.setPen(QPen(colour, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)


def _paint_tag(painter: QPainter, frame: QRectF, mark: Mark, mapping: Mapping, scale: Scale) -> None:
    size, weight = (theme.BODY, QFont.Weight.DemiBold) if mark.nearest else (theme.CAPTION, QFont.Weight.Medium)
    font = scale.font(size, weight)
    metrics = QFontMetricsF(font)
    height = metrics.height() + scale.unit * 1.2
    pill = place_tag(frame, QSizeF(metrics.horizontalAdvance(mark.text) + height, height), mapping, scale)
    accented = mark.nearest and mark.known
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.ACCENT if accented else theme.VEIL)
    painter.drawRoundedRect(pill, height / 2, height / 2)
    painter.setFont(font)
    painter.setPen(theme.ON_ACCENT if accented else theme.TEXT)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, mark.text)


def place_tag(frame: QRectF, size: QSizeF, mapping: Mapping, scale: Scale) -> QRectF:
    """Below the frame, above it where there is no room, and always inside the view."""
    edge, gap = scale.unit * 1.5, scale.unit * 1.6
    pill = QRectF(QPointF(frame.center().x() - size.width() / 2, frame.bottom() + gap), size)
    if pill.bottom() > mapping.view.height() - edge:
        pill.moveBottom(frame.top() - gap)
    pill.moveLeft(_within(pill.left(), edge, mapping.view.width() - edge - pill.width()))
    pill.moveTop(_within(pill.top(), edge, mapping.view.height() - edge - pill.height()))
    return pill


def _within(value: float, low: float, high: float) -> float:
    return max(min(value, high), low)


def _glide(box: QRectF, target: QRectF, seconds: float) -> QRectF:
    sides = zip(box.getRect(), target.getRect(), strict=True)
    return QRectF(*(ease(side or 0.0, aim or 0.0, seconds, GLIDE, near=0.2) for side, aim in sides))
