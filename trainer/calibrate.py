"""Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", 2017).

A network is surer than it is right, or less sure where its targets were smoothed. Dividing its
logits by one number, fitted on faces it was not trained on, makes its probabilities mean what they
say; which answer is likeliest does not change.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LOWEST, _HIGHEST = 1e-3, 1e3
_HALVINGS = 60


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """(n, classes) logits and (n,) labels → the temperature of least negative log-likelihood.

    The likelihood is convex in the temperature's inverse, so its slope changes sign once: halving
    the range finds where. Labels that are all right, or all wrong, end at the range's end.
    """
    logits = logits.double()
    labelled = logits.gather(1, labels[:, None])[:, 0]
    low, high = _LOWEST, _HIGHEST
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        expected = (torch.softmax(logits / middle, dim=1) * logits).sum(dim=1)
        if (expected - labelled).mean() > 0:  # surer than it is right
            low = middle
        else:
            high = middle
    return (low * high) ** 0.5
