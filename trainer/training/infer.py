"""What a torch network says of stored crops."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainer.facialnet import Logits
from trainer.training.augment import centred

_BATCH = 256


@torch.no_grad()
def logits_of(network: nn.Module, stored: NDArray[np.uint8]) -> Logits:
    """(n, 99, 99) stored crops → what the network says of their middles, on the CPU.

    The network is left in the mode, training or inference, that it was found in.
    """
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(stored), _BATCH):
        batch = torch.from_numpy(centred(stored[start : start + _BATCH])).to(device)
        parts.append(network(batch))
    network.train(was_training)
    return Logits(*(torch.cat(head).float().cpu() for head in zip(*parts, strict=True)))
