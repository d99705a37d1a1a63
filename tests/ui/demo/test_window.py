from __future__ import annotations

import ast
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import QPoint, QRect, Qt, QTimer
from PyQt6.QtGui import QFontMetrics, QPalette
from PyQt6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

import kiosk.ui
from kiosk.estimate import FaceObservation, Observation
from kiosk.ui.demo.window import DemoWindow, run
from kiosk.ui.live.age_bars import AgeBars
from kiosk.ui.live.headline import BigAge
from kiosk.ui.live.view import LiveView
from kiosk.ui.runtime.event_loop import WindowError
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import LIVE_MS, STILL_MS
from kiosk.vision.process.messages import VisionState
from tests.fakes.ui import FakeVision, make_estimate, make_face, make_preview

MakeWindow = Callable[..., DemoWindow]
SIZES = [(1280, 800), (1080, 1920), (800, 480), (3840, 2160), (768, 1024)]
NEAR, FAR = (250, 150, 120, 120), (60, 160, 70, 70)
FAULT = "engines/facialnet.onnx does not match its manifest (SHA-256 differs); fetch it again with git lfs pull"

SCENES: dict[str, tuple[VisionState, tuple[FaceObservation, ...]]] = {
    "starting": (VisionState.STARTING, ()),
    "nobody": (VisionState.RUNNING, ()),
    "first look": (VisionState.RUNNING, (make_face(status="estimating"),)),
    "estimating": (VisionState.RUNNING, (make_face(status="estimating", estimate=make_estimate()),)),
    "known": (VisionState.RUNNING, (make_face(estimate=make_estimate()),)),
    "known woman": (VisionState.RUNNING, (make_face(estimate=make_estimate(male=0.0)),)),
    "unknown": (VisionState.RUNNING, (make_face(status="unknown", estimate=make_estimate()),)),
    "two faces": (
        VisionState.RUNNING,
        (make_face(2, FAR, estimate=make_estimate()), make_face(1, NEAR, estimate=make_estimate())),
    ),
    "no camera": (VisionState.NO_CAMERA, ()),
    "restarting": (VisionState.RESTARTING, ()),
    "ended": (VisionState.ENDED, ()),
    "failed": (VisionState.FAILED, ()),
}


def play(window: DemoWindow, vision: FakeVision, scene: str) -> None:
    """Let the window come to rest in a scene."""
    vision.state, faces = SCENES[scene]
    if vision.state is VisionState.RUNNING:
        vision.next_preview = make_preview()
        for _ in range(10):
            vision.see(*faces)
    elif vision.state in (VisionState.NO_CAMERA, VisionState.RESTARTING, VisionState.FAILED):
        vision.fault = FAULT
    window.advance(1.0)
    window.advance(10.0)
    QApplication.processEvents()


def visible_labels(window: QWidget) -> Iterator[QLabel]:
    return (label for label in window.findChildren(QLabel) if label.isVisible() and label.text())


# States


@pytest.mark.parametrize(
    ("scene", "title"),
    [
        ("starting", "Getting ready"),
        ("no camera", "No camera"),
        ("restarting", "Just a moment"),
        ("ended", "The end"),
        ("failed", "Out of service"),
    ],
)
def test_a_notice_for_each_state(make_window: MakeWindow, vision: FakeVision, scene: str, title: str) -> None:
    window = make_window()
    play(window, vision, "known")
    play(window, vision, scene)
    assert window.view.notice.isVisible()
    assert window.view.notice.title.text() == title
    assert window.view.notice.fault.text() == (vision.fault or "")
    assert not window.view.overlay.marks
    assert not window.view.pace.isVisible()
    assert window.panel.sentence_page.isVisible()
    assert window.panel.sentence_page.title.text() != "Step closer"
    assert window.panel.bars.is_empty


@pytest.mark.parametrize("scene", ["starting", "no camera", "restarting", "failed"])
def test_no_face_stays_on_a_screen_that_sees_nobody(make_window: MakeWindow, vision: FakeVision, scene: str) -> None:
    window = make_window()
    play(window, vision, "known")
    vision.next_preview = make_preview()
    play(window, vision, scene)
    assert window.view.mapping is None
    assert window.grab().toImage().pixelColor(5, 5) == theme.SURFACE


def test_a_recording_ends_with_its_last_picture(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    play(window, vision, "known")
    play(window, vision, "ended")
    assert window.view.mapping is not None


def test_the_state_is_there_from_the_first_moment(make_window: MakeWindow, vision: FakeVision) -> None:
    vision.state = VisionState.STARTING
    assert make_window().view.notice.isVisible()


def test_running_lifts_the_notice_and_invites(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    play(window, vision, "no camera")
    vision.fault = None
    play(window, vision, "nobody")
    assert not window.view.notice.isVisible()
    assert window.panel.sentence_page.title.text() == "Step closer"


def test_a_fault_that_changes_is_shown(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    play(window, vision, "no camera")
    vision.fault = "something else"
    window.advance(0.03)
    assert window.view.notice.fault.text() == "something else"


def test_known(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    play(window, vision, "known")
    assert window.panel.estimate_page.isVisible()
    assert window.panel.bars.certain
    assert window.view.overlay.marks[1].text == "Male · 30–39"
    assert window.view.pace.text() == "25 fps · 31 ms"


def test_the_panel_speaks_of_the_nearest(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    old = make_estimate((0.0,) * 7 + (1.0,), male=0.1)
    vision.see(make_face(2, FAR, estimate=old), make_face(1, NEAR, estimate=make_estimate()))
    window.advance(0.03)
    assert window.panel.heading.text() == "Nearest of 2 people"
    assert window.panel.estimate_page.gender.text() == "Male"
    assert [track for track, mark in window.view.overlay.marks.items() if mark.nearest] == [1]
    vision.see(make_face(2, NEAR, estimate=old), make_face(1, FAR, estimate=make_estimate()))
    window.advance(0.03)
    assert window.panel.estimate_page.gender.text() == "Female"
    assert [track for track, mark in window.view.overlay.marks.items() if mark.nearest] == [2]


def test_no_news_changes_nothing(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    play(window, vision, "known")
    before = window.grab().toImage()
    window.advance(1.0)
    assert window.grab().toImage() == before


def test_a_late_observation_of_a_stopped_vision_is_not_shown(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    vision.state = VisionState.RESTARTING
    vision.see(make_face(estimate=make_estimate()))
    window.advance(0.03)
    assert window.panel.bars.is_empty
    assert not window.view.overlay.marks


def test_an_engine_that_failed_is_shown_beside_the_pace(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    for fault, expected in ((None, "25 fps · 31 ms"), ("the GPU is lost", "25 fps · 31 ms · backup engine")):
        vision.engine_fault = fault
        for _ in range(25):
            vision.see()
            window.advance(0.04)
        assert window.view.pace.text() == expected


def test_failing_is_told_once(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window()
    faults: list[str] = []
    window.failed.connect(faults.append)
    play(window, vision, "known")
    assert faults == []
    play(window, vision, "failed")
    window.advance(0.03)
    assert faults == [FAULT]


def test_failing_before_the_window_is_told_too(make_window: MakeWindow, vision: FakeVision) -> None:
    vision.state, vision.fault = VisionState.FAILED, FAULT
    window = make_window()
    faults: list[str] = []
    window.failed.connect(faults.append)
    window.advance(0.03)
    assert faults == [FAULT]


# Layout


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_panel_stands_beside_or_below(make_window: MakeWindow, width: int, height: int) -> None:
    window = make_window(width, height)
    QApplication.processEvents()
    view, panel = window.view.geometry(), window.panel.geometry()
    assert view.united(panel) == QRect(0, 0, width, height)
    assert not view.intersects(panel)
    if width > height:
        assert panel.topLeft() == QPoint(view.right() + 1, 0)
        assert view.width() > panel.width()
    else:
        assert panel.topLeft() == QPoint(0, view.bottom() + 1)
        assert view.height() > panel.height()


def test_turning_the_window_turns_the_layout_and_back(make_window: MakeWindow, vision: FakeVision) -> None:
    window = make_window(1280, 800)
    play(window, vision, "known")
    places = [(part.geometry().getRect()) for part in (window.view, window.panel, window.panel.bars)]
    window.resize(1080, 1920)
    QApplication.processEvents()
    assert window.panel.bars.geometry().left() > window.panel.pages.geometry().right()
    window.resize(1280, 800)
    QApplication.processEvents()
    assert window.panel.bars.geometry().top() > window.panel.pages.geometry().bottom()
    assert [(part.geometry().getRect()) for part in (window.view, window.panel, window.panel.bars)] == places


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_is_clipped(make_window: MakeWindow, vision: FakeVision, width: int, height: int, scene: str) -> None:
    window = make_window(width, height)
    play(window, vision, scene)
    labels = list(visible_labels(window))
    assert labels
    for label in labels:
        assert window.rect().contains(QRect(label.mapTo(window, QPoint(0, 0)), label.size())), label.text()
        inner = label.contentsRect()
        words = QFontMetrics(label.font()).boundingRect(
            0, 0, inner.width(), 0, Qt.TextFlag.TextWordWrap if label.wordWrap() else 0, label.text()
        )
        assert words.width() <= inner.width(), label.text()
        assert words.height() <= inner.height(), label.text()
    for part in (window.panel.bars, window.panel.estimate_page.age):
        if part.isVisible():
            assert part.width() >= part.sizeHint().width()
            assert part.height() >= part.sizeHint().height()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_part_of_the_panel_overlaps(make_window: MakeWindow, vision: FakeVision, width: int, height: int) -> None:
    window = make_window(width, height)
    play(window, vision, "known")
    panel = window.panel
    parts = [panel.heading, panel.pages, panel.bars, panel.privacy]
    for index, part in enumerate(parts):
        for other in parts[index + 1 :]:
            assert not part.geometry().intersects(other.geometry())
    page = panel.estimate_page
    assert page.age.geometry().bottom() <= page.gender.geometry().top()
    assert page.gender.geometry().right() < page.probability.geometry().left()


@pytest.mark.parametrize("scene", SCENES)
def test_every_label_has_a_colour_of_the_theme(make_window: MakeWindow, vision: FakeVision, scene: str) -> None:
    window = make_window()
    play(window, vision, scene)
    checked = {pair.text.name() for pair in theme.PAIRS}
    for label in visible_labels(window):
        assert label.palette().color(QPalette.ColorRole.WindowText).name() in checked, label.text()


# Keys


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Q])
def test_closing_keys(make_window: MakeWindow, qtbot: QtBot, key: Qt.Key) -> None:
    window = make_window()
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert window.isVisible()
    qtbot.keyClick(window, key)
    assert not window.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_F, Qt.Key.Key_F11])
def test_fullscreen_hides_the_cursor(make_window: MakeWindow, qtbot: QtBot, key: Qt.Key) -> None:
    window = make_window()
    qtbot.keyClick(window, key)
    assert window.isFullScreen()
    assert window.cursor().shape() is Qt.CursorShape.BlankCursor
    qtbot.keyClick(window, key)
    assert not window.isFullScreen()
    assert window.cursor().shape() is not Qt.CursorShape.BlankCursor


def test_starting_in_fullscreen_hides_the_cursor(make_window: MakeWindow) -> None:
    window = make_window(fullscreen=True)
    assert window.isFullScreen()
    assert window.cursor().shape() is Qt.CursorShape.BlankCursor


# Running


def test_the_timer_polls(qtbot: QtBot, vision: FakeVision) -> None:
    window = DemoWindow(vision)
    qtbot.addWidget(window)
    assert window.timer.isActive()
    window.timer.timeout.emit()
    assert vision.polls == 1


@pytest.mark.parametrize(("state", "code"), [(VisionState.RUNNING, 0), (VisionState.ENDED, 0), (VisionState.FAILED, 1)])
def test_run_ends_by_itself_with_a_code(qtbot: QtBot, vision: FakeVision, state: VisionState, code: int) -> None:  # noqa: ARG001
    vision.state = state
    assert run(vision, fullscreen=False, seconds=0.0) == code


def test_ctrl_c_closes_cleanly(qtbot: QtBot, vision: FakeVision) -> None:  # noqa: ARG001
    before = signal.getsignal(signal.SIGINT)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
    assert run(vision, fullscreen=False, seconds=None) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_window_ends_it_as_an_error(vision: FakeVision, qapp: QApplication) -> None:  # noqa: ARG001
    def fails() -> list[Observation]:
        raise RuntimeError("an unexpected error")

    vision.poll = fails  # type: ignore[method-assign]
    with pytest.raises(WindowError, match="an unexpected error"):
        run(vision, fullscreen=False, seconds=60)


@pytest.mark.parametrize("end", ["seconds", "closed"])
def test_how_it_went_is_told_however_it_ends(vision: FakeVision, qapp: QApplication, end: str) -> None:
    told: list[dict[str, object]] = []
    if end == "closed":
        QTimer.singleShot(0, lambda: [window.close() for window in qapp.topLevelWidgets()])
    assert run(vision, fullscreen=False, seconds=0.0 if end == "seconds" else 60, tell=told.append) == 0
    assert len(told) == 1


# Walls


def test_the_window_imports_nothing_heavy() -> None:
    allowed = {"kiosk.estimate", "kiosk.vision.process.messages", "kiosk.ui"}
    parent = Path(kiosk.ui.__file__).parent
    names = (
        "demo/window",
        "live/view",
        "live/estimate_panel",
        "live/face_overlay",
        "widgets/theme",
        "translations/live",
    )
    modules = [parent / f"{name}.py" for name in names]
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in {"torch", "cv2", "dlib", "onnxruntime", "trainer"}, module
                if name.startswith("kiosk"):
                    assert name in allowed or name.startswith("kiosk.ui."), module


# Time


def test_news_are_shown_when_they_come_and_not_at_the_next_tick(
    make_window: MakeWindow, vision: FakeVision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiosk.ui.demo.window.set_interval", lambda *_: None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        window = make_window()
        poll = vision.poll

        def read_and_poll() -> list[Observation]:
            with contextlib.suppress(BlockingIOError):
                ours.recv(8)
            return poll()

        vision.poll = read_and_poll  # type: ignore[method-assign]
        window.timer.start(1_000_000)
        window.wake_on(ours.fileno())
        QApplication.processEvents()
        polls = vision.polls
        vision.next_preview = make_preview()
        theirs.send(b"news")
        QApplication.processEvents()
        assert vision.polls == polls + 1
        assert window.view.mapping is not None
        QApplication.processEvents()
        assert vision.polls == polls + 1
        window.timer.stop()
        theirs.send(b"news")
        QApplication.processEvents()
        assert vision.polls == polls + 1


def test_the_window_ticks_at_the_displays_rate_only_while_something_moves(
    make_window: MakeWindow, vision: FakeVision
) -> None:
    window = make_window()
    play(window, vision, "known")
    for _ in range(40):
        window.advance(0.03)
    assert window.timer.interval() == STILL_MS
    vision.see(make_face(box=(200, 150, 120, 120), estimate=make_estimate()))
    window.advance(0.03)
    assert window.timer.interval() == LIVE_MS


def test_nothing_is_painted_while_nothing_changes(
    make_window: MakeWindow, vision: FakeVision, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = make_window()
    window.show()
    play(window, vision, "known")
    window.advance(10.0)
    QApplication.processEvents()
    painted: list[str] = []
    for part in (LiveView, AgeBars, BigAge):
        monkeypatch.setattr(part, "paintEvent", lambda self, _event: painted.append(type(self).__name__))
    for _ in range(20):
        vision.see(*SCENES["known"][1])
        window.advance(0.03)
        QApplication.processEvents()
    assert not painted
