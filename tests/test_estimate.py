"""Age groups, estimates and observations, and their JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import ADIENCE, DECADES, OLDEST, AgeGroup, Estimate, FaceObservation, Observation

GENDERS = ("female", "male")
WOMAN_OF_26 = Estimate(GENDERS, (0.97, 0.03), DECADES, (0.0, 0.01, 0.1, 0.66, 0.2, 0.02, 0.01, 0.0))
FACE = FaceObservation(track=4, box=(210, 96, 120, 120), quality=0.93, status="known", estimate=WOMAN_OF_26)
OBSERVATION = Observation(time=12.345, frame=311, latency_ms=18.2, faces=(FACE,))

weights = st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda values: sum(values) > 0.01)
years = st.floats(0, OLDEST + 20)


@st.composite
def estimates(draw: st.DrawFn) -> Estimate:
    weighted = draw(weights)
    woman = draw(st.floats(0, 1))
    groups = draw(st.sampled_from([ADIENCE, DECADES]))
    estimate = Estimate(GENDERS, (woman, 1 - woman), groups, tuple(weight / sum(weighted) for weight in weighted))
    shown = draw(st.none() | st.tuples(st.sampled_from(GENDERS), st.sampled_from(groups)))
    return estimate.showing(*shown) if shown else estimate


def certain_estimate(label: str, groups: tuple[AgeGroup, ...] = DECADES) -> Estimate:
    """Returns an estimate with probability 1 for one age group."""
    return Estimate(GENDERS, (0.5, 0.5), groups, tuple(float(group.label == label) for group in groups))


def round_estimate(estimate: Estimate) -> Estimate:
    """Returns the estimate with probabilities rounded to four digits, as in JSON, and the same labels."""
    rounded = replace(
        estimate,
        gender_probabilities=tuple(round(share, 4) for share in estimate.gender_probabilities),
        age_probabilities=tuple(round(share, 4) for share in estimate.age_probabilities),
    )
    return rounded.showing(estimate.gender, estimate.group)


@pytest.mark.parametrize(
    ("label", "low", "high"), [("0-2", 0, 2), ("20-29", 20, 29), ("60+", 60, OLDEST), ("7-7", 7, 7)]
)
def test_label_is_parsed_into_years(label: str, low: int, high: int) -> None:
    assert AgeGroup.parse(label) == AgeGroup(label, low, high)


def test_open_group_ends_at_the_given_year() -> None:
    assert AgeGroup.parse("60+", oldest=79).high == 79


@pytest.mark.parametrize(
    "label", ["", "20", "20–29", "20-", "-29", " 20-29", "20-29\n", "29-20", "twenty", "60++", "٢٠-٢٩", "²-³"]
)
def test_invalid_label_is_an_error(label: str) -> None:
    with pytest.raises(ValueError, match="age group"):
        AgeGroup.parse(label)


@pytest.mark.parametrize(("low", "high"), [(-1, 5), (9, 3)])
def test_group_with_years_out_of_order_is_an_error(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=f"from {low} to {high}"):
        AgeGroup("x", low, high)


@pytest.mark.parametrize("groups", [ADIENCE, DECADES])
def test_groups_are_eight_ascii_labels_in_order(groups: tuple[AgeGroup, ...]) -> None:
    assert len(groups) == 8
    assert all(group.label.isascii() for group in groups)
    assert all(younger.high < older.low for younger, older in pairwise(groups))


def test_decades_have_no_gaps_but_adience_has() -> None:
    assert {age for group in DECADES for age in range(group.low, group.high + 1)} == set(range(OLDEST + 1))
    assert not any(group.low <= 22 <= group.high for group in ADIENCE)


@pytest.mark.parametrize(
    ("at_least", "share"), [(0, 1), (20, 1), (21, 0.9), (25, 0.5), (25.5, 0.45), (29, 0.1), (30, 0), (99, 0)]
)
def test_group_counts_evenly_over_its_years(at_least: float, share: float) -> None:
    assert certain_estimate("20-29").probability_at_least(at_least) == pytest.approx(share)


def test_probability_at_least_sums_over_groups() -> None:
    assert WOMAN_OF_26.probability_at_least(25) == pytest.approx(0.66 / 2 + 0.2 + 0.02 + 0.01)


@pytest.mark.parametrize("at_least", [21, 22, 23, 24, 25])
def test_gap_between_groups_has_no_probability(at_least: float) -> None:
    assert certain_estimate("15-20", ADIENCE).probability_at_least(at_least) == 0
    assert certain_estimate("25-32", ADIENCE).probability_at_least(at_least) == 1


@given(estimates(), years, years)
def test_probability_at_least_never_rises_with_age(estimate: Estimate, one: float, other: float) -> None:
    younger, older = sorted([one, other])
    assert estimate.probability_at_least(younger) >= estimate.probability_at_least(older)


@given(estimates())
def test_probability_is_1_from_birth_and_0_above_the_last_group(estimate: Estimate) -> None:
    assert estimate.probability_at_least(0) == pytest.approx(1)
    assert estimate.probability_at_least(OLDEST + 1) == 0


@given(estimates(), years)
def test_probability_is_between_0_and_1(estimate: Estimate, at_least: float) -> None:
    assert 0 <= estimate.probability_at_least(at_least) <= 1


@pytest.mark.parametrize(("label", "mean"), [("0-2", 1), ("20-29", 24.5), ("60+", 80)])
def test_expected_age_of_one_group_is_its_middle(label: str, mean: float) -> None:
    assert certain_estimate(label).expected_age == mean


def test_expected_age_is_the_mean() -> None:
    assert WOMAN_OF_26.expected_age == pytest.approx(0.01 * 6 + 0.1 * 14.5 + 0.66 * 24.5 + 0.2 * 34.5 + 0.89 + 0.545)


def test_most_likely_labels_are_shown_by_default() -> None:
    assert (WOMAN_OF_26.gender, WOMAN_OF_26.gender_probability) == ("female", 0.97)
    assert WOMAN_OF_26.group.label == "20-29"
    man = replace(WOMAN_OF_26, gender_probabilities=(0.4, 0.6))
    assert (man.gender, man.gender_probability) == ("male", 0.6)


def test_showing_other_labels_changes_no_probability() -> None:
    shown = WOMAN_OF_26.showing("male", DECADES[4])
    assert (shown.gender, shown.gender_probability, shown.group.label) == ("male", 0.03, "30-39")
    assert shown.gender_probabilities == WOMAN_OF_26.gender_probabilities
    assert shown.age_probabilities == WOMAN_OF_26.age_probabilities
    assert shown.expected_age == WOMAN_OF_26.expected_age
    assert shown.probability_at_least(25) == WOMAN_OF_26.probability_at_least(25)
    printed = shown.to_dict()
    assert printed["gender"]["label"] == "male"
    assert (printed["age"]["group"], printed["age"]["low"], printed["age"]["high"]) == ("30-39", 30, 39)


def test_showing_the_most_likely_labels_equals_the_default() -> None:
    assert WOMAN_OF_26.showing("female", DECADES[3]) == WOMAN_OF_26
    assert WOMAN_OF_26.showing("male", DECADES[4]).showing("female", DECADES[3]) == WOMAN_OF_26


def test_probabilities_without_labels_are_an_error() -> None:
    with pytest.raises(ValueError, match="gender"):
        replace(WOMAN_OF_26, gender_probabilities=(1.0,))
    with pytest.raises(ValueError, match="age"):
        replace(WOMAN_OF_26, age_probabilities=(1.0,))


def test_unknown_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="'guessed'"):
        replace(FACE, status="guessed")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("thing", "name"), [(DECADES[0], "low"), (WOMAN_OF_26, "groups"), (FACE, "status"), (OBSERVATION, "faces")]
)
def test_results_are_immutable(thing: Any, name: str) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(thing, name, None)


def test_observation_as_json() -> None:
    assert json.loads(OBSERVATION.to_json()) == {
        "time": 12.345,
        "frame": 311,
        "latency_ms": 18.2,
        "faces": [
            {
                "track": 4,
                "box": [210, 96, 120, 120],
                "quality": 0.93,
                "status": "known",
                "gender": {"label": "female", "probabilities": {"female": 0.97, "male": 0.03}},
                "age": {
                    "group": "20-29",
                    "low": 20,
                    "high": 29,
                    "expected": 26.0,
                    "probabilities": {
                        "0-2": 0.0,
                        "3-9": 0.01,
                        "10-19": 0.1,
                        "20-29": 0.66,
                        "30-39": 0.2,
                        "40-49": 0.02,
                        "50-59": 0.01,
                        "60+": 0.0,
                    },
                },
            }
        ],
    }


def test_json_is_one_ascii_line_in_a_fixed_order() -> None:
    line = OBSERVATION.to_json()
    assert line.isascii()
    assert "\n" not in line
    face = json.loads(line)["faces"][0]
    assert list(json.loads(line)) == ["time", "frame", "latency_ms", "faces"]
    assert list(face) == ["track", "box", "quality", "status", "gender", "age"]
    assert list(face["age"]["probabilities"]) == [group.label for group in DECADES]


def test_json_numbers_are_rounded() -> None:
    face = replace(FACE, quality=2 / 3, estimate=replace(WOMAN_OF_26, gender_probabilities=(2 / 3, 1 / 3)))
    printed = Observation(1 / 3, 0, 200 / 3, (face,)).to_dict()
    assert (printed["time"], printed["latency_ms"]) == (0.333, 66.7)
    assert printed["faces"][0]["quality"] == 0.67
    assert printed["faces"][0]["gender"]["probabilities"] == {"female": 0.6667, "male": 0.3333}


def test_json_of_a_face_without_an_estimate_has_no_gender_and_age() -> None:
    face = replace(FACE, status="estimating", estimate=None)
    assert face.to_dict().keys() == {"track", "box", "quality", "status"}
    assert FaceObservation.from_dict(face.to_dict(), DECADES) == face


@given(estimates())
def test_estimate_survives_json_to_four_digits(estimate: Estimate) -> None:
    assert Estimate.from_dict(estimate.to_dict(), estimate.groups) == round_estimate(estimate)


def test_from_dict_takes_years_from_the_given_groups() -> None:
    groups = (*DECADES[:-1], AgeGroup("60+", 60, 79))
    assert Estimate.from_dict(WOMAN_OF_26.to_dict(), groups).groups == groups


@pytest.mark.parametrize(
    "faces", [(), (FACE,), (FACE, replace(FACE, track=5, status="unknown", estimate=None))], ids=["none", "one", "two"]
)
def test_observation_survives_json(faces: tuple[FaceObservation, ...]) -> None:
    seen = replace(OBSERVATION, faces=faces)
    assert Observation.from_json(seen.to_json(), DECADES) == seen
    assert Observation.from_json(seen.to_json().encode(), DECADES) == seen


def test_landmarks_survive_json_and_are_absent_by_default() -> None:
    face = replace(FACE, landmarks=((1.0, 2.5), (3.25, 4.0)))
    assert FaceObservation.from_dict(face.to_dict(), DECADES).landmarks == ((1.0, 2.5), (3.2, 4.0))
    assert "landmarks" not in FACE.to_dict()
    assert FaceObservation.from_dict(FACE.to_dict(), DECADES).landmarks is None


@pytest.mark.parametrize("live", [True, False])
def test_liveness_survives_json(live: bool) -> None:
    face = replace(FACE, live=live)
    assert face.to_dict()["live"] is live
    assert FaceObservation.from_dict(face.to_dict(), DECADES).live is live


def test_json_without_a_liveness_result_has_no_live_key() -> None:
    assert "live" not in FACE.to_dict()
    assert FaceObservation.from_dict(FACE.to_dict(), DECADES).live is None
