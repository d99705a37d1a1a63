from __future__ import annotations

import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.vision.capture.files import FOLDER_RATE
from kiosk.vision.capture.frame import SourceError
from kiosk.vision.capture.source import DEMO, open_source


def test_clip_yields_every_frame_once_in_order_with_its_time(clip: Path) -> None:
    frames = [frame for frame in open_source(str(clip)).frames() if frame]
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(10)])
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels == sorted(levels)
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)


def test_looping_clip_counts_frames_on(clip: Path) -> None:
    frames = list(itertools.islice(open_source(str(clip), loop=True).frames(), 25))
    assert [frame.index for frame in frames if frame] == list(range(25))
    assert frames[20] is not None
    assert frames[0] is not None
    assert float(frames[20].image.mean()) == pytest.approx(float(frames[0].image.mean()), abs=1)
    assert frames[24] is not None
    assert frames[24].time == pytest.approx(2.4)


def test_folder_yields_its_images_by_name_in_colour(folder: Path) -> None:
    frames = [frame for frame in open_source(str(folder)).frames() if frame]
    assert [frame.image.shape for frame in frames] == [(40, 50, 3), (20, 30, 3), (10, 10, 3)]
    assert [frame.time for frame in frames] == pytest.approx([index / FOLDER_RATE for index in range(3)])


def test_unreadable_image_in_a_folder_is_named_and_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "aa.png").write_bytes(b"not a picture at all")
    frames = list(open_source(str(folder)).frames())
    assert len(frames) == 3
    assert "aa.png" in capsys.readouterr().err


def test_gif_is_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "two.gif"
    animation = cv2.Animation()
    animation.frames = [np.full((20, 20, 4), level, np.uint8) for level in (60, 200)]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(path), animation)
    frames = [frame for frame in open_source(str(path)).frames() if frame]
    assert len(frames) == 2
    assert all(frame.image.shape == (20, 20, 3) for frame in frames)


def test_demo_clip_is_bundled() -> None:
    source = open_source(DEMO)
    first = next(iter(source.frames()))
    source.close()
    assert first is not None
    assert first.image.ndim == 3


@pytest.mark.parametrize(
    ("name", "content"), [("garbage.mp4", b"this is no video" * 100), ("empty.mp4", b""), ("garbage.gif", b"GIF89a")]
)
def test_unreadable_video_is_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=name):
        list(open_source(str(path)).frames())


def test_truncated_video_yields_its_frames_or_raises_an_error(clip: Path) -> None:
    clip.write_bytes(clip.read_bytes()[:500])
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        list(open_source(str(clip)).frames())


def test_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_folder_without_a_readable_image_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"no")
    with pytest.raises(SourceError, match="none of its pictures"):
        list(open_source(str(tmp_path)).frames())


def test_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_source(str(tmp_path / "nothing.mp4"))


def test_image_above_the_pixel_limit_is_skipped(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_large(*_: object) -> None:
        raise cv2.error("pixels <= CV_IO_MAX_IMAGE_PIXELS")

    read = cv2.imread
    monkeypatch.setattr(cv2, "imread", lambda path, flags: too_large() if path.endswith("b.png") else read(path, flags))
    assert len(list(open_source(str(folder)).frames())) == 2
    assert "b.png cannot be read" in capsys.readouterr().err


def test_image_pixel_limit_is_set() -> None:
    assert int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]) <= 2**27


def test_clip_with_a_frame_interval_skips_frames(clip: Path) -> None:
    source = open_source(str(clip))
    frames = source.frames()
    first = next(iter(frames))
    source.set_frame_interval(0.29)
    rest = list(frames)
    assert [frame.index for frame in [first, *rest] if frame] == [0, 3, 6, 9]
    assert [frame.time for frame in rest if frame] == pytest.approx([0.3, 0.6, 0.9])
