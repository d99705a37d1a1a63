"""The network is the paper's, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from trainer.facialnet import FacialNet, Logits, example_crops, normalise_crops

# Kernels, size, stride, padding and side of the output: the table in the paper.
PAPER = [
    (32, 3, 2, 1, 38),
    (64, 3, 1, 1, 38),
    (128, 3, 2, 1, 19),
    (128, 3, 1, 1, 19),
    (128, 1, 1, 0, 19),
    (256, 3, 2, 0, 9),
    (512, 3, 2, 1, 5),
    (512, 1, 1, 0, 5),
]
PARAMETERS = 4_159_242


def layers_run(network: nn.Module, kind: type[nn.Module]) -> list[tuple[nn.Module, torch.Size]]:
    """The layers of one kind with the shapes that they put out for one crop, in the order they ran."""
    ran: list[tuple[nn.Module, torch.Size]] = []

    def remember(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        ran.append((layer, output.shape))

    for layer in network.modules():
        if isinstance(layer, kind):
            layer.register_forward_hook(remember)
    with torch.no_grad():
        network.eval()(example_crops())
    return ran


def trained_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(kind: type[nn.Conv2d] | type[nn.Linear]) -> int:
    """What the layers of one kind cost for one crop."""
    total = 0
    for layer, shape in layers_run(FacialNet(), kind):
        assert isinstance(layer, kind)
        total += layer.weight.numel() * shape[2:].numel()
    return total


@pytest.mark.parametrize("batch_norm", [False, True])
def test_convolutions_are_the_papers(batch_norm: bool) -> None:
    rows = []
    for layer, shape in layers_run(FacialNet(batch_norm), nn.Conv2d):
        assert isinstance(layer, nn.Conv2d)
        assert not isinstance(layer.padding, str)
        (size, height), (stride, down), (padding, above) = layer.kernel_size, layer.stride, layer.padding
        assert (size, stride, padding) == (height, down, above)
        assert shape[2] == shape[3]
        rows.append((layer.out_channels, size, stride, padding, shape[3]))
        assert shape[1] == layer.out_channels
    assert rows == PAPER


def test_every_convolution_is_followed_by_relu() -> None:
    trunk = list(FacialNet().trunk)
    assert [type(layer) for layer in trunk] == [nn.Conv2d, nn.ReLU] * 8 + [nn.MaxPool2d, nn.Flatten]


def test_batch_normalisation_lies_between_convolution_and_relu() -> None:
    trunk = list(FacialNet(batch_norm=True).trunk)
    assert [type(layer) for layer in trunk[:-2]] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 8


def test_max_pooling_leaves_2048_features() -> None:
    network = FacialNet()
    [(pool, shape)] = layers_run(network, nn.MaxPool2d)
    assert isinstance(pool, nn.MaxPool2d)
    assert (pool.kernel_size, pool.stride, pool.padding) == (3, 2, 0)
    assert shape == (1, 512, 2, 2)
    assert network.trunk(example_crops(3)).shape == (3, 2048)


@pytest.mark.parametrize(("head", "classes", "dropouts"), [("gender", 2, [0.5, 0.3]), ("age", 8, [0.4, 0.2])])
def test_heads_are_the_papers(head: str, classes: int, dropouts: list[float]) -> None:
    layers = list(getattr(FacialNet(), head))
    kinds = [nn.Linear, nn.ReLU, nn.Dropout]
    assert [type(layer) for layer in layers] == [*kinds, *kinds, nn.Linear]
    sizes = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
    assert sizes == [(2048, 512), (512, 64), (64, classes)]
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == dropouts


def test_the_paper_has_4_16_million_parameters() -> None:
    assert trained_parameters(FacialNet()) == PARAMETERS


def test_batch_normalisation_adds_one_parameter_a_kernel() -> None:
    """Two of its own for each kernel and hidden unit, in place of the layer's offset."""
    hidden = 2 * (512 + 64)
    assert trained_parameters(FacialNet(batch_norm=True)) == PARAMETERS + sum(row[0] for row in PAPER) + hidden


def test_the_convolutions_take_173_million_multiply_adds_and_the_heads_2() -> None:
    assert [round(multiply_adds(kind) / 1e6) for kind in (nn.Conv2d, nn.Linear)] == [173, 2]


def test_logits_are_named() -> None:
    logits = FacialNet().eval()(example_crops(3))
    assert isinstance(logits, Logits)
    assert (logits.gender.shape, logits.age.shape) == ((3, 2), (3, 8))


def test_batch_normalisation_lies_before_every_relu_of_the_heads() -> None:
    kinds = [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout]
    assert [type(layer) for layer in FacialNet(batch_norm=True).age] == [*kinds, *kinds, nn.Linear]


def test_standardising_is_the_networks_own_first_step() -> None:
    network = FacialNet(normalise_input=True).eval()
    crops = example_crops(2)
    torch.testing.assert_close(network(crops).age, network(0.4 * crops + 0.3).age, atol=0.3, rtol=0.3)
    with torch.no_grad():
        expected = network.age(network.trunk(normalise_crops(crops)))
    torch.testing.assert_close(network(crops).age, expected)


def test_normalisation_takes_brightness_and_contrast_out_of_each_crop() -> None:
    crops = 0.5 + 0.2 * torch.randn(3, 1, 75, 75, generator=torch.Generator().manual_seed(0))
    lit = torch.stack([crops[0], 0.5 * crops[1], 1.3 * crops[2] - 0.1])
    same, darker, harsher = normalise_crops(lit)
    assert float(same.mean()) == pytest.approx(0, abs=1e-5)
    assert float(same.std()) == pytest.approx(1, abs=0.1)
    assert torch.nn.functional.mse_loss(darker, normalise_crops(crops)[1]) < 0.01
    assert torch.nn.functional.mse_loss(harsher, normalise_crops(crops)[2]) < 0.01


def test_normalisation_does_not_blow_up_the_noise_of_a_flat_crop() -> None:
    flat = torch.full((1, 1, 75, 75), 0.5) + 0.002 * torch.randn(1, 1, 75, 75)
    assert normalise_crops(flat).abs().max() < 1


def test_example_crops_are_gray_levels() -> None:
    crops = example_crops(4)
    assert crops.shape == (4, 1, 75, 75)
    assert 0 <= crops.min() < crops.max() <= 1
