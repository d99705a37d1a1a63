from __future__ import annotations

import cv2
import numpy as np
import pytest
from PyQt6.QtGui import QImage
from pytestqt.qtbot import QtBot

from kiosk.ui.widgets.qr_code import QrCode


def pixels(widget: QrCode) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    assert bits is not None
    rows = np.frombuffer(bits.asstring(image.sizeInBytes()), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()


@pytest.mark.parametrize("side", [180, 333, 480])
@pytest.mark.parametrize("text", ["Receipt\nStill water: €1.50", "Beleg\nPrüfstück: 1,50 €", "收据\n矿泉水: ¥1.50"])
def test_a_scanner_reads_what_was_said(qtbot: QtBot, text: str, side: int) -> None:
    code = QrCode(None)  # type: ignore[arg-type]
    qtbot.addWidget(code)
    code.resize(side, side)
    code.show_text(text)
    read, corners, _ = cv2.QRCodeDetector().detectAndDecode(pixels(code))
    assert corners is not None
    assert read == text


def test_nothing_to_say_is_nothing_to_scan(qtbot: QtBot) -> None:
    code = QrCode(None)  # type: ignore[arg-type]
    qtbot.addWidget(code)
    code.resize(200, 200)
    code.show_text("something")
    before = pixels(code)
    code.show_text("")
    assert (pixels(code) != before).any()
    assert len(np.unique(pixels(code))) == 1
