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
from kiosk.vision.tracking.tracker import IN_VIEW_FOR, REMEMBERED_FOR, Track, Tracker
from tests.fakes.vision import face_at

LABELS = ("female", "male")


@pytest.fixture
def tracker() -> Tracker:
    return Tracker(DECADES, LABELS)


def age_probabilities_of(group: int, confidence: float = 0.7) -> np.ndarray:
    probabilities = np.full(len(DECADES), (1 - confidence) / (len(DECADES) - 1))
    probabilities[group] = confidence
    return probabilities


def test_moving_face_keeps_its_number(tracker: Tracker) -> None:
    numbers = {tracker.assign([face_at(100 + 8 * step, 100)], step * 0.1)[0].number for step in range(30)}
    assert numbers == {1}


def test_two_faces_are_two_tracks_and_the_larger_is_listed_first(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100, 30), face_at(400, 100, 50)], 0.0)
    assert [track.number for track in tracker.tracks_in_view(0.0)] == [2, 1]


def test_numbers_do_not_depend_on_the_order_of_detections(tracker: Tracker) -> None:
    for step in range(20):
        left, right = face_at(100 + 10 * step, 100), face_at(230 + 10 * step, 100)
        if step % 2:
            second, first = tracker.assign([right, left], step * 0.1)
        else:
            first, second = tracker.assign([left, right], step * 0.1)
        assert (first.number, second.number) == (1, 2)


def test_face_unseen_for_300_ms_is_no_longer_listed(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100)], 1.0)
    assert tracker.tracks_in_view(1.0 + IN_VIEW_FOR - 0.01)
    assert not tracker.tracks_in_view(1.0 + IN_VIEW_FOR + 0.01)


def test_identity_is_kept_for_a_few_seconds(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100)], 0.0)
    tracker.assign([], 0.5)
    (again,) = tracker.assign([face_at(130, 105)], 1.5)
    assert again.number == 1


def test_identity_is_forgotten_after_remembered_for_seconds(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100)], 0.0)
    (new,) = tracker.assign([face_at(100, 100)], REMEMBERED_FOR + 0.01)
    assert new.number == 2


def test_face_far_from_a_lost_track_is_a_new_person(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100)], 0.0)
    (other,) = tracker.assign([face_at(600, 100)], 0.5)
    assert other.number == 2


def test_face_of_very_different_size_is_a_new_person(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100, 20)], 0.0)
    (other,) = tracker.assign([face_at(110, 100, 60)], 0.5)
    assert other.number == 2


def test_track_matches_only_one_of_two_near_faces(tracker: Tracker) -> None:
    tracker.assign([face_at(100, 100)], 0.0)
    found = tracker.assign([face_at(140, 100), face_at(102, 100)], 0.1)
    assert [track.number for track in found] == [2, 1]


def make_crop(seed: int, noise: float = 0.0) -> Gray:
    """Returns a (75, 75) crop of the appearance `seed`, changed by `noise`."""
    shades = np.random.default_rng(seed).uniform(50, 200, (10, 10)).astype(np.float32)
    changed = shades + noise * np.random.default_rng(99).uniform(-50, 50, shades.shape).astype(np.float32)
    return np.asarray(cv2.resize(changed, (75, 75)), dtype=np.uint8)


def lose_and_find(tracker: Tracker, first: Gray, then: Gray) -> Track:
    """Loses a known person for a second, then finds a face in the same place; returns its track."""
    (track,) = tracker.assign([face_at(100, 100)], 0.0)
    tracker.recognise(track, appearance_of(first), 0.0)
    add_estimate(track, KNOWN_WEIGHT + 1, 0.0)
    (found,) = tracker.assign([face_at(105, 100)], 1.0)
    found.update_status(1.0)
    assert found.status == "estimating"  # a returned track is not known before a good crop confirms the person
    tracker.recognise(found, appearance_of(then), 1.0)
    found.update_status(1.0)
    return found


def test_returning_person_is_known_again_at_once(tracker: Tracker) -> None:
    found = lose_and_find(tracker, make_crop(1), make_crop(1, noise=0.5))
    assert (found.number, found.status) == (1, "known")


def test_another_person_in_the_same_place_is_a_new_person(tracker: Tracker) -> None:
    found = lose_and_find(tracker, make_crop(1), make_crop(2))
    assert (found.number, found.status) == (2, "estimating")
    assert found.fusion.estimate() is None


def test_appearance_may_change_while_the_track_is_not_lost(tracker: Tracker) -> None:
    (track,) = tracker.assign([face_at(100, 100)], 0.0)
    tracker.recognise(track, appearance_of(make_crop(1)), 0.0)
    tracker.recognise(tracker.assign([face_at(100, 100)], 0.1)[0], appearance_of(make_crop(2)), 0.1)
    assert track.number == 1


@given(st.floats(0.3, 1.2), st.floats(-40, 30))
def test_appearance_does_not_depend_on_brightness_and_contrast(contrast: float, brightness: float) -> None:
    lit = np.clip(make_crop(1) * contrast * 0.8 + 40 + brightness, 0, 255).astype(np.uint8)
    assert float(appearance_of(make_crop(1)) @ appearance_of(lit)) > 0.95


def make_track(score: float = 1.0) -> Track:
    track = Track(1, face_at(0, 0), last_detected=0.0, fusion=TemporalFusion(DECADES, LABELS))
    track.best_score = score
    return track


def add_estimate(track: Track, weight: float, time: float) -> None:
    track.fusion.add(np.array([0.8, 0.2]), age_probabilities_of(3), weight, time)
    track.update_status(time)


def test_track_is_estimating_until_its_weight_is_sufficient() -> None:
    track = make_track()
    add_estimate(track, KNOWN_WEIGHT * 0.6, 0.0)
    assert track.status == "estimating"
    add_estimate(track, KNOWN_WEIGHT * 0.6, INDEPENDENT)
    assert track.status == "known"


def test_track_without_crops_becomes_unknown() -> None:
    track = make_track()
    track.update_status(UNKNOWN_AFTER)
    assert track.status == "estimating"
    track.update_status(UNKNOWN_AFTER + 0.01)
    assert track.status == "unknown"
    assert track.observation().estimate is None


def test_unknown_track_becomes_known_with_good_crops() -> None:
    track = make_track()
    track.update_status(UNKNOWN_AFTER + 1)
    add_estimate(track, KNOWN_WEIGHT, UNKNOWN_AFTER + 1)
    assert track.status == "known"


def test_track_with_a_low_detection_score_is_never_known() -> None:
    track = make_track(score=0.05)
    for step in range(100):
        add_estimate(track, 1.0, step * 0.1)
    assert track.status == "unknown"


def test_known_track_stays_known_without_crops_for_a_moment() -> None:
    track = make_track()
    add_estimate(track, KNOWN_WEIGHT, 0.0)
    track.update_status(1.0)
    assert track.status == "known"


def test_known_track_becomes_unknown_when_its_weight_has_faded() -> None:
    track = make_track()
    add_estimate(track, KNOWN_WEIGHT, 0.0)
    faded = DECAY_TIME * np.log(KNOWN_WEIGHT / LOST_WEIGHT) + 0.01
    track.update_status(faded)
    assert track.status == "estimating"
    track.update_status(faded + UNKNOWN_AFTER + 0.01)
    assert track.status == "unknown"


def test_returning_head_is_recognised_by_its_frontal_appearance(tracker: Tracker) -> None:
    (track,) = tracker.assign([face_at(100, 100)], 0.0)
    tracker.recognise(track, appearance_of(make_crop(1)), 0.0)
    aside = face_at(100, 100)
    aside.landmarks[4, 0] += 10  # the nose, a quarter of an eye distance
    tracker.assign([aside], 0.1)
    tracker.recognise(track, appearance_of(make_crop(2)), 0.1)
    (again,) = tracker.assign([face_at(100, 100)], 1.0, [appearance_of(make_crop(1, noise=0.3))])
    tracker.recognise(again, appearance_of(make_crop(1, noise=0.3)), 1.0)
    assert again.number == 1


def test_new_appearance_is_a_new_person_and_the_lost_track_is_kept(tracker: Tracker) -> None:
    (track,) = tracker.assign([face_at(100, 100)], 0.0)
    tracker.recognise(track, appearance_of(make_crop(1)), 0.0)
    (other,) = tracker.assign([face_at(105, 100)], 0.5, [appearance_of(make_crop(2))])
    assert other.number == 2
    (again,) = tracker.assign([face_at(100, 100)], 2.5, [appearance_of(make_crop(1))])
    assert again.number == 1


def test_position_is_predicted_from_velocity_for_a_limited_time(tracker: Tracker) -> None:
    for step in range(40):
        (track,) = tracker.assign([face_at(100 + 10 * step, 100)], step * 0.1)
    x = sum(track.face.eyes).real / 2
    assert sum(track.predict(4.1).eyes).real / 2 == pytest.approx(x + 20, abs=0.5)
    assert track.predict(60.0).eyes == track.predict(10.0).eyes
