"""FacialNet, the paper's network: gender and age group of a 75×75 gray face, with one small shared trunk.

Input (n, 1, 75, 75). Eight convolutions, each followed by ReLU, and one max pool:

    conv1   32 3×3 /2 pad 1   38×38        conv5  128 1×1          19×19
    conv2   64 3×3    pad 1   38×38        conv6  256 3×3 /2        9×9
    conv3  128 3×3 /2 pad 1   19×19        conv7  512 3×3 /2 pad 1  5×5
    conv4  128 3×3    pad 1   19×19        conv8  512 1×1           5×5
                                           max pool   3×3 /2        2×2 → 2048

It has two heads of 2048 → 512 → 64 → 2 (gender) and → 8 (age groups), 4,159,242 parameters, and 173 million
multiply-adds in the convolutions of a face.

Two options are not in the paper. `batch_norm` adds batch normalisation before every ReLU; the export folds it into the
layers, so that the kiosk runs the paper's network. `normalise_input` gives every crop zero mean and about unit
variance.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.data.labels import AGE_GROUPS


class _Convolution(NamedTuple):
    kernels: int
    size: int
    stride: int
    padding: int


TRUNK = (
    _Convolution(32, 3, 2, 1),
    _Convolution(64, 3, 1, 1),
    _Convolution(128, 3, 2, 1),
    _Convolution(128, 3, 1, 1),
    _Convolution(128, 1, 1, 0),
    _Convolution(256, 3, 2, 0),
    _Convolution(512, 3, 2, 1),
    _Convolution(512, 1, 1, 0),
)
FEATURES = 2048
GENDERS = 2

_FLAT = 0.02


class Logits(NamedTuple):
    """The network's outputs before softmax."""

    gender: Tensor
    """(n, 2): female, male."""

    age: Tensor
    """(n, 8): the age groups, the youngest first."""


class FacialNet(nn.Module):
    """The paper's network, optionally with batch normalisation and normalised input."""

    def __init__(self, batch_norm: bool = False, normalise_input: bool = False) -> None:
        super().__init__()
        self.batch_norm, self.normalise_input = batch_norm, normalise_input
        self.trunk = nn.Sequential(*_trunk(batch_norm), nn.MaxPool2d(3, stride=2), nn.Flatten())
        self.gender = _head(GENDERS, batch_norm, first_dropout=0.5, second_dropout=0.3)
        self.age = _head(AGE_GROUPS, batch_norm, first_dropout=0.4, second_dropout=0.2)

    def forward(self, crops: Tensor) -> Logits:
        """Returns the logits of (n, 1, 75, 75) crops with gray levels from 0 to 1."""
        features = self.trunk(normalise_crops(crops) if self.normalise_input else crops)
        return Logits(self.gender(features), self.age(features))


def normalise_crops(crops: Tensor) -> Tensor:
    """Returns each crop with zero mean and about unit variance; gray levels are from 0 to 1.

    With one mean and deviation for all crops, dark and flat ones kept little signal: gender was right for 88 % of the
    tenth of faces (10 years and over) with the least contrast, and for 93 to 94 % of the half with more contrast than
    the median. The added constant, five gray levels, prevents amplifying the noise of a nearly uniform crop.
    """
    centred = crops - crops.mean(dim=(2, 3), keepdim=True)
    return centred / (centred.square().mean(dim=(2, 3), keepdim=True).sqrt() + _FLAT)


def example_crops(count: int = 1) -> Tensor:
    """Returns (count, 1, 75, 75) random gray levels from 0 to 1, for tracing and for shape checks."""
    return torch.rand(count, 1, CROP_SIZE, CROP_SIZE)


def _trunk(batch_norm: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    channels = 1
    for kernels, size, stride, padding in TRUNK:
        # Batch normalisation has its own bias, which makes the layer's redundant.
        convolution = nn.Conv2d(channels, kernels, size, stride, padding, bias=not batch_norm)
        layers.append(_initialise(convolution))
        if batch_norm:
            layers.append(nn.BatchNorm2d(kernels))
        layers.append(nn.ReLU(inplace=True))
        channels = kernels
    return layers


def _head(classes: int, batch_norm: bool, first_dropout: float, second_dropout: float) -> nn.Sequential:
    layers: list[nn.Module] = []
    features = FEATURES
    for width, dropout in ((512, first_dropout), (64, second_dropout)):
        layers.append(_initialise(nn.Linear(features, width, bias=not batch_norm)))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        layers += [nn.ReLU(inplace=True), nn.Dropout(dropout)]
        features = width
    return nn.Sequential(*layers, _initialise(nn.Linear(features, classes)))


def _initialise(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Sets He's initial weights ("Delving Deep into Rectifiers", 2015); the paper does not state its own.

    PyTorch's defaults reduce the variance of the signal six times in each layer with a ReLU. After eleven layers
    without normalisation almost no signal is left, and the network learns nothing for epochs.
    """
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
