"""Paints a frame on each face: rounded corners that follow the face, and a small label.

Observations come about thirty times a second; frames move at the display's rate. A frame that only eases towards a
moving head would stay behind it. So it also moves on at the face's last speed until the next observation is due.

The face whose estimate the panel shows has corners and label in the accent colour. The others are thinner and white,
with a shorter label.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QRegion

from kiosk.estimate import FaceObservation
from kiosk.ui.live.mapping import Mapping
from kiosk.ui.translations.live import Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import ease
from kiosk.ui.widgets.icons import corner_path
from kiosk.ui.widgets.theme import Scale

GLIDE = 0.07
"""The time constant in seconds with which a frame approaches its face."""
FADE = 0.12
AHEAD = 0.1
"""Seconds for which a face is assumed to move on without a new observation."""
SETTLE = 0.06
"""The time constant in seconds with which the assumed speed approaches the observed one."""
FASTEST, TREMBLING = 4.0, 0.25
"""In face widths per second: the highest assumed speed, and the apparent speed of a face that holds still."""
AROUND, ABOVE = 0.12, 0.24
"""The distance of the frame from the detector's box, which ends at brows and chin, as shares of its size."""


@dataclass
class FaceMark:
    """The frame of one face, in pixels of the camera image."""

    box: QRectF
    target: QRectF
    speed: tuple[float, ...] = (0.0,) * 4
    """The speed of the target's left, top, width and height, in pixels per second."""
    age: float = 0.0
    """Seconds since the target was set."""
    text: str = ""
    nearest: bool = False
    known: bool = False
    present: bool = True
    opacity: float = 0.0

    def set_target(self, target: QRectF) -> None:
        """Sets the observed position of the face and updates the speed."""
        if self.age > 0:
            way = zip(_sides(target), _sides(self.target), strict=True)
            seen = (_plausible((now - before) / self.age, target.width()) for now, before in way)
            self.speed = tuple(
                ease(speed, now, self.age, SETTLE, near=1.0) for speed, now in zip(self.speed, seen, strict=True)
            )
        self.target = target
        self.age = 0.0

    def fade_out(self) -> None:
        """Lets the frame fade out where it is, because the face is gone."""
        if self.present:
            self.target, self.speed, self.present = QRectF(self.box), (0.0,) * 4, False

    @property
    def predicted(self) -> QRectF:
        """The predicted current position of the face."""
        if self.age > 2 * AHEAD:  # the face stopped, or observations did
            return self.target
        ahead = min(self.age, AHEAD)
        return QRectF(*(side + speed * ahead for side, speed in zip(_sides(self.target), self.speed, strict=True)))

    @property
    def is_moving(self) -> bool:
        """Whether position or opacity still change."""
        goes_on = any(self.speed) and self.age <= 2 * AHEAD
        return goes_on or self.box != self.target or self.opacity != float(self.present)

    def advance(self, seconds: float) -> None:
        """Advances position and opacity by `seconds`."""
        self.age += seconds
        steps = zip(_sides(self.box), self.speed, _sides(self.predicted), strict=True)
        onward = seconds if self.age <= AHEAD else 0.0
        self.box = QRectF(*(ease(side + speed * onward, aim, seconds, GLIDE, near=0.2) for side, speed, aim in steps))
        self.opacity = ease(self.opacity, float(self.present), seconds, FADE, near=0.02)


class FaceOverlay:
    """The frames of all faces, by track."""

    def __init__(self, strings: Strings) -> None:
        self._strings = strings
        self.marks: dict[int, FaceMark] = {}

    def set_faces(self, faces: Sequence[FaceObservation], nearest: int | None) -> None:
        """Moves the frames to `faces`; frames of other faces fade out. `nearest` is the customer's track."""
        seen = {face.track for face in faces}
        for track, mark in self.marks.items():
            if track not in seen:
                mark.fade_out()
        for face in faces:
            target = QRectF(*face.box)
            mark = self.marks.setdefault(face.track, FaceMark(QRectF(target), target))
            mark.set_target(target)
            mark.present = True
            mark.nearest = face.track == nearest
            mark.known = face.status == "known" and face.estimate is not None
            mark.text = self._strings.tag(face) if mark.nearest else self._strings.short_tag(face)

    def clear(self) -> None:
        """Removes all frames at once."""
        self.marks.clear()

    @property
    def is_moving(self) -> bool:
        """Whether any frame still moves or fades."""
        return any(mark.is_moving for mark in self.marks.values())

    def advance(self, seconds: float) -> bool:
        """Advances the animation by `seconds`; returns whether anything must be repainted."""
        moved = False
        for track, mark in list(self.marks.items()):
            before = (QRectF(mark.box), mark.opacity)
            mark.advance(seconds)
            if not mark.present and mark.opacity == 0.0:
                del self.marks[track]
            moved = moved or before != (mark.box, mark.opacity)
        return moved

    def region(self, mapping: Mapping, scale: Scale) -> QRegion:
        """Returns the region that `paint` covers, in the view's pixels."""
        region = QRegion()
        for mark in self.marks.values():
            frame = frame_of(mark, mapping)
            line = _thickness(mark.nearest, scale) + scale.unit
            region += frame.adjusted(-line, -line, line, line).toAlignedRect()
            region += _pill(frame, mark, mapping, scale).toAlignedRect().adjusted(-1, -1, 1, 1)
        return region

    def paint(self, painter: QPainter, mapping: Mapping, scale: Scale) -> None:
        """Paints all frames and labels, the customer's last."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark in sorted(self.marks.values(), key=lambda mark: mark.nearest):
            painter.setOpacity(mark.opacity)
            frame = frame_of(mark, mapping)
            _paint_frame(painter, frame, mark.nearest, scale)
            _paint_tag(painter, frame, mark, mapping, scale)
        painter.restore()


def frame_of(mark: FaceMark, mapping: Mapping) -> QRectF:
    """Returns the rectangle of a frame in the view's pixels."""
    box = mapping.to_view(mark.box)
    around, above = box.width() * AROUND, box.height() * ABOVE
    return box.adjusted(-around, -above, around, around)


def _thickness(nearest: bool, scale: Scale) -> float:
    return scale.unit * (0.75 if nearest else 0.4)


def _paint_frame(painter: QPainter, frame: QRectF, nearest: bool, scale: Scale) -> None:
    width = _thickness(nearest, scale)
    side = min(frame.width(), frame.height())
    path = corner_path(frame, radius=min(scale.unit * 2.4, side * 0.2), arm=side * (0.12 if nearest else 0.06))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    line = theme.ACCENT if nearest else theme.LINE
    for colour, thickness in ((theme.SHADOW, width + scale.unit * 0.5), (line, width)):
        painter.setPen(QPen(colour, thickness, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPath(path)


def _font(nearest: bool, scale: Scale) -> QFont:
    size, weight = (theme.BODY, QFont.Weight.DemiBold) if nearest else (theme.CAPTION, QFont.Weight.Medium)
    return scale.font(size, weight)


def _pill(frame: QRectF, mark: FaceMark, mapping: Mapping, scale: Scale) -> QRectF:
    """Returns the rectangle of the label in the view's pixels."""
    metrics = QFontMetricsF(_font(mark.nearest, scale))
    height = metrics.height() + scale.unit * 1.2
    return place_tag(frame, QSizeF(metrics.horizontalAdvance(mark.text) + height, height), mapping, scale)


def _paint_tag(painter: QPainter, frame: QRectF, mark: FaceMark, mapping: Mapping, scale: Scale) -> None:
    pill = _pill(frame, mark, mapping, scale)
    accented = mark.nearest and mark.known
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.ACCENT if accented else theme.VEIL)
    painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
    painter.setFont(_font(mark.nearest, scale))
    painter.setPen(theme.ON_ACCENT if accented else theme.TEXT)
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, mark.text)


def place_tag(frame: QRectF, size: QSizeF, mapping: Mapping, scale: Scale) -> QRectF:
    """Returns the label's rectangle: below the frame, above it if there is no space, and always inside the view."""
    edge, gap = scale.unit * 1.5, scale.unit * 1.6
    pill = QRectF(QPointF(frame.center().x() - size.width() / 2, frame.bottom() + gap), size)
    if pill.bottom() > mapping.view.height() - edge:
        pill.moveBottom(frame.top() - gap)
    pill.moveLeft(_within(pill.left(), edge, mapping.view.width() - edge - pill.width()))
    pill.moveTop(_within(pill.top(), edge, mapping.view.height() - edge - pill.height()))
    return pill


def _within(value: float, low: float, high: float) -> float:
    return max(min(value, high), low)


def _plausible(speed: float, width: float) -> float:
    """Returns an observed speed without the jitter of a still face, limited to what a head can do."""
    return math.copysign(_within(abs(speed) - TREMBLING * width, 0.0, FASTEST * width), speed)


def _sides(box: QRectF) -> tuple[float, float, float, float]:
    return box.x(), box.y(), box.width(), box.height()
