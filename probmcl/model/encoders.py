"""An image becomes a feature: a small network for digits, any timm or torchvision backbone by name."""

import difflib
from collections.abc import Callable, Iterable, Sequence

import timm
import torch
from torch import Tensor, nn
from torchvision import models

from probmcl import _check
from probmcl._modes import evaluating


class Encoder(nn.Module):
    """An image network without its classifier: images ``(N, C, H, W)`` become features ``(N, feature_dim)``.

    Args:
        network: a module that returns one feature vector an image.
        feature_dim: size of that vector.
    """

    def __init__(self, network: nn.Module, feature_dim: int) -> None:
        super().__init__()
        self.network = _check.instance("network", network, nn.Module)
        self.feature_dim = _check.count("feature_dim", feature_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to features ``(N, feature_dim)``."""
        return _features(self.network, images)

    def feature_map(self, images: Tensor) -> Tensor:
        """What stands before the pooling: images ``(N, C, H, W)`` become maps ``(N, feature_dim, h, w)``.

        Raises:
            ValueError: if the network has no such map. The small network has one, and so have timm's
                convolutional networks without a layer between pooling and classifier (its ResNets, TResNets).

        >>> SmallCNN().feature_map(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 128, 8, 8])
        """
        spatial = getattr(self.network, "forward_features", None)
        found = None if spatial is None else _features(spatial, images)
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

    >>> FeatureMap(SmallCNN())(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 128, 8, 8])
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = _check.instance("encoder", encoder, Encoder)

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

    >>> SmallCNN()(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 128])
    """

    def __init__(self, in_channels: int = 1, widths: Sequence[int] = (16, 32, 48, 64, 128)) -> None:
        layers: list[nn.Module] = []
        channels = _check.count("in_channels", in_channels)
        for depth, width in enumerate(_check.sizes("widths", widths)):
            stride = 2 if depth in (0, 2) else 1
            layers += [
                nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        super().__init__(nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten()), channels)

    def feature_map(self, images: Tensor) -> Tensor:
        """Map images ``(N, C, H, W)`` to what is pooled, ``(N, feature_dim, H / 4, W / 4)``."""
        assert isinstance(self.network, nn.Sequential)
        return _features(self.network[:-2], images)


class FeatureMLP(Encoder):
    """A correction to the features of a frozen encoder: ``h + MLP(LayerNorm(h))``.

    The last layer starts at zero, so that training starts at the frozen feature itself.

    Args:
        features: entries F of a feature; an image is one pixel with F channels. Also ``feature_dim``.
        hidden: width of the hidden layer.

    >>> frozen = torch.randn(2, 1280, 1, 1)
    >>> torch.equal(FeatureMLP(1280)(frozen), frozen.flatten(1))
    True
    """

    def __init__(self, features: int, hidden: int = 512) -> None:
        last = nn.Linear(_check.count("hidden", hidden), _check.count("features", features))
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        correction = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, hidden), nn.ReLU(), last)
        super().__init__(nn.Sequential(nn.Flatten(), _Residual(correction)), features)


def _features(network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    """What a network makes of images; if it cannot, an error that says which they were."""
    _check.tensor("images", images, dims=4)
    try:
        return network(images)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, AssertionError) as error:  # timm's networks assert their size
        got = f"{images.dtype} of shape {tuple(images.shape)}"
        raise ValueError(f"images: expected images that the network takes, got {got} ({error})") from error


class _Residual(nn.Module):
    def __init__(self, correction: nn.Module) -> None:
        super().__init__()
        self.correction = correction

    def forward(self, features: Tensor) -> Tensor:
        corrected: Tensor = features + self.correction(features)
        return corrected


def build_encoder(name: str, *, in_channels: int = 3, weights: str | None = None) -> Encoder:
    """Build an encoder by name, without its classifier; its feature size is discovered.

    Args:
        name: ``"small-cnn"``, ``"feature-mlp"`` (for features), ``"timm/<model>"`` (such as
            ``"timm/tresnet_m"``, M2) or ``"torchvision/<model>"`` (such as ``"torchvision/resnet18"``).
        in_channels: channels of the image; torchvision's models take 3. Of features, entries.
        weights: None for random weights; a pretrained tag of timm (``"miil_in21k_ft_in1k"``) or a weights
            name of torchvision (``"IMAGENET1K_V2"``), which downloads them.

    Returns:
        The encoder, with ``feature_dim``.

    Raises:
        ValueError: for an unknown name or unknown weights (close names are offered), weights for a network
            of our own, or channels that the backbone cannot take.

    >>> build_encoder("small-cnn", in_channels=1).feature_dim
    128
    """
    _check.count("in_channels", in_channels)
    if weights is not None:
        check_weights(name, weights)
    published_weights(name)  # knows the names
    if name in OWN:
        return OWN[name](in_channels)
    library, _, model = name.partition("/")
    if library == "timm":
        tagged, pretrained = (model, False) if weights is None else (f"{model}.{weights}", True)
        network: nn.Module = timm.create_model(tagged, pretrained, num_classes=0, in_chans=in_channels)
    else:
        network = _torchvision_network(model, in_channels, weights)
    return Encoder(network, _feature_dim(network, in_channels))


OWN: dict[str, Callable[[int], Encoder]] = {"small-cnn": SmallCNN, "feature-mlp": FeatureMLP}
"""Networks of our own, by name; each takes the number of channels."""


def published_weights(name: str) -> list[str]:
    """Return the names of the weights that an encoder can start from.

    The name and its errors are those of :func:`build_encoder`.

    >>> published_weights("torchvision/resnet18")
    ['IMAGENET1K_V1', 'DEFAULT']
    """
    library, _, model = _check.instance("name", name, str).partition("/")
    if name in OWN:
        return []
    if library not in ("timm", "torchvision"):
        known = f"{', '.join(OWN)}, timm/<model> or torchvision/<model>"
        raise ValueError(f"name: expected {known}, got {name!r}")
    backbones = timm.list_models() if library == "timm" else models.list_models(module=models)
    if model not in backbones:
        raise _unknown("name", name, "backbone", model, backbones)
    if library == "timm":
        return [tagged.partition(".")[2] for tagged in timm.list_pretrained(f"{model}.*")]
    return list(models.get_model_weights(model).__members__)


def check_weights(name: str, weights: str) -> None:
    """Raise unless an encoder has published weights of that name; nothing is built or downloaded.

    Names, weights and errors are those of :func:`build_encoder`.

    >>> check_weights("timm/tresnet_m", "miil_in22k")
    Traceback (most recent call last):
    ...
    ValueError: weights: 'miil_in22k' is not a known tag of timm/tresnet_m; close names: miil_in21k...
    """
    known = published_weights(name)
    _check.instance("weights", weights, str)
    if not known:
        raise ValueError(f"weights: {name} has no published weights, expected None, got {weights!r}")
    if weights not in known:
        kind = "tag" if name.startswith("timm/") else "set of weights"
        raise _unknown("weights", weights, f"{kind} of {name}", weights, known)


def _unknown(argument: str, value: str, kind: str, sought: str, known: Iterable[str]) -> ValueError:
    close = ", ".join(difflib.get_close_matches(sought, list(known), n=3)) or "none is close"
    return ValueError(f"{argument}: {value!r} is not a known {kind}; close names: {close}")


def _torchvision_network(model: str, in_channels: int, weights: str | None) -> nn.Module:
    if in_channels != 3:
        raise ValueError(f"in_channels: torchvision's backbones take 3 channels, got {in_channels}")
    # GoogLeNet and Inception v3 have auxiliary classifiers, and warn that random weights are slow to draw.
    auxiliary = {"aux_logits": False, "init_weights": False} if model in ("googlenet", "inception_v3") else {}
    network: nn.Module = models.get_model(model, weights=weights, **({} if weights else auxiliary))
    for classifier in {"AuxLogits", "aux1", "aux2"} & set(dict(network.named_children())):
        setattr(network, classifier, None)
        setattr(network, "aux_logits", False)  # noqa: B010 - an attribute that nn.Module does not declare
    # The last linear layer is the classifier; squeezenet's is a convolution, and it alone has none.
    linear = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ValueError(f"name: expected a backbone with a linear classifier, got 'torchvision/{model}'")
    parent, _, child = linear[-1].rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())
    return network


def _feature_dim(network: nn.Module, in_channels: int) -> int:
    """Ask the network itself: libraries name the size differently, and not always truthfully."""
    # timm states the size a network was made for; a few transformers take no other.
    _, height, width = getattr(network, "pretrained_cfg", {}).get("input_size", (3, 224, 224))
    with evaluating(network), torch.no_grad():
        features = network(torch.zeros(1, in_channels, height, width))
    return int(features.shape[1])
