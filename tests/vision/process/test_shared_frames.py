from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from kiosk.vision.process.messages import Preview
from kiosk.vision.process.shared_frames import MOST_PIXELS, SLOTS, STILL_FRAMES, PreviewMemory


@pytest.fixture
def shown() -> Iterator[PreviewMemory]:
    memory = PreviewMemory.create()
    yield memory
    memory.close()


@pytest.fixture
def writer(shown: PreviewMemory) -> Iterator[PreviewMemory]:
    memory = PreviewMemory.attach(shown.name)
    yield memory
    memory.close()


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_there_is_nothing_before_the_first_picture(shown: PreviewMemory) -> None:
    assert shown.read() is None


def test_a_picture_arrives_as_it_was_once(shown: PreviewMemory, writer: PreviewMemory) -> None:
    image = picture(480, 640)
    writer.write(image, frame=41)
    preview = shown.read()
    assert preview is not None
    assert preview.frame == 41
    assert preview.frame_size == (640, 480)
    assert np.array_equal(preview.image[..., :3], image)
    assert preview.intact()
    assert shown.read() is None


def test_a_later_picture_of_another_size_takes_its_place(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(480, 640), frame=1)
    writer.write(picture(100, 50), frame=2)
    preview = shown.read()
    assert preview is not None
    assert (preview.frame, preview.image.shape) == (2, (100, 50, 4))


def test_a_large_frame_is_reduced_and_says_its_own_size(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(2160, 3840), frame=0)
    preview = shown.read()
    assert preview is not None
    assert preview.frame_size == (3840, 2160)
    height, width = preview.image.shape[:2]
    assert width * height <= MOST_PIXELS
    assert width / height == pytest.approx(16 / 9, rel=0.01)


def test_a_picture_is_shown_where_it_was_written(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(picture(10, 10), frame=0)
    preview = shown.read()
    assert preview is not None
    assert np.shares_memory(preview.image, shown._pixels(1, 10, 10))
    with pytest.raises(ValueError, match="read-only"):
        preview.image[0, 0] = 0


def test_what_is_shown_does_not_change_while_another_is_written(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(level(0), frame=0)
    preview = shown.read()
    assert preview is not None
    for frame in range(1, SLOTS):
        writer.write(level(frame), frame)
        assert preview.intact()
        assert not preview.image[..., :3].any()
    writer.write(level(SLOTS), SLOTS)
    assert not preview.intact()


def test_every_picture_of_many_is_its_own(shown: PreviewMemory, writer: PreviewMemory) -> None:
    for frame in range(3 * SLOTS):
        writer.write(level(frame), frame)
        preview = shown.read()
        assert preview is not None
        assert (preview.frame, set(preview.image[..., :3].ravel().tolist())) == (frame, {frame})


def test_one_that_is_kept_stays_when_its_place_is_written_anew(shown: PreviewMemory, writer: PreviewMemory) -> None:
    writer.write(level(7), frame=0)
    preview = shown.read()
    assert preview is not None
    kept = preview.copy_if_intact()
    for frame in range(1, SLOTS + 1):
        writer.write(level(100 + frame), frame)
    assert kept is not None
    assert kept.intact()
    assert set(kept.image[..., :3].ravel().tolist()) == {7}
    assert preview.copy_if_intact() is None


class DeathError(Exception):
    """Thrown in the middle of a picture, as if the process were killed there."""


def dies_in_the_middle(writer: PreviewMemory, frame: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(source: np.ndarray, _code: int, dst: np.ndarray) -> None:
        dst[: dst.shape[0] // 2, :, :3] = source[: dst.shape[0] // 2]
        raise DeathError

    with monkeypatch.context() as patch:
        patch.setattr("kiosk.vision.process.shared_frames.cv2.cvtColor", half)
        with pytest.raises(DeathError):
            writer.write(level(200), frame)


def test_a_picture_in_the_middle_of_being_written_is_not_shown(
    shown: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in range(2 * SLOTS):  # so that each slot is once the one in the middle, and has held others before
        writer.write(level(frame), frame)
        before = shown.read()
        dies_in_the_middle(writer, frame, monkeypatch)
        assert shown.read() is None
        assert before is not None
        assert before.intact()
        assert set(before.image[..., :3].ravel().tolist()) == {frame}


def test_a_picture_torn_while_it_was_shown_says_so(
    shown: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(level(1), frame=1)
    preview = shown.read()
    assert preview is not None
    for frame in range(2, SLOTS + 1):
        writer.write(level(frame), frame)
    dies_in_the_middle(writer, SLOTS + 1, monkeypatch)  # half of it lies where the first picture was
    assert preview.image.max() == 255
    assert not preview.intact()


def test_a_writer_that_died_in_the_middle_does_not_spoil_the_next(
    shown: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write(level(4), frame=4)
    dies_in_the_middle(writer, 5, monkeypatch)
    successor = PreviewMemory.attach(shown.name)
    successor.clear()
    assert shown.read() is None
    successor.write(level(6), frame=6)
    preview = shown.read()
    successor.close()
    assert preview is not None
    assert preview.frame == 6
    assert set(preview.image[..., :3].ravel().tolist()) == {6}


def test_what_was_cleared_is_gone_from_the_memory_itself(
    shown: PreviewMemory, writer: PreviewMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for frame in range(SLOTS):
        writer.write(level(200 + frame), frame)
    preview = shown.read()
    assert preview is not None
    dies_in_the_middle(writer, SLOTS, monkeypatch)
    writer.clear()
    assert shown.blank
    assert not any(shown._memory.buf[64:])  # nothing but how many pictures there were
    assert not preview.intact()
    assert shown.read() is None
    writer.write(level(100), SLOTS + 1)
    newest = shown.read()
    assert newest is not None
    assert (newest.frame, set(newest.image[..., :3].ravel().tolist())) == (SLOTS + 1, {100})


def test_a_still_source_gives_one_picture_and_not_one_a_frame(shown: PreviewMemory, writer: PreviewMemory) -> None:
    frames = 3 * STILL_FRAMES
    seen = []
    for frame in range(frames):
        writer.write(level(9), frame)
        if preview := shown.read():
            seen.append(preview.frame)
    assert seen == [0, STILL_FRAMES, 2 * STILL_FRAMES]
    other = level(9)
    other[3, 5, 1] = 10
    writer.write(other, frames)
    preview = shown.read()
    assert preview is not None
    assert (preview.frame, preview.image[3, 5, 1]) == (frames, 10)
    writer.write(other, frames + 1)
    assert shown.read() is None
    writer.clear()
    writer.write(other, frames + 2)
    assert shown.read() is not None


def test_memory_that_is_given_back_may_still_be_looked_at() -> None:
    memory = PreviewMemory.create()
    memory.write(level(3), 0)
    preview: Preview | None = memory.read()
    memory.close()
    assert preview is not None
    assert preview.intact()
    assert preview.image.max() == 255
    del preview


def level(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)
