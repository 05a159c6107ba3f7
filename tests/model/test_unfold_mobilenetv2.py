"""Folded weights become torchvision's network: the same function, and one that can be trained."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torchvision import models
from unfold_mobilenetv2 import calibrate, normalisations, padded_as_tensorflow, unfolded

from probmcl.data.views import IMAGENET_MEAN, IMAGENET_STD


@pytest.fixture(scope="module")
def folded() -> dict[str, np.ndarray]:
    """Random weights in the order of the network, with biases that keep its units alive."""
    random, arrays = np.random.default_rng(0), {}
    layers = [m for m in models.mobilenet_v2().modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for number, layer in enumerate(layers):
        scale = 1.4 / np.sqrt(layer.weight[0].numel())
        arrays[f"layer{number}.weight"] = random.normal(0, scale, layer.weight.shape).astype(np.float16)
        arrays[f"layer{number}.bias"] = random.normal(0.3, 0.2, len(layer.weight)).astype(np.float16)
    return arrays


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(96, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def normalised(images: torch.Tensor) -> torch.Tensor:
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (IMAGENET_MEAN, IMAGENET_STD))
    return (images - mean) / std


def test_the_first_layer_is_the_folded_convolution_of_pixels_from_minus_one_to_one(folded, images) -> None:
    network = unfolded(folded)
    weight, bias = (torch.from_numpy(folded[f"layer0.{name}"]).float() for name in ("weight", "bias"))
    expected = functional.relu6(functional.conv2d(2 * images[:4, :, 1:, 1:] - 1, weight, bias, stride=2))
    found = network.features[0](normalised(images[:4]))
    assert torch.allclose(found[..., 1:, 1:], expected, atol=1e-4)  # without the padded border


def test_calibration_keeps_the_function_and_makes_training_mode_agree(folded, images) -> None:
    network, view = unfolded(folded), normalised(images)
    with torch.no_grad():
        before = network(view)
        training_before = deepcopy(network).train().features(view).mean(dim=(2, 3))
        calibrate(network, view)
        assert torch.allclose(network(view), before, atol=1e-3 * before.abs().max())
        features = network.features(view).mean(dim=(2, 3))
        training = deepcopy(network).train().features(view).mean(dim=(2, 3))
    assert torch.allclose(training, features, atol=0.01 * features.abs().max())
    assert not torch.allclose(training_before, features, atol=0.01 * features.abs().max())
    assert all(norm.running_mean.abs().sum() > 0 for norm in normalisations(network))


def test_the_padding_of_tensorflow_is_at_the_far_side(folded, images) -> None:
    network = padded_as_tensorflow(unfolded(folded))
    weight, bias = (torch.from_numpy(folded[f"layer0.{name}"]).float() for name in ("weight", "bias"))
    expected = functional.relu6(functional.conv2d(2 * images[:4] - 1, weight, bias, stride=2))
    found = network.features[0](normalised(images[:4]))
    assert found.shape[2:] == (32, 32)
    assert torch.allclose(found[..., :31, :31], expected, atol=1e-4)
