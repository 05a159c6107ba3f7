import pytest
import torch
from torch import nn

from probmcl.model import Encoder, FeatureMap, FeatureMLP, SmallCNN, build_encoder

TIMM, TORCHVISION = "timm/lcnet_035", "torchvision/shufflenet_v2_x0_5"


def images(n: int = 2, channels: int = 3, size: int = 64) -> torch.Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(0))


class TestSmallCNN:
    @pytest.mark.parametrize(
        ("channels", "size", "widths"), [(1, 28, (16, 16)), (3, 48, (4, 6, 9)), (1, 16, (4, 8, 12))]
    )
    def test_maps_images_to_features_of_the_last_width(self, channels, size, widths):
        encoder = SmallCNN(channels, widths=widths)
        assert encoder(images(2, channels, size)).shape == (2, encoder.feature_dim) == (2, widths[-1])
        assert sum(isinstance(m, nn.Conv2d) for m in encoder.modules()) == len(widths)

    def test_pools_by_the_maximum(self):
        """A stroke counts wherever it stands: padding an image with background does not dilute it."""
        encoder = SmallCNN(1, widths=(4,)).eval()
        image = torch.zeros(1, 1, 16, 16)
        image[..., 4:8, 4:8] = 1
        padded = torch.zeros(1, 1, 64, 64)
        padded[..., :16, :16] = image
        assert torch.allclose(encoder(image), encoder(padded), atol=1e-6)

    def test_gradient_reaches_every_parameter(self):
        encoder = SmallCNN(1, widths=(4, 8, 8))
        encoder(images(4, 1, 32)).square().sum().backward()
        assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in encoder.parameters())
        assert next(iter(encoder.parameters())).grad.abs().sum() > 0


class TestFeatureMLP:
    def test_starts_at_the_frozen_feature_and_every_parameter_learns(self):
        encoder, frozen = FeatureMLP(12, hidden=8), images(6, 12, 1)
        assert torch.equal(encoder(frozen), frozen.flatten(1))
        optimiser = torch.optim.SGD(encoder.parameters(), 0.1)
        target = torch.randn(6, 12, generator=torch.Generator().manual_seed(1))
        for _ in range(2):  # behind a last layer of zeros, the first layers move from the second step on
            optimiser.zero_grad()
            (encoder(frozen) - target).square().sum().backward()
            optimiser.step()
        assert all(p.grad.abs().sum() > 0 for p in encoder.parameters())
        assert not torch.allclose(encoder(frozen), frozen.flatten(1))

    def test_is_built_by_name_for_any_number_of_features(self):
        assert build_encoder("feature-mlp", in_channels=7).feature_dim == 7


class TestBuildEncoder:
    @pytest.mark.parametrize(
        ("name", "channels"), [("small-cnn", 1), ("small-cnn", 3), (TIMM, 3), (TIMM, 1), (TORCHVISION, 3)]
    )
    def test_feature_size_is_discovered(self, name, channels):
        encoder = build_encoder(name, in_channels=channels)
        assert isinstance(encoder, Encoder)
        assert all(module.training for module in encoder.modules())
        encoder.eval()
        found = encoder(images(2, channels))
        assert found.shape == (2, encoder.feature_dim)
        assert found.is_floating_point()
        assert encoder.feature_dim not in {0, 1000}  # 1000 would be ImageNet's classifier

    @pytest.mark.parametrize("name", [TIMM, TORCHVISION])
    def test_discovery_leaves_the_statistics_of_batch_norm_alone(self, name):
        norms = [m for m in build_encoder(name).modules() if isinstance(m, nn.BatchNorm2d)]
        assert norms
        assert all((norm.running_mean == 0).all() and norm.num_batches_tracked == 0 for norm in norms)

    @pytest.mark.parametrize(
        ("name", "weights", "message"),
        [
            ("timm/resnet5O", None, "name: 'timm/resnet5O' is not a known backbone.*resnet50"),
            ("timm/tresnetm", None, "is not a known backbone.*tresnet_m"),
            ("torchvision/resnet19", None, "is not a known backbone.*resnet18"),
            ("torchvision/densenet_121", None, "is not a known backbone.*densenet121"),
            ("timm/", None, "name: 'timm/' is not a known backbone"),
            ("torchvision/zzzzzz", None, "name: 'torchvision/zzzzzz' is not a known backbone"),
            ("resnet50", None, "name: expected small-cnn, feature-mlp, timm/.*got 'resnet50'"),
            ("keras/resnet50", None, "name: expected small-cnn, feature-mlp, timm/.*got 'keras/resnet50'"),
            ("timm/tresnet_m", "miil_in21k_ft_in1K", "weights: 'miil_in21k_ft_in1K' .*miil_in21k_ft_in1k"),
            ("torchvision/resnet18", "IMAGENET1K_V3", "weights: 'IMAGENET1K_V3' .*IMAGENET1K_V1"),
        ],
    )
    def test_what_is_unknown_is_named_with_close_names(self, name, weights, message):
        with pytest.raises(ValueError, match=message):
            build_encoder(name, weights=weights)

    @pytest.mark.parametrize(
        ("name", "size"),
        [
            ("timm/vit_tiny_patch16_384", 384),
            ("torchvision/googlenet", 96),
            ("torchvision/inception_v3", 128),
        ],
    )
    def test_backbones_of_a_fixed_size_or_with_auxiliary_classifiers(self, name, size):
        encoder = build_encoder(name)
        assert encoder(images(2, size=size)).shape == (2, encoder.feature_dim)  # also while it trains
        assert not [child for child, _ in encoder.network.named_children() if "aux" in child.lower()]


class TestFeatureMap:
    @pytest.mark.parametrize(("name", "pool"), [("small-cnn", "amax"), ("timm/test_resnet", "mean")])
    def test_its_pooling_is_the_feature(self, name, pool):
        encoder = build_encoder(name).eval()
        found = FeatureMap(encoder)(images())
        assert found.shape[1] == encoder.feature_dim
        assert found.shape[2] > 1
        assert torch.allclose(getattr(found, pool)((2, 3)), encoder(images()), atol=1e-6)

    def test_the_weights_are_those_of_the_encoder(self):
        encoder = SmallCNN()
        assert {id(p) for p in FeatureMap(encoder).parameters()} == {id(p) for p in encoder.parameters()}

    @pytest.mark.parametrize("name", [TORCHVISION, TIMM, "timm/vit_tiny_patch16_224"])
    def test_an_encoder_without_a_map_is_an_error(self, name):
        """Torchvision names no map; the other two have one with other channels, and a sequence of tokens."""
        encoder = build_encoder(name)
        with pytest.raises(ValueError, match=r"encoder: expected a network with a map \(N, \d+, h, w\)"):
            encoder.feature_map(images(size=224))
        frozen = Encoder(nn.Sequential(nn.Flatten(), nn.Linear(4, 3)), 3)
        with pytest.raises(ValueError, match="got none from Sequential"):
            frozen.feature_map(torch.zeros(2, 1, 2, 2))
