"""Grad-CAM on networks whose answer is known."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from probmcl.evaluate import grad_cam


def two_detectors() -> nn.Sequential:
    """Label 0 is the mean of channel 0, label 1 of channel 1; label 2 is against channel 0."""
    convolution = nn.Conv2d(2, 2, 1, bias=False)
    classifier = nn.Linear(2, 3, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.eye(2).view(2, 2, 1, 1))
        classifier.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]))
    return nn.Sequential(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier)


@pytest.fixture
def images() -> torch.Tensor:
    images = torch.zeros(2, 2, 6, 6)
    images[0, 0, 1, 2] = 3.0
    images[0, 1, 4, 5] = 1.0
    images[1, 0, 0, 0] = 2.0
    images[1, 0, 5, 5] = 1.0
    return images


def test_the_map_is_where_the_evidence_for_the_label_is(images) -> None:
    model = two_detectors()
    first = grad_cam(model, images, 0)
    expected = torch.zeros(2, 6, 6)
    expected[0, 1, 2], expected[1, 0, 0], expected[1, 5, 5] = 1.0, 1.0, 0.5
    torch.testing.assert_close(first, expected)
    second = grad_cam(model, images, 1)
    assert second[0].argmax() == 4 * 6 + 5
    assert not second[1].any()
    assert not grad_cam(model, images, 2).any()  # evidence against a label is not shown


def test_a_frozen_encoder_and_a_relu_in_place_give_the_same_map(images) -> None:
    plain = two_detectors()
    frozen = nn.Sequential(plain[0], nn.ReLU(inplace=True), *plain[1:]).requires_grad_(False).train()
    frozen[0].eval()
    with torch.no_grad():
        found = grad_cam(frozen, images, 0)
    torch.testing.assert_close(found, grad_cam(plain, images, 0))
    assert frozen.training
    assert not frozen[0].training
    assert all(not module._forward_hooks for module in frozen.modules())


def test_each_image_has_a_map_of_its_own(images) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, stride=2, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 2),
    )
    whole = grad_cam(model, images, 1)
    assert whole.shape == (2, 6, 6)
    torch.testing.assert_close(whole[1:], grad_cam(model, images[1:], 1))
    assert float(whole.min()) >= 0
    assert float(whole.max()) <= 1


@pytest.mark.parametrize(
    ("model", "label", "message"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(72, 3)), 0, "expected a model with a convolution"),
        (two_detectors(), 3, "label: expected one of the 3 labels, got 3"),
    ],
)
def test_what_cannot_be_mapped_is_named(model, label, message, images) -> None:
    with pytest.raises(ValueError, match=message):
        grad_cam(model, images, label)


def test_a_layer_without_a_feature_map_is_named(images) -> None:
    model = two_detectors()
    with pytest.raises(ValueError, match="layer: expected one feature map"):
        grad_cam(model, images, 0, layer=model[2])
