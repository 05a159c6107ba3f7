"""Similarities of Gaussian mixtures: the scores that the contrastive loss divides by its temperature."""

import torch
from torch import Tensor
from torch.nn import functional

from probmcl import _check
from probmcl.loss.anchor_sum import LazyLogits
from probmcl.loss.gaussian_kernel import log_kernels, refuse_transforms
from probmcl.model import GaussianMixture
from probmcl.model.mixture import checked_mixture, widened

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
        Scores, ``(N, M)``; half precision is computed in float32. Divided by the temperature they are the
        logits of the contrastive loss.

    Raises:
        ValueError: for an unknown name, mixtures of different dimensions or covariance forms, of different
            numbers of components where component k is compared with component k, or a parameter that is NaN
            or infinite.

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> similarity_scores("expected_likelihood", mixture)
    tensor([[1.0000, 0.6065],
            [0.6065, 1.0000]])
    """
    _check.one_of("name", name, SIMILARITIES)
    first, second = _checked_pair(a, b)
    if second is not None and name.endswith("bhattacharyya"):
        _check.alike("b", second.components, "a", first.components, "components")
    return mixture_logits(name, first, second, temperature=1.0).matrix()


def mixture_logits(
    name: str, a: GaussianMixture, b: GaussianMixture | None, temperature: float
) -> LazyLogits:
    """Scores of checked mixtures under the similarity ``name``, divided by the temperature, still to be made.

    The anchors are the A mixtures ``a``, scored with the M of ``b``, or with each other if that is None.
    """
    others = a if b is None else b
    if name == "mean_cosine":
        rows = others.mean()
        return cosine_logits(rows if b is None else a.mean(), rows, temperature)
    of_kernels = name.endswith("expected_likelihood")

    def of_tile(*tensors: Tensor) -> Tensor:
        scores = (_normalised if of_kernels else _log_matched)(*tensors)
        return (scores if name.startswith("log_") else scores.exp()) / temperature

    if of_kernels:
        log_k, self_a, self_b = log_kernels(a, b)
        return LazyLogits(of_tile, len(others), (log_k, self_a), (self_b,))
    parts_a, parts_b = ((m.log_weights, m.means, m.sigmas.square()) for m in (a, others))
    return LazyLogits(of_tile, len(others), parts_a, parts_b, numbers=others.sigmas[0].numel())


def cosine_logits(anchors: Tensor, rows: Tensor, temperature: float) -> LazyLogits:
    """Cosines of embeddings ``(A, D)`` and ``(M, D)`` over the temperature; half precision as float32."""
    unit = functional.normalize(widened(rows), dim=-1)
    first = unit if anchors is rows else functional.normalize(widened(anchors), dim=-1)
    return LazyLogits(torch.mm, len(rows), (first / temperature,), (unit.T,))


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

    >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> log_expected_likelihood_kernel(mixture)  # -log(4 pi)
    tensor([[-2.5310]])
    """
    return log_kernels(*_checked_pair(a, b))[0]


def log_expected_likelihood(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Log of the normalised expected likelihood (M10, our choice).

    Sim_ij = kappa_ij / sqrt(kappa_ii kappa_jj). By Cauchy-Schwarz Sim lies in (0, 1], and it is 1 for two
    equal mixtures. Its logarithm is our default score: in 128 dimensions Sim itself is 0 to float32's
    precision for all but the closest pairs, and so is its gradient.

    Args:
        a: N mixtures.
        b: M mixtures; ``a`` again by default.

    Returns:
        ``log Sim``, ``(N, M)``, at most 0. In float32 and with unit means the error measured grows as
        2e-7 / sigma^2 nats: 1e-4 at sigma 0.05, 0.14 at 0.001.

    Raises:
        ValueError: as :func:`log_expected_likelihood_kernel`.

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> log_expected_likelihood(mixture)  # -|mu_i - mu_j|^2 / 4
    tensor([[ 0.0000, -0.5000],
            [-0.5000,  0.0000]])
    """
    return similarity_scores("log_expected_likelihood", a, b)


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

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> log_bhattacharyya(mixture)  # -|mu_i - mu_j|^2 / 8
    tensor([[ 0.0000, -0.2500],
            [-0.2500,  0.0000]])
    """
    return similarity_scores("log_bhattacharyya", a, b)


def mean_cosine(a: GaussianMixture, b: GaussianMixture | None = None) -> Tensor:
    """Cosine of the mixtures' means, ``(N, M)`` in [-1, 1]: no variances, the deterministic ablation (M10).

    Raises:
        ValueError: if dimensions or covariance forms differ, or a parameter is NaN or infinite.

    >>> mixture = GaussianMixture(torch.zeros(2, 1), torch.eye(2).unsqueeze(1), torch.ones(2, 1))
    >>> mean_cosine(mixture)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return similarity_scores("mean_cosine", a, b)


def cosine_similarity(a: Tensor, b: Tensor | None = None) -> Tensor:
    """Cosine of every pair of embeddings, in [-1, 1].

    Args:
        a: embeddings, ``(N, D)``.
        b: embeddings, ``(M, D)``; ``a`` again by default.

    Returns:
        Cosines, ``(N, M)``; half precision is computed in float32.

    Raises:
        ValueError: if an embedding is NaN or infinite, or the dimensions differ.

    >>> cosine_similarity(torch.eye(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    first = _check.finite("a", a, dims=2)
    second = first if b is None else _check.finite("b", b, dims=2)
    _check.same_dtype("b", second, "a", first)
    _check.alike("b", second.shape[1], "a", first.shape[1], "dimensions")
    return cosine_logits(first, second, temperature=1.0).matrix()


def wide_mixture(name: str, mixture: GaussianMixture) -> GaussianMixture:
    """The mixtures that an argument holds, checked, half precision as float32."""
    refuse_transforms()
    return checked_mixture(name, mixture).wide()


def _checked_pair(
    a: GaussianMixture, b: GaussianMixture | None
) -> tuple[GaussianMixture, GaussianMixture | None]:
    first = wide_mixture("a", a)
    if b is None:
        return first, None
    second = wide_mixture("b", b)
    _check.same_dtype("b", second.means, "a", first.means)
    _check.alike("b", second.dimensions, "a", first.dimensions, "dimensions")
    if first.isotropic != second.isotropic:
        raise ValueError("b: expected the covariance form of a (both isotropic or both diagonal)")
    return first, second


def _normalised(log_k: Tensor, self_a: Tensor, self_b: Tensor) -> Tensor:
    """``log kappa_ij - (log kappa_ii + log kappa_jj) / 2``, ``(T, M)``, a new tensor."""
    # Above 0 there is only rounding; for tiny sigmas it would put a near copy above the mixture itself.
    return (log_k - (self_a.unsqueeze(1) + self_b) / 2).clamp(max=0)


def _log_matched(*tensors: Tensor) -> Tensor:
    """Matched similarity log sum_k sqrt(pi_ik pi_jk) BC(N_ik, N_jk) of every pair of mixtures, ``(T, M)``.

    From log weights, means and variances of both sides. On the way stands one tensor ``(K, T, M)``, or
    ``(K, T, M, D)`` with diagonal covariances: a tile's worth.
    """
    # Components first: (K, T), (K, T, D), (K, T[, D]) and the same with M.
    weights_a, first, variances_a, weights_b, second, variances_b = (x.transpose(0, 1) for x in tensors)
    log_coefficients = log_bhattacharyya_coefficients(first, variances_a, second, variances_b)
    return (log_coefficients + (weights_a.unsqueeze(2) + weights_b.unsqueeze(1)) / 2).logsumexp(0)


def log_bhattacharyya_coefficients(
    first: Tensor, variances_a: Tensor, second: Tensor, variances_b: Tensor
) -> Tensor:
    """Log BC of T Gaussians with M others, for each of K components: ``(K, T, M)``.

    From means ``(K, T, D)`` and variances ``(K, T[, D])`` and the same with M. With V = Sigma_1 + Sigma_2,

        log BC = -|mu_1 - mu_2|^2_{V^-1} / 4 - log(det(V / 2) / sqrt(det Sigma_1 det Sigma_2)) / 2.
    """
    variance = variances_a.unsqueeze(2) + variances_b.unsqueeze(1)  # (K, T, M[, D])
    # The logarithm of the volumes' ratio before any sum: its parts are large and nearly cancel.
    log_ratio = (variance / 2).log() - (variances_a.log().unsqueeze(2) + variances_b.log().unsqueeze(1)) / 2
    if variance.dim() == 3:
        # Differences, not a Gram matrix: a mixture is as similar to its copy as to itself, to the last digit.
        distance = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist").square()
        return -distance / variance / 4 - log_ratio * (first.shape[-1] / 2)
    offset = first.unsqueeze(2) - second.unsqueeze(1)  # (K, T, M, D)
    return (-offset.square() / variance / 4 - log_ratio / 2).sum(-1)
