"""Writes an evaluation as text: a few lines for the terminal, or all figures as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trainer.evaluation.age_check import CLEARLY_ADULT, LEGAL_AGE, UNDER_AGE_GROUPS_END, PassedAt
from trainer.evaluation.confidence import MeanShare, Share
from trainer.evaluation.metrics import MIN_FACES, TASKS, Confusion, Evaluation, Slice, Slices, Task
from trainer.evaluation.reliability import BINS, Calibration
from trainer.report.markdown import escape, table

NOTHING = "–"
"""Shown where nothing was measured."""

TASK_NAMES: dict[Task, str] = {"gender": "gender", "age": "age group", "age_within_one": "within one"}

SHOWN_THRESHOLDS = (0.8, 0.9, 0.95)
"""Thresholds of the age check that the terminal shows."""


def headline(evaluation: Evaluation) -> str:
    """Returns one line that names the network, the number of faces, the split and the data set."""
    faces = "1 face" if evaluation.faces == 1 else f"{evaluation.faces} faces"
    of = "all" if evaluation.split == "all" else f"the {evaluation.split} split"
    return f"{evaluation.source} on {faces}, {of} of {evaluation.dataset}"


def summary(evaluation: Evaluation) -> str:
    """Returns the most important figures in a few lines, for a terminal."""
    lines = [headline(evaluation), f"  {'':<14}{'over faces, %':<20}averaged over age groups and genders, %"]
    for task in TASKS:
        over_faces, averaged = with_error(evaluation.over_faces.of(task)), with_error(evaluation.averaged[task])
        lines.append(f"  {TASK_NAMES[task]:<14}{over_faces:<20}{averaged}")
    lines.append(
        f"  calibration error, %: gender {_calibration_text(evaluation.calibration_gender)}, "
        f"age {_calibration_text(evaluation.calibration_age)}"
    )
    if evaluation.age_error.years is not None:
        lines.append(
            f"  expected age: {evaluation.age_error.years:.1f} years mean error, over "
            f"{evaluation.age_error.faces} faces whose year is known"
        )
    if evaluation.by_race.slices:
        lines.append(f"  spread by race, points: {_spreads_text(evaluation.by_race)}")
    check = evaluation.age_check
    lines += [
        f"  at least {check.challenge_age:g} with {at.threshold:.0%}: passes {with_error(at.under_age)} % of the "
        f"under-age, {with_error(at.adults)} % of {CLEARLY_ADULT} and over"
        for at in check.passed
        if at.threshold in SHOWN_THRESHOLDS
    ]
    if evaluation.ages_outside:
        lines.append(f"  {_outside_text(evaluation)}")
    lines.append("  ± is one standard error")
    return "\n".join(lines)


def markdown(evaluation: Evaluation, pictures: Iterable[tuple[str, str]] = ()) -> str:
    """Returns all figures as a Markdown page. `pictures` are captions with the names of their files."""
    check = evaluation.age_check
    paragraphs = [
        "# Evaluation",
        f"{escape(headline(evaluation))}. Shares are in per cent, ± is one standard error, "
        f"and {NOTHING} means that nothing was measured.",
    ]
    if evaluation.ages_outside:
        paragraphs.append(f"{_outside_text(evaluation)}.")
    paragraphs += [
        "## Accuracy",
        table(
            ("", "over faces", "faces", "averaged over age groups and genders", "cells"),
            (
                (
                    TASK_NAMES[task],
                    with_error(evaluation.over_faces.of(task)),
                    str(evaluation.over_faces.of(task).faces),
                    with_error(evaluation.averaged[task]),
                    str(evaluation.averaged[task].cells),
                )
                for task in TASKS
            ),
        ),
        _age_error_text(evaluation),
    ]
    for title, slices in (
        ("By gender", evaluation.by_gender),
        ("By age group", evaluation.by_age_group),
        ("By race", evaluation.by_race),
    ):
        if slices.slices:
            paragraphs += [
                f"## {title}",
                _slice_table(slices.slices),
                f"Best minus worst: {escape(_spreads_text(slices))}.",
            ]
    paragraphs += [f"Slices of fewer than {MIN_FACES} faces are left out of these differences."]
    if evaluation.cells:
        paragraphs += ["## By age group and gender", _slice_table(evaluation.cells)]
    paragraphs += [
        "## Confusion",
        "Number of faces: a row for each true class, a column for each answer.",
        _confusion_table("gender", evaluation.confusion_gender),
        _confusion_table("age group", evaluation.confusion_age),
        "## Calibration",
        f"Expected calibration error in {BINS} bins, without the temperature and with it.",
        table(
            ("", "temperature", "before", "after"),
            (
                (name, f"{head.temperature:.3f}", percent(head.before.error), percent(head.after.error))
                for name, head in (("gender", evaluation.calibration_gender), ("age", evaluation.calibration_age))
            ),
        ),
        "## Age check",
        f"People who pass as *at least {check.challenge_age:g}* without an ID, by one picture. Under-age are those "
        f"known to be under {LEGAL_AGE} or, where only a group is known, in a group that ends before "
        f"{UNDER_AGE_GROUPS_END}.",
        table(
            ("threshold", "under-age", "of", f"{CLEARLY_ADULT} and over", "of"),
            (_passed_row(at) for at in check.passed),
        ),
    ]
    paragraphs += [f"![{caption}]({file})" for caption, file in pictures]
    return "\n\n".join(paragraphs) + "\n"


def percent(value: float | None) -> str:
    """Returns a share in per cent: `89.7` for 0.897."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def with_error(share: Share | MeanShare) -> str:
    """Returns a share with its standard error in per cent: `89.7 ± 0.8`."""
    return NOTHING if share.value is None else f"{percent(share.value)} ± {percent(share.error)}"


def _calibration_text(head: Calibration) -> str:
    return f"{percent(head.after.error)} ({percent(head.before.error)} before scaling)"


def _age_error_text(evaluation: Evaluation) -> str:
    error = evaluation.age_error
    if error.years is None:
        return "Mean absolute error of the expected age: not measured, because no face's year is known."
    return f"Mean absolute error of the expected age: {error.years:.2f} years over {error.faces} faces."


def _outside_text(evaluation: Evaluation) -> str:
    return (
        f"{evaluation.ages_outside} of the faces do not count for age: "
        "their label lies in no single age group of the network"
    )


def _spreads_text(slices: Slices) -> str:
    """Returns `gender 6.0 ± 1.2 (A to B), age group –, within one 2.0 ± 0.9 (A to B)`."""
    parts = []
    for task in TASKS:
        spread = slices.spread(task)
        if spread is None:
            words = NOTHING
        else:
            words = f"{percent(spread.difference)} ± {percent(spread.error)} ({spread.best} to {spread.worst})"
        parts.append(f"{TASK_NAMES[task]} {words}")
    return ", ".join(parts)


def _slice_table(slices: Sequence[Slice]) -> str:
    return table(
        ("", "faces", *TASK_NAMES.values()),
        (
            (each.name, str(each.faces), *(with_error(each.accuracies.of(task)) for task in TASK_NAMES))
            for each in slices
        ),
    )


def _confusion_table(name: str, confusion: Confusion) -> str:
    rows = zip(confusion.labels, confusion.counts, strict=True)
    return table((name, *confusion.labels), ((label, *map(str, counts)) for label, counts in rows))


def _passed_row(at: PassedAt) -> tuple[str, ...]:
    under_age, adults = at.under_age, at.adults
    return f"{at.threshold:g}", with_error(under_age), str(under_age.faces), with_error(adults), str(adults.faces)
