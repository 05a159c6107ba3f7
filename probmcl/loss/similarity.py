"""Similarities of Gaussian mixtures: the scores that the contrastive loss divides by its temperature."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from probmcl import _check
from probmcl.loss.anchor_sum import TILE_ELEMENTS
from probmcl.loss.bhattacharyya import log_matched_coefficient, numbers_per_pair
from probmcl.loss.gaussian_kernel import Components, log_kernel, log_self_kernel, slices
from probmcl.model import GaussianMixture

SIMILARITIES = (
    "log_expected_likelihood",
    "expected_likelihood",
    "log_bhattacharyya",
    "bhattacharyya",
    "mean_cosine",
)
"""Names of the similarities of mixtures (M10)."""


def similarity_scores(name: str, a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """The score of every pair of mixtures under the similarity ``name`` (M10).

    Args:
        name: one of :data:`SIMILARITIES`; those without ``log_`` are the same similarity in (0, 1].
        a: N mixtures.
        b: M mixtures; ``a`` again by default.

    Returns:
        Scores, ``(N, M)``. Divided by the temperature they are the logits of the contrastive loss.

    Raises:
        ValueError: for an unknown name, or mixtures of different dimensions or covariance forms.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
        >>> similarity_scores("expected_likelihood", mixture)
        tensor([[1.0000, 0.6065],
                [0.6065, 1.0000]])
    """
    _check.one_of("name", name, SIMILARITIES)
    if name == "mean_cosine":
        return mean_cosine(a, b)
    log_similarity = log_expected_likelihood if name.endswith("expected_likelihood") else log_bhattacharyya
    scores = log_similarity(a, b)
    return scores if name.startswith("log_") else scores.exp()


def log_expected_likelihood_kernel(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Log of the expected likelihood kappa_ij, the integral of p_i(z) p_j(z) dz (M10).

    kappa_ij = sum_k sum_l pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl) (Jebara et al., 2004): an inner
    product of two densities, so a valid kernel. It is computed from logarithms, in tiles, exactly.

    Args:
        a: N mixtures, isotropic or diagonal, finite.
        b: M mixtures of the same form; ``a`` again by default.

    Returns:
        ``log kappa``, ``(N, M)``, in nats. Half precision is computed in float32. In float32 the error
        relative to max(1, |log kappa|) stays below 2e-5 for sigma in [0.05, 3].

    Raises:
        ValueError: if dimensions or covariance forms differ, or a parameter is NaN or infinite.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
        >>> log_expected_likelihood_kernel(mixture)  # -log(4 pi)
        tensor([[-2.5310]])
    """
    first, second = _pair(a, b)
    with torch.autocast(first.means.device.type, enabled=False):
        return log_kernel(_components(first), None if b is None else _components(second))


def log_expected_likelihood(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Log of the normalised expected likelihood (M10, our choice).

    Sim_ij = kappa_ij / sqrt(kappa_ii kappa_jj). By Cauchy-Schwarz Sim lies in (0, 1], and it is 1 for two
    equal mixtures. Its logarithm is our default
    score: in 128 dimensions Sim itself is 0 to float32's precision for all but the closest pairs, and so is
    its gradient.

    Args:
        a: N mixtures.
        b: M mixtures; ``a`` again by default.

    Returns:
        ``log Sim``, ``(N, M)``, at most 0. In float32 and with unit means the error measured grows as
        2e-7 / sigma^2 nats: 1e-4 at sigma 0.05, 0.14 at 0.001.

    Raises:
        ValueError: as :func:`log_expected_likelihood_kernel`.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
        >>> log_expected_likelihood(mixture)  # -|mu_i - mu_j|^2 / 4
        tensor([[ 0.0000, -0.5000],
                [-0.5000,  0.0000]])
    """
    return normalised(*kernel_parts(a, b))


def kernel_parts(a: GaussianMixture, b: GaussianMixture | None) -> tuple[Tensor, Tensor, Tensor]:
    """``log kappa_ij`` ``(N, M)``, ``log kappa_ii`` ``(N,)`` and ``log kappa_jj`` ``(M,)``."""
    first, second = _pair(a, b)
    with torch.autocast(first.means.device.type, enabled=False):
        if b is None:
            log_k = log_kernel(_components(first))
            return log_k, log_k.diagonal(), log_k.diagonal()
        sides = _components(first), _components(second)
        return log_kernel(*sides), log_self_kernel(sides[0]), log_self_kernel(sides[1])


def normalised(log_k: Tensor, self_a: Tensor, self_b: Tensor) -> Tensor:
    """``log kappa_ij - (log kappa_ii + log kappa_jj) / 2``, ``(N, M)``, a new tensor."""
    # Above 0 there is only rounding; for tiny sigmas it would put a near copy above the mixture itself.
    return (log_k - (self_a.unsqueeze(1) + self_b) / 2).clamp(max=0)


def log_bhattacharyya(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Log of the matched Bhattacharyya similarity (M10, a switch).

    Sim_ij = sum_k sqrt(pi_ik pi_jk) BC(N_ik, N_jk): component k is compared with component k only. By
    Cauchy-Schwarz it bounds the mixtures' true Bhattacharyya coefficient from below, and it costs K times
    less than the expected likelihood. For two Gaussians, with v = (Sigma_1 + Sigma_2) / 2,

        log BC = -|mu_1 - mu_2|^2_{v^-1} / 8 - log(det v / sqrt(det Sigma_1 det Sigma_2)) / 2.

    Args:
        a: N mixtures of K components.
        b: M mixtures of K components; ``a`` again by default.

    Returns:
        ``log Sim``, ``(N, M)``, at most 0 up to rounding.

    Raises:
        ValueError: if the numbers of components, dimensions or covariance forms differ, or a parameter is NaN
            or infinite.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
        >>> log_bhattacharyya(mixture)  # -|mu_i - mu_j|^2 / 8
        tensor([[ 0.0000, -0.2500],
                [-0.2500,  0.0000]])
    """
    first, second = matched_pair(a, b)
    size = max(1, TILE_ELEMENTS // (len(second.means) * numbers_per_pair(second)))

    def tile(*tensors: Tensor) -> Tensor:
        return log_matched_coefficient(Components(*tensors[:3]), Components(*tensors[3:]))

    with torch.autocast(first.means.device.type, enabled=False):
        tiles = [first.rows(rows) for rows in slices(0, len(first.means), size)]
        # The backward pass computes each tile again, so that only the (N, M) result is kept.
        return torch.cat([checkpoint(tile, *part, *second, use_reentrant=False) for part in tiles])


def mean_cosine(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Cosine of the mixtures' means, ``(N, M)`` in [-1, 1]: no variances, the deterministic ablation (M10).

    Raises:
        ValueError: if dimensions or covariance forms differ, or a parameter is NaN or infinite.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
        >>> mean_cosine(mixture)
        tensor([[1., 0.],
                [0., 1.]])
    """
    return cosine_similarity(*mixture_means(a, b))


def cosine_similarity(a: Tensor, b: Tensor | None = None) -> Tensor:
    """Cosine of every pair of embeddings, in [-1, 1].

    Args:
        a: embeddings, ``(N, D)``.
        b: embeddings, ``(M, D)``; ``a`` again by default.

    Returns:
        Cosines, ``(N, M)``; half precision is computed in float32.

    Raises:
        ValueError: if an embedding is NaN or infinite, or the dimensions differ.

    Example:
        >>> cosine_similarity(torch.eye(2))
        tensor([[1., 0.],
                [0., 1.]])
    """
    first = _check.finite("a", a, dims=2)
    second = first if b is None else _check.finite("b", b, dims=2)
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"b: expected {first.shape[1]} dimensions as in a, got {second.shape[1]}")
    with torch.autocast(first.device.type, enabled=False):
        return unit_rows(first) @ unit_rows(second).T


def unit_rows(z: Tensor) -> Tensor:
    """Embeddings ``(N, D)`` divided by their lengths; half precision is computed in float32."""
    return functional.normalize(z.to(torch.promote_types(z.dtype, torch.float32)), dim=-1)


def check_mixture(name: str, mixture: GaussianMixture) -> None:
    """Raise unless all numbers of the mixtures are finite and all sigmas above zero."""
    for part in ("log_weights", "means", "sigmas"):
        _check.finite(f"{name}.{part}", getattr(mixture, part))
    if not (mixture.sigmas > 0).all():
        raise ValueError(f"{name}.sigmas: expected values above 0, got {mixture.sigmas.min().item():g}")


def _pair(a: GaussianMixture, b: GaussianMixture | None) -> tuple[GaussianMixture, GaussianMixture]:
    """Check both mixtures and widen half precision to float32."""
    first, second = a, a if b is None else b
    for name, mixture in (("a", first), ("b", second)):
        check_mixture(name, mixture)
    if first.dimensions != second.dimensions:
        raise ValueError(f"b: expected {first.dimensions} dimensions as in a, got {second.dimensions}")
    if first.isotropic != second.isotropic:
        raise ValueError("b: expected the covariance form of a (both isotropic or both diagonal)")
    wide = torch.promote_types(first.means.dtype, torch.float32)
    return first.to(wide), second.to(wide)


def mixture_means(a: GaussianMixture, b: GaussianMixture | None) -> tuple[Tensor, Tensor]:
    """Means of the mixtures in two checked batches, ``(N, D)`` and ``(M, D)``."""
    first, second = _pair(a, b)
    return first.mean(), second.mean()


def matched_pair(a: GaussianMixture, b: GaussianMixture | None) -> tuple[Components, Components]:
    """Two checked batches of mixtures with equally many components."""
    first, second = _pair(a, b)
    if first.components != second.components:
        raise ValueError(f"b: expected {first.components} components as in a, got {second.components}")
    return _components(first), _components(second)


def _components(mixture: GaussianMixture) -> Components:
    return Components(mixture.log_weights, mixture.means, mixture.sigmas.square())
