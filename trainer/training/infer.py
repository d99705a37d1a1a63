"""Runs a torch network on stored crops."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainer.facialnet import Logits
from trainer.training.augment import centre_crops

_BATCH = 256


@torch.no_grad()
def logits_of(network: nn.Module, stored: NDArray[np.uint8]) -> Logits:
    """Returns the logits, on the CPU, for the 75×75 middles of (n, 99, 99) uint8 stored crops.

    The network keeps its mode, training or inference.
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(stored), _BATCH):
        batch = torch.from_numpy(centre_crops(stored[start : start + _BATCH])).to(device)
        parts.append(network(batch))
    network.train(was_training)
    return Logits(*(torch.cat(head).float().cpu() for head in zip(*parts, strict=True)))
