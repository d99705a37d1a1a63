"""Scenes show what they are said to show, the same every time."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.bench.scenes import (
    GRIDS,
    Camera,
    Passage,
    SceneError,
    empty_room,
    endless,
    passage,
    sway_still,
    tile_faces,
    write_video,
)
from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.faces.detector import FaceFinder


def disc(x: int, y: int, size: int) -> Passage:
    """A white disc in the place of a face."""
    picture = np.zeros((200, 300, 3), np.uint8)
    cv2.circle(picture, (x, y), size // 2, (255, 255, 255), -1)
    return Passage([picture, picture], (x, y), size)


@pytest.mark.parametrize("faces", sorted(GRIDS))
@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720)])
def test_every_tile_has_the_face_in_its_middle(faces: int, width: int, height: int) -> None:
    columns, rows = GRIDS[faces]
    [picture, _] = tile_faces(disc(120, 90, 40), width, height, faces)
    assert picture.shape == (height, width, 3)
    count, _, statistics, middles = cv2.connectedComponentsWithStats((picture[..., 0] > 127).astype(np.uint8))
    assert count - 1 == faces
    wide, high = width / columns, height / rows
    wanted = [((column + 0.5) * wide, (row + 0.5) * high) for row in range(rows) for column in range(columns)]
    found = sorted(map(tuple, middles[1:]), key=lambda middle: (round(middle[1] / high), middle[0]))
    assert found == [pytest.approx(each, abs=2) for each in wanted]
    assert statistics[1:, cv2.CC_STAT_WIDTH] == pytest.approx(0.45 * min(wide, high), rel=0.04)


def test_an_endless_scene_goes_to_and_fro() -> None:
    pictures = [np.full((2, 2, 3), level, np.uint8) for level in range(4)]
    frames = list(islice(endless(pictures, 10.0), 8))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 2, 1, 0, 1]
    assert [frame.time for frame in frames] == [pytest.approx(index / 10) for index in range(8)]
    assert [int(frame.image[0, 0, 0]) for frame in Camera(pictures[:1], 10.0, 3).frames()] == [0, 0, 0]


def test_who_is_held_still_hardly_moves_and_is_the_same_every_time() -> None:
    picture = disc(150, 100, 60).pictures[0]
    first, second = list(sway_still(picture, 30, 10.0)), list(sway_still(picture, 30, 10.0))
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
    moments = [cv2.moments((seen[..., 0] > 127).astype(np.uint8)) for seen in first]
    places = np.array([(moment["m10"] / moment["m00"], moment["m01"] / moment["m00"]) for moment in moments])
    assert 1 < np.abs(places - (150, 100)).max() < 6
    assert not (first[0] == first[1]).all()


def test_a_passage_shows_one_person_alone() -> None:
    shown = passage(DEMO, FaceFinder(), 10)
    assert len(shown.pictures) == 10
    assert 150 < shown.size < 250


def test_a_clip_of_nobody_has_no_passage(tmp_path: Path) -> None:
    path = tmp_path / "room.avi"
    write_video(path, empty_room(320, 240, 12), 30.0)
    assert [frame.image.shape for frame in open_source(str(path)).frames() if frame] == 12 * [(240, 320, 3)]
    with pytest.raises(SceneError, match=r"nobody is alone .* room\.avi"):
        passage(str(path), FaceFinder(), 10)


def test_a_video_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="cannot write"):
        write_video(tmp_path / "missing" / "room.avi", empty_room(32, 24, 1), 30.0)
