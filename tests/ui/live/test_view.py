from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QRectF, QSize, QSizeF
from PyQt6.QtGui import QColor, QImage, QPaintEvent, QRegion
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from kiosk.ui.live.face_overlay import FaceMark, place_tag
from kiosk.ui.live.mapping import Mapping, nearest
from kiosk.ui.live.view import LiveView, as_image
from kiosk.ui.translations.live import Message, Strings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.theme import Scale
from kiosk.vision.process.messages import Preview
from tests.fakes.ui import FRAME_SIZE, make_estimate, make_face, make_preview

BLUE, RED = (200, 30, 10), (10, 30, 200)
"""As BGR, the way a preview holds them."""


@pytest.fixture
def view(qtbot: QtBot, strings: Strings) -> LiveView:
    return _shown(LiveView(strings, mirrored=True), qtbot)


def _shown(view: LiveView, qtbot: QtBot) -> LiveView:
    qtbot.addWidget(view)
    view.resize(320, 240)
    view.rescale(Scale.of(QSize(320, 240)))
    view.show()
    return view


def _halves() -> Preview:
    image = np.empty((FRAME_SIZE[1], FRAME_SIZE[0], 3), np.uint8)
    image[:, : FRAME_SIZE[0] // 2] = BLUE
    image[:, FRAME_SIZE[0] // 2 :] = RED
    return make_preview(image)


def _pixel(view: LiveView, x: int, y: int) -> tuple[int, int, int]:
    colour = view.grab().toImage().pixelColor(x, y)
    return colour.blue(), colour.green(), colour.red()


# Mapping


def test_a_frame_of_the_same_shape_fills_the_view() -> None:
    mapping = Mapping((640, 480), QSize(320, 240), mirrored=False)
    assert mapping.picture == QRectF(0, 0, 320, 240)
    assert mapping.to_view(QRectF(100, 50, 40, 60)) == QRectF(50, 25, 20, 30)


def test_mirrored_boxes_are_counted_from_the_right() -> None:
    mapping = Mapping((640, 480), QSize(320, 240), mirrored=True)
    assert mapping.to_view(QRectF(100, 50, 40, 60)) == QRectF(250, 25, 20, 30)


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("size", [QSize(860, 800), QSize(1080, 1260), QSize(900, 200)])
def test_the_picture_covers_any_view_from_its_middle(size: QSize, *, mirrored: bool) -> None:
    mapping = Mapping((1280, 720), size, mirrored)
    assert mapping.picture.adjusted(-0.01, -0.01, 0.01, 0.01).contains(QRectF(0, 0, size.width(), size.height()))
    middle = mapping.to_view(QRectF(600, 320, 80, 80))
    assert middle.center().x() == pytest.approx(size.width() / 2)
    assert middle.center().y() == pytest.approx(size.height() / 2)
    assert middle.width() == pytest.approx(middle.height())
    whole = mapping.to_view(QRectF(0, 0, 1280, 720))
    assert whole.getRect() == pytest.approx(mapping.picture.getRect())


def test_boxes_are_those_of_the_frame_and_not_of_a_reduced_preview(view: LiveView) -> None:
    view.set_preview(Preview(0, np.zeros((360, 480, 3), np.uint8), (1920, 1440)))
    mapping = view.mapping
    assert mapping is not None
    assert mapping.to_view(QRectF(0, 0, 192, 144)) == QRectF(288, 0, 32, 24)


# The nearest face


def test_the_largest_face_is_the_nearest() -> None:
    small, large = make_face(1, (0, 0, 50, 50)), make_face(2, (100, 0, 80, 80))
    assert nearest([]) is None
    assert nearest([small, large]) is large
    assert nearest([small, large], current=1) is large


def test_two_faces_of_one_size_do_not_take_turns() -> None:
    one, other = make_face(1, (0, 0, 80, 80)), make_face(2, (100, 0, 83, 83))
    assert nearest([one, other]) is other
    assert nearest([one, other], current=1) is one
    assert nearest([other], current=1) is other


# The picture


def test_an_image_is_the_previews_own_pixels() -> None:
    preview = _halves()
    image = as_image(preview)
    assert image.pixelColor(0, 0) == _colour(BLUE)
    preview.image[0, 0] = RED
    assert image.pixelColor(0, 0) == _colour(RED)


def test_an_image_of_a_part_of_an_array_is_right() -> None:
    wide = np.zeros((10, 20, 3), np.uint8)
    wide[:, 5:15] = BLUE
    image = as_image(Preview(0, wide[:, 5:15], (10, 10)))
    assert {image.pixelColor(x, y).name() for x in range(10) for y in range(10)} == {_colour(BLUE).name()}


def test_the_picture_is_mirrored(view: LiveView) -> None:
    view.set_preview(_halves())
    assert _pixel(view, 40, 120) == RED
    assert _pixel(view, 280, 120) == BLUE


def test_the_picture_is_not_mirrored_when_asked_not_to(qtbot: QtBot, strings: Strings) -> None:
    view = _shown(LiveView(strings, mirrored=False), qtbot)
    view.set_preview(_halves())
    assert _pixel(view, 40, 120) == BLUE
    assert _pixel(view, 280, 120) == RED


def test_a_new_preview_replaces_the_old_one(view: LiveView) -> None:
    view.set_preview(_halves())
    assert _pixel(view, 40, 120) == RED
    view.set_preview(make_preview())
    assert _pixel(view, 40, 120) == (128, 128, 128)


def test_without_a_picture_there_is_a_plain_ground(view: LiveView) -> None:
    assert view.mapping is None
    assert _pixel(view, 160, 120) == (theme.SURFACE.blue(), theme.SURFACE.green(), theme.SURFACE.red())


def test_a_notice_dims_the_picture_and_goes(view: LiveView) -> None:
    view.set_preview(make_preview())
    view.set_notice(Message("No camera", "It comes back"), "camera 0 is away")
    assert view.notice.isVisible()
    assert view.notice.title.text() == "No camera"
    assert view.notice.fault.text() == "camera 0 is away"
    assert max(_pixel(view, 5, 5)) < 60
    view.set_notice(None)
    assert not view.notice.isVisible()
    assert _pixel(view, 5, 5) == (128, 128, 128)


# Marks


def test_a_face_is_marked_where_it_is_seen_in_the_mirror(view: LiveView) -> None:
    view.set_preview(make_preview())
    view.set_faces([make_face(box=(400, 160, 160, 160), estimate=make_estimate())], nearest=1)
    before = view.grab().toImage()
    view.advance(10.0)
    after = view.grab().toImage()
    changed = [x for x in range(320) for y in range(0, 240, 2) if before.pixel(x, y) != after.pixel(x, y)]
    # 400 to 560 of 640 is 40 to 120 of 320 in the mirror; the corners stand off a little
    assert 25 <= min(changed) < 40
    assert 120 < max(changed) <= 135


def test_marks_glide_to_a_new_place(view: LiveView) -> None:
    view.set_preview(make_preview())
    view.set_faces([make_face(box=(100, 100, 80, 80))], nearest=1)
    view.set_faces([make_face(box=(200, 100, 80, 80))], nearest=1)
    mark = view.overlay.marks[1]
    assert mark.box.left() == 100
    view.advance(0.03)
    assert 100 < mark.box.left() < 200
    view.advance(10.0)
    assert mark.box == QRectF(200, 100, 80, 80)
    assert not view.overlay.advance(0.03)


@pytest.mark.parametrize("fps", [10, 30])
@pytest.mark.parametrize("speed", [-240.0, 240.0])
def test_a_mark_keeps_up_with_a_head_that_moves(view: LiveView, fps: int, speed: float) -> None:
    """Three widths of the face a second: it must not trail by more than a tenth of one, nor jump."""
    view.set_preview(make_preview())
    overlay = view.overlay
    ticks_each = 60 // fps
    steps = []
    for tick in range(90):
        here = 300 + speed * tick / 60
        if tick % ticks_each == 0:
            overlay.set_faces([make_face(box=(round(here), 100, 80, 80))], nearest=1)
        before = overlay.marks[1].box.left()
        view.advance(1 / 60)
        steps.append(overlay.marks[1].box.left() - before)
        if tick > 45:
            assert overlay.marks[1].box.left() == pytest.approx(here + speed / 60, abs=8)
    assert all(step == pytest.approx(speed / 60, abs=2) for step in steps[45:])


def test_a_mark_that_is_where_it_should_be_still_goes_on(view: LiveView) -> None:
    view.set_preview(make_preview())
    box = QRectF(100, 100, 80, 80)
    mark = view.overlay.marks[1] = FaceMark(box, box, speed=(60.0, 0.0, 0.0, 0.0), opacity=1.0)
    assert view.is_moving
    view.advance(1 / 60)
    assert mark.box.left() == pytest.approx(101)
    assert view.is_moving


def test_a_mark_does_not_run_on_without_news(view: LiveView) -> None:
    overlay = view.overlay
    for tick in range(60):
        if tick % 2 == 0:
            overlay.set_faces([make_face(box=(300 + 4 * tick, 100, 80, 80))], nearest=1)
        overlay.advance(1 / 60)
    last = 300 + 4 * 58
    furthest = 0.0
    for _ in range(60):
        overlay.advance(1 / 60)
        furthest = max(furthest, overlay.marks[1].box.left())
    assert last < furthest < last + 0.15 * 240
    assert overlay.marks[1].box.left() == last
    assert not overlay.is_moving


def test_a_head_that_is_still_has_a_still_mark(view: LiveView) -> None:
    overlay = view.overlay
    for tick in range(60):
        overlay.set_faces([make_face(box=(300 + tick % 2, 100, 80, 80))], nearest=1)
        view.advance(1 / 30)
        assert 299.8 < overlay.marks[1].box.left() < 301.2


def test_a_mark_fades_where_its_face_was_last(view: LiveView) -> None:
    overlay = view.overlay
    for tick in range(30):
        overlay.set_faces([make_face(box=(100 + 8 * tick, 100, 80, 80))], nearest=1)
        overlay.advance(1 / 30)
    box = overlay.marks[1].box
    overlay.set_faces([], nearest=None)
    overlay.advance(1 / 30)
    assert overlay.marks[1].box == box


# Painting no more than has changed


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[QRegion]:
    """The regions of a view that are painted from now on."""
    QApplication.processEvents()
    regions: list[QRegion] = []
    paint = LiveView.paintEvent

    def watched(self: LiveView, event: QPaintEvent) -> None:
        regions.append(event.region())
        paint(self, event)

    monkeypatch.setattr(LiveView, "paintEvent", watched)
    return regions


def test_nothing_is_painted_while_nothing_changes(view: LiveView, painted: list[QRegion]) -> None:
    view.set_preview(make_preview())
    view.set_faces([make_face()], nearest=1)
    for _ in range(100):
        view.advance(0.03)
    QApplication.processEvents()
    painted.clear()
    for _ in range(10):
        view.set_faces([make_face()], nearest=1)
        view.advance(0.03)
        QApplication.processEvents()
    assert not painted


def test_only_what_is_under_a_frame_is_painted_while_it_glides(view: LiveView, painted: list[QRegion]) -> None:
    view.set_preview(make_preview())
    view.set_faces([make_face(box=(100, 100, 40, 40))], nearest=1)
    view.advance(10.0)
    QApplication.processEvents()
    painted.clear()
    view.set_faces([make_face(box=(110, 100, 40, 40))], nearest=1)
    view.advance(0.03)
    QApplication.processEvents()
    (region,) = painted
    bounds = region.boundingRect()
    assert bounds.width() * bounds.height() < view.width() * view.height() / 3
    assert view.pictures == 1


def test_no_trace_of_a_frame_that_glided_away_is_left(view: LiveView) -> None:
    view.set_preview(make_preview())
    for left in (100, 180, 300):
        view.set_faces([make_face(box=(left, 100, 90, 90), estimate=make_estimate())], nearest=1)
        for _ in range(20):
            view.advance(0.016)
            QApplication.processEvents()
    shown = view.screen().grabWindow(view.winId()).toImage()
    whole = QImage(shown.size(), shown.format())
    view.render(whole)
    assert not shown.isNull()
    assert shown == whole


def test_a_picture_that_was_lost_before_it_was_painted_leaves_the_one_before(view: LiveView) -> None:
    view.set_preview(_halves())
    assert _pixel(view, 40, 120) == RED
    torn = make_preview()
    view.set_preview(Preview(torn.frame, torn.image, torn.frame_size, intact=lambda: False))
    assert _pixel(view, 40, 120) == RED
    assert view.pictures == 1


def test_a_picture_is_scaled_anew_when_the_view_changes(view: LiveView) -> None:
    view.set_preview(_halves())
    assert _pixel(view, 40, 120) == RED
    view.resize(160, 120)
    assert _pixel(view, 20, 60) == RED
    assert _pixel(view, 140, 60) == BLUE


def test_four_bytes_a_pixel_are_shown_as_three_are(view: LiveView) -> None:
    halves = _halves()
    padded = np.dstack([halves.image, np.zeros(halves.image.shape[:2], np.uint8)])
    view.set_preview(Preview(0, padded, halves.frame_size))
    assert _pixel(view, 40, 120) == RED
    assert _pixel(view, 280, 120) == BLUE


def test_marks_fade_with_their_faces(view: LiveView) -> None:
    view.set_faces([make_face(1), make_face(2, (10, 10, 60, 60))], nearest=1)
    view.advance(10.0)
    view.set_faces([make_face(1)], nearest=1)
    view.advance(0.03)
    assert view.overlay.marks[1].opacity == 1.0
    assert 0.0 < view.overlay.marks[2].opacity < 1.0
    view.advance(10.0)
    assert set(view.overlay.marks) == {1}


def test_a_face_that_comes_back_is_marked_again(view: LiveView) -> None:
    view.set_faces([make_face(1)], nearest=1)
    view.advance(10.0)
    view.set_faces([], nearest=None)
    view.advance(0.03)
    view.set_faces([make_face(1)], nearest=1)
    view.advance(10.0)
    assert view.overlay.marks[1].opacity == 1.0


def test_only_the_nearest_says_everything(view: LiveView) -> None:
    faces = [make_face(1, estimate=make_estimate()), make_face(2, (10, 10, 60, 60), estimate=make_estimate())]
    view.set_faces(faces, nearest=1)
    assert (view.overlay.marks[1].nearest, view.overlay.marks[1].text) == (True, "Male · 30–39")
    assert (view.overlay.marks[2].nearest, view.overlay.marks[2].text) == (False, "M · 30–39")


@pytest.mark.parametrize(
    "frame",
    [
        QRectF(10, 20, 60, 60),
        QRectF(-80, 20, 60, 60),
        QRectF(300, 20, 90, 90),
        QRectF(100, 190, 60, 60),
        QRectF(0, 0, 320, 240),
    ],
)
def test_tags_stay_in_the_view(frame: QRectF) -> None:
    mapping = Mapping(FRAME_SIZE, QSize(320, 240), mirrored=True)
    tag = place_tag(frame, QSizeF(90, 24), mapping, Scale.of(QSize(320, 240)))
    assert QRectF(0, 0, 320, 240).contains(tag)
    assert tag.size() == QSizeF(90, 24)


def test_a_tag_without_room_below_goes_above() -> None:
    mapping = Mapping(FRAME_SIZE, QSize(320, 240), mirrored=True)
    frame = QRectF(100, 150, 60, 80)
    assert place_tag(frame, QSizeF(90, 24), mapping, Scale.of(QSize(320, 240))).bottom() < frame.top()


# The corner


def test_the_corner_hides_without_numbers(view: LiveView) -> None:
    assert not view.pace.isVisible()
    view.set_pace("25 fps · 31 ms")
    assert view.pace.isVisible()
    assert view.pace.width() >= view.pace.sizeHint().width()
    assert view.rect().contains(view.pace.geometry())
    view.set_pace("")
    assert not view.pace.isVisible()


def _colour(bgr: tuple[int, int, int]) -> QColor:
    return QColor(bgr[2], bgr[1], bgr[0])
