"""Mistakes that the checkers of mixtures know: each a wrong way to an answer, and its hint."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from probmcl_book import reference
from probmcl_book.course.comparison import Mistake
from probmcl_book.reference import Mixture

LOG_TWO_PI = math.log(2 * math.pi)


def rows_log_normal(z: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
    """Log N(z_n; mean_n, sigma_n^2 I), (N,)."""
    rows = [reference.log_normal(*row) for row in zip(z, mean, sigma, strict=True)]
    return torch.tensor(rows, dtype=torch.float64)


def _normal_with(
    *,
    square: float = 1.0,
    log_sigma: float = 0.0,
    constant: float = 0.5,
    half: float = 0.5,
    logs: float = 1.0,
) -> Callable[..., Tensor]:
    """Log N with its parts changed; ``log_sigma`` 0 stands for D, ``logs`` is a factor of the term in it."""

    def wrong(z: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
        dims = z.shape[1]
        distance = (z - mean).double().square().sum(1) / sigma.double() ** (2 * square)
        in_log_sigma = logs * (log_sigma or dims) * sigma.double().log()
        return -half * distance - in_log_sigma - constant * dims * LOG_TWO_PI

    return wrong


NORMAL = (
    Mistake("The distance is divided by sigma; it should be sigma squared.", _normal_with(square=0.5)),
    Mistake("sigma is taken for the variance: it is the standard deviation.",
            _normal_with(square=0.5, logs=0.5)),
    Mistake("The normaliser lacks D log sigma.", _normal_with(logs=0.0)),
    Mistake("The normaliser is missing: D log sigma and D/2 log(2 pi).",
            _normal_with(logs=0.0, constant=0.0)),
    Mistake("log sigma stands once; in D dimensions it stands D times.", _normal_with(log_sigma=1.0)),
    Mistake("The constant D/2 log(2 pi) is missing.", _normal_with(constant=1e-300)),
    Mistake("The constant is D/2 log(2 pi), not 1/2 log(2 pi).",
            lambda z, mean, sigma: rows_log_normal(z, mean, sigma) + (z.shape[1] - 1) / 2 * LOG_TWO_PI),
    Mistake("The factor 1/2 in front of the distance is missing.", _normal_with(half=1.0)),
    Mistake("D is the number of dimensions, the size of the last axis, not the number of rows.",
            lambda z, mean, sigma: rows_log_normal(z, mean, sigma)
            + (z.shape[1] - len(z)) * (sigma.log() + LOG_TWO_PI / 2)),
    Mistake("This is the density; return its logarithm.",
            lambda z, mean, sigma: rows_log_normal(z, mean, sigma).exp()),
    Mistake("The density underflows before the logarithm: write the logarithm down directly.",
            lambda z, mean, sigma: rows_log_normal(z, mean, sigma).exp().log()),
)  # fmt: skip


def _log_components(means: Tensor, sigmas: Tensor, z: Tensor) -> Tensor:
    """Log N(z_n; mu_nk, sigma_nk^2 I), (N, K)."""
    dims = z.shape[-1]
    distance = (z[:, None] - means).double().square().sum(2)
    s = sigmas.double()
    return -0.5 * distance / s**2 - dims * s.log() - dims / 2 * LOG_TWO_PI


def _components_with(
    combine: Callable[[Tensor, Tensor], Tensor],
) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    return lambda w, mu, s, z: combine(w.double(), _log_components(mu, s, z))


_linear_log_prob = _components_with(lambda w, log_n: (w.exp() * log_n.exp()).sum(1).log())

PROB = (
    Mistake("Densities are multiplied or added in linear space and underflow. Use torch.logsumexp.",
            _linear_log_prob),
    Mistake("The weights are missing: add log_weights before the logsumexp.",
            _components_with(lambda w, log_n: log_n.logsumexp(1))),
    Mistake("The weights multiply the logarithms. In log space add log_weights.",
            _components_with(lambda w, log_n: (w.exp() * log_n).sum(1))),
    Mistake("The weights are not in logarithms where they are added.",
            _components_with(lambda w, log_n: (w.exp() + log_n).logsumexp(1))),
    Mistake("The logsumexp runs over the wrong axis: sum over the K components of a row.",
            _components_with(lambda w, log_n: (w + log_n).logsumexp(0))),
    Mistake("This is a mean over components: the weights sum to one already, so it is a sum.",
            _components_with(lambda w, log_n: (w + log_n).logsumexp(1) - math.log(w.shape[1]))),
    Mistake("Only the largest component is kept: this is max, not logsumexp.",
            _components_with(lambda w, log_n: (w + log_n).max(1).values)),
)  # fmt: skip


def parameters_of(
    raw_weights: Tensor, raw_means: Tensor, raw_sigmas: Tensor, floor: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Log weights, unit means and widths out of raw outputs."""
    return (
        raw_weights.log_softmax(1),
        functional.normalize(raw_means, dim=2),
        functional.elu(raw_sigmas) + 1 + floor,
    )


def _one_changed(
    position: int, change: Callable[[Tensor, float], Tensor]
) -> Callable[..., tuple[Tensor, ...]]:
    def wrong(*raw: Any) -> tuple[Tensor, ...]:
        right = list(parameters_of(*raw))
        right[position] = change(raw[position], raw[3])
        return tuple(right)

    return wrong


PARAMETER = (
    Mistake("The softmax runs over the wrong axis: the weights of one row sum to one.",
            _one_changed(0, lambda raw, floor: raw.log_softmax(0))),
    Mistake("The weights come as probabilities; return their logarithms, from log_softmax.",
            _one_changed(0, lambda raw, floor: raw.softmax(1))),
    Mistake("log(softmax) underflows for very unequal weights: use log_softmax.",
            _one_changed(0, lambda raw, floor: raw.softmax(1).log())),
    Mistake("ELU reaches down to -1: sigma needs ELU + 1.",
            _one_changed(2, lambda r, f: functional.elu(r) + f)),
    Mistake("This is softplus: sigma is ELU + 1 + floor.",
            _one_changed(2, lambda raw, floor: functional.softplus(raw) + floor)),
    Mistake("This is an exponential: sigma is ELU + 1 + floor.",
            _one_changed(2, lambda raw, floor: raw.exp() + floor)),
    Mistake("The floor is missing.", _one_changed(2, lambda raw, floor: functional.elu(raw) + 1)),
    Mistake("The floor is added, not a lower clamp: below it the gradient would be zero.",
            _one_changed(2, lambda raw, floor: (functional.elu(raw) + 1).clamp(min=floor))),
    Mistake("The means are not on the unit sphere.", _one_changed(1, lambda raw, floor: raw)),
    Mistake("The means are normalised over the wrong axis: each mean, over D, has length one.",
            _one_changed(1, lambda raw, floor: functional.normalize(raw, dim=1))),
)  # fmt: skip


def _log_kernel(
    log_weights: Tensor,
    means: Tensor,
    sigmas: Tensor,
    *,
    add: Callable[[Tensor, Tensor], Tensor] = lambda s, t: s**2 + t**2,
    times: int = 1,
) -> Tensor:
    """Log pi_ik pi_jl N(mu_ik; mu_jl, diag v) for every pair of components: (N, N, K, K)."""
    s = sigmas.double() if sigmas.dim() == 3 else sigmas.double()[..., None].expand_as(means)
    variance = add(s[:, None, :, None], s[None, :, None, :])
    square = (means[:, None, :, None] - means[None, :, None, :]).double().square()
    log_pi = (log_weights[:, None, :, None] + log_weights[None, :, None, :]).double()
    return log_pi - 0.5 * (square / variance + times * (variance.log() + LOG_TWO_PI)).sum(-1)


def _normalised(log_kernel: Tensor, factor: float = 0.5) -> Tensor:
    own = log_kernel.diagonal()
    return log_kernel - factor * (own[:, None] + own[None])


_OF_PAIRS = (
    Mistake("The widths are added before they are squared: variances add, sigma_i^2 + sigma_j^2.",
            lambda w, mu, s: _log_kernel(w, mu, s, add=lambda a, b: (a + b) ** 2).logsumexp((2, 3))),
    Mistake("The widths are added as they are: it is their squares that add, sigma_i^2 + sigma_j^2.",
            lambda w, mu, s: _log_kernel(w, mu, s, add=lambda a, b: a + b).logsumexp((2, 3))),
    Mistake("The weights are missing: add both log_weights before the logsumexp.",
            lambda w, mu, s: _log_kernel(torch.zeros_like(w), mu, s).logsumexp((2, 3))),
    Mistake("Component k meets only component k: the sum runs over all pairs of components.",
            lambda w, mu, s: _log_kernel(w, mu, s).diagonal(dim1=2, dim2=3).logsumexp(-1)),
    Mistake("Densities are added in linear space and underflow. Use torch.logsumexp.",
            lambda w, mu, s: _log_kernel(w, mu, s).exp().sum((2, 3)).log()),
    Mistake("The normaliser of the Gaussian is missing: it depends on the widths of the pair.",
            lambda w, mu, s: _log_kernel(w, mu, s, times=0).logsumexp((2, 3))),
)  # fmt: skip

KERNEL = (
    *_OF_PAIRS,
    Mistake("This is log Sim; log kappa is not normalised.",
            lambda w, mu, s: _normalised(_log_kernel(w, mu, s).logsumexp((2, 3)))),
    Mistake(
        "The factor D stands before a sum over D: sum the logarithms of the variances over the dimensions.",
        lambda w, mu, s: _log_kernel(w, mu, s, times=mu.shape[2] if s.dim() == 3 else 1).logsumexp((2, 3)),
    ),
    Mistake("This is kappa; return its logarithm.",
            lambda w, mu, s: _log_kernel(w, mu, s).logsumexp((2, 3)).exp()),
)  # fmt: skip


def _then_normalised(mistake: Mistake) -> Mistake:
    return Mistake(mistake.hint, lambda *mixture: _normalised(mistake.answer(*mixture)))


SIMILARITY = (
    *map(_then_normalised, _OF_PAIRS),
    Mistake("The normalisation is missing: a mixture's similarity with itself is 1, its logarithm 0.",
            lambda w, mu, s: _log_kernel(w, mu, s).logsumexp((2, 3))),
    Mistake("The root is missing in sqrt(K_ii K_jj): half of both logarithms is taken off.",
            lambda w, mu, s: _normalised(_log_kernel(w, mu, s).logsumexp((2, 3)), factor=1.0)),
    Mistake("This is the similarity; return its logarithm.",
            lambda w, mu, s: _normalised(_log_kernel(w, mu, s).logsumexp((2, 3))).exp()),
)  # fmt: skip


def _variances(
    log_weights: Tensor,
    means: Tensor,
    sigmas: Tensor,
    *,
    weigh: Callable[[Tensor], Tensor] = Tensor.exp,
    power: int = 2,
    centred: bool = True,
) -> tuple[Tensor, Tensor]:
    """Within and between variance with one thing changed, both (N,)."""
    pi = weigh(log_weights.double())
    centre = centred * (pi[..., None] * means).sum(1, keepdim=True)
    within = means.shape[2] * (pi * sigmas.double() ** power).sum(1)
    return within, (pi * (means - centre).square().sum(2)).sum(1)


def _without_dimensions(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> tuple[Tensor, Tensor]:
    within, between = _variances(log_weights, means, sigmas)
    return within / means.shape[2], between


VARIANCE = (
    Mistake("The trace of sigma^2 I in D dimensions is D sigma^2: within lacks the D.", _without_dimensions),
    Mistake("sigma is a standard deviation: within takes its square.",
            lambda w, mu, s: _variances(w, mu, s, power=1)),
    Mistake("The weights come as logarithms: take exp first.",
            lambda w, mu, s: _variances(w, mu, s, weigh=lambda log_pi: log_pi)),
    Mistake(
        "All components count alike; weigh them by pi, also in the mean.",
        lambda w, mu, s: _variances(w, mu, s, weigh=lambda log_pi: torch.full_like(log_pi, 1 / mu.shape[1])),
    ),
    Mistake("Between is measured from the origin: subtract the mixture's mean first.",
            lambda w, mu, s: _variances(w, mu, s, centred=False)),
    Mistake("The two are exchanged: within comes first.", lambda w, mu, s: _variances(w, mu, s)[::-1]),
)  # fmt: skip


def _nll_with(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda w, mu, s, z: change(reference.log_prob(Mixture(w, mu, s), z), z)


NLL = (
    Mistake("The likelihood grows with D: divide by the number of dimensions.",
            _nll_with(lambda log_p, z: -log_p.mean())),
    Mistake("This is a sum over rows; the loss is their mean.",
            _nll_with(lambda log_p, z: -log_p.sum() / z.shape[1])),
    Mistake("The sign is missing.", _nll_with(lambda log_p, z: log_p.mean() / z.shape[1])),
    Mistake("The density underflows in linear space: use torch.logsumexp.",
            lambda w, mu, s, z: -_linear_log_prob(w, mu, s, z).mean() / z.shape[1]),
)  # fmt: skip
