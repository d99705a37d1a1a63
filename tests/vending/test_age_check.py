"""The age check passes for one reason only, and asks for an ID in every other case."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.config import AgeCheckConfig
from kiosk.estimate import DECADES, Estimate, FaceObservation, Observation
from kiosk.vending.age_check import MAX_GAP_S, MIN_FACE_WIDTH, MIN_QUALITY, AgeCheck, Outcome, Prompt, Reason

CONFIG = AgeCheckConfig(automatic_pass=True)
EVERY = 0.04  # seconds between two observations


def aged(label: str, sure: float = 0.99) -> Estimate:
    """Returns an estimate with probability `sure` for one age group and the rest for teenagers."""
    shares = {label: sure, "10-19": 1 - sure} if label != "10-19" else {label: 1.0}
    return Estimate(("female", "male"), (0.5, 0.5), DECADES, tuple(shares.get(group.label, 0.0) for group in DECADES))


def face(track: int = 1, age: str = "60+", **changes: Any) -> FaceObservation:
    seen = FaceObservation(track, (200, 100, 160, 160), 0.9, "known", aged(age), live=True)
    return replace(seen, **changes)


def observe_faces(time: float, *faces: FaceObservation) -> Observation:
    return Observation(time, 0, 10.0, faces)


def watch(check: AgeCheck, *faces: FaceObservation, seconds: float = 3.0, start: float = 0.0) -> AgeCheck:
    """Shows the same faces for a while, on both clocks."""
    for index in range(round(seconds / EVERY)):
        time = start + index * EVERY
        check = check.observe(observe_faces(time, *faces), time)
    return check


def begin(legal_age: int = 18, **changes: Any) -> AgeCheck:
    return AgeCheck.begin(CONFIG.model_copy(update=changes), now=0.0, legal_age=legal_age)


def asks(check: AgeCheck, reason: Reason) -> bool:
    return check.outcome is Outcome.ASK_FOR_ID and check.reason is reason


# --- What passes ----------------------------------------------------------------------------------


def test_an_old_living_face_alone_passes_after_the_time_it_takes() -> None:
    assert watch(begin(), face(), seconds=1.5).outcome is None
    passed = watch(begin(), face(), seconds=1.7)
    assert passed.outcome is Outcome.PASSED
    assert passed.prompt is Prompt.THANK_YOU
    assert passed.good_frames is None


def test_few_pictures_are_not_enough_however_long_they_take() -> None:
    check = begin()
    for index in range(CONFIG.min_good_frames):
        assert check.outcome is None
        check = check.observe(observe_faces(index * 0.4, face()), index * 0.4)
    assert check.outcome is Outcome.PASSED


def test_progress_grows_with_the_slower_of_time_and_pictures() -> None:
    assert begin().progress == 0
    assert watch(begin(), face(), seconds=0.76 + EVERY).progress == pytest.approx(0.76 / 1.5)
    assert watch(begin(min_good_frames=100), face(), seconds=1.0).progress == pytest.approx(0.25)


@pytest.mark.proves("fool-age-check")
def test_the_default_lets_nobody_pass() -> None:
    check = AgeCheck.begin(AgeCheckConfig(), now=0.0)
    assert asks(check, Reason.OFF)
    assert watch(check, face()) is check


def test_a_margin_stands_on_the_legal_age() -> None:
    assert begin().challenge_age == 25
    assert asks(watch(begin(), face(age="20-29")), Reason.NOT_SURE)
    assert watch(begin(legal_age=16, margin=4), face(age="20-29")).outcome is Outcome.PASSED


# --- What does not --------------------------------------------------------------------------------


@pytest.mark.parametrize("age", ["0-2", "3-9", "10-19", "20-29"])
def test_the_young_are_asked_for_an_id_at_once(age: str) -> None:
    assert asks(watch(begin(), face(age=age), seconds=1.7), Reason.NOT_SURE)


def test_a_probability_below_the_threshold_is_not_sure() -> None:
    assert asks(watch(begin(), face(estimate=aged("60+", 0.94))), Reason.NOT_SURE)
    assert watch(begin(), face(estimate=aged("60+", 0.95))).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("faces", "reason", "prompt"),
    [
        ((), Reason.NOBODY, Prompt.LOOK_AT_THE_SCREEN),
        ((face(1), face(2)), Reason.TWO_FACES, Prompt.ONE_PERSON_PLEASE),
        ((face(status="unknown"),), Reason.UNKNOWN, Prompt.LOOK_AT_THE_SCREEN),
        ((face(status="estimating"),), Reason.BAD_PICTURE, Prompt.LOOK_AT_THE_SCREEN),
        ((face(quality=0.34),), Reason.BAD_PICTURE, Prompt.LOOK_AT_THE_SCREEN),
        ((face(quality=math.nan),), Reason.BAD_PICTURE, Prompt.LOOK_AT_THE_SCREEN),
        ((face(estimate=None),), Reason.BAD_PICTURE, Prompt.LOOK_AT_THE_SCREEN),
        ((face(box=(0, 0, 79, 79)),), Reason.TOO_FAR, Prompt.A_LITTLE_CLOSER),
        ((face(live=False),), Reason.NOT_LIVE, Prompt.TURN_YOUR_HEAD),
        ((face(live=None),), Reason.NOT_LIVE, Prompt.TURN_YOUR_HEAD),
    ],
)
def test_each_obstacle_is_prompted_and_ends_in_asking_for_an_id(
    faces: tuple[FaceObservation, ...], reason: Reason, prompt: Prompt
) -> None:
    check = watch(begin(), *faces, seconds=4.0)
    assert (check.outcome, check.reason, check.prompt) == (None, reason, prompt)
    check = watch(check, *faces, seconds=9.0, start=4.0)
    assert asks(check, reason)
    assert check.prompt is Prompt.ID_PLEASE


def test_a_face_that_nobody_judged_passes_only_where_that_is_allowed() -> None:
    assert watch(begin(liveness=False), face(live=None)).outcome is Outcome.PASSED
    assert watch(begin(liveness=False), face(live=False), seconds=5.0).outcome is None


def test_a_face_shown_to_be_alive_later_passes_then_and_not_before() -> None:
    check = watch(begin(), face(live=None), seconds=4.0)
    assert watch(check, face(live=True), seconds=EVERY, start=4.0).outcome is Outcome.PASSED
    # But not if it has come to look younger meanwhile: it is decided by what is known then.
    assert asks(watch(check, face(live=True, age="10-19"), seconds=EVERY, start=4.0), Reason.NOT_SURE)


# --- Interruptions --------------------------------------------------------------------------------


def test_a_second_person_at_the_last_moment_resets_the_evidence() -> None:
    check = watch(begin(), face(), seconds=1.5)
    check = watch(check, face(), face(2), seconds=EVERY, start=1.5)
    assert check.reason is Reason.TWO_FACES
    check = watch(check, face(), seconds=1.5, start=1.54)
    assert check.outcome is None
    assert watch(check, face(), seconds=0.1, start=3.04).outcome is Outcome.PASSED


@pytest.mark.proves("fool-age-check")
def test_another_person_in_the_same_place_resets_the_evidence() -> None:
    check = watch(begin(), face(1), seconds=1.5)
    check = watch(check, face(2), seconds=1.5, start=1.5)
    assert check.outcome is None
    assert check.good_frames is not None
    assert check.good_frames.track == 2


def test_another_person_in_a_bad_picture_is_another_person_too() -> None:
    check = watch(begin(), face(1), seconds=1.5)
    check = watch(check, face(2, quality=0.1), seconds=EVERY, start=1.5)
    assert check.good_frames is None


def test_stepping_away_and_back_resets_the_evidence() -> None:
    check = watch(begin(), face(), seconds=1.5)
    check = watch(check, seconds=EVERY, start=1.5)
    assert (check.reason, check.good_frames) == (Reason.NOBODY, None)
    assert watch(check, face(), seconds=1.5, start=1.54).outcome is None


def test_a_blink_does_not_reset_the_evidence_but_a_long_bad_picture_does() -> None:
    def after(bad: float) -> AgeCheck:
        check = watch(begin(), face(), seconds=1.2)
        check = watch(check, face(quality=0.1), seconds=bad, start=1.2)
        return watch(check, face(), seconds=0.6, start=1.2 + bad)

    assert after(0.2).outcome is Outcome.PASSED
    assert after(0.6).outcome is None


def test_a_gap_without_observations_resets_the_evidence() -> None:
    check = watch(begin(), face(), seconds=1.5)
    assert watch(check, face(), seconds=1.0, start=2.2).outcome is None


def test_a_camera_that_dies_in_the_middle_ends_in_asking_for_an_id() -> None:
    check = watch(begin(), face(), seconds=1.0)
    assert check.tick(3.0).outcome is None
    assert asks(check.tick(3.6), Reason.NO_PICTURE)
    assert asks(check.observe(observe_faces(1.04, face()), 3.6), Reason.NO_PICTURE)


def test_a_camera_that_never_lived_ends_in_asking_for_an_id() -> None:
    assert asks(begin().tick(2.6), Reason.NO_PICTURE)


def test_an_observation_that_is_late_or_came_before_counts_for_nothing() -> None:
    check = watch(begin(), face(), seconds=1.0)
    assert check.observe(observe_faces(0.5, face(), face(2)), 1.0) == check
    assert check.observe(observe_faces(24 * EVERY, face()), 1.0) == check
    assert check.observe(observe_faces(math.nan, face()), 1.0) == check


@pytest.mark.proves("camera-frozen")
def test_the_same_picture_again_and_again_is_one_picture() -> None:
    check = begin()
    for index in range(40):
        check = check.observe(observe_faces(0.0, face()), index * EVERY)
    assert check.progress == 0
    assert check.good_frames is not None
    assert check.good_frames.frames == 1


def test_a_restarted_vision_process_resets_the_evidence() -> None:
    check = watch(begin(), face(), seconds=1.5)
    check = check.observe(observe_faces(0.01, face()), 2.5)
    assert check.good_frames is not None
    assert check.good_frames.frames == 1


def test_an_end_is_an_end() -> None:
    passed = watch(begin(), face())
    assert passed.observe(observe_faces(99.0, face(), face(2)), 99.0) is passed
    assert passed.tick(99.0) is passed


# --- What it says ---------------------------------------------------------------------------------


def test_it_explains_itself_in_one_line_without_a_figure() -> None:
    for reason in Reason:
        for outcome in (None, *Outcome):
            line = replace(begin(), outcome=outcome, reason=reason).explanation
            assert reason.value in line
            assert "\n" not in line
            assert not any(character.isdigit() for character in line)
    assert watch(begin(), face(), face(2), seconds=13.0).explanation == "ask for ID: more than one face"
    assert watch(begin(), face()).explanation.startswith("passed: ")
    assert begin().explanation == "running: no observation yet"


@pytest.mark.parametrize(
    "changes",
    [
        {"margin": -1},
        {"threshold": 0.5},
        {"threshold": 1.01},
        {"threshold": math.nan},
        {"seconds": 0.0},
        {"seconds": math.nan},
        {"min_good_frames": 0},
        {"time_out": 1.5},
        {"time_out": math.inf},
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, float]) -> None:
    (name,) = changes
    with pytest.raises(ValueError, match=name):
        AgeCheckConfig(**changes)


@pytest.mark.parametrize("changes", [{"legal_age": 0}, {"legal_age": 100}, {"min_face_width": 0}])
def test_a_check_of_an_impossible_age_or_face_is_refused(changes: dict[str, int]) -> None:
    (name,) = changes
    with pytest.raises(ValueError, match=name):
        AgeCheck.begin(CONFIG, 0.0, **changes)


# --- Whatever happens -----------------------------------------------------------------------------

# At most one thing at a time is wrong: what is wrong in two ways fails by either, and shows nothing of the other.
shown_faces = st.sampled_from(
    [
        *[[face()]] * 4,
        [face(track=2)],
        [face(age="20-29")],
        [face(age="10-19")],
        [face(estimate=aged("60+", 0.94))],
        [face(status="unknown")],
        [face(status="estimating")],
        [face(quality=0.2)],
        [face(live=None)],
        [face(live=False)],
        [face(box=(0, 0, 79, 79))],
        [face(), face(track=2)],
        [],
    ]
)
steps = st.lists(
    st.tuples(
        st.sampled_from([EVERY, 0.1, 0.1, 0.1, 0.15, 0.3, 0.6, 0.0, -0.2]),
        shown_faces,
        st.integers(1, 30),  # how often in a row
    ),
    max_size=12,
)


def good_times(taken: list[Observation]) -> list[float]:
    """Returns the times of the good frames of the last frame's face, back to the last interruption."""
    last = taken[-1].faces[0]
    times: list[float] = []
    for each in reversed(taken):
        (seen_first, *others) = each.faces or (None,)
        if seen_first is None or others or seen_first.track != last.track or seen_first.status == "unknown":
            break
        if seen_first.box[2] < MIN_FACE_WIDTH:
            break
        if seen_first.status == "known" and seen_first.quality >= MIN_QUALITY:
            if times and times[-1] - each.time > MAX_GAP_S + 1e-9:
                break
            times.append(each.time)
    return times


@pytest.mark.proves("fool-age-check")
@settings(max_examples=300)
@given(steps, st.sampled_from([True, True, True, False]), st.booleans())
def test_it_never_passes_but_on_a_long_row_of_good_pictures_of_one_face(
    drawn: list[tuple[float, list[FaceObservation], int]], on: bool, liveness: bool
) -> None:
    config = AgeCheckConfig(automatic_pass=on, liveness=liveness, seconds=0.8, min_good_frames=6)
    check = AgeCheck.begin(config, now=0.0)
    taken: list[Observation] = []  # those newer than all before, or than nothing for a long time
    time = now = heard = 0.0
    for step, shown, often in drawn:
        for _ in range(often):
            time, now = time + step, now + abs(step)
            observation = observe_faces(time, *shown)
            if taken and time <= taken[-1].time and now - heard > MAX_GAP_S:
                taken = []
            if not taken or time > taken[-1].time:
                taken.append(observation)
                heard = now
            check = check.observe(observation, now)
            if check.outcome is Outcome.PASSED:
                break
        if check.outcome is Outcome.PASSED:
            break
    if check.outcome is not Outcome.PASSED:
        return
    assert on
    last = taken[-1].faces[0]
    assert last.live is True or (last.live is None and not liveness)
    assert last.estimate is not None
    assert last.estimate.probability_at_least(18 + 7) >= 0.95
    times = good_times(taken)
    assert times[0] == taken[-1].time, "it is the last picture that decides"
    assert len(times) >= config.min_good_frames
    assert times[0] - times[-1] >= config.seconds - 1e-9


@given(steps)
def test_it_always_ends_in_time(drawn: list[tuple[float, list[FaceObservation], int]]) -> None:
    check = begin()
    time = 0.0
    for step, shown, often in drawn:
        for _ in range(often):
            time += abs(step)
            check = check.observe(observe_faces(time, *shown), time)
            assert check.outcome or time < CONFIG.time_out
    assert check.tick(max(time, CONFIG.time_out)).outcome
