"""The deterministic head: the mixture density head's trunk and nothing behind it."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl.model.output import HeadOutput
from probmcl.model.trunk import build_trunk, unit_features


class ProjectionHead(nn.Module):
    """Map a feature to a point on the unit sphere: the ablation of ProbMCL without its mixture.

    It has the trunk of :class:`~probmcl.model.MixtureDensityHead`, so that a comparison of the two asks one
    question: what does the mixture add? Khosla et al. (2020) use such a head for supervised contrastive
    learning.

    Args:
        in_dim: size F of the feature.
        widths: width of every layer; the last one is D.
        activation: put a ReLU between the layers.

    >>> output = ProjectionHead(128, widths=(256, 32))(torch.randn(4, 128))
    >>> output.embedding.shape, output.mixture
    (torch.Size([4, 32]), None)
    """

    def __init__(self, in_dim: int, widths: Sequence[int] = (2048, 128), *, activation: bool = True) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.trunk = build_trunk(in_dim, _check.sizes("widths", widths), activation=activation)

    def forward(self, features: Tensor) -> HeadOutput:
        """Map features ``(N, F)`` to unit embeddings ``(N, D)``."""
        features = unit_features(features, self.in_dim)
        _check.same_dtype("features", features, "the weights", next(self.trunk.parameters()))
        t = self.trunk(features)  # (N, D)
        return HeadOutput(functional.normalize(t, dim=-1))
