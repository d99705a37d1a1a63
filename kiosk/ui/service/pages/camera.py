"""The camera page: the live picture with each face's box, landmarks, track number and quality."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget

from kiosk.estimate import FaceObservation
from kiosk.ui.live.mapping import Mapping
from kiosk.ui.live.view import as_image
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.layout import centred
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vision.process.messages import VisionMode, VisionState


class TrackView(QWidget):
    """Draws the latest frame, unmirrored, with everything that is known about each face."""

    def __init__(self, context: ServiceContext, strings: ServiceStrings, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._strings = strings
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Use the font sizes of `metrics`."""
        self._metrics = metrics

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        preview, observation = self._context.feed.latest_preview, self._context.feed.latest_observation
        if preview is None:
            painter.fillRect(self.rect(), theme.SURFACE)
            painter.setPen(theme.QUIET)
            painter.setFont(self._metrics.text.font(theme.BODY))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._strings.no_picture())
            return
        width, height = preview.frame_size
        scale = min(self.width() / width, self.height() / height)
        place = centred(self.rect(), round(width * scale), round(height * scale))
        painter.translate(QPointF(place.topLeft()))
        painter.setClipRect(0, 0, place.width(), place.height())
        painter.drawImage(QRectF(0, 0, place.width(), place.height()), as_image(preview))
        mapping = Mapping(preview.frame_size, place.size(), mirrored=False)
        for face in observation.faces if observation else ():
            self._paint_face(painter, mapping.to_view(QRectF(*face.box)), face, place.size())
            self._paint_landmarks(painter, mapping, face)

    def _paint_landmarks(self, painter: QPainter, mapping: Mapping, face: FaceObservation) -> None:
        radius = max(self._metrics.scale.unit * 0.55, 2.0)
        painter.setPen(QPen(theme.SHADOW, 1.0))
        painter.setBrush(theme.ACCENT)
        for x, y in face.landmarks or ():
            painter.drawEllipse(mapping.to_view(QRectF(x, y, 0, 0)).center(), radius, radius)

    def _paint_face(self, painter: QPainter, box: QRectF, face: FaceObservation, size: QSize) -> None:
        colour = theme.ACCENT if face.status == "known" else theme.LINE
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for each, line in ((theme.SHADOW, 5.0), (colour, 2.0)):
            painter.setPen(QPen(each, line))
            painter.drawRect(box)
        font = self._metrics.text.font(theme.CAPTION, QFont.Weight.Medium)
        text = self._strings.track(face.track, face.quality, face.status, face.live)
        font_metrics = QFontMetricsF(font)
        label = QRectF(
            box.left(), box.bottom() + 2, font_metrics.horizontalAdvance(text) + 12, font_metrics.height() + 6
        )
        if label.bottom() > size.height():
            label.moveBottom(box.top() - 2)
        label.moveLeft(max(min(label.left(), size.width() - label.width()), 0.0))
        label.moveTop(max(label.top(), 0.0))
        painter.fillRect(label, theme.VEIL)
        painter.setFont(font)
        painter.setPen(theme.TEXT)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, text)


class CameraPage(Page):
    """Shows what vision sees. Only while this page is open are faces in front of the machine processed."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self.view = TrackView(context, strings, self)
        self.rates = self.line()

    def title(self) -> str:
        """Return "Camera" in the current language."""
        return self.strings.camera()

    def start(self) -> None:
        """Switch vision to service mode, which processes the faces in front of the camera."""
        self.context.feed.set_mode(VisionMode.SERVICE)

    def stop(self) -> None:
        """Switch vision back to presence mode, which also forgets the latest frame."""
        self.context.feed.set_mode(VisionMode.PRESENCE)

    def refresh(self) -> None:
        """Show the frame rate or the fault of the camera, and paint the latest frame."""
        feed = self.context.feed
        state = self.strings.vision_state(feed.state)
        text = self.strings.rates(feed.pace.fps, feed.pace.latency_ms) if feed.state is VisionState.RUNNING else state
        self.rates.set_text(f"{text} · {feed.fault}" if feed.fault else text)
        self.view.update()

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the picture above the line of text."""
        line = metrics.text.px(theme.BODY * 2)
        self.view.rescale(metrics)
        self.view.setGeometry(0, 0, self.width(), self.height() - line)
        self.rates.setGeometry(0, self.height() - line, self.width(), line)
