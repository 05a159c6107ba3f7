"""A batch of Gaussian mixtures: the density p(z given x) = sum_k pi_k N(z; mu_k, Sigma_k)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from probmcl import _check


@dataclass(frozen=True, eq=False)  # tensors have no single truth value to compare by
class GaussianMixture:
    """One Gaussian mixture per row: N mixtures of K components in D dimensions (ledger rows M5, M6).

    The covariance of a component is ``sigma_k^2 I`` (isotropic) or ``diag(sigma_k1^2, ..., sigma_kD^2)``
    (diagonal); which of the two follows from the shape of ``sigmas``. Weights are kept as logarithms, and
    every density is computed from logarithms: in 128 dimensions a density under- or overflows float32.

    Attributes:
        log_weights: logarithms of the mixture weights, ``(N, K)``; each row sums to one after exp.
        means: component means, ``(N, K, D)``.
        sigmas: standard deviations above zero, ``(N, K)`` isotropic or ``(N, K, D)`` diagonal.

    Raises:
        ValueError: if the shapes disagree.
        TypeError: for tensors that are not floating-point.

    >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> mixture.log_prob(torch.zeros(1, 2))  # -log(2 pi)
    tensor([-1.8379])
    """

    log_weights: Tensor
    means: Tensor
    sigmas: Tensor

    def __post_init__(self) -> None:
        for name, dims in (("log_weights", 2), ("means", 3), ("sigmas", None)):
            _check.floating(name, _check.tensor(name, getattr(self, name), dims=dims))
        n, k, d = self.means.shape
        _check.shape("log_weights", self.log_weights, (n, k))
        _check.shape("sigmas", self.sigmas, (n, k), (n, k, d))

    def __len__(self) -> int:
        return self.means.shape[0]

    def __getitem__(self, rows: slice | Tensor) -> GaussianMixture:
        return GaussianMixture(*(part[rows] for part in self._parts()))

    def _parts(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.log_weights, self.means, self.sigmas

    @property
    def components(self) -> int:
        """The number K of components."""
        return self.means.shape[1]

    @property
    def dimensions(self) -> int:
        """The number D of dimensions."""
        return self.means.shape[2]

    @property
    def isotropic(self) -> bool:
        """Whether every component has one standard deviation for all dimensions."""
        return self.sigmas.dim() == 2

    @property
    def scale(self) -> Tensor:
        """The standard deviations with a dimension axis: ``(N, K, 1)`` isotropic, ``(N, K, D)`` diagonal."""
        return self.sigmas.unsqueeze(-1) if self.isotropic else self.sigmas

    @staticmethod
    def cat(mixtures: Sequence[GaussianMixture]) -> GaussianMixture:
        """Join mixtures row by row.

        >>> one = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
        >>> len(GaussianMixture.cat([one, one]))
        2
        """
        parts = [
            _check.instance("mixtures", mixture, GaussianMixture)._parts()
            for mixture in _check.several("mixtures", mixtures)
        ]
        if len({tuple(part.shape[1:] for part in each) for each in parts}) > 1:
            raise ValueError("mixtures: expected one shape of components, got several")
        return GaussianMixture(*map(torch.cat, zip(*parts, strict=True)))

    def detach(self) -> GaussianMixture:
        """Return the same mixtures without their gradient history."""
        return GaussianMixture(*(part.detach() for part in self._parts()))

    def to(self, target: torch.device | torch.dtype) -> GaussianMixture:
        """Move every tensor to a device, or convert it to a dtype."""
        return GaussianMixture(*(part.to(target) for part in self._parts()))

    def wide(self) -> GaussianMixture:
        """The mixtures themselves, or half precision as float32."""
        return self if self.means.dtype.itemsize > 2 else GaussianMixture(*map(widened, self._parts()))

    def distribution(self) -> MixtureSameFamily:
        """Return the mixtures as one ``torch.distributions`` object: batch shape N, event shape D."""
        scale = self.scale.expand_as(self.means)
        components = Independent(Normal(self.means, scale, validate_args=False), 1)
        weights = Categorical(logits=self.log_weights, validate_args=False)
        return MixtureSameFamily(weights, components, validate_args=False)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of row i's mixture at row i of ``z`` (M5, M11).

        Args:
            z: points, ``(N, D)``.

        Returns:
            ``log p_i(z_i)``, ``(N,)``, in nats; half precision is computed in float32.

        Raises:
            ValueError: if ``z`` does not have shape ``(N, D)``, or a number is not finite or out of range.
        """
        checked_mixture("", self)
        _check.shape("z", _check.finite("z", z), (len(self), self.dimensions))
        return self._log_prob(z)

    def _log_prob(self, z: Tensor) -> Tensor:
        """:meth:`log_prob` of what has been checked."""
        density: Tensor = self.wide().distribution().log_prob(widened(z))  # type: ignore[no-untyped-call]
        return density

    def mean(self) -> Tensor:
        """The mixtures' means sum_k pi_k mu_k, ``(N, D)``."""
        # No matrix product: under mixed precision one would run in half precision.
        return (self.log_weights.exp().unsqueeze(-1) * self.means).sum(1)

    def within_variance(self) -> Tensor:
        """Mean variance inside the components, summed over dimensions: ``(N,)``.

        within = sum_k pi_k trace(Sigma_k). With :meth:`between_variance` it adds up to the trace of the
        mixture's covariance (law of total variance).

        >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 3), 2 * torch.ones(1, 1))
        >>> mixture.within_variance(), mixture.between_variance()
        (tensor([12.]), tensor([0.]))
        """
        trace = self.scale.expand_as(self.means).square().sum(-1)  # (N, K)
        return (self.log_weights.exp() * trace).sum(-1)

    def between_variance(self) -> Tensor:
        """Variance of the component means around the mixture's mean, summed over dimensions: ``(N,)``.

        between = sum_k pi_k |mu_k - mean|^2. Choi et al. (2018) read it as epistemic uncertainty; whether it
        deserves the name is a question for a test, not for a definition (C2).
        """
        offset = self.means - self.mean().unsqueeze(1)  # (N, K, D)
        return (self.log_weights.exp() * offset.square().sum(-1)).sum(-1)

    def sample(self, n: int, *, generator: torch.Generator | None = None) -> Tensor:
        """Draw ``n`` points from every mixture, without gradient.

        Args:
            n: points per mixture.
            generator: source of randomness; torch's global one by default.

        Returns:
            Points, ``(n, N, D)``.
        """
        _check.count("n", n)
        if generator is not None:
            _check.instance("generator", generator, torch.Generator)
        weights = self.log_weights.detach().exp()
        component = torch.multinomial(weights, n, replacement=True, generator=generator)  # (N, n)
        index = component.unsqueeze(-1).expand(-1, -1, self.dimensions)  # (N, n, D)
        means = self.means.detach().gather(1, index)
        scale = self.scale.detach().expand_as(self.means).gather(1, index)
        noise = torch.empty_like(means).normal_(generator=generator)
        return (means + scale * noise).transpose(0, 1)


def widened(x: Tensor) -> Tensor:
    """Half precision as float32, with a finite gradient: the largest number there is, where it would be more.

    >>> x = torch.tensor(6e4, dtype=torch.float16, requires_grad=True)
    >>> widened(x).square().backward()  # 120,000 is no number in float16
    >>> x.grad
    tensor(65504., dtype=torch.float16)
    """
    if x.dtype.itemsize > 2:
        return x
    wide, limit = x.float(), torch.finfo(x.dtype).max
    if wide.requires_grad:
        wide.register_hook(lambda slope: slope.clamp(-limit, limit))  # type: ignore[no-untyped-call]
    return wide


SIGMAS = (1e-7, 1e7)
"""Range of the standard deviations of a density."""


def checked_mixture(name: str, mixture: object) -> GaussianMixture:
    """The mixtures that an argument holds, if all numbers are finite and all sigmas in range.

    >>> checked_mixture("a", GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.zeros(1, 1)))
    Traceback (most recent call last):
    ...
    ValueError: a.sigmas: expected values in [1e-07, 1e+07], got 0
    """
    checked = _check.instance(name, mixture, GaussianMixture)
    for part in ("log_weights", "means", "sigmas"):
        _check.finite(f"{name}.{part}".removeprefix("."), getattr(checked, part))
    low, high = (extreme.item() for extreme in checked.sigmas.detach().aminmax())
    if not SIGMAS[0] <= low <= high <= SIGMAS[1]:
        expected = f"expected values in [{SIGMAS[0]:g}, {SIGMAS[1]:g}]"
        got = low if low < SIGMAS[0] else high
        raise ValueError(f"{name}.sigmas: {expected}, got {got:g}".removeprefix("."))
    return checked
