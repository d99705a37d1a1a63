from __future__ import annotations

import numpy as np
import pytest

from kiosk.vision.faces.detector import SMALLEST_DETECTABLE, detection_scale
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Area, Gray
from kiosk.vision.tracking.schedule import Schedule
from kiosk.vision.tracking.tiled_search import AGAIN_AFTER, TiledSearch, tile_scale, tiles_of
from tests.fakes.vision import face_at

SIZES = [(270, 480), (480, 640), (480, 848), (540, 960), (720, 1280), (1080, 1920), (1280, 720)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_small_face_lies_whole_in_one_part(height: int, width: int) -> None:
    parts = tiles_of(height, width, 0.2)
    side = SMALLEST_DETECTABLE / detection_scale(height, 0.2)
    for x in np.linspace(0, width - side, 60):
        for y in np.linspace(0, height - side, 60):
            assert any(
                left <= x and top <= y and x + side <= right and y + side <= bottom
                for left, top, right, bottom in parts
            )


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_no_part_is_much_of_the_frame_and_all_together_not_twice_it(height: int, width: int) -> None:
    parts = tiles_of(height, width, 0.2)
    sizes = [(right - left) * (bottom - top) for left, top, right, bottom in parts]
    assert max(sizes) < 0.5 * height * width
    assert sum(sizes) < 2 * height * width
    assert all(0 <= left < right <= width and 0 <= top < bottom <= height for left, top, right, bottom in parts)


def test_a_small_frame_is_scanned_at_twice_its_size_and_one_already_enlarged_not_at_all() -> None:
    assert tile_scale(480, 0.2) == 1.0
    assert tile_scale(270, 0.2) == 2.0
    assert tile_scale(100, 0.2) is None
    assert tiles_of(100, 150, 0.2) == []


def areas_to_search(
    scan: TiledSearch, schedule: Schedule, gray: Gray, start: float, seconds: float, known: list[Face] | None = None
) -> list[Area]:
    found: list[Area] = []
    for time in np.arange(start, start + seconds, 0.04):
        found += scan.areas_to_search(gray, float(time), schedule, known or [], detecting=False)
    return found


def searched(scan: TiledSearch, schedule: Schedule, gray: Gray, start: float, seconds: float) -> int:
    return len(areas_to_search(scan, schedule, gray, start, seconds))


def test_a_part_that_has_not_changed_is_searched_again_only_after_a_while() -> None:
    scan, schedule = TiledSearch(0.2), Schedule()
    gray = np.random.default_rng(0).integers(60, 200, (480, 640), dtype=np.uint8)
    parts = len(tiles_of(480, 640, 0.2))
    assert searched(scan, schedule, gray, 0.0, 1.0) == parts
    assert searched(scan, schedule, gray, 1.0, 0.9) == 0
    assert searched(scan, schedule, gray, 1.9, AGAIN_AFTER) == parts


def test_a_part_that_has_changed_is_searched_in_its_next_turn() -> None:
    scan, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((480, 640), 100, np.uint8)
    searched(scan, schedule, gray, 0.0, 1.0)
    somebody = gray.copy()
    somebody[50:110, 20:80] = 160
    assert searched(scan, schedule, somebody, 1.0, 0.5) == 1


def with_somebody(gray: Gray, x: int, y: int, side: int = 60) -> Gray:
    there = gray.copy()
    there[y : y + side, x : x + side] += 60
    return there


def test_of_a_part_that_has_changed_only_what_is_around_is_searched() -> None:
    scan, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((720, 1280), 100, np.uint8)
    searched(scan, schedule, gray, 0.0, 1.0)
    [area] = areas_to_search(scan, schedule, with_somebody(gray, 40, 50), 1.0, 0.5)
    left, top, right, bottom = area
    assert (left, top) == (0, 0)
    assert 40 + 60 + SMALLEST_DETECTABLE <= right < 300
    assert 50 + 60 + SMALLEST_DETECTABLE <= bottom < 300


def test_what_keeps_changing_somewhere_puts_off_no_search_of_the_whole() -> None:
    scan, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((720, 1280), 100, np.uint8)
    there = with_somebody(gray, 40, 50)
    found: list[Area] = []
    for index in range(round((AGAIN_AFTER + 1) / 0.04)):
        found += scan.areas_to_search(there if index // 10 % 2 else gray, index * 0.04, schedule, detecting=False)
    for part in tiles_of(720, 1280, 0.2):
        assert found.count(part) == 2


def test_what_the_head_of_a_known_face_hides_is_not_searched_until_it_is_gone() -> None:
    scan, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((480, 640), 100, np.uint8)
    known = face_at(320, 240, 60)
    left, top, side, _ = (int(value) for value in known.box)
    there = with_somebody(gray, left, top - side // 4, side)
    searched(scan, schedule, gray, 0.0, 1.0)
    assert areas_to_search(scan, schedule, there, 1.0, 0.5, [known]) == []
    assert areas_to_search(scan, schedule, with_somebody(there, 20, 20), 1.5, 0.5, [known])
    assert areas_to_search(scan, schedule, gray, 2.0, 0.5)
