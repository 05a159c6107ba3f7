"""An image becomes a feature: a small network for digits, any timm or torchvision backbone by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import timm
import torch
from torch import Tensor, nn
from torchvision import models

from probmcl import _check


class Encoder(nn.Module):
    """An image network without its classifier: images ``(N, C, H, W)`` become features ``(N, feature_dim)``.

    Args:
        network: a module that returns one feature vector an image.
        feature_dim: size of that vector.
    """

    def __init__(self, network: nn.Module, feature_dim: int) -> None:
        super().__init__()
        self.network = network
        self.feature_dim = feature_dim

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to features ``(N, feature_dim)``."""
        features: Tensor = self.network(_check.tensor("images", images, dims=4))
        return features

    def feature_map(self, images: Tensor) -> Tensor:
        """What stands before the pooling: images ``(N, C, H, W)`` become maps ``(N, feature_dim, h, w)``.

        Raises:
            ValueError: if the network has no such map. The small network has one, and so have timm's
                convolutional networks without a layer between pooling and classifier (its ResNets, TResNets).

        Example:
            >>> SmallCNN().feature_map(torch.zeros(2, 1, 32, 32)).shape
            torch.Size([2, 128, 8, 8])
        """
        _check.tensor("images", images, dims=4)
        spatial = getattr(self.network, "forward_features", None)
        found = None if spatial is None else spatial(images)
        if not isinstance(found, Tensor) or found.dim() != 4 or found.shape[1] != self.feature_dim:
            shape = "none" if found is None else f"shape {tuple(found.shape)}"
            raise ValueError(
                f"encoder: expected a network with a map (N, {self.feature_dim}, h, w) before its pooling, "
                f"got {shape} from {type(self.network).__name__}"
            )
        return found


class FeatureMap(nn.Module):
    """An encoder that stops before its pooling, for heads that look at places.

    Args:
        encoder: the encoder; its weights are shared, not copied.

    Example:
        >>> FeatureMap(SmallCNN())(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 128, 8, 8])
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to ``(N, feature_dim, h, w)``."""
        return self.encoder.feature_map(images)


class SmallCNN(Encoder):
    """Five 3x3 convolutions with batch normalisation and a global maximum: enough for 32x32 digits.

    The maximum over positions answers "is there such a stroke anywhere?", which is the question that a label
    set asks; a mean would also answer "how much of the image is it?".

    Args:
        in_channels: channels of the image.
        widths: channels after each convolution; the last one is ``feature_dim``. The first and the third
            convolution halve the image.

    Example:
        >>> SmallCNN()(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 128])
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = (16, 32, 48, 64, 128)) -> None:
        layers: list[nn.Module] = []
        channels = _check.count("in_channels", in_channels)
        for depth, width in enumerate(widths):
            stride = 2 if depth in (0, 2) else 1
            layers += [
                nn.Conv2d(channels, _check.count("widths", width), 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        super().__init__(nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten()), channels)

    def feature_map(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to what is pooled, ``(N, feature_dim, H / 4, W / 4)``."""
        assert isinstance(self.network, nn.Sequential)
        found: Tensor = self.network[:-2](_check.tensor("images", images, dims=4))
        return found


def build_encoder(name: str, *, in_channels: int = 3, weights: str | None = None) -> Encoder:
    """Build an encoder by name, without its classifier; its feature size is discovered.

    Args:
        name: ``"small-cnn"``, ``"timm/<model>"`` (such as ``"timm/tresnet_m"``, M2) or
            ``"torchvision/<model>"`` (such as ``"torchvision/resnet18"``).
        in_channels: channels of the image; torchvision's models take 3.
        weights: None for random weights; a pretrained tag of timm (``"miil_in21k_ft_in1k"``) or a weights
            name of torchvision (``"IMAGENET1K_V2"``), which downloads them.

    Returns:
        The encoder, with ``feature_dim``.

    Raises:
        ValueError: for an unknown name or unknown weights (close names are offered), weights for the small
            network, or channels that the backbone cannot take.

    Example:
        >>> build_encoder("small-cnn", in_channels=1).feature_dim
        128
    """
    _check.count("in_channels", in_channels)
    if name == "small-cnn":
        if weights is not None:
            raise ValueError(f"weights: small-cnn has no published weights, expected None, got {weights!r}")
        return SmallCNN(in_channels)
    library, _, model = name.partition("/")
    if library == "timm":
        network = _timm_network(name, model, in_channels, weights)
    elif library == "torchvision":
        network = _torchvision_network(name, model, in_channels, weights)
    else:
        raise ValueError(f"name: expected small-cnn, timm/<model> or torchvision/<model>, got {name!r}")
    return Encoder(network, _feature_dim(network, in_channels))


def _unknown(argument: str, value: str, kind: str, sought: str, known: Iterable[str]) -> ValueError:
    close = ", ".join(difflib.get_close_matches(sought, list(known), n=3)) or "none is close"
    return ValueError(f"{argument}: {value!r} is not a known {kind}; close names: {close}")


def _timm_network(name: str, model: str, in_channels: int, weights: str | None) -> nn.Module:
    if model not in timm.list_models():
        raise _unknown("name", name, "backbone", model, timm.list_models())
    tags = [tagged.partition(".")[2] for tagged in timm.list_pretrained(f"{model}.*")]
    if weights is not None and weights not in tags:
        raise _unknown("weights", weights, f"tag of {name}", weights, tags)
    tagged = model if weights is None else f"{model}.{weights}"
    network: nn.Module = timm.create_model(
        tagged, pretrained=weights is not None, num_classes=0, in_chans=in_channels
    )
    return network


def _torchvision_network(name: str, model: str, in_channels: int, weights: str | None) -> nn.Module:
    if model not in models.list_models(module=models):
        raise _unknown("name", name, "backbone", model, models.list_models(module=models))
    if in_channels != 3:
        raise ValueError(f"in_channels: torchvision's backbones take 3 channels, got {in_channels}")
    known = [*models.get_model_weights(model).__members__, "DEFAULT"]
    if weights is not None and weights not in known:
        raise _unknown("weights", weights, f"set of weights of {name}", weights, known)
    # GoogLeNet and Inception v3 have auxiliary classifiers, and warn that random weights are slow to draw.
    auxiliary = {"aux_logits": False, "init_weights": False} if model in ("googlenet", "inception_v3") else {}
    network: nn.Module = models.get_model(model, weights=weights, **({} if weights else auxiliary))
    for classifier in {"AuxLogits", "aux1", "aux2"} & set(dict(network.named_children())):
        setattr(network, classifier, None)
        setattr(network, "aux_logits", False)  # noqa: B010 - an attribute that nn.Module does not declare
    # The last linear layer is the classifier; squeezenet's is a convolution, and it alone has none.
    linear = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(f"name: expected a backbone with a linear classifier, got {name!r}")
    parent, _, child = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())
    return network


def _feature_dim(network: nn.Module, in_channels: int) -> int:
    """Ask the network itself: libraries name the size differently, and not always truthfully."""
    # timm states the size a network was made for; a few transformers take no other.
    _, height, width = getattr(network, "pretrained_cfg", {}).get("input_size", (3, 224, 224))
    training = network.training
    with torch.no_grad():
        features = network.eval()(torch.zeros(1, in_channels, height, width))
    network.train(training)
    return int(features.shape[1])
