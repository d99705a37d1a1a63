"""The demo without a window: its JSON lines, its recording, and the overlay of the recording."""

from __future__ import annotations

import json
from collections.abc import Generator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.cli import headless
from kiosk.cli.headless import RecordingError, describe, draw, run
from kiosk.estimate import DECADES, Estimate, FaceObservation, Observation, Status
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.process.settings import VisionSettings
from kiosk.vision.tracking.schedule import IDLE_EVERY


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_unpaced_every_frame_is_processed_once_in_order(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run(VisionSettings(str(clip), loop=False), unpaced=True)
    assert summary.frames == 10
    printed = lines(capsys)
    assert [line["frame"] for line in printed] == list(range(10))
    assert all(set(line) == {"time", "frame", "latency_ms", "faces"} for line in printed)


def test_paced_the_last_frame_ends_the_run(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(VisionSettings(str(clip), loop=False))
    frames = [line["frame"] for line in lines(capsys)]
    assert frames == sorted(frames, key=int)
    assert frames[-1] == 9


def test_unpaced_twice_gives_the_same_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for frame in islice(open_source(DEMO).frames(), 0, 200, 4):
        assert frame is not None
        cv2.imwrite(str(tmp_path / f"{frame.index:03}.bmp"), frame.image)
    answers = []
    for _ in range(2):
        run(VisionSettings(str(tmp_path), loop=False), unpaced=True)
        answers.append([(line["frame"], line["faces"]) for line in lines(capsys)])
    assert answers[0] == answers[1]
    assert any(faces for _, faces in answers[0])


@pytest.mark.parametrize("unpaced", [False, True])
def test_a_paced_source_slows_down_while_no_face_is_in_view(unpaced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = []

    class Empty:
        name, live = "an empty room", True

        def frames(self) -> Generator[Frame, None, None]:
            for index in range(100):
                yield Frame(np.full((48, 64, 3), 90, np.uint8), index, index / 25, 0.0)

        def set_frame_interval(self, seconds: float) -> None:
            wanted.append(seconds)

        def close(self) -> None: ...

    monkeypatch.setattr(headless, "open_source", lambda *_, **__: Empty())
    monkeypatch.setattr(headless, "_paced", lambda source: source.frames())
    run(VisionSettings("made up"), unpaced=unpaced)
    if unpaced:
        assert wanted == []  # every frame is asked for
    else:
        assert (wanted[0], wanted[-1]) == (0.0, IDLE_EVERY)


def test_a_loop_ends_after_its_seconds(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = run(VisionSettings(str(clip), loop=True), unpaced=True, seconds=0.5)
    assert summary.frames > 10
    assert lines(capsys)[-1]["frame"] == summary.frames - 1


def test_a_recording_is_as_long_as_the_source(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "seen.mp4"
    run(VisionSettings(str(clip), loop=False), unpaced=True, record=path)
    capture = cv2.VideoCapture(str(path))
    seconds = capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS)
    good, image = capture.read()
    assert good
    assert image.shape == (48, 64, 3)
    assert seconds == pytest.approx(1.0, abs=0.15)


def test_a_recording_that_cannot_be_written_is_an_error(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot record"):
        run(VisionSettings(str(clip), loop=False), unpaced=True, record=tmp_path / "no" / "such" / "seen.mp4")


# The overlay of a recording

ESTIMATE = Estimate(("female", "male"), (0.97, 0.03), DECADES, (0, 0, 0, 0.8, 0.2, 0, 0, 0))


def face(status: Status, box: tuple[int, int, int, int] = (200, 100, 120, 120)) -> FaceObservation:
    return FaceObservation(1, box, 0.9, status, ESTIMATE)


def test_the_faces_are_drawn_into_a_copy_of_the_frame() -> None:
    image = np.full((360, 640, 3), 127, np.uint8)
    picture = draw(image, Observation(0.0, 0, 1.0, (face("known"),)))
    assert (image == 127).all()
    changed = np.argwhere((picture != 127).any(axis=2))
    assert changed.min(axis=0)[0] <= 102  # the box's top
    assert changed.max(axis=0)[0] > 222  # the words below it


@pytest.mark.parametrize("box", [(-50, -50, 200, 200), (600, 300, 200, 200), (0, 0, 640, 360)])
def test_a_face_at_the_edge_is_drawn_in_part(box: tuple[int, int, int, int]) -> None:
    picture = draw(np.full((360, 640, 3), 127, np.uint8), Observation(0.0, 0, 1.0, (face("known", box),)))
    assert picture.shape == (360, 640, 3)
    assert (picture != 127).any()


def test_without_a_face_the_copy_is_unchanged() -> None:
    image = np.full((36, 64, 3), 9, np.uint8)
    assert np.array_equal(draw(image, Observation(0.0, 0, 1.0)), image)


def test_only_a_known_face_is_described() -> None:
    assert describe(face("known")) == "female 97%  20-29  ~26"
    assert describe(face("estimating")) == "estimating..."
    assert describe(face("unknown")) == "unknown"


def test_a_label_uses_the_gender_and_group_that_are_shown() -> None:
    shown = FaceObservation(1, (200, 100, 120, 120), 0.9, "known", ESTIMATE.showing("male", DECADES[4]))
    assert describe(shown) == "male 3%  30-39  ~26"
