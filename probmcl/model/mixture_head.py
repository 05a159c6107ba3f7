"""The mixture density head: a feature becomes a Gaussian mixture with one component per class."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl.model.mixture import SIGMAS, GaussianMixture
from probmcl.model.output import HeadOutput
from probmcl.model.trunk import build_trunk, unit_features


class MixtureDensityHead(nn.Module):
    """Mixture density network (Bishop, 1994) on an encoder's feature: ledger rows M2 to M6.

    The feature h(x) is L2-normalised (M2) and goes through the trunk (M3) to t. Three affine maps of t give
    the mixture (M4): means mu_k, standard deviations sigma_k = ELU(.) + 1 + floor, weights pi = softmax(.).
    The embedding, over whose space the mixtures are densities, is z = t / |t| (M6, our choice).

    Args:
        in_dim: size F of the feature.
        components: number K of components; one per class by default of the method (M5).
        trunk: widths of the trunk; the last one is D.
        activation: put a ReLU between the trunk's layers (M3).
        covariance: ``"isotropic"`` (one sigma per component) or ``"diagonal"`` (one per dimension).
        unit_means: put the means on the unit sphere: a deviation from the affine mu of M4 that bounds the
            distances between components, and that trained more stably in our trials.
        sigma_floor: smallest sigma, in [1e-4, 1e4].
        first_sigma: where all sigmas begin, above ``sigma_floor``: the bias behind sigma is set so, and its
            weights are a tenth of what they were; None leaves the usual random start, about 1.
        weights: ``"softmax"`` (M4), or ``"sigmoid"`` as in the code of KMCL: the affine map behind pi is a
            classifier too, which the output holds as ``logits``, and pi is its sigmoid scaled to sum to one.

    Raises:
        ValueError: for a size below one, an unknown name or a floor out of range.

    >>> head = MixtureDensityHead(128, components=10, trunk=(256, 32))
    >>> output = head(torch.randn(4, 128))
    >>> output.embedding.shape, output.mixture.means.shape, output.mixture.sigmas.shape
    (torch.Size([4, 32]), torch.Size([4, 10, 32]), torch.Size([4, 10]))
    """

    def __init__(
        self,
        in_dim: int,
        components: int,
        *,
        trunk: Sequence[int] = (2048, 128),
        activation: bool = True,
        covariance: str = "isotropic",
        unit_means: bool = True,
        sigma_floor: float = 0.05,
        first_sigma: float | None = None,
        weights: str = "softmax",
    ) -> None:
        super().__init__()
        self.components = _check.count("components", components)
        self.isotropic = _check.one_of("covariance", covariance, ("isotropic", "diagonal")) == "isotropic"
        self.unit_means = _check.flag("unit_means", unit_means)
        self.sigma_floor = _check.number("sigma_floor", sigma_floor, low=SIGMAS[0], high=SIGMAS[1])
        self.classifies = _check.one_of("weights", weights, ("softmax", "sigmoid")) == "sigmoid"
        self.in_dim = in_dim
        widths = _check.sizes("trunk", trunk)
        self.trunk = build_trunk(in_dim, widths, activation=activation)
        dimensions = widths[-1]
        self.mu = nn.Linear(dimensions, components * dimensions)
        self.sigma = nn.Linear(dimensions, components * (1 if self.isotropic else dimensions))
        self.pi = nn.Linear(dimensions, components)
        if first_sigma is not None:
            low = self.sigma_floor
            self._begin(_check.number("first_sigma", first_sigma, low=low, high=SIGMAS[1], above=True) - low)

    @torch.no_grad()
    def _begin(self, height: float) -> None:
        """Let sigmas begin at ``height`` above their floor: the inverse of ELU(.) + 1."""
        self.sigma.weight.mul_(0.1)
        self.sigma.bias.fill_(math.log(height) if height < 1 else height - 1)

    def forward(self, features: Tensor) -> HeadOutput:
        """Map features ``(N, F)`` to unit embeddings ``(N, D)`` and mixtures of K components."""
        features = unit_features(features, self.in_dim)
        _check.same_dtype("features", features, "the weights", next(self.trunk.parameters()))
        t = self.trunk(features)  # (N, D)
        # Mixed precision ends here: half-precision means and sigmas would blur every density.
        with torch.autocast(t.device.type, enabled=False):
            t = t.to(self.mu.weight.dtype)
            means = self.mu(t).view(len(t), self.components, t.shape[1])  # (N, K, D)
            if self.unit_means:
                means = functional.normalize(means, dim=-1)
            sigmas = functional.elu(self.sigma(t)) + 1 + self.sigma_floor  # (N, K) or (N, K * D)
            if not self.isotropic:
                sigmas = sigmas.view_as(means)
            logits = self.pi(t)  # (N, K)
            log_weights = (functional.logsigmoid(logits) if self.classifies else logits).log_softmax(-1)
            mixture = GaussianMixture(log_weights, means, sigmas)
        z = functional.normalize(t, dim=-1)
        return HeadOutput(z, mixture, logits if self.classifies else None, self.sigma_floor)


class MixtureClassifier(nn.Module):
    """The classifier inside a mixture density head with sigmoid weights, as KMCL uses it.

    Args:
        head: a head with ``weights="sigmoid"``; its weights are shared, not copied.

    Raises:
        ValueError: if the head's mixture weights are no classifier.

    >>> head = MixtureDensityHead(16, components=3, trunk=(32, 8), weights="sigmoid")
    >>> MixtureClassifier(head)(torch.randn(4, 16)).shape
    torch.Size([4, 3])
    """

    def __init__(self, head: MixtureDensityHead) -> None:
        super().__init__()
        if not _check.instance("head", head, MixtureDensityHead).classifies:
            raise ValueError('head: expected one with weights="sigmoid", got softmax weights')
        self.head = head

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, F)`` to logits ``(N, K)``."""
        logits = self.head(features).logits
        assert isinstance(logits, Tensor)
        return logits
