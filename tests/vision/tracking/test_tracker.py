from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import DECADES
from kiosk.vision.faces.crop import appearance_of
from kiosk.vision.faces.image import Gray
from kiosk.vision.tracking.fusion import (
    DECAY_TIME,
    INDEPENDENT,
    KNOWN_WEIGHT,
    LOST_WEIGHT,
    UNKNOWN_AFTER,
    TemporalFusion,
)
from kiosk.vision.tracking.tracker import LISTED_FOR, REMEMBERED_FOR, Track, Tracks
from tests.fakes.vision import face_at

LABELS = ("female", "male")


@pytest.fixture
def tracks() -> Tracks:
    return Tracks(DECADES, LABELS)


def age_of(group: int, confidence: float = 0.7) -> np.ndarray:
    probabilities = np.full(len(DECADES), (1 - confidence) / (len(DECADES) - 1))
    probabilities[group] = confidence
    return probabilities


def test_a_moving_face_keeps_its_number(tracks: Tracks) -> None:
    numbers = {tracks.assign([face_at(100 + 8 * step, 100)], step * 0.1)[0].number for step in range(30)}
    assert numbers == {1}


def test_two_faces_are_two_people_and_the_nearer_one_is_listed_first(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100, 30), face_at(400, 100, 50)], 0.0)
    assert [track.number for track in tracks.listed(0.0)] == [2, 1]


def test_two_people_side_by_side_keep_their_numbers_in_whatever_order_they_are_found(tracks: Tracks) -> None:
    for step in range(20):
        left, right = face_at(100 + 10 * step, 100), face_at(230 + 10 * step, 100)
        if step % 2:
            second, first = tracks.assign([right, left], step * 0.1)
        else:
            first, second = tracks.assign([left, right], step * 0.1)
        assert (first.number, second.number) == (1, 2)


def test_a_face_unseen_for_300_ms_is_no_longer_listed(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100)], 1.0)
    assert tracks.listed(1.0 + LISTED_FOR - 0.01)
    assert not tracks.listed(1.0 + LISTED_FOR + 0.01)


def test_an_identity_is_remembered_a_little_longer(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100)], 0.0)
    tracks.assign([], 0.5)
    (again,) = tracks.assign([face_at(130, 105)], 1.5)
    assert again.number == 1


def test_an_identity_is_forgotten_in_the_end(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100)], 0.0)
    (new,) = tracks.assign([face_at(100, 100)], REMEMBERED_FOR + 0.01)
    assert new.number == 2


def test_a_face_far_from_where_one_was_lost_is_somebody_else(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100)], 0.0)
    (other,) = tracks.assign([face_at(600, 100)], 0.5)
    assert other.number == 2


def test_a_face_of_quite_another_size_is_somebody_else(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100, 20)], 0.0)
    (other,) = tracks.assign([face_at(110, 100, 60)], 0.5)
    assert other.number == 2


def test_one_track_takes_only_one_of_two_near_faces(tracks: Tracks) -> None:
    tracks.assign([face_at(100, 100)], 0.0)
    found = tracks.assign([face_at(140, 100), face_at(102, 100)], 0.1)
    assert [track.number for track in found] == [2, 1]


def crop(seed: int, noise: float = 0.0) -> Gray:
    """A made-up look, and the same look with something changed."""
    shades = np.random.default_rng(seed).uniform(50, 200, (10, 10)).astype(np.float32)
    changed = shades + noise * np.random.default_rng(99).uniform(-50, 50, shades.shape).astype(np.float32)
    return np.asarray(cv2.resize(changed, (75, 75)), dtype=np.uint8)


def lost_and_found(tracks: Tracks, first: Gray, then: Gray) -> Track:
    """One known person is lost for a second; a face comes up in the same place."""
    (track,) = tracks.assign([face_at(100, 100)], 0.0)
    tracks.recognise(track, appearance_of(first), 0.0)
    feed(track, KNOWN_WEIGHT + 1, 0.0)
    (found,) = tracks.assign([face_at(105, 100)], 1.0)
    found.update_status(1.0)
    assert found.status == "estimating"  # nobody is taken for known before a good crop showed who it is
    tracks.recognise(found, appearance_of(then), 1.0)
    found.update_status(1.0)
    return found


def test_somebody_who_looked_away_is_known_again_at_once(tracks: Tracks) -> None:
    found = lost_and_found(tracks, crop(1), crop(1, noise=0.5))
    assert (found.number, found.status) == (1, "known")


def test_somebody_else_in_the_same_place_is_a_new_person(tracks: Tracks) -> None:
    found = lost_and_found(tracks, crop(1), crop(2))
    assert (found.number, found.status) == (2, "estimating")
    assert found.fusion.estimate() is None


def test_a_face_that_was_never_lost_may_change_its_look(tracks: Tracks) -> None:
    (track,) = tracks.assign([face_at(100, 100)], 0.0)
    tracks.recognise(track, appearance_of(crop(1)), 0.0)
    tracks.recognise(tracks.assign([face_at(100, 100)], 0.1)[0], appearance_of(crop(2)), 0.1)
    assert track.number == 1


@given(st.floats(0.3, 1.2), st.floats(-40, 30))
def test_a_look_does_not_depend_on_the_light(contrast: float, brightness: float) -> None:
    lit = np.clip(crop(1) * contrast * 0.8 + 40 + brightness, 0, 255).astype(np.uint8)
    assert float(appearance_of(crop(1)) @ appearance_of(lit)) > 0.95


def new_track(score: float = 1.0) -> Track:
    track = Track(1, face_at(0, 0), last_detected=0.0, fusion=TemporalFusion(DECADES, LABELS))
    track.best_score = score
    return track


def feed(track: Track, weight: float, time: float) -> None:
    track.fusion.add(np.array([0.8, 0.2]), age_of(3), weight, time)
    track.update_status(time)


def test_a_track_is_estimating_until_there_is_enough_evidence() -> None:
    track = new_track()
    feed(track, KNOWN_WEIGHT * 0.6, 0.0)
    assert track.status == "estimating"
    feed(track, KNOWN_WEIGHT * 0.6, INDEPENDENT)
    assert track.status == "known"


def test_a_track_without_evidence_becomes_unknown() -> None:
    track = new_track()
    track.update_status(UNKNOWN_AFTER)
    assert track.status == "estimating"
    track.update_status(UNKNOWN_AFTER + 0.01)
    assert track.status == "unknown"
    assert track.observation().estimate is None


def test_an_unknown_track_is_known_once_evidence_comes() -> None:
    track = new_track()
    track.update_status(UNKNOWN_AFTER + 1)
    feed(track, KNOWN_WEIGHT, UNKNOWN_AFTER + 1)
    assert track.status == "known"


def test_what_hardly_looks_like_a_face_is_never_known() -> None:
    track = new_track(score=0.05)
    for step in range(100):
        feed(track, 1.0, step * 0.1)
    assert track.status == "unknown"


def test_a_known_track_keeps_its_label_through_a_short_want_of_evidence() -> None:
    track = new_track()
    feed(track, KNOWN_WEIGHT, 0.0)
    track.update_status(1.0)
    assert track.status == "known"


def test_a_known_track_is_not_known_for_ever_without_evidence() -> None:
    track = new_track()
    feed(track, KNOWN_WEIGHT, 0.0)
    faded = DECAY_TIME * np.log(KNOWN_WEIGHT / LOST_WEIGHT) + 0.01
    track.update_status(faded)
    assert track.status == "estimating"
    track.update_status(faded + UNKNOWN_AFTER + 0.01)
    assert track.status == "unknown"


def test_a_head_that_turned_aside_before_it_was_lost_is_known_by_how_it_looked_from_the_front(tracks: Tracks) -> None:
    (track,) = tracks.assign([face_at(100, 100)], 0.0)
    tracks.recognise(track, appearance_of(crop(1)), 0.0)
    aside = face_at(100, 100)
    aside.landmarks[4, 0] += 10  # the nose, a quarter of an eye distance
    tracks.assign([aside], 0.1)
    tracks.recognise(track, appearance_of(crop(2)), 0.1)
    (again,) = tracks.assign([face_at(100, 100)], 1.0, [appearance_of(crop(1, noise=0.3))])
    tracks.recognise(again, appearance_of(crop(1, noise=0.3)), 1.0)
    assert again.number == 1


def test_whoever_looks_like_nobody_that_was_lost_here_is_new_and_the_lost_one_stays_remembered(tracks: Tracks) -> None:
    (track,) = tracks.assign([face_at(100, 100)], 0.0)
    tracks.recognise(track, appearance_of(crop(1)), 0.0)
    (other,) = tracks.assign([face_at(105, 100)], 0.5, [appearance_of(crop(2))])
    assert other.number == 2
    (again,) = tracks.assign([face_at(100, 100)], 2.5, [appearance_of(crop(1))])
    assert again.number == 1


def test_a_face_is_foreseen_where_its_way_leads_but_not_for_long(tracks: Tracks) -> None:
    for step in range(40):
        (track,) = tracks.assign([face_at(100 + 10 * step, 100)], step * 0.1)
    x = sum(track.face.eyes).real / 2
    assert sum(track.predict(4.1).eyes).real / 2 == pytest.approx(x + 20, abs=0.5)
    assert track.predict(60.0).eyes == track.predict(10.0).eyes
