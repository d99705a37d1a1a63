"""Computes accuracies and errors from a network's probabilities and the labels of the faces.

An unknown label does not count, and neither does an age that lies in no single age group of the network. A cell is one
age group of one gender. Averages over age groups and genders are the mean over the cells that have faces: there a rare
age has the same weight as a common one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup
from kiosk.inference.manifest import GENDER_LABELS
from trainer.data.labels import FaceLabel, exact_ages, gender_indices, group_indices
from trainer.evaluation.age_check import CHALLENGE_AGE, AgeCheck
from trainer.evaluation.confidence import MeanShare, Share, rounded
from trainer.evaluation.predict import Predictions
from trainer.evaluation.reliability import Calibration

Task = Literal["gender", "age", "age_within_one"]
"""`age` is the exact group, `age_within_one` that group or one beside it."""

TASKS: tuple[Task, ...] = get_args(Task)

MIN_FACES = 30
"""A slice with fewer faces is too small to be the best or the worst one."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Accuracies:
    """Shares of right answers at each task, over the faces whose label is known."""

    gender: Share
    age: Share
    age_within_one: Share

    def of(self, task: Task) -> Share:
        """Returns the accuracy at one task."""
        share: Share = getattr(self, task)
        return share

    def to_dict(self) -> dict[str, Any]:
        """Returns a share for each task, ready for JSON."""
        return {task: self.of(task).to_dict() for task in TASKS}


@dataclass(frozen=True)
class Slice:
    """Accuracies on the faces that have one label in common."""

    name: str
    faces: int
    accuracies: Accuracies

    def to_dict(self) -> dict[str, Any]:
        """Returns the slice ready for JSON."""
        return {"name": self.name, "faces": self.faces, **self.accuracies.to_dict()}


@dataclass(frozen=True)
class Spread:
    """The difference between the best and the worst slice's share, 0…1.

    Equal slices differ by chance alone. Where there are many, the difference is more than one `error`.
    """

    difference: float
    error: float
    """One standard error of the difference of those two."""
    best: str
    worst: str

    def to_dict(self) -> dict[str, Any]:
        """Returns the spread ready for JSON."""
        return {
            "difference": rounded(self.difference),
            "error": rounded(self.error),
            "best": self.best,
            "worst": self.worst,
        }


@dataclass(frozen=True)
class Slices:
    """All faces, divided by the values of one kind of label."""

    slices: tuple[Slice, ...]

    def spread(self, task: Task) -> Spread | None:
        """Returns the spread of the slices with at least `MIN_FACES` faces; None if there are fewer than two."""
        shares = [(each.name, each.accuracies.of(task)) for each in self.slices]
        ranked = sorted(
            (share.value, share.error, name)
            for name, share in shares
            if share.value is not None and share.error is not None and share.faces >= MIN_FACES
        )
        if len(ranked) < 2:
            return None
        (low, low_error, worst), (high, high_error, best) = ranked[0], ranked[-1]
        return Spread(high - low, float(np.hypot(low_error, high_error)), best, worst)

    def to_dict(self) -> dict[str, Any]:
        """Returns the slices and their spread at each task, ready for JSON."""
        spreads = {task: self.spread(task) for task in TASKS}
        return {
            "slices": [each.to_dict() for each in self.slices],
            "spread": {task: spread.to_dict() if spread else None for task, spread in spreads.items()},
        }


@dataclass(frozen=True)
class Confusion:
    """Confusion matrix: counts of faces, a row for each true class and a column for each answer."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def faces(self) -> int:
        """Number of counted faces."""
        return sum(map(sum, self.counts))

    def to_dict(self) -> dict[str, Any]:
        """Returns the matrix ready for JSON."""
        return {"labels": list(self.labels), "counts": [list(row) for row in self.counts]}


@dataclass(frozen=True)
class AgeError:
    """The mean absolute difference between expected and true age, in years, over faces whose year is known."""

    years: float | None
    """None if no face's year is known."""
    faces: int

    def to_dict(self) -> dict[str, Any]:
        """Returns the error ready for JSON."""
        return {"years": rounded(self.years), "faces": self.faces}


@dataclass(frozen=True)
class Evaluation:
    """Everything that was measured of one network on one set of faces."""

    source: str
    """Description of the network, for the reader."""
    kind: str
    """`engine` or `run`."""
    dataset: str
    split: str
    groups: tuple[AgeGroup, ...]
    """The network's age groups, youngest first."""
    faces: int
    ages_outside: int
    """Faces whose age is known but lies in no single age group of the network."""

    over_faces: Accuracies
    averaged: Mapping[Task, MeanShare]
    """Mean over the cells, of faces whose age group and gender are known."""
    age_error: AgeError
    confusion_gender: Confusion
    confusion_age: Confusion
    by_gender: Slices
    by_age_group: Slices
    by_race: Slices
    """Empty if no race is known."""
    cells: tuple[Slice, ...]
    """One for each age group and gender that has faces."""
    calibration_gender: Calibration
    calibration_age: Calibration
    age_check: AgeCheck

    def to_dict(self) -> dict[str, Any]:
        """Returns all figures ready for JSON: numbers with four digits, shares 0…1, null where nothing was measured.

        Scripts may rely on these keys. Later versions may add others.

            source, kind, dataset, split, faces
            age_groups                        [{"label", "low", "high"}], youngest first
            ages_outside_groups               faces whose age lies in no single group: not counted for age
            over_faces                        {task: {"share", "error", "faces"}}; error is one standard error
            averaged                          {task: {"share", "error", "cells"}}
            age_error                         {"years", "faces"}
            confusion                         {"gender"|"age": {"labels", "counts"}}; rows are true, columns answers
            by_gender, by_age_group, by_race  {"slices": [{"name", "faces", task: share…}],
                                               "spread": {task: {"difference", "error", "best", "worst"} or null}}
            spread_least_faces                smaller slices are left out of the spread
            cells                             as slices, one for each age group and gender that has faces
            calibration                       {"gender"|"age": {"temperature", "before"|"after": {"error", "bins"}}}
            age_check                         {"challenge_age",
                                               "at": [{"threshold", "under_age_passed", "adults_passed"}]}

        A task is `gender`, `age` (the exact group) or `age_within_one`.
        """
        return {
            "source": self.source,
            "kind": self.kind,
            "dataset": self.dataset,
            "split": self.split,
            "faces": self.faces,
            "age_groups": [{"label": group.label, "low": group.low, "high": group.high} for group in self.groups],
            "ages_outside_groups": self.ages_outside,
            "over_faces": self.over_faces.to_dict(),
            "averaged": {task: self.averaged[task].to_dict() for task in TASKS},
            "age_error": self.age_error.to_dict(),
            "confusion": {"gender": self.confusion_gender.to_dict(), "age": self.confusion_age.to_dict()},
            "by_gender": self.by_gender.to_dict(),
            "by_age_group": self.by_age_group.to_dict(),
            "by_race": self.by_race.to_dict(),
            "spread_least_faces": MIN_FACES,
            "cells": [cell.to_dict() for cell in self.cells],
            "calibration": {"gender": self.calibration_gender.to_dict(), "age": self.calibration_age.to_dict()},
            "age_check": self.age_check.to_dict(),
        }


def measure(
    predictions: Predictions,
    labels: Sequence[FaceLabel],
    *,
    dataset: str,
    split: str,
    challenge_age: float = CHALLENGE_AGE,
) -> Evaluation:
    """Returns all figures from predictions and the labels of the same faces, in the same order.

    `challenge_age` is in years.
    """
    groups = predictions.groups
    answers = _Answers(
        predictions.gender.argmax(axis=1),
        predictions.age.argmax(axis=1),
        gender_indices(labels),
        group_indices(labels, groups),
    )
    names = [group.label for group in groups]
    cells = tuple(
        answers.slice_of(f"{group} {gender}", cell)
        for row, group in enumerate(names)
        for column, gender in enumerate(GENDER_LABELS)
        if (cell := (answers.true_age == row) & (answers.true_gender == column)).any()
    )
    races = np.array([label.race for label in labels], dtype=object)
    aged = np.array([label.age is not None for label in labels], dtype=bool)
    return Evaluation(
        source=predictions.source,
        kind=predictions.kind,
        dataset=dataset,
        split=split,
        groups=groups,
        faces=len(labels),
        ages_outside=int((aged & (answers.true_age < 0)).sum()),
        over_faces=answers.accuracies(np.ones(len(labels), dtype=bool)),
        averaged={task: MeanShare.of([cell.accuracies.of(task) for cell in cells]) for task in TASKS},
        age_error=age_error(predictions.age, groups, labels),
        confusion_gender=confusion(answers.gender, answers.true_gender, GENDER_LABELS),
        confusion_age=confusion(answers.age, answers.true_age, names),
        by_gender=answers.slices_of((name, answers.true_gender == index) for index, name in enumerate(GENDER_LABELS)),
        by_age_group=answers.slices_of((name, answers.true_age == index) for index, name in enumerate(names)),
        by_race=answers.slices_of((race, races == race) for race in sorted(set(races) - {""})),
        cells=cells,
        calibration_gender=Calibration.of(
            predictions.gender, answers.true_gender, temperature=predictions.temperatures.gender
        ),
        calibration_age=Calibration.of(predictions.age, answers.true_age, temperature=predictions.temperatures.age),
        age_check=AgeCheck.of(predictions.age, groups, labels, challenge_age),
    )


def age_error(probabilities: NDArray[np.floating], groups: Sequence[AgeGroup], labels: Sequence[FaceLabel]) -> AgeError:
    """Returns the error of the expected age, from `(n, groups)` probabilities and n labels.

    The expected age is that of `Estimate.expected_age`. A true age outside all groups counts, too.
    """
    ages = exact_ages(labels)
    known = ~np.isnan(ages)
    if not known.any():
        return AgeError(None, 0)
    expected = probabilities.astype(np.float64) @ np.array([group.middle for group in groups])
    return AgeError(float(np.abs(expected - ages)[known].mean()), int(known.sum()))


def confusion(answers: NDArray[np.integer], true: NDArray[np.integer], labels: Sequence[str]) -> Confusion:
    """Returns the confusion matrix of `(n,)` answers and `(n,)` true classes, both as indices; -1 is unknown."""
    counts = np.zeros((len(labels), len(labels)), dtype=int)
    known = true >= 0
    np.add.at(counts, (true[known], answers[known]), 1)
    return Confusion(tuple(labels), tuple(tuple(row) for row in counts.tolist()))


@dataclass(frozen=True, eq=False)
class _Answers:
    """`(n,)` answers and labels as indices; a label of -1 is unknown."""

    gender: NDArray[np.integer]
    age: NDArray[np.integer]
    true_gender: NDArray[np.int64]
    true_age: NDArray[np.int64]

    def accuracies(self, some: Mask) -> Accuracies:
        """Returns the accuracies over the faces of a mask whose label is known."""
        gendered, aged = some & (self.true_gender >= 0), some & (self.true_age >= 0)
        away = np.abs(self.age - self.true_age)[aged]
        return Accuracies(
            gender=Share.of((self.gender == self.true_gender)[gendered]),
            age=Share.of(away == 0),
            age_within_one=Share.of(away <= 1),
        )

    def slice_of(self, name: str, some: Mask) -> Slice:
        return Slice(name, int(some.sum()), self.accuracies(some))

    def slices_of(self, slices: Iterable[tuple[str, Mask]]) -> Slices:
        return Slices(tuple(self.slice_of(name, some) for name, some in slices))
