"""The age groups as bars, one below the other, the one that is shown standing out."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import zip_longest

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.estimate import AgeGroup, Estimate
from kiosk.ui.translations.live import Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import ease
from kiosk.ui.widgets.theme import Scale

GLIDE = 0.16
"""Seconds in which a bar comes two thirds of the way to its new length."""


class AgeBars(QWidget):
    """A distribution over age groups; at rest, the groups alone."""

    def __init__(self, words: Strings, groups: Sequence[AgeGroup], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._scale = Scale.of(QSize(800, 800))
        self.groups = tuple(groups)
        self.target = (0.0,) * len(self.groups)
        self.shown = self.target
        self.certain = False
        self.emphasised: int | None = None  # the row that stands out
        self._looks: list[Hashable] = []
        self.presence = 0.0  # of the percentages; while they are away the bars take their room

    # What to show

    def show_estimate(self, estimate: Estimate, *, certain: bool) -> None:
        """Aim at its probabilities, its group standing out; only a certain one gets the accent colour."""
        if estimate.groups != self.groups:
            self.groups = estimate.groups
            self.shown = (0.0,) * len(self.groups)
        self._aim(estimate.age_probabilities, self.groups.index(estimate.group), certain=certain)

    def rest(self) -> None:
        """Nothing to say: the bars run empty."""
        self._aim((0.0,) * len(self.groups), None, certain=False)

    def forget(self) -> None:
        """Empty at once, without running empty."""
        self.rest()
        self.shown, self.presence = self.target, 0.0
        self.update()

    def _aim(self, target: tuple[float, ...], emphasised: int | None, *, certain: bool) -> None:
        if (target, emphasised, certain) != (self.target, self.emphasised, self.certain):
            self.target, self.emphasised, self.certain = target, emphasised, certain
            self._renew()

    def _renew(self) -> None:
        """Paint the rows that look different from when this was last asked."""
        before, self._looks = self._looks, self._look_of_rows()
        for row, (old, new) in enumerate(zip_longest(before, self._looks)):
            if old != new:
                self.update(self._row(row))

    def _look_of_rows(self) -> list[Hashable]:
        every = (self.certain, self.resting, self.presence)
        return [
            (group, self._words.percent(target), round(2 * self.width() * shown), row == self.emphasised, every)
            for row, (group, target, shown) in enumerate(zip(self.groups, self.target, self.shown, strict=True))
        ]

    @property
    def resting(self) -> bool:
        """Whether there is nothing to say."""
        return self.emphasised is None

    def advance(self, seconds: float) -> None:
        presence = 0.0 if self.resting else 1.0
        if (self.shown, self.presence) != (self.target, presence):
            self.presence = ease(self.presence, presence, seconds, GLIDE, near=0.01)
            self.shown = tuple(
                ease(value, aim, seconds, GLIDE, near=0.001) for value, aim in zip(self.shown, self.target, strict=True)
            )
            self._renew()

    def rescale(self, scale: Scale) -> None:
        self._scale = scale
        self.updateGeometry()
        self.update()

    # Geometry

    def sizeHint(self) -> QSize:  # noqa: N802
        label, percent = self.column_widths()
        height = QFontMetrics(self._font(emphasised=True)).height() * len(self.groups)
        return QSize(label + percent + self._scale.px(2 * theme.GAP + 10), height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        return self.sizeHint()

    def column_widths(self) -> tuple[int, int]:
        """Of the labels and of the percentages, each with room for the widest in bold."""
        metrics = QFontMetrics(self._font(emphasised=True))
        labels = max(metrics.horizontalAdvance(self._words.ages(group)) for group in self.groups)
        return labels + 1, metrics.horizontalAdvance(self._words.percent(1.0)) + 1

    def _row(self, row: int) -> QRect:
        """Of whole pixels, so that no row is painted with its neighbour."""
        top, bottom = (round(each * self.height() / len(self.groups)) for each in (row, row + 1))
        return QRect(0, top, self.width(), bottom - top)

    def _font(self, *, emphasised: bool) -> QFont:
        return self._scale.font(theme.BODY, QFont.Weight.DemiBold if emphasised else QFont.Weight.Normal)

    # Painting

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in range(len(self.groups)):
            area = self._row(row)
            if event is None or event.region().intersects(area):
                self._paint_row(painter, row, QRectF(area))

    def _paint_row(self, painter: QPainter, row: int, area: QRectF) -> None:
        emphasised = row == self.emphasised
        labels, percents = self.column_widths()
        gap = self._scale.px(theme.GAP * 1.3)
        painter.setFont(self._font(emphasised=emphasised))
        painter.setPen(theme.TEXT if emphasised and self.certain else theme.QUIET)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(
            QRectF(area.left(), area.top(), labels, area.height()),
            middle | Qt.AlignmentFlag.AlignLeft,
            self._words.ages(self.groups[row]),
        )
        if not self.resting:
            painter.setOpacity(self.presence)
            painter.drawText(
                QRectF(area.right() - percents, area.top(), percents, area.height()),
                middle | Qt.AlignmentFlag.AlignRight,
                self._words.percent(self.target[row]),
            )
            painter.setOpacity(1.0)
        room = (percents + gap) * self.presence
        bar = QRectF(area.left() + labels + gap, 0, area.width() - labels - gap - room, self._scale.unit * 2.1)
        bar.moveTop(area.center().y() - bar.height() / 2)
        self._paint_bar(painter, bar, self.shown[row], self._fill(emphasised))

    def _fill(self, emphasised: bool) -> QColor:
        if not emphasised:
            return theme.FILL
        return theme.ACCENT if self.certain else theme.QUIET

    @staticmethod
    def _paint_bar(painter: QPainter, bar: QRectF, share: float, colour: QColor) -> None:
        radius = bar.height() / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.TRACK)
        painter.drawRoundedRect(bar, radius, radius)
        if share > 0:
            # a whole bar pushed in from the left and cut off there, so that one percent is one percent long
            track = QPainterPath()
            track.addRoundedRect(bar, radius, radius)
            painter.save()
            painter.setClipPath(track)
            painter.setBrush(colour)
            painter.drawRoundedRect(bar.translated(bar.width() * (min(share, 1.0) - 1), 0), radius, radius)
            painter.restore()
