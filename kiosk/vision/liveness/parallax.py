"""Whether points on a face moved as those of a head that turns: a nose stands out of a face, a sheet has none.

Between two looks at a rigid surface each of its points moves by a smooth function of its place, and by its
own height times the turn (plane and parallax: Irani and Anandan, "Parallax Geometry of Pairs of Points for
3D Scene Analysis", 1996). A plane has only the first part, and for a plane it is a polynomial of second
degree (Longuet-Higgins and Prazdny, "The Interpretation of a Moving Retinal Image", 1980); so it is, nearly,
for a sheet bent to a cylinder; a sheet folded along the nose moves as a ridge. What is left to tell a head
from them is therefore not just any relief but one that neither follows: the nose. Least squares finds
polynomial, ridge and turn together.

That planar motion gives a photograph away is an old idea: Bao, Li, Li and Jiang, "A Liveness Detection
Method for Face Recognition Based on Optical Flow Field", 2009; De Marsico, Nappi, Riccio and Dugelay,
"Moving Face Spoofing Detection via 3D Projective Invariants", 2012. Lengths here are eye distances, x to
the right and y down from the middle of the eyes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2): x, y in eye distances

FEWEST = 20
"""Points below which nothing is said."""

_LEAST_NOISE = 0.002  # eye distances: no point is followed better than to a tenth of a pixel
_ROUNDS = 4  # of the weighted fit

# How far the middle of a nose stands out from the face around it, and its half width, by the row. Rough
# averages after Farkas, "Anthropometry of the Head and Face", 1994: the tip stands out by about 2 cm of the
# 6.3 between the eyes. A real nose of another size scales the turn found, and nothing else.
_ROWS = (-0.25, 0.0, 0.55, 0.65, 0.85)
_HEIGHTS = (0.0, 0.12, 0.35, 0.33, 0.0)
_WIDTHS = (0.13, 0.15, 0.22, 0.23, 0.23)

# Where the middle of the nose is, in shares of where its base is: in a face seen from the side it leans over.
_LEAN_ROWS = (0.0, 0.6)
_LEAN = (0.35, 1.2)

_CREASE = 0.1  # eye distances over which a fold is round


@dataclass(frozen=True)
class Turn:
    """By how much a head turned between two looks, as far as its nose tells."""

    across: float
    """About the sine of the angle by which it turned to the right of the picture; 0 for a sheet."""
    down: float
    """The same, downward."""
    across_error: float
    """Standard error of each."""
    down_error: float

    def exceeds(self, least: float, errors: float) -> bool:
        """Whether it is more than `least` either way, and more than so many standard errors from nothing."""
        return (abs(self.across) > max(least, errors * self.across_error)) or (
            abs(self.down) > max(least, errors * self.down_error)
        )


def turn_between(before: Points, after: Points, nose: float) -> Turn | None:
    """The turn that takes points of a face from `before` to `after`, or None where there are too few.

    `nose` is how far beside the middle of the eyes the base of the nose lay before.
    """
    if len(before) < FEWEST:
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
        weights = 1 / np.sqrt(np.maximum(1.0, distance / (2 * usual)))  # a point that slipped has little say
    squares = weights**2
    normal = (design * squares[:, None]).T @ design
    variance = (squares[:, None] * misfit**2).sum(axis=0) / squares.sum() * len(x) / (len(x) - design.shape[1])
    # Without points on and beside the nose the turn is not determined, and its error endless.
    spread = float(np.linalg.pinv(normal)[-1, -1]) if np.linalg.matrix_rank(normal) == len(normal) else np.inf
    errors = np.maximum(np.sqrt(variance), _LEAST_NOISE) * np.sqrt(spread)
    return Turn(float(solution[-1, 0]), float(solution[-1, 1]), float(errors[0]), float(errors[1]))


def nose_height(x: NDArray[np.float64], y: NDArray[np.float64], nose: float) -> NDArray[np.float64]:
    """How far an average face stands out at (x, y) because of its nose, whose base is `nose` aside."""
    aside = (x - _nose_line(y, nose)) / np.interp(y, _ROWS, _WIDTHS)
    return np.asarray(np.interp(y, _ROWS, _HEIGHTS) * np.exp(-(aside**2)))


def _nose_line(y: NDArray[np.float64], nose: float) -> NDArray[np.float64]:
    return np.asarray(nose * np.interp(y, _LEAN_ROWS, _LEAN))
