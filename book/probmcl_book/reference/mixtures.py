"""Gaussian mixtures, one component at a time (M5, M6)."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from probmcl_book.reference.arithmetic import log_sum_exp


class MixtureLike(Protocol):
    """N Gaussian mixtures of K components in D dimensions."""

    @property
    def log_weights(self) -> Tensor:
        """Logarithms of the mixture weights, (N, K)."""

    @property
    def means(self) -> Tensor:
        """Component means, (N, K, D)."""

    @property
    def sigmas(self) -> Tensor:
        """Standard deviations, (N, K) isotropic or (N, K, D) diagonal."""


class Mixture(NamedTuple):
    """The plainest mixture: three tensors (M5, M6).

    >>> Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1)).means.shape
    torch.Size([1, 1, 2])
    """

    log_weights: Tensor
    means: Tensor
    sigmas: Tensor


def log_normal(z: Tensor, mean: Tensor, sigma: Tensor) -> float:
    """Log N(z; mean, diag(sigma^2)) for one z (D,), one mean (D,), sigma () or (D,) (M5, M6).

    = -1/2 sum_d ((z_d - mean_d) / sigma_d)^2 - sum_d log sigma_d - D/2 log(2 pi)

    >>> round(log_normal(torch.zeros(2), torch.zeros(2), torch.tensor(1.0)), 4)
    -1.8379
    """
    z, mean = z.double(), mean.double()
    sigma = sigma.double().expand_as(z)
    distance = float((((z - mean) / sigma) ** 2).sum())
    return -0.5 * distance - float(sigma.log().sum()) - 0.5 * len(z) * math.log(2 * math.pi)


def log_prob(mixture: MixtureLike, z: Tensor) -> Tensor:
    """Log density of each row's mixture at its own z (N, D): (N,) (M5).

    log sum_k pi_k N(z; mu_k, Sigma_k)

    >>> one = Mixture(torch.log(torch.tensor([[0.5, 0.5]])), torch.tensor([[[0.0], [2.0]]]), torch.ones(1, 2))
    >>> log_prob(one, torch.tensor([[1.0]]))
    tensor([-1.4189], dtype=torch.float64)
    """
    rows = []
    for n in range(len(z)):
        terms = []
        for k in range(mixture.means.shape[1]):
            log_pi = float(mixture.log_weights[n, k])
            terms.append(log_pi + log_normal(z[n], mixture.means[n, k], mixture.sigmas[n, k]))
        rows.append(log_sum_exp(terms))
    return torch.tensor(rows, dtype=torch.float64)


def mixture_mean(mixture: MixtureLike) -> Tensor:
    """Mean sum_k pi_k mu_k of each mixture: (N, D) (M5).

    >>> mixture_mean(Mixture(torch.zeros(1, 1), torch.tensor([[[3.0, 4.0]]]), torch.ones(1, 1))).tolist()
    [[3.0, 4.0]]
    """
    rows = []
    for n in range(mixture.means.shape[0]):
        mean = torch.zeros(mixture.means.shape[2], dtype=torch.float64)
        for k in range(mixture.means.shape[1]):
            mean = mean + math.exp(float(mixture.log_weights[n, k])) * mixture.means[n, k].double()
        rows.append(mean)
    return torch.stack(rows)


def within_variance(mixture: MixtureLike) -> Tensor:
    """sum_k pi_k trace(Sigma_k), the mean variance inside the components: (N,).

    >>> within_variance(Mixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.tensor([[3.0]]))).tolist()
    [18.0]
    """
    rows = []
    for n in range(mixture.means.shape[0]):
        total = 0.0
        for k in range(mixture.means.shape[1]):
            sigma = mixture.sigmas[n, k].double().expand(mixture.means.shape[2])
            total += math.exp(float(mixture.log_weights[n, k])) * float((sigma**2).sum())
        rows.append(total)
    return torch.tensor(rows, dtype=torch.float64)


def between_variance(mixture: MixtureLike) -> Tensor:
    """sum_k pi_k |mu_k - mean|^2, the spread of the components' means: (N,).

    >>> two = Mixture(torch.log(torch.tensor([[0.5, 0.5]])), torch.tensor([[[0.0], [2.0]]]), torch.ones(1, 2))
    >>> round(between_variance(two).item(), 6)
    1.0
    """
    means = mixture_mean(mixture)
    rows = []
    for n in range(mixture.means.shape[0]):
        total = 0.0
        for k in range(mixture.means.shape[1]):
            distance = float(((mixture.means[n, k].double() - means[n]) ** 2).sum())
            total += math.exp(float(mixture.log_weights[n, k])) * distance
        rows.append(total)
    return torch.tensor(rows, dtype=torch.float64)
