"""Shows the probabilities of the age groups as bars, with the shown group emphasised."""

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
"""The time constant in seconds with which a bar approaches its new length."""


class AgeBars(QWidget):
    """A probability for each age group; without an estimate, only the groups' labels and empty bars."""

    def __init__(self, strings: Strings, groups: Sequence[AgeGroup], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._strings = strings
        self._scale = Scale.of(QSize(800, 800))
        self.groups = tuple(groups)
        self.target = (0.0,) * len(self.groups)
        self.shown = self.target
        self.certain = False
        self.emphasised: int | None = None  # the emphasised row
        self._painted_states: list[Hashable] = []
        self.presence = 0.0  # opacity of the percentages; without them the bars use their space

    # What to show

    def show_estimate(self, estimate: Estimate, *, certain: bool) -> None:
        """Shows an estimate's probabilities and emphasises its group; only a `certain` one in the accent colour."""
        if estimate.groups != self.groups:
            self.groups = estimate.groups
            self.shown = (0.0,) * len(self.groups)
        self._set_target(estimate.age_probabilities, self.groups.index(estimate.group), certain=certain)

    def show_nothing(self) -> None:
        """Lets the bars run empty."""
        self._set_target((0.0,) * len(self.groups), None, certain=False)

    def forget(self) -> None:
        """Empties the bars at once."""
        self.show_nothing()
        self.shown, self.presence = self.target, 0.0
        self.update()

    def _set_target(self, target: tuple[float, ...], emphasised: int | None, *, certain: bool) -> None:
        if (target, emphasised, certain) != (self.target, self.emphasised, self.certain):
            self.target, self.emphasised, self.certain = target, emphasised, certain
            self._renew()

    def _renew(self) -> None:
        """Repaints the rows that have changed since the last call."""
        before, self._painted_states = self._painted_states, self._row_states()
        for row, (old, new) in enumerate(zip_longest(before, self._painted_states)):
            if old != new:
                self.update(self._row(row))

    def _row_states(self) -> list[Hashable]:
        every = (self.certain, self.is_empty, self.presence)
        return [
            (group, self._strings.percent(target), round(2 * self.width() * shown), row == self.emphasised, every)
            for row, (group, target, shown) in enumerate(zip(self.groups, self.target, self.shown, strict=True))
        ]

    @property
    def is_empty(self) -> bool:
        """Whether no estimate is shown."""
        return self.emphasised is None

    def advance(self, seconds: float) -> None:
        """Advances the animation by `seconds`."""
        presence = 0.0 if self.is_empty else 1.0
        if (self.shown, self.presence) != (self.target, presence):
            self.presence = ease(self.presence, presence, seconds, GLIDE, near=0.01)
            self.shown = tuple(
                ease(value, aim, seconds, GLIDE, near=0.001) for value, aim in zip(self.shown, self.target, strict=True)
            )
            self._renew()

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
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
        """Returns the widths of the labels and of the percentages, for the widest text in bold."""
        metrics = QFontMetrics(self._font(emphasised=True))
        labels = max(metrics.horizontalAdvance(self._strings.ages(group)) for group in self.groups)
        return labels + 1, metrics.horizontalAdvance(self._strings.percent(1.0)) + 1

    def _row(self, row: int) -> QRect:
        """Returns a row's rectangle in whole pixels, so that rows are painted separately."""
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
            self._strings.ages(self.groups[row]),
        )
        if not self.is_empty:
            painter.setOpacity(self.presence)
            painter.drawText(
                QRectF(area.right() - percents, area.top(), percents, area.height()),
                middle | Qt.AlignmentFlag.AlignRight,
                self._strings.percent(self.target[row]),
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
            # a full bar, shifted to the left and clipped, so that one percent is exactly one percent long
            track = QPainterPath()
            track.addRoundedRect(bar, radius, radius)
            painter.save()
            painter.setClipPath(track)
            painter.setBrush(colour)
            painter.drawRoundedRect(bar.translated(bar.width() * (min(share, 1.0) - 1), 0), radius, radius)
            painter.restore()
