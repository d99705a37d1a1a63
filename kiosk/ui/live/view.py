"""The live image, mirrored, with a frame on each face.

Each preview is scaled once, directly from shared memory, and kept. While a frame moves between two previews, only the
area under it is painted again. The image is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPalette, QPixmap, QRegion, QResizeEvent
from PyQt6.QtWidgets import QLabel, QWidget

from kiosk.estimate import FaceObservation
from kiosk.ui.live.face_overlay import FaceOverlay
from kiosk.ui.live.mapping import Mapping
from kiosk.ui.live.notice import Notice
from kiosk.ui.translations.live import Message, Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.theme import Scale
from kiosk.vision.process.messages import Preview


class LiveView(QWidget):
    """Shows previews with marked faces, or a message if there is no live image."""

    def __init__(self, strings: Strings, *, mirrored: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mirrored = mirrored
        self.overlay = FaceOverlay(strings)
        self._scale = Scale.of(QSize(800, 800))
        self._preview: Preview | None = None
        self._picture: QPixmap | None = None
        self._fresh = False
        self.pictures = 0
        """The number of images painted so far."""

        # Widgets
        self.notice = Notice(self)
        self.pace = Pill(self)

        # Appearance
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.notice.hide()
        self.pace.hide()

    @property
    def mapping(self) -> Mapping | None:
        """The mapping from the camera image to the widget; None before the first image."""
        if self._preview is None:
            return None
        return Mapping(self._preview.frame_size, self.size(), self.mirrored)

    # What to show

    def set_preview(self, preview: Preview) -> None:
        """Shows a new image."""
        self._preview = preview
        self._fresh = True
        self.update()

    def set_faces(self, faces: Sequence[FaceObservation], nearest: int | None) -> None:
        """Marks these faces; `nearest` is the customer's track."""
        self.overlay.set_faces(faces, nearest)

    def clear_picture(self) -> None:
        """Removes the image."""
        self._preview = self._picture = None
        self._fresh = False
        self.update()

    def clear_faces(self) -> None:
        """Removes all frames at once."""
        self.overlay.clear()
        self.update()

    def set_notice(self, message: Message | None, fault: str = "") -> None:
        """Dims the image and shows `message` over it; None shows the image again."""
        if message is not None:
            self.notice.set_text(message, fault)
        if self.notice.isHidden() != (message is None):
            self.notice.setVisible(message is not None)
            self.update()

    def set_pace(self, text: str) -> None:
        """Shows frame rate and latency in the corner; an empty text hides them."""
        self.pace.setText(text)
        self.pace.setVisible(bool(text))
        self._place_pace()

    def advance(self, seconds: float) -> None:
        """Advances the animation by `seconds` and repaints only what moved."""
        before = self._marked() if self.is_moving else QRegion()
        if self.overlay.advance(seconds):
            self.update(before | self._marked())

    @property
    def is_moving(self) -> bool:
        """Whether frames still move."""
        return self.overlay.is_moving

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self._scale = scale
        self.notice.rescale(scale)
        self.pace.rescale(scale)
        self._place_pace()

    # Painting

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        super().resizeEvent(event)
        self._fresh = self._preview is not None
        self.notice.setGeometry(self.rect())
        self._place_pace()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        mapping = self.mapping
        if self._fresh and mapping is not None and self._preview is not None:
            self._fresh = False
            self._fit(self._preview, mapping)
        if mapping is None or self._picture is None:
            painter.fillRect(self.rect(), theme.SURFACE)
            return
        if self._picture.deviceIndependentSize().toSize() == self.size():
            painter.drawPixmap(0, 0, self._picture)
        else:  # an image of the old size, until the next one
            painter.drawPixmap(self.rect(), self._picture)
        if self.notice.isHidden():
            self.overlay.paint(painter, mapping, self._scale)
        else:
            painter.fillRect(self.rect(), theme.DIM)

    def _fit(self, preview: Preview, mapping: Mapping) -> None:
        """Crops, scales and mirrors the preview for the screen. If it was overwritten, the last image stays."""
        ratio = self.devicePixelRatioF()
        fitted = QPixmap(self.size() * ratio)
        fitted.setDevicePixelRatio(ratio)
        painter = QPainter(fitted)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        if self.mirrored:
            painter.translate(self.width(), 0)
            painter.scale(-1, 1)
        # Qt scales its own format, which vision writes, several times faster than BGR.
        painter.drawImage(mapping.picture, as_image(preview).convertToFormat(QImage.Format.Format_RGB32))
        painter.end()
        if preview.intact():
            self._picture = fitted
            self.pictures += 1

    def _marked(self) -> QRegion:
        """Returns the region of the frames and labels."""
        mapping = self.mapping
        return QRegion() if mapping is None else self.overlay.region(mapping, self._scale)

    def _place_pace(self) -> None:
        self.pace.adjustSize()
        edge = self._scale.px(theme.SPACE)
        self.pace.move(edge, edge)


class Pill(QLabel):
    """A small line of text that is readable on any image. It is rendered once and then painted over each image."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._drawn: tuple[object, QPixmap] | None = None

    def rescale(self, scale: Scale) -> None:
        """Uses these sizes from now on."""
        self.setFont(scale.font(theme.CAPTION))
        self.setContentsMargins(scale.px(1.6), scale.px(0.7), scale.px(1.6), scale.px(0.7))
        theme.colour_text(self, theme.TEXT)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        look = self.text(), self.font().key(), self.size(), self.devicePixelRatioF()
        if self._drawn is None or self._drawn[0] != look:
            self._drawn = look, self._draw()
        QPainter(self).drawPixmap(0, 0, self._drawn[1])

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(Qt.GlobalColor.transparent)
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.VEIL))
        painter.drawRoundedRect(self.rect(), self.height() / 2, self.height() / 2)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.setFont(self.font())
        painter.drawText(self.contentsRect(), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()
        return drawn


def as_image(preview: Preview) -> QImage:
    """Returns a `QImage` on the preview's pixels, without a copy. The image keeps the pixels alive."""
    pixels = np.ascontiguousarray(preview.image)
    height, width, channels = pixels.shape
    kind = QImage.Format.Format_RGB32 if channels == 4 else QImage.Format.Format_BGR888
    image = QImage(pixels.data, width, height, pixels.strides[0], kind)  # type: ignore[call-overload]
    image.pixels = pixels  # Qt only borrows them
    return image
