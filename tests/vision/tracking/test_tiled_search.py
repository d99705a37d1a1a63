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
def test_every_small_face_lies_completely_in_one_tile(height: int, width: int) -> None:
    tiles = tiles_of(height, width, 0.2)
    side = SMALLEST_DETECTABLE / detection_scale(height, 0.2)
    for x in np.linspace(0, width - side, 60):
        for y in np.linspace(0, height - side, 60):
            assert any(
                left <= x and top <= y and x + side <= right and y + side <= bottom
                for left, top, right, bottom in tiles
            )


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_are_small_and_together_less_than_twice_the_frame(height: int, width: int) -> None:
    tiles = tiles_of(height, width, 0.2)
    sizes = [(right - left) * (bottom - top) for left, top, right, bottom in tiles]
    assert max(sizes) < 0.5 * height * width
    assert sum(sizes) < 2 * height * width
    assert all(0 <= left < right <= width and 0 <= top < bottom <= height for left, top, right, bottom in tiles)


def test_tile_scale_is_2_for_small_frames_and_none_for_enlarged_ones() -> None:
    assert tile_scale(480, 0.2) == 1.0
    assert tile_scale(270, 0.2) == 2.0
    assert tile_scale(100, 0.2) is None
    assert tiles_of(100, 150, 0.2) == []


def search_areas(
    search: TiledSearch, schedule: Schedule, gray: Gray, start: float, seconds: float, known: list[Face] | None = None
) -> list[Area]:
    found: list[Area] = []
    for time in np.arange(start, start + seconds, 0.04):
        found += search.areas_to_search(gray, float(time), schedule, known or [], detecting=False)
    return found


def count_searches(search: TiledSearch, schedule: Schedule, gray: Gray, start: float, seconds: float) -> int:
    return len(search_areas(search, schedule, gray, start, seconds))


def test_unchanged_tile_is_searched_again_after_again_after_seconds() -> None:
    search, schedule = TiledSearch(0.2), Schedule()
    gray = np.random.default_rng(0).integers(60, 200, (480, 640), dtype=np.uint8)
    tiles = len(tiles_of(480, 640, 0.2))
    assert count_searches(search, schedule, gray, 0.0, 1.0) == tiles
    assert count_searches(search, schedule, gray, 1.0, 0.9) == 0
    assert count_searches(search, schedule, gray, 1.9, AGAIN_AFTER) == tiles


def test_changed_tile_is_searched_when_next_due() -> None:
    search, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((480, 640), 100, np.uint8)
    count_searches(search, schedule, gray, 0.0, 1.0)
    somebody = gray.copy()
    somebody[50:110, 20:80] = 160
    assert count_searches(search, schedule, somebody, 1.0, 0.5) == 1


def add_person(gray: Gray, x: int, y: int, side: int = 60) -> Gray:
    there = gray.copy()
    there[y : y + side, x : x + side] += 60
    return there


def test_only_the_surroundings_of_a_change_are_searched() -> None:
    search, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((720, 1280), 100, np.uint8)
    count_searches(search, schedule, gray, 0.0, 1.0)
    [area] = search_areas(search, schedule, add_person(gray, 40, 50), 1.0, 0.5)
    left, top, right, bottom = area
    assert (left, top) == (0, 0)
    assert 40 + 60 + SMALLEST_DETECTABLE <= right < 300
    assert 50 + 60 + SMALLEST_DETECTABLE <= bottom < 300


def test_repeated_changes_do_not_delay_the_search_of_whole_tiles() -> None:
    search, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((720, 1280), 100, np.uint8)
    there = add_person(gray, 40, 50)
    found: list[Area] = []
    for index in range(round((AGAIN_AFTER + 1) / 0.04)):
        found += search.areas_to_search(there if index // 10 % 2 else gray, index * 0.04, schedule, detecting=False)
    for tile in tiles_of(720, 1280, 0.2):
        assert found.count(tile) == 2


def test_area_covered_by_a_known_head_is_not_searched() -> None:
    search, schedule = TiledSearch(0.2), Schedule()
    gray = np.full((480, 640), 100, np.uint8)
    known = face_at(320, 240, 60)
    left, top, side, _ = (int(value) for value in known.box)
    there = add_person(gray, left, top - side // 4, side)
    count_searches(search, schedule, gray, 0.0, 1.0)
    assert search_areas(search, schedule, there, 1.0, 0.5, [known]) == []
    assert search_areas(search, schedule, add_person(there, 20, 20), 1.5, 0.5, [known])
    assert search_areas(search, schedule, gray, 2.0, 0.5)
