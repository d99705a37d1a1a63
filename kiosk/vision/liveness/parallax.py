"""Measures by parallax how far a head turned: the nose of a head stands out, a sheet of paper is flat.

Between two views of a rigid surface, each point moves by a smooth function of its position plus its height times the
turn (plane and parallax: Irani and Anandan, "Parallax Geometry of Pairs of Points for 3D Scene Analysis", 1996). A
plane has only the first part, a polynomial of degree 2 (Longuet-Higgins and Prazdny, "The Interpretation of a Moving
Retinal Image", 1980). A sheet bent to a cylinder moves almost like that too, and a sheet folded along the nose moves
like a ridge. So the shape that distinguishes a head from these is the nose. Least squares fits polynomial, ridge and
turn together.

The idea that planar motion reveals a photograph is known: Bao, Li, Li and Jiang, "A Liveness Detection
Method for Face Recognition Based on Optical Flow Field", 2009; De Marsico, Nappi, Riccio and Dugelay,
"Moving Face Spoofing Detection via 3D Projective Invariants", 2012. Lengths are in eye distances, x to the right and
y down from the point between the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2): x, y in eye distances

MIN_POINTS = 20
"""With fewer points no turn is estimated."""

_MIN_NOISE = 0.002  # eye distances: no point is followed better than to a tenth of a pixel
_ROUNDS = 4  # of the weighted fit

# By row: how far the middle of a nose stands out from the face, and its half width. Rough averages after Farkas,
# "Anthropometry of the Head and Face", 1994: the tip stands out by about 2 cm, with 6.3 cm between the eyes. A nose of
# another size only scales the result.
_ROWS = (-0.25, 0.0, 0.55, 0.65, 0.85)
_HEIGHTS = (0.0, 0.12, 0.35, 0.33, 0.0)
_WIDTHS = (0.13, 0.15, 0.22, 0.23, 0.23)

# The horizontal position of the nose's middle by row, as a share of its base's: in a turned face it is slanted.
_LEAN_ROWS = (0.0, 0.6)
_LEAN = (0.35, 1.2)

_CREASE = 0.1  # eye distances over which a fold is round


@dataclass(frozen=True)
class Turn:
    """How far a head turned between two views, measured by its nose."""

    across: float
    """About the sine of the turn towards the right of the image; 0 for a flat sheet."""
    down: float
    """The same, downwards."""
    across_error: float
    """The standard error of `across`; `down_error` is that of `down`."""
    down_error: float

    def exceeds(self, least: float, errors: float) -> bool:
        """Returns whether the turn, across or down, exceeds `least` and this number of standard errors."""
        return (abs(self.across) > max(least, errors * self.across_error)) or (
            abs(self.down) > max(least, errors * self.down_error)
        )


def estimate_turn(before: Points, after: Points, nose: float) -> Turn | None:
    """Returns the turn that moves a face's points from `before` to `after`; None for fewer than `MIN_POINTS`.

    `nose` is the horizontal offset of the nose's base, in eye distances, before the turn.
    """
    if len(before) < MIN_POINTS:
        return None
    x, y = before.T
    aside = x - _nose_line(y, nose)
    ridge = np.sqrt(aside**2 + _CREASE**2)
    design = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y, ridge, nose_height(x, y, nose)])
    moved = after - before
    weights = np.ones(len(x))
    for _ in range(_ROUNDS):
        solution = np.linalg.lstsq(design * weights[:, None], moved * weights[:, None], rcond=None)[0]
        misfit = moved - design @ solution
        distance = np.linalg.norm(misfit, axis=1)
        usual = 1.4826 * np.median(distance) + 1e-4
        weights = 1 / np.sqrt(np.maximum(1.0, distance / (2 * usual)))  # points that slipped count little
    squares = weights**2
    normal = (design * squares[:, None]).T @ design
    variance = (squares[:, None] * misfit**2).sum(axis=0) / squares.sum() * len(x) / (len(x) - design.shape[1])
    # Without points on and beside the nose the turn is undetermined, and its error infinite.
    spread = float(np.linalg.pinv(normal)[-1, -1]) if np.linalg.matrix_rank(normal) == len(normal) else np.inf
    errors = np.maximum(np.sqrt(variance), _MIN_NOISE) * np.sqrt(spread)
    return Turn(float(solution[-1, 0]), float(solution[-1, 1]), float(errors[0]), float(errors[1]))


def nose_height(x: NDArray[np.float64], y: NDArray[np.float64], nose: float) -> NDArray[np.float64]:
    """Returns the height of an average nose at (x, y), in eye distances. `nose` is its base's offset."""
    aside = (x - _nose_line(y, nose)) / np.interp(y, _ROWS, _WIDTHS)
    return np.asarray(np.interp(y, _ROWS, _HEIGHTS) * np.exp(-(aside**2)))


def _nose_line(y: NDArray[np.float64], nose: float) -> NDArray[np.float64]:
    return np.asarray(nose * np.interp(y, _LEAN_ROWS, _LEAN))
