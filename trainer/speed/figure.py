"""A speed measurement as one picture: latency by batch, and throughput below the machine's ceilings.

Both scales are logarithmic: between an engine of eight-bit sums and torch, or a CPU and a GPU, lie factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from kiosk.common.atomic_files import replace_file
from trainer.report.plots import ACCENT, INK, QUIET, STYLE, WARM, any_words
from trainer.speed.result import KINDS, MULTIPLY_ADDS, Ceiling, Result, Row, Timing
from trainer.speed.text import DEVICES, rate_text, rounded

# To the colour-blind no two neighbours look alike, and every line has a marker of its own besides.
_ENGINES = (ACCENT, WARM, "#2F62B5", "#8A4FA3", "#A8790A", "#1B8FB8")
_OTHERS = (QUIET, INK)
_MARKERS = "osD^vPX*"

_LEAST_GAP = 0.05
"""Of the height, between two numbers above each other."""

_HALO = (withStroke(linewidth=3.5, foreground="white"),)
"""A number stays legible on a line."""

_ROUND = (1.0, 2.0, 5.0)

Value = Callable[[Timing], float]


class _Series(NamedTuple):
    """A row with its looks."""

    row: Row
    colour: str
    marker: str
    line: str


def draw(result: Result, path: Path) -> None:
    """Writes the PNG; the same result gives the same bytes."""
    series = list(_series(result))
    with any_words(STYLE), replace_file(path) as temporary:
        figure = Figure(figsize=(11, 5.2 + 0.12 * len(series)))
        FigureCanvasAgg(figure)
        left, right = figure.subplots(1, 2)
        handles = _draw_latency(left, result, series)
        _draw_throughput(right, result, series)
        names = [f"{each.row.name}: {each.row.runs_on}, {KINDS[each.row.precision]}" for each in series]
        figure.legend(handles, names, loc="outside upper left", ncols=2, handlelength=3.2, columnspacing=3)
        figure.supxlabel(_note(result), x=0.012, ha="left", fontsize=9, color=QUIET)
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _series(result: Result) -> Iterator[_Series]:
    """What was measured; what is no engine, torch, is gray and dashed."""
    engines, others, markers = (iter(looks * len(result.rows)) for looks in (_ENGINES, _OTHERS, _MARKERS))
    for row in result.rows:
        if row.timings:
            is_engine = row.sha256 is not None
            yield _Series(row, next(engines if is_engine else others), next(markers), "-" if is_engine else "--")


def _note(result: Result) -> str:
    machine = result.machine
    gpu = f"; {machine['gpu']}" if machine["gpu"] else ""
    others = f", while others kept {result.others:.1f} cores busy" if result.disturbed else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores{gpu}; all measured in turns, in one run{others}\n"
        "points: median; shade: up to the 95th percentile; dotted: large matrix products (MAC: a multiply-add); "
        "in brackets: share of that of its own kind"
    )


# Latency


def _draw_latency(axes: Axes, result: Result, series: Sequence[_Series]) -> list[Line2D]:
    """Returns the lines, for a legend."""
    handles = _draw_lines(axes, series, _median)
    for each in series:
        timings = each.row.timings
        batches, low, high = zip(*((timing.batch, timing.median_ms, timing.p95_ms) for timing in timings), strict=True)
        axes.fill_between(batches, low, high, color=each.colour, alpha=0.13, linewidth=0)
    _set_scales(
        axes, result, [value for each in series for at in each.row.timings for value in (at.median_ms, at.p95_ms)]
    )
    for place in (0, -1):
        _write_numbers(axes, series, place, _median, lambda _, timing: rounded(timing.median_ms))
    axes.set_title("Latency, ms a call   (less is better)")
    return handles


def _median(timing: Timing) -> float:
    return timing.median_ms


# Throughput


def _draw_throughput(axes: Axes, result: Result, series: Sequence[_Series]) -> None:
    _draw_lines(axes, series, _rate)
    ceilings = list(_ceilings(result))
    heights = [ceiling.rate / MULTIPLY_ADDS for ceiling in ceilings]
    _set_scales(axes, result, [*(_rate(timing) for each in series for timing in each.row.timings), *heights])
    for ceiling, height in zip(ceilings, heights, strict=True):
        axes.axhline(height, color=INK, linewidth=1, linestyle=(0, (1, 2)))
        device = f"{DEVICES[ceiling.device]}, " if len(result.devices) > 1 else ""
        axes.annotate(
            f"{device}{ceiling.kind} product: {rate_text(ceiling)}",
            (0, height),
            (2, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
            path_effects=_HALO,
            zorder=1.9,  # below every line: no point is hidden
        )
    _write_numbers(axes, series, -1, _rate, lambda row, timing: _rate_text(result, row, timing))
    axes.set_title("Throughput, faces a second   (more is better)")


def _rate(timing: Timing) -> float:
    return timing.faces_per_second


def _rate_text(result: Result, row: Row, timing: Timing) -> str:
    """`671 (58 %)`: faces a second, and the share of the product of its own kind."""
    ceiling = result.ceiling(row.device, KINDS[row.precision])
    share = f" ({100 * timing.multiply_adds_per_second / ceiling.rate:.0f} %)" if ceiling else ""
    return f"{rounded(timing.faces_per_second)}{share}"


def _ceilings(result: Result) -> Iterator[Ceiling]:
    """Of every device that was measured: the float32 product, and those of the kinds that its rows are of."""
    for device in result.devices:
        kinds = {KINDS[row.precision] for row in result.rows if row.timings and row.device == device}
        for kind in sorted({"float32", *kinds}):
            if ceiling := result.ceiling(device, kind):
                yield ceiling


# Both


def _draw_lines(axes: Axes, series: Sequence[_Series], value: Value) -> list[Line2D]:
    lines: list[Line2D] = []
    for each in series:
        lines += axes.plot(
            [timing.batch for timing in each.row.timings],
            [value(timing) for timing in each.row.timings],
            color=each.colour,
            marker=each.marker,
            linestyle=each.line,
            linewidth=1.8,
            markersize=6,
        )
    return lines


def _set_scales(axes: Axes, result: Result, values: Sequence[float]) -> None:
    """Room for the numbers at both ends, and a label at every batch and every round value."""
    low, high = np.log10(min(values)), np.log10(max(values))
    space = max(0.08 * (high - low), 0.1)
    axes.set(xscale="log", yscale="log", ylim=(10 ** (low - space), 10 ** (high + space)))
    few, many = np.log2(result.batches[0]), np.log2(result.batches[-1])
    wide = max(many - few, 1)
    axes.set_xlim(2 ** (few - 0.2 * wide), 2 ** (many + 0.32 * wide))
    axes.xaxis.set_major_locator(FixedLocator(result.batches))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda batch, _: f"{batch:g}"))
    steps = _ROUND if high - low < 2.5 else _ROUND[:1]
    decades = range(int(np.floor(low - space)), int(np.ceil(high + space)) + 1)
    axes.yaxis.set_major_locator(FixedLocator([step * 10.0**decade for decade in decades for step in steps]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda height, _: f"{height:,.0f}" if height >= 1 else f"{height:g}"))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
    axes.grid(axis="y")
    axes.tick_params(length=0)
    axes.set_xlabel("faces a call")


def _write_numbers(
    axes: Axes, series: Sequence[_Series], place: int, value: Value, text: Callable[[Row, Timing], str]
) -> None:
    """Beside the first (0) or the last (-1) point of every line, moved apart where they would overlap."""
    ends = sorted(((each, each.row.timings[place]) for each in series), key=lambda end: value(end[1]))
    bottom, top = np.log(axes.get_ylim())
    wanted = [float((np.log(value(timing)) - bottom) / (top - bottom)) for _, timing in ends]
    for (each, timing), height in zip(ends, apart(wanted, _LEAST_GAP), strict=True):
        axes.annotate(
            text(each.row, timing),
            (timing.batch, height),
            (-9 if place == 0 else 9, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if place == 0 else "left",
            va="center",
            fontsize=9,
            fontweight="bold",
            color=each.colour,
            path_effects=_HALO,
            zorder=6,
        )


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights, at least so far apart: those too near each other are spread around their middle."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _spread(groups[-1], gap)[0] < _spread(groups[-2], gap)[-1] + gap:
            groups[-2:] = [[*groups[-2], *groups[-1]]]
    return [height for group in groups for height in _spread(group, gap)]


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    lowest = sum(heights) / len(heights) - gap * (len(heights) - 1) / 2
    return [lowest + gap * place for place in range(len(heights))]
