"""Draws an evaluation: confusion, reliability, slices and the age check, each as a PNG.

It uses Matplotlib's figures without `pyplot`, which needs global state and a display. A picture without data, or a
part of it, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from trainer.evaluation.age_check import CLEARLY_ADULT
from trainer.evaluation.confidence import Share
from trainer.evaluation.metrics import Confusion, Evaluation, Slice
from trainer.evaluation.reliability import BINS, Calibration, Reliability
from trainer.evaluation.text import TASK_NAMES, headline, percent
from trainer.report.plots import ACCENT, BAND, INK, LINE, PALE, QUIET, SOFT, STYLE, WARM, plot_style

_SHADES = LinearSegmentedColormap.from_list("shades", ["#FFFFFF", "#C4E6DC", "#5DB79C", "#16846A", "#0B4A3B"])
_DARK = 0.55
"""A cell with a larger share is dark, so its number is white."""

_MIN_BIN_FACES = 10
"""A bin with fewer faces is drawn in a faint colour."""


@dataclass(frozen=True)
class Picture:
    """One PNG of the report."""

    file: str
    caption: str
    has_data: Callable[[Evaluation], bool]
    """Returns whether there is something to draw."""
    fill: Callable[[Figure, Evaluation], None]
    """Draws on an empty figure."""


def draw(picture: Picture, evaluation: Evaluation, path: Path) -> None:
    """Writes one picture as PNG to `path`. The same evaluation gives the same bytes."""
    with plot_style(STYLE):
        figure = Figure()
        FigureCanvasAgg(figure)
        picture.fill(figure, evaluation)
        figure.suptitle(headline(evaluation), x=0.012, ha="left", fontsize=9, color=QUIET)
        figure.savefig(path, format="png", metadata={"Software": None})


def _note(figure: Figure, text: str) -> None:
    figure.supxlabel(text, x=0.012, ha="left", fontsize=9, color=QUIET)


def _whiskers(shares: Sequence[Share]) -> list[list[float]]:
    """Returns one standard error below and above each share, in per cent, cut off at 0 and 100."""
    pairs = [(share.value or 0.0, share.error or 0.0) for share in shares]
    return [
        [100 * min(error, value) for value, error in pairs],
        [100 * min(error, 1 - value) for value, error in pairs],
    ]


# Confusion


def _fill_confusion(figure: Figure, evaluation: Evaluation) -> None:
    matrices = [
        (title, matrix)
        for title, matrix in (("Gender", evaluation.confusion_gender), ("Age group", evaluation.confusion_age))
        if matrix.faces
    ]
    widths = [len(matrix.labels) + 2.0 for _, matrix in matrices]
    figure.set_size_inches(0.62 * sum(widths) + 2.2, 0.46 * max(widths) + 1.4)
    row = figure.subplots(1, len(matrices), width_ratios=widths, squeeze=False)[0]
    for axes, (title, matrix) in zip(row, matrices, strict=True):
        _draw_confusion(axes, title, matrix)


def _draw_confusion(axes: Axes, title: str, confusion: Confusion) -> None:
    totals = [sum(row) for row in confusion.counts]
    shares = [
        [count / total if total else 0.0 for count in row] for row, total in zip(confusion.counts, totals, strict=True)
    ]
    axes.imshow(shares, cmap=_SHADES, vmin=0, vmax=1)
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            if totals[y]:
                axes.text(
                    x,
                    y,
                    f"{100 * share:.0f}",
                    ha="center",
                    va="center",
                    color="white" if share > _DARK else INK if share >= 0.005 else LINE,
                    fontweight="bold" if x == y else "normal",
                )
    places = range(len(confusion.labels))
    axes.set_xticks(places, confusion.labels)
    axes.set_yticks(places, [f"{label}  ({total:,})" for label, total in zip(confusion.labels, totals, strict=True)])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{title}, % of each row")
    axes.set_xlabel("answer")
    axes.set_ylabel("true  (faces)")


# Reliability


def _fill_reliability(figure: Figure, evaluation: Evaluation) -> None:
    heads = [
        (title, head)
        for title, head in (("Gender", evaluation.calibration_gender), ("Age group", evaluation.calibration_age))
        if head.after.error is not None
    ]
    figure.set_size_inches(9.2, 4.7 * len(heads) + 0.3)
    grid = figure.subplots(2 * len(heads), 2, height_ratios=[4.0, 1.0] * len(heads), sharex=True, squeeze=False)
    for row, (title, head) in enumerate(heads):
        for column, (moment, side) in enumerate(_sides(head)):
            upper, lower = grid[2 * row][column], grid[2 * row + 1][column]
            _draw_reliability(upper, side)
            _draw_faces(lower, side)
            upper.set_title(f"{title}, {moment}")
            if column == 0:
                upper.set_ylabel("right, %")
                lower.set_ylabel("faces, %")
            lower.set_xlabel("confidence of the likeliest answer, %")
    _note(figure, f"faint bars: fewer than {_MIN_BIN_FACES} faces; gray: distribution of the faces")


def _sides(head: Calibration) -> tuple[tuple[str, Reliability], tuple[str, Reliability]]:
    return ("without a temperature", head.before), (f"temperature {head.temperature:.2f}", head.after)


def _draw_reliability(axes: Axes, side: Reliability) -> None:
    axes.plot([0, 100], [0, 100], color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=3)
    for each in side.bins:
        if each.confidence is None or each.accuracy is None:
            continue
        middle, width = 50 * (each.low + each.high), 100 / BINS * 0.86
        low, high = sorted((100 * each.confidence, 100 * each.accuracy))
        alpha = 1.0 if each.faces >= _MIN_BIN_FACES else 0.35
        axes.bar(middle, low, width, color=SOFT, alpha=alpha)
        axes.bar(middle, high - low, width, low, color=PALE, alpha=alpha)
        ends = [middle - width / 2, middle + width / 2]
        axes.plot(ends, [100 * each.accuracy] * 2, color=ACCENT, linewidth=2, alpha=alpha)
    axes.text(
        0.04, 0.94, f"calibration error {percent(side.error)} %", transform=axes.transAxes, va="top", fontweight="bold"
    )
    axes.text(0.04, 0.86, "orange: gap to the confidence", transform=axes.transAxes, va="top", color=WARM, fontsize=9)
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.grid(axis="y")
    axes.tick_params(length=0, labelbottom=False)


def _draw_faces(axes: Axes, side: Reliability) -> None:
    total = sum(each.faces for each in side.bins)
    for each in side.bins:
        axes.bar(50 * (each.low + each.high), 100 * each.faces / total, 100 / BINS * 0.86, color=LINE)
    axes.set_ylim(bottom=0)
    axes.tick_params(length=0, labelbottom=True)


# Slices


def _fill_slices(figure: Figure, evaluation: Evaluation) -> None:
    kinds = [
        (title, slices)
        for title, slices in (
            ("Gender", _with_faces(evaluation.by_gender.slices)),
            ("Age group", _with_faces(evaluation.by_age_group.slices)),
            ("Race", _with_faces(evaluation.by_race.slices)),
        )
        if slices
    ]
    heights = [len(slices) + 0.9 for _, slices in kinds]
    figure.set_size_inches(12.4, 0.34 * sum(heights) + 1.2)
    grid = figure.subplots(len(kinds), len(TASK_NAMES), height_ratios=heights, sharex=True, sharey="row", squeeze=False)
    for row, (title, slices) in enumerate(kinds):
        for column, (task, name) in enumerate(TASK_NAMES.items()):
            axes = grid[row][column]
            _draw_slices(axes, slices, [each.accuracies.of(task) for each in slices], evaluation.over_faces.of(task))
            if row == 0:
                axes.set_title(f"{name[0].upper()}{name[1:]}, % right")
            if column == 0:
                axes.set_ylabel(title)
    _note(figure, "dashed: over all faces; short lines: ± one standard error; in brackets: faces")


def _with_faces(slices: Sequence[Slice]) -> list[Slice]:
    return [each for each in slices if each.faces]


def _draw_slices(axes: Axes, slices: Sequence[Slice], shares: Sequence[Share], overall: Share) -> None:
    if overall.value is not None:
        axes.axvline(100 * overall.value, color=QUIET, linewidth=1, linestyle=(0, (4, 3)), zorder=3)
    for y, share in enumerate(shares):
        axes.barh(y, 100, 0.72, color=BAND)
        if share.value is None or share.error is None:
            continue
        axes.barh(y, 100 * share.value, 0.72, color=SOFT)
        axes.errorbar(100 * share.value, y, xerr=_whiskers([share]), color=ACCENT, linewidth=1.6, zorder=4)
        axes.text(103, y, percent(share.value), va="center", fontsize=9, fontweight="bold")
    axes.set_yticks(range(len(slices)), [f"{each.name}  ({each.faces:,})" for each in slices])
    axes.set_xlim(0, 100)
    axes.set_ylim(len(slices) - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


# Age check


def _fill_age_check(figure: Figure, evaluation: Evaluation) -> None:
    check = evaluation.age_check
    figure.set_size_inches(7.6, 5.4)
    axes = figure.subplots()
    points = [
        (at.threshold, at.under_age, at.adults)
        for at in check.passed
        if at.under_age.value is not None and at.adults.value is not None
    ]
    across = [100 * (young.value or 0) for _, young, _ in points]
    up = [100 * (old.value or 0) for _, _, old in points]
    axes.errorbar(
        across,
        up,
        xerr=_whiskers([young for _, young, _ in points]),
        yerr=_whiskers([old for _, _, old in points]),
        color=ACCENT,
        ecolor=SOFT,
        linewidth=1.8,
        elinewidth=1.2,
        marker="o",
        markersize=6,
    )
    for (threshold, _, _), x, y in zip(points, across, up, strict=True):
        axes.annotate(f"{threshold:g}", (x, y), (8, -12), textcoords="offset points", fontsize=9, fontweight="bold")
    right = max(1.0, 1.12 * max(across))
    axes.set_xlim(-0.02 * right, right)
    axes.set_ylim(0, 102)
    axes.grid()
    axes.tick_params(length=0)
    young, old = points[0][1], points[0][2]
    axes.set_title(f"Who passes “at least {check.challenge_age:g}” without an ID, by the threshold")
    axes.set_xlabel(f"under-age who pass, % of {young.faces:,}   (less is better)")
    axes.set_ylabel(f"{CLEARLY_ADULT} and over who pass, % of {old.faces:,}   (more is better)")
    _note(figure, "beside each point: its threshold; light lines: ± one standard error")


def _has_age_check(evaluation: Evaluation) -> bool:
    at = evaluation.age_check.passed[0]
    return bool(at.under_age.faces and at.adults.faces)


def _has_labels(evaluation: Evaluation) -> bool:
    return bool(evaluation.over_faces.gender.faces or evaluation.over_faces.age.faces)


PICTURES = (
    Picture("confusion.png", "Confusion: true and predicted classes", _has_labels, _fill_confusion),
    Picture("reliability.png", "Confidence against accuracy", _has_labels, _fill_reliability),
    Picture("slices.png", "Accuracy by gender, age group and race", _has_labels, _fill_slices),
    Picture("age-check.png", "The age check at each threshold", _has_age_check, _fill_age_check),
)
"""In the report's order."""
