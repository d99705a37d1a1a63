"""Draws the stages of a frame as stacked bars."""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.bench.reach import Run
from benchmarks.bench.stages import STAGES
from kiosk.common.atomic_files import replace_file
from trainer.report.plots import INK, QUIET, STYLE, plot_style

BUDGET = 1000 / 30
"""Milliseconds per frame at 30 frames per second."""

# Neighbours differ in lightness, so that colour-blind readers can distinguish them.
_COLOURS = {
    "read": "#9AA7AD",
    "detect": "#C2561B",
    "follow": "#EFB898",
    "landmark": "#16846A",
    "chip": "#8CCDBB",
    "infer": "#2F62B5",
    "fuse": "#A9C1EA",
    "rest": "#667278",
    "hand over": "#D8B4E2",
    "paint": "#8A4FA3",
}

_LEAST_WRITTEN = 0.045  # of the axis: a narrower part has no room for its number


def draw(run: Run, path: Path) -> None:
    """Writes the figure as a PNG; the same run gives the same bytes. Raises `OSError`."""
    rows = run["stages"]
    longest = max(BUDGET, *(sum(row["ms"].values()) for row in rows)) * 1.12
    with plot_style(STYLE), replace_file(path) as temporary:
        figure = Figure(figsize=(11, 2.3 + 0.62 * len(rows)))
        FigureCanvasAgg(figure)
        axes = figure.subplots()
        for stage in STAGES:
            left = [sum(row["ms"].get(before, 0.0) for before in STAGES[: STAGES.index(stage)]) for row in rows]
            width = [row["ms"].get(stage, 0.0) for row in rows]
            colour = _COLOURS[stage]
            axes.barh(range(len(rows)), width, left=left, height=0.62, color=colour, label=stage, edgecolor="white")
            for place, (start, long) in enumerate(zip(left, width, strict=True)):
                if long >= _LEAST_WRITTEN * longest:
                    white = stage in {"detect", "landmark", "infer", "rest", "paint"}
                    ink = "white" if white else INK
                    axes.text(start + long / 2, place, f"{long:.1f}", ha="center", va="center", color=ink, fontsize=9)
        for place, row in enumerate(rows):
            whole = sum(row["ms"].values())
            note = f"  {whole:.1f} ms; processor {row['processor_ms']:.1f}"
            axes.text(whole, place, note, va="center", fontsize=9, color=INK)
        axes.axvline(BUDGET, color=INK, linewidth=1, linestyle=(0, (1, 2)))
        axes.text(BUDGET, -0.62, " 30 frames/s", fontsize=8.5, color=INK, va="center")
        axes.set_yticks(range(len(rows)), [f"{row['width']}×{row['height']}, faces: {row['faces']}" for row in rows])
        axes.set(xlim=(0, longest * 1.2), ylim=(len(rows) - 0.5, -0.85))
        axes.set_title("A frame's way from camera to screen, ms in the mean")
        axes.grid(axis="x")
        axes.tick_params(length=0)
        figure.legend(
            *axes.get_legend_handles_labels(),
            columnspacing=1.4,
            handlelength=1.2,
            loc="outside upper left",
            ncols=len(STAGES),
        )
        machine = run["per_face"]["machine"]
        used = run["running"]["one person"]["proportional_mb"]
        note = (
            f"{machine['cpu']}, {machine['cores']} cores; measured in one process, one stage after the other\n"
            f"memory of the kiosk itself: vision {used['vision']:.0f} MB, window {used['window']:.0f} MB"
        )
        figure.supxlabel(note, x=0.012, ha="left", fontsize=9, color=QUIET)
        figure.savefig(temporary, format="png", metadata={"Software": None})
