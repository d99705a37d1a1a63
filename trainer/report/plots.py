"""The common style of all Matplotlib plots."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib

INK, QUIET, LINE, BAND = "#1B2023", "#667278", "#D8DDDF", "#F1F4F4"
ACCENT, SOFT, WARM, PALE = "#16846A", "#8CCDBB", "#C2561B", "#EFB898"

STYLE: dict[str, Any] = {
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "savefig.dpi": 144,
    "font.family": "DejaVu Sans",  # comes with Matplotlib, so that plots are the same everywhere
    "font.size": 10,
    "text.color": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}


@contextmanager
def plot_style(style: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Applies this style to figures made and saved in the block, without parsing `$` in texts as formulas."""
    settings: Any = {**(style or {}), "text.parse_math": False}  # a dollar sign starts no formula
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # Texts may be in a script that the font lacks; boxes in their place are accepted.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
