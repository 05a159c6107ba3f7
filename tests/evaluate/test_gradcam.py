import pytest
import timm
import torch
from torch import nn

from probmcl.evaluate import grad_cam

MAPS = (
    *("test_byobnet", "test_coatnet", "test_convnext", "test_efficientnet", "test_mambaout", "test_maxvit"),
    *("test_nfnet", "test_resnet", "dla46_c", "edgenext_xx_small", "efficientvit_m0", "ese_vovnet19b_slim"),
    *("fastvit_t8", "ghostnet_050", "hardcorenas_a", "hgnetv2_b0", "inception_next_atto", "lcnet_035"),
    *("mobilenetv3_small_050", "mobilevit_xxs", "pvt_v2_b0", "regnety_002", "repghostnet_050", "resnet10t"),
    *("rexnet_100", "seresnet18", "starnet_s1", "swin_tiny_patch4_window7_224", "tinynet_e"),
)
TOKENS = (
    "test_vit",
    "test_vit_relpos",
    "efficientformer_l1",
    "levit_128s",
    "pit_ti_224",
    "xcit_nano_12_p16_224",
)
FIXED_SIZE = ("test_coatnet", "test_maxvit", "test_vit", "swin", "xcit")


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
    for place, value in (((0, 0, 1, 2), 3), ((0, 1, 4, 5), 1), ((1, 0, 0, 0), 2), ((1, 0, 5, 5), 1)):
        images[place] = value
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
    assert 0 <= whole.min() <= whole.max() <= 1


def backbone(name: str) -> tuple[nn.Module, torch.Tensor]:
    size = 224 if name in ("efficientvit_m0", "levit_128s", "efficientformer_l1", "pit_ti_224") else 64
    smaller = {"img_size": size} if name.startswith(FIXED_SIZE) else {}
    if name.startswith("swin"):
        smaller |= {"window_size": 2, "embed_dim": 12, "depths": (1,) * 4, "num_heads": (1,) * 4}
    torch.manual_seed(0)
    return timm.create_model(name, num_classes=4, **smaller).eval(), torch.randn(2, 3, size, size)


@pytest.mark.parametrize("name", MAPS)
def test_without_a_layer_the_map_is_what_the_head_of_the_network_is_given(name: str) -> None:
    model, images = backbone(name)
    with torch.no_grad():
        features = model.forward_features(images)
    features.requires_grad_()
    places = (2, 3) if features.shape[2] == features.shape[3] else (1, 2)
    assert features.shape[places[0]] > 1
    logits = model.forward_head(features)
    label = int(logits.sum(0).argmax())
    (slopes,) = torch.autograd.grad(logits[:, label].sum(), features)
    channels = ({1, 2, 3} - set(places)).pop()
    heat = (slopes.mean(places, keepdim=True) * features).sum(channels).relu().detach()
    heat = nn.functional.interpolate(heat.unsqueeze(1), images.shape[2:], mode="bilinear").squeeze(1)
    heat /= heat.amax((1, 2), keepdim=True).clamp(min=1e-30)
    torch.testing.assert_close(grad_cam(model, images, label), heat, atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", TOKENS)
def test_a_network_that_ends_in_tokens_asks_for_a_layer(name: str) -> None:
    model, images = backbone(name)
    with pytest.raises(ValueError, match="layer: expected a model that ends in a feature map"):
        grad_cam(model, images, 0)


@pytest.mark.parametrize(
    ("layer", "label", "message"),
    [
        (None, 3, "label: expected one of the 3 labels, got 3"),
        (2, 0, r"layer: expected one whose output is a feature map .* got shape \(2, 2\)"),
        (nn.Identity(), 0, "layer: expected .* got no tensor"),
    ],
)
def test_what_cannot_be_mapped_is_named(layer, label, message, images) -> None:
    model = two_detectors()
    with pytest.raises(ValueError, match=message):
        grad_cam(model, images, label, layer=model[layer] if layer == 2 else layer)


def test_a_layer_beside_the_way_of_the_logits_is_named(images) -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.main, self.side = two_detectors(), nn.Conv2d(2, 2, 1)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits = self.main(images)
            self.side(images)
            return logits

    model = Beside()
    torch.testing.assert_close(grad_cam(model, images, 0), grad_cam(model.main, images, 0))
    with pytest.raises(ValueError, match="got one beside their way"):
        grad_cam(model, images, 0, layer=model.side)
