"""What `trainer prepare` leaves to look at: `report.md`, `distribution.png` and `samples.png`.

The paper's Figures 2 and 3 (how many of each gender and age) and 4 (a sheet of samples). Everything
is read from the prepared folder, so a report can be made at any time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kiosk.common.atomic_files import replace_file
from kiosk.inference.manifest import GENDER_LABELS
from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.data import prepared
from trainer.data.labels import Split, gender_indices, group_indices
from trainer.data.prepared import MARGIN, PreparedData
from trainer.report.plots import plot_style

REPORT, DISTRIBUTION, SAMPLES = "report.md", "distribution.png", "samples.png"

_SPLITS: tuple[Split, ...] = get_args(Split)
_INK, _FAINT, _UNKNOWN = "#22303c", "#8a97a3", "#c3cad1"
_COLOURS = {"female": "#c8553d", "male": "#2f6690"}
_DPI = 150

# The sheet of samples: faces across and down for each age group and gender, pixels between them.
_ACROSS, _DOWN, _GAP, _WIDE_GAP = 3, 3, 3, 14


def write(folder: Path, *, rewrite: bool = True) -> None:
    """Reports on a prepared folder; unless `rewrite`, only if a report is not there already.

    Raises `PreparedDataError` and `OSError`.
    """
    if not rewrite and all((folder / name).exists() for name in (REPORT, DISTRIBUTION, SAMPLES)):
        return
    data = prepared.load(folder)
    facts = json.loads((folder / prepared.SUMMARY).read_text(encoding="utf-8"))
    with plot_style():
        _save(_distribution(data), folder / DISTRIBUTION)
        _save(_samples(data), folder / SAMPLES)
    with replace_file(folder / REPORT) as path:
        path.write_text(_text(data, facts), encoding="utf-8")


def counts(data: PreparedData) -> NDArray[np.int64]:
    """(splits, genders + 1, groups + 1) faces, what is unknown in the last row and column."""
    genders, groups = gender_indices(data.labels), group_indices(data.labels, data.groups)
    splits = np.array([_SPLITS.index(label.split) for label in data.labels])
    result = np.zeros((len(_SPLITS), len(GENDER_LABELS) + 1, len(data.groups) + 1), np.int64)
    np.add.at(result, (splits, genders, groups), 1)  # an unknown one is -1, which is the last
    return result


def _text(data: PreparedData, facts: dict[str, Any]) -> str:
    pictures, table = facts["pictures"], counts(data)
    dropped = [(reason, number) for reason, number in facts["dropped"].items() if number]
    lines = [
        f"# {data.dataset}, prepared",
        "",
        f"{facts['source']}.",
        "",
        "| pictures | | |",
        "|---|---:|---:|",
        _row("listed", pictures, ""),
        *(_row(f"dropped: {reason}", number, f"{number / pictures:.1%}") for reason, number in dropped),
        _row("**kept**", facts["kept"], f"{facts['kept'] / pictures:.1%}"),
        "",
    ]
    if facts["duplicates"]["disagreeing"]:
        lines += [
            f"Of the duplicates, {facts['duplicates']['disagreeing']:,} had another gender or age than the picture "
            "that was kept.",
            "",
        ]
    lines += ["## Faces", "", *_table(data, table), "", *_split_table(table), ""]
    lines += [f"![Faces by gender and age group]({DISTRIBUTION})", "", f"![Samples]({SAMPLES})", ""]
    if facts["unreadable"]:
        lines += ["## Unreadable", "", *(f"- `{name}`" for name in facts["unreadable"])]
        lines += _more(facts["dropped"].get("unreadable", 0) - len(facts["unreadable"]))
    for reason, names in facts["left_out"].items():
        lines += [f"## Left out: {reason}", "", *(f"- `{name}`" for name in names)]
        lines += _more(facts["dropped"][reason] - len(names))
    return "\n".join(lines).rstrip("\n") + "\n"


def _table(data: PreparedData, table: NDArray[np.int64]) -> list[str]:
    ages = [group.label for group in data.groups]
    unknown_too = bool(table[..., -1].any())
    faces = table.sum(axis=0)
    faces = faces if unknown_too else faces[:, :-1]
    head = _row("", *ages, *(["age unknown"] if unknown_too else []), "all")
    rows = [_row(name, *row, row.sum()) for name, row in zip(_gender_names(), faces, strict=True) if row.any()]
    return [head, _rule(head), *rows, _row("all", *faces.sum(axis=0), faces.sum())]


def _split_table(table: NDArray[np.int64]) -> list[str]:
    head = _row("split", "faces", "with gender", "with age")
    by_split = zip(_SPLITS, table, strict=True)
    return [head, _rule(head), *(_row(name, t.sum(), t[:-1].sum(), t[:, :-1].sum()) for name, t in by_split)]


def _more(number: int) -> list[str]:
    return [f"- and {number:,} more", ""] if number else [""]


def _row(*cells: object) -> str:
    return "| " + " | ".join(cell if isinstance(cell, str) else f"{cell:,}" for cell in cells) + " |"


def _rule(head: str) -> str:
    return "|---|" + "---:|" * (head.count("|") - 2)


def _gender_names() -> list[str]:
    return [*GENDER_LABELS, "gender unknown"]


def _distribution(data: PreparedData) -> Figure:
    table = counts(data).sum(axis=0)
    figure = Figure(figsize=(11, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=(1, 3.6))
    figure.subplots_adjust(left=0.03, right=0.97, top=0.79, bottom=0.09, wspace=0.08)
    figure.text(0.03, 0.95, f"{data.dataset}: {len(data.labels):,} faces", color=_INK, fontsize=16, va="top")
    _draw_genders(left, table.sum(axis=1))
    _draw_ages(right, table, [*(group.label for group in data.groups), "unknown"])
    return figure


def _draw_genders(axes: Axes, faces: NDArray[np.int64]) -> None:
    shown = [index for index, number in enumerate(faces) if number or index < len(GENDER_LABELS)]
    names = [*GENDER_LABELS, "unknown"]
    bars = axes.bar(
        [names[index] for index in shown],
        faces[shown],
        width=0.62,
        color=[_COLOURS.get(names[index], _UNKNOWN) for index in shown],
    )
    axes.bar_label(bars, [f"{faces[index]:,}\n{faces[index] / faces.sum():.0%}" for index in shown], **_BAR_LABEL)
    axes.set_ylim(0, 1.16 * faces.max())
    _plain(axes, "Gender")


def _draw_ages(axes: Axes, table: NDArray[np.int64], names: Sequence[str]) -> None:
    totals = table.sum(axis=0)
    shown = [index for index, number in enumerate(totals) if number or index < len(names) - 1]
    below = np.zeros(len(shown))
    for gender, row in zip((*GENDER_LABELS, "unknown"), table[:, shown], strict=True):
        if row.any():
            colour = _COLOURS.get(gender, _UNKNOWN)
            label = gender if gender in GENDER_LABELS else "gender unknown"
            bars = axes.bar([names[index] for index in shown], row, bottom=below, width=0.72, color=colour, label=label)
            below += row
    axes.bar_label(bars, [f"{totals[index]:,}\n{totals[index] / totals.sum():.0%}" for index in shown], **_BAR_LABEL)
    axes.set_ylim(0, 1.16 * totals.max())
    axes.legend(frameon=False, labelcolor=_INK, loc="lower right", bbox_to_anchor=(1, 1), ncols=3, borderaxespad=0.2)
    _plain(axes, "Age")


_BAR_LABEL: dict[str, Any] = {"padding": 3, "color": _INK, "fontsize": 9, "linespacing": 1.25}


def _plain(axes: Axes, title: str) -> None:
    """Only what says something: no frame, no ticks, no scale where every bar has its number."""
    axes.set_title(title, color=_FAINT, fontsize=12, loc="left", pad=10)
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0, labelcolor=_INK, labelsize=10)


def _samples(data: PreparedData) -> Figure:
    """Faces of the training split by age group, from left to right, and gender, from top to bottom."""
    genders, groups = gender_indices(data.labels), group_indices(data.labels, data.groups)
    rng = np.random.default_rng(0)
    training = np.array([label.split == "train" for label in data.labels])
    block_width, block_height = _block(_ACROSS), _block(_DOWN)
    width = len(data.groups) * (block_width + _WIDE_GAP) - _WIDE_GAP
    height = len(GENDER_LABELS) * (block_height + _WIDE_GAP) - _WIDE_GAP
    sheet = np.full((height, width), 255, np.uint8)
    middles_x, middles_y = [], []
    for row, _ in enumerate(GENDER_LABELS):
        for column, _ in enumerate(data.groups):
            left, top = column * (block_width + _WIDE_GAP), row * (block_height + _WIDE_GAP)
            alike = np.flatnonzero(training & (genders == row) & (groups == column))
            chosen = rng.choice(alike, min(len(alike), _ACROSS * _DOWN), replace=False)
            _paste(sheet[top : top + block_height, left : left + block_width], data.crops[np.sort(chosen)])
            if row == 0:
                middles_x.append(left + block_width / 2)
        middles_y.append(top + block_height / 2)
    return _framed(sheet, f"{data.dataset}: samples", [group.label for group in data.groups], middles_x, middles_y)


def _block(faces: int) -> int:
    """Pixels along some faces side by side."""
    return faces * (CROP_SIZE + _GAP) - _GAP


def _paste(block: NDArray[np.uint8], crops: NDArray[np.uint8]) -> None:
    block[:] = 242  # where there is no face
    for index, crop in enumerate(crops):
        left, top = (CROP_SIZE + _GAP) * (index % _ACROSS), (CROP_SIZE + _GAP) * (index // _ACROSS)
        middle = crop[MARGIN : MARGIN + CROP_SIZE, MARGIN : MARGIN + CROP_SIZE]
        block[top : top + CROP_SIZE, left : left + CROP_SIZE] = middle


def _framed(
    sheet: NDArray[np.uint8], title: str, ages: Sequence[str], middles_x: Sequence[float], middles_y: Sequence[float]
) -> Figure:
    """The sheet, a pixel of it for a pixel of the figure, with the age groups above and the genders beside it."""
    height, width = sheet.shape
    left, top, edge = 60, 110, 24
    full_width, full_height = width + left + edge, height + top + edge
    figure = Figure(figsize=(full_width / _DPI, full_height / _DPI))
    axes = figure.add_axes((left / full_width, edge / full_height, width / full_width, height / full_height))
    axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set_frame_on(False)
    axes.xaxis.tick_top()
    axes.set_xticks(middles_x, ages)
    axes.set_yticks(middles_y, GENDER_LABELS, rotation=90, va="center")
    axes.tick_params(length=0, labelcolor=_INK, labelsize=12)
    figure.text(left / full_width, 1 - 26 / full_height, title, color=_INK, fontsize=16, va="top")
    return figure


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with replace_file(path) as temporary:
        figure.savefig(temporary, dpi=_DPI)
