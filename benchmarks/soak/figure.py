"""Draws a soak: memory, files, threads, latency and sales over time, with the faults below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.soak.driver import KIOSK_UNTIL, VISION_UNTIL, Recording
from benchmarks.soak.faults import WITHIN_S
from kiosk.common.atomic_files import replace_file
from trainer.report.plots import INK, QUIET, STYLE, plot_style

COLOURS = {"kiosk": "#1f6f8b", "vision": "#c0663a"}
MEASURES = (("memory_mb", "memory, MB"), ("files", "open files"), ("threads", "threads"))


def draw(recording: Recording, path: Path) -> None:
    """Writes the figure as a PNG. Raises `OSError`."""
    unit, per = ("minutes", 60.0) if recording.seconds < 7200 else ("hours", 3600.0)
    with plot_style(STYLE), replace_file(path) as temporary:
        figure = Figure(figsize=(11, 12), layout="constrained")
        FigureCanvasAgg(figure)
        parts: Sequence[Axes] = figure.subplots(6, 1, sharex=True, height_ratios=[3, 2, 2, 2.4, 2, 3])
        for axes, (measure, name) in zip(parts, MEASURES, strict=False):
            for of, colour in COLOURS.items():
                _lives(axes, recording, of, measure, colour, per)
            axes.set_ylabel(name)
            axes.set_ylim(bottom=0)
        parts[0].legend(loc="lower right", ncols=2)
        _latency(parts[3], recording, per)
        _sales(parts[4], recording, per)
        _faults(parts[5], recording, per)
        for axes in parts:
            axes.axvline(recording.seconds * KIOSK_UNTIL / per, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.axvline(recording.seconds * VISION_UNTIL / per, color=QUIET, linewidth=0.8, linestyle=(0, (4, 3)))
            axes.grid(axis="y")
        parts[0].set_title(
            f"{recording.served} customers, {len(recording.sold)} sales, {len(recording.faults)} faults.\n"
            "From the first broken line on the kiosk is not killed any more, from the second on vision neither"
        )
        parts[-1].set_xlabel(f"{unit} since the start", color=INK)
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})


def _lives(axes: Axes, recording: Recording, of: str, measure: str, colour: str, per: float) -> None:
    """Plots one line per life of the process."""
    lives: dict[int, list[tuple[float, float]]] = {}
    for row in recording.rows:
        if row.get(of):
            lives.setdefault(row[of]["pid"], []).append((row["time"] / per, row[of][measure]))
    for number, points in enumerate(lives.values()):
        times, values = zip(*points, strict=True)
        axes.plot(times, values, color=colour, linewidth=1, label=None if number else of)


def _latency(axes: Axes, recording: Recording, per: float) -> None:
    points = [(row["time"] / per, row["latency_ms"]) for row in recording.rows if row.get("latency_ms") is not None]
    if points:
        times, values = zip(*points, strict=True)
        axes.scatter(times, values, s=2, color=COLOURS["vision"], linewidths=0)
        axes.set_ylim(0, 1.3 * float(np.percentile([value for _, value in points], 99)))
    axes.set_ylabel("camera to estimate,\nms, each second's median")


def _sales(axes: Axes, recording: Recording, per: float) -> None:
    width = max(60.0, recording.seconds / 120)
    edges = np.arange(0.0, recording.seconds + width, width)
    counts, _ = np.histogram(recording.sold, edges)
    axes.bar(edges[:-1] / per, counts * 60 / width, width=0.9 * width / per, align="edge", color=COLOURS["kiosk"])
    axes.set_ylabel("sales a minute")


def _faults(axes: Axes, recording: Recording, per: float) -> None:
    kinds = list(WITHIN_S)
    for fault in recording.faults:
        end = fault.mended if fault.mended is not None else recording.seconds
        well = fault.in_time
        axes.plot(
            [fault.began / per, end / per],
            [kinds.index(fault.kind)] * 2,
            color=COLOURS["kiosk"] if well else "#b00020",
            linewidth=5,
            solid_capstyle="butt",
        )
        axes.plot(fault.began / per, kinds.index(fault.kind), "|", color=INK, markersize=7, markeredgewidth=0.8)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_ylabel("faults, until recovered")
