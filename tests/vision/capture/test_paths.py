"""Track numbers along scripted paths: people who cross, are hidden, leave, and take another's place.

The finder gets the faces' landmarks. Each person's appearance is a texture of its own in the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import pytest

from kiosk.vision.capture.frame import Frame
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.pipeline import Pipeline
from tests.fakes.vision import FakeEngine, FakeFinder, face_at

RATE = 25.0
HIDDEN_OVERLAP = 0.3  # overlap with a nearer face from which the detector no longer finds one


@dataclass(frozen=True)
class Person:
    """A person with an appearance, and a path: the position in pixels at a time in seconds, or None."""

    appearance: int
    path: Callable[[float], tuple[float, float] | None]
    eye_distance: float = 40.0

    def face(self, time: float) -> Face | None:
        place = self.path(time)
        return None if place is None else face_at(*place, self.eye_distance)


def stand(x: float, since: float = 0.0, until: float = 1e9) -> Callable[[float], tuple[float, float] | None]:
    return lambda time: (x, 240.0) if since <= time < until else None


def walk(start: float, speed: float, until: float = 1e9) -> Callable[[float], tuple[float, float] | None]:
    return lambda time: (start + speed * time, 240.0) if time < until else None


def make_texture(appearance: int, size: int) -> Gray:
    shades = np.random.default_rng(appearance).integers(40, 220, (12, 12), dtype=np.uint8)
    return np.asarray(cv2.resize(shades, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def paint(faces: Sequence[tuple[Person, Face]]) -> Frame:
    gray = np.random.default_rng(0).integers(60, 200, (48, 64), dtype=np.uint8).repeat(10, axis=0).repeat(10, axis=1)
    for person, face in reversed(faces):  # the farthest first
        left, top, width, _ = face.box
        x, y, size = round(left - 0.1 * width), round(top - 0.2 * width), round(1.2 * width)
        patch = make_texture(person.appearance, size)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + size, 640), min(y + size, 480)
        if x0 < x1 and y0 < y1:
            gray[y0:y1, x0:x1] = patch[y0 - y : y1 - y, x0 - x : x1 - x]
    return Frame(cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR).astype(np.uint8), 0, 0.0, 0.0)


def play(
    *people: Person, seconds: float, covered: Callable[[float], bool] = lambda _: False, rate: float = RATE
) -> list[dict[int, int]]:
    """Runs the pipeline on a scene; returns each frame's track numbers by the people's appearances."""
    finder = FakeFinder()
    pipe = Pipeline(FakeEngine(), finder=cast(FaceFinder, finder))
    scenes = []
    for index in range(int(seconds * rate)):
        time = index / rate
        present = [(person, face) for person in people if (face := person.face(time)) is not None]
        present.sort(key=lambda entry: entry[0].eye_distance, reverse=True)
        visible: list[tuple[Person, Face]] = []
        for person, face in present:
            if all(face.overlap(other) < HIDDEN_OVERLAP for _, other in visible) and not covered(time):
                visible.append((person, face))
        finder.faces = [face for _, face in visible]
        frame = paint([] if covered(time) else present)
        observation = pipe.process(Frame(frame.image, index, time, 0.0))
        scene = {}
        for person, face in visible:
            left, _, width, _ = face.box
            near = {
                abs(observed.box[0] - left) + abs(observed.box[2] - width): observed.track
                for observed in observation.faces
            }
            if near and min(near) < 0.3 * width:
                scene[person.appearance] = near[min(near)]
        scenes.append(scene)
    return scenes


def track_numbers(scenes: list[dict[int, int]], appearance: int) -> list[int]:
    """Returns the different track numbers that one person had, in order."""
    found: list[int] = []
    for scene in scenes:
        if appearance in scene and scene[appearance] not in found:
            found.append(scene[appearance])
    return found


@pytest.mark.parametrize("speed", [100.0, 250.0])
@pytest.mark.parametrize("nearer", [1, 2])
def test_two_people_who_cross_keep_their_track_numbers(speed: float, nearer: int) -> None:
    sizes = {1: 40.0, 2: 40.0} | {nearer: 46.0}
    first = Person(1, walk(320 - speed, speed), sizes[1])
    second = Person(2, walk(320 + speed, -speed), sizes[2])
    scenes = play(first, second, seconds=2.0)
    assert set(scenes[-1]) == {1, 2}
    assert (len(track_numbers(scenes, 1)), len(track_numbers(scenes, 2))) == (1, 1)


@pytest.mark.parametrize("rate", [12.5, 25.0, 30.0, 60.0])
def test_face_covered_for_half_a_second_keeps_its_number(rate: float) -> None:
    scenes = play(Person(1, stand(300)), seconds=3.0, covered=lambda time: 1.0 <= time < 1.5, rate=rate)
    assert track_numbers(scenes, 1) == [1]
    assert scenes[-1]


def test_person_hidden_behind_another_for_a_moment_keeps_the_number() -> None:
    passer = Person(2, lambda time: (150 * (time - 0.3), 240.0) if 0.5 < time < 4 else None, 60.0)
    scenes = play(Person(1, stand(320)), passer, seconds=4.5)
    assert track_numbers(scenes, 1) == [1]
    assert 1 in scenes[-1]
    assert set(track_numbers(scenes, 1)).isdisjoint(track_numbers(scenes, 2))


def test_new_person_in_the_same_place_gets_a_new_number() -> None:
    scenes = play(Person(1, stand(300, until=1.0)), Person(2, stand(305, since=1.6)), seconds=3.0)
    assert (track_numbers(scenes, 1), track_numbers(scenes, 2)) == ([1], [2])


def test_person_who_returns_after_another_stood_there_keeps_the_number() -> None:
    def stand_with_a_pause(time: float) -> tuple[float, float] | None:
        return None if 1.0 <= time < 2.4 else (300.0, 240.0)

    scenes = play(Person(1, stand_with_a_pause), Person(2, stand(310, since=1.4, until=2.0)), seconds=3.5)
    assert (track_numbers(scenes, 1), track_numbers(scenes, 2)) == ([1], [2])


def test_person_who_leaves_is_dropped_and_others_keep_their_numbers() -> None:
    scenes = play(Person(1, stand(150)), Person(2, walk(400, 200, until=1.0)), seconds=2.0)
    assert track_numbers(scenes, 1) == [scenes[0][1]]
    assert 2 not in scenes[-1]


def test_fast_movement_keeps_the_number() -> None:
    def walk_back_and_forth(time: float) -> tuple[float, float]:
        return 320 + 150 * float(np.sin(3 * time)), 240.0

    assert track_numbers(play(Person(1, walk_back_and_forth), seconds=5.0), 1) == [1]
