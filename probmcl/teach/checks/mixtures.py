"""Checkers of assignment 3: mixtures in log space, their similarity, a finite likelihood (M4 to M11)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from probmcl import reference
from probmcl.reference import Mixture
from probmcl.teach.checks.comparison import Mistake, WrongAnswerError, check_function, check_value
from probmcl.teach.checks.student import generator_of

FLOOR = 0.05
LOG_TWO_PI = math.log(2 * math.pi)


class Instance(NamedTuple):
    """A student's own mixtures, 6 of 3 components in 4 dimensions, and a point for each."""

    log_weights: Tensor  # (N, K)
    means: Tensor  # (N, K, D)
    sigmas: Tensor  # (N, K)
    points: Tensor  # (N, D)


def instance(student_id: str, term: str = "public") -> Instance:
    """The mixtures of one student.

    Example:
        >>> instance("ada").means.shape
        torch.Size([6, 3, 4])
    """
    return _drawn(6, 3, 4, generator_of(student_id, term, "a3"))


def log_normal(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_normal(z, mean, sigma)`` for z and mean (N, D), sigma (N,): (N,) (M5)."""

    def log_normal(z: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
        rows = [reference.log_normal(*row) for row in zip(z, mean, sigma, strict=True)]
        return torch.tensor(rows, dtype=torch.float64)

    def formula(
        *, square: float = 1.0, log_sigma: float = 0.0, constant: float = 0.5, half: float = 0.5
    ) -> Callable[..., Tensor]:
        """Log N with its parts changed; ``log_sigma`` 0 stands for D."""

        def wrong(z: Tensor, mean: Tensor, sigma: Tensor) -> Tensor:
            dims = z.shape[1]
            distance = (z - mean).double().square().sum(1) / sigma.double() ** (2 * square)
            return (
                -half * distance - (log_sigma or dims) * sigma.double().log() - constant * dims * LOG_TWO_PI
            )

        return wrong

    mistakes = (
        Mistake("The distance is divided by sigma; it should be sigma squared.", formula(square=0.5)),
        Mistake("log sigma stands once; in D dimensions it stands D times.", formula(log_sigma=1.0)),
        Mistake("The constant D/2 log(2 pi) is missing.", formula(constant=1e-300)),
        Mistake(
            "The constant is D/2 log(2 pi), not 1/2 log(2 pi).",
            lambda z, mean, sigma: log_normal(z, mean, sigma) + (z.shape[1] - 1) / 2 * LOG_TWO_PI,
        ),
        Mistake("The factor 1/2 in front of the distance is missing.", formula(half=1.0)),
        Mistake(
            "This is the density; return its logarithm.",
            lambda z, mean, sigma: log_normal(z, mean, sigma).exp(),
        ),
        Mistake(
            "The density underflows before the logarithm: write the logarithm down directly.",
            lambda z, mean, sigma: log_normal(z, mean, sigma).exp().log(),
        ),
    )
    cases = [(z, means[:, 0], sigmas[:, 0]) for _, means, sigmas, z in _cases(seed)]
    check_function(answer, log_normal, cases, mistakes)


def log_prob(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_prob(log_weights, means, sigmas, z)``: (N,), finite in 512 dimensions (M5)."""

    def log_prob(log_weights: Tensor, means: Tensor, sigmas: Tensor, z: Tensor) -> Tensor:
        return reference.log_prob(Mixture(log_weights, means, sigmas), z)

    def sums(
        combine: Callable[[Tensor, Tensor], Tensor],
    ) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
        return lambda w, mu, s, z: combine(w.double(), _log_components(mu, s, z))

    mistakes = (
        Mistake(
            "Densities are multiplied or added in linear space and underflow. Use torch.logsumexp.",
            sums(lambda w, log_n: (w.exp() * log_n.exp()).sum(1).log()),
        ),
        Mistake(
            "The weights are missing: add log_weights before the logsumexp.",
            sums(lambda w, log_n: log_n.logsumexp(1)),
        ),
        Mistake(
            "The weights multiply the logarithms. In log space add log_weights.",
            sums(lambda w, log_n: (w.exp() * log_n).sum(1)),
        ),
        Mistake(
            "The weights are not in logarithms where they are added.",
            sums(lambda w, log_n: (w.exp() + log_n).logsumexp(1)),
        ),
        Mistake(
            "The logsumexp runs over the wrong axis: sum over the K components of a row.",
            sums(lambda w, log_n: (w + log_n).logsumexp(0)),
        ),
        Mistake(
            "Only the largest component is kept: this is max, not logsumexp.",
            sums(lambda w, log_n: (w + log_n).max(1).values),
        ),
    )
    check_function(answer, log_prob, [tuple(case) for case in _cases(seed)], mistakes)


def mixture_parameters(answer: Any, *, seed: int = 0) -> None:
    """Check ``mixture_parameters(raw_weights, raw_means, raw_sigmas, floor)``: log pi, mu, sigma (M4)."""

    def mixture_parameters(
        raw_weights: Tensor, raw_means: Tensor, raw_sigmas: Tensor, floor: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        return (
            raw_weights.log_softmax(1),
            functional.normalize(raw_means, dim=2),
            functional.elu(raw_sigmas) + 1 + floor,
        )

    def changed(
        position: int, change: Callable[[Tensor, float], Tensor]
    ) -> Callable[..., tuple[Tensor, ...]]:
        def wrong(*raw: Any) -> tuple[Tensor, ...]:
            right = list(mixture_parameters(*raw))
            right[position] = change(raw[position], raw[3])
            return tuple(right)

        return wrong

    mistakes = (
        Mistake(
            "The softmax runs over the wrong axis: the weights of one row sum to one.",
            changed(0, lambda raw, floor: raw.log_softmax(0)),
        ),
        Mistake(
            "The weights come as probabilities; return their logarithms, from log_softmax.",
            changed(0, lambda raw, floor: raw.softmax(1)),
        ),
        Mistake(
            "log(softmax) underflows for very unequal weights: use log_softmax.",
            changed(0, lambda raw, floor: raw.softmax(1).log()),
        ),
        Mistake(
            "ELU reaches down to -1: sigma needs ELU + 1.", changed(2, lambda r, f: functional.elu(r) + f)
        ),
        Mistake("The floor is missing.", changed(2, lambda raw, floor: functional.elu(raw) + 1)),
        Mistake(
            "The floor is added, not a lower clamp: below it the gradient would be zero.",
            changed(2, lambda raw, floor: (functional.elu(raw) + 1).clamp(min=floor)),
        ),
        Mistake("The means are not on the unit sphere.", changed(1, lambda raw, floor: raw)),
        Mistake(
            "The means are normalised over the wrong axis: each mean, over D, has length one.",
            changed(1, lambda raw, floor: functional.normalize(raw, dim=1)),
        ),
    )
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, k, d, scale in ((2, 3, 4, 1.0), (3, 2, 5, 3.0), (2, 4, 3, 300.0)):
        raw = [
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in ((n, k), (n, k, d), (n, k))
        ]
        cases.append((scale * raw[0], raw[1], 2 * raw[2], FLOOR))
    check_function(answer, mixture_parameters, cases, mistakes)


def log_similarity(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_similarity(log_weights, means, sigmas)``: log Sim of every pair (M10)."""

    def log_similarity(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
        return reference.log_expected_likelihood(Mixture(log_weights, means, sigmas))

    check_function(answer, log_similarity, [tuple(c[:3]) for c in _cases(seed)], _SIMILARITY_MISTAKES)


def own_neighbour(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the similarity, not its logarithm, of a student's first mixture with the nearest other one.

    Args:
        value: the number.
        student_id: whose mixtures.
        term: of the course.
        tell: whether a wrong number that fits no known mistake is called wrong; False before grading.
    """
    own = instance(student_id, term)

    def nearest(log_similarity: Tensor) -> float:
        return log_similarity[0, 1:].max().exp().item()

    truth = nearest(reference.log_expected_likelihood(Mixture(*own[:3])))
    mistakes = [(m.hint, nearest(m.answer(*own[:3]))) for m in _SIMILARITY_MISTAKES]
    mistakes += [
        ("This is its logarithm.", math.log(truth)),
        ("This is the similarity with itself: leave the diagonal out.", 1.0),
    ]
    check_value("my_similarity", value, truth, mistakes, tell=tell)


def nll(answer: Any, *, seed: int = 0) -> None:
    """Check ``nll(log_weights, means, sigmas, target)``: per dimension, target detached (M11)."""

    def nll(log_weights: Tensor, means: Tensor, sigmas: Tensor, target: Tensor) -> Tensor:
        return reference.mixture_nll(Mixture(log_weights, means, sigmas), target)

    def with_log_prob(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
        return lambda w, mu, s, z: change(reference.log_prob(Mixture(w, mu, s), z), z)

    mistakes = (
        Mistake(
            "The likelihood grows with D: divide by the number of dimensions.",
            with_log_prob(lambda log_p, z: -log_p.mean()),
        ),
        Mistake(
            "This is a sum over rows; the loss is their mean.",
            with_log_prob(lambda log_p, z: -log_p.sum() / z.shape[1]),
        ),
        Mistake("The sign is missing.", with_log_prob(lambda log_p, z: log_p.mean() / z.shape[1])),
        Mistake(
            "The density underflows in linear space: use torch.logsumexp.",
            lambda w, mu, s, z: (
                -(w.double().exp() * _log_components(mu, s, z).exp()).sum(1).log().mean() / z.shape[1]
            ),
        ),
    )
    cases = [tuple(case) for case in _cases(seed)]
    check_function(answer, nll, cases, mistakes)
    for case in cases:
        _gradients_of_nll(answer, case)


def _gradients_of_nll(answer: Callable[..., Tensor], case: tuple[Tensor, ...]) -> None:
    """Raise unless the gradient reaches the mixture, is finite, and stops at the target."""
    parameters = [tensor.detach().clone().requires_grad_() for tensor in case]
    value = answer(*parameters)
    if not isinstance(value, Tensor) or not value.requires_grad:
        raise WrongAnswerError("`nll` has no gradient: return a tensor, and compute it with tensors only.")
    value.backward()  # type: ignore[no-untyped-call]
    for name, tensor in zip(("log_weights", "means", "sigmas"), parameters, strict=False):
        if tensor.grad is None or not tensor.grad.isfinite().all():
            raise WrongAnswerError(
                f"`nll` has the right value, but its gradient for {name} is missing or not finite."
            )
    target = parameters[3].grad
    if target is not None and target.any():
        raise WrongAnswerError(
            "`nll` has the right value, but its gradient pulls the target as well, which invites collapse.\n"
            "  Hint: detach the target."
        )


def _log_components(means: Tensor, sigmas: Tensor, z: Tensor) -> Tensor:
    """Log N(z_n; mu_nk, sigma_nk^2 I), (N, K)."""
    dims = z.shape[-1]
    distance = (z[:, None] - means).double().square().sum(2)
    s = sigmas.double()
    return -0.5 * distance / s**2 - dims * s.log() - dims / 2 * LOG_TWO_PI


def _log_kernel(
    log_weights: Tensor,
    means: Tensor,
    sigmas: Tensor,
    *,
    add: Callable[[Tensor, Tensor], Tensor] = lambda s, t: s**2 + t**2,
) -> Tensor:
    """Log pi_ik pi_jl N(mu_ik; mu_jl, v I) for every pair of components: (N, N, K, K)."""
    dims = means.shape[2]
    s = sigmas.double()
    variance = add(s[:, None, :, None], s[None, :, None, :])
    distance = (means[:, None, :, None] - means[None, :, None, :]).double().square().sum(-1)
    log_pi = (log_weights[:, None, :, None] + log_weights[None, :, None, :]).double()
    return log_pi - 0.5 * distance / variance - dims / 2 * (variance.log() + LOG_TWO_PI)


def _normalised(log_kernel: Tensor, factor: float = 0.5) -> Tensor:
    own = log_kernel.diagonal()
    return log_kernel - factor * (own[:, None] + own[None])


def _matched(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
    pairs = _log_kernel(log_weights, means, sigmas).diagonal(dim1=2, dim2=3)
    return _normalised(pairs.logsumexp(-1))


def _linear(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
    kernel = _log_kernel(log_weights, means, sigmas).exp().sum((2, 3))
    own = kernel.diagonal()
    return (kernel / (own[:, None] * own[None]).sqrt()).log()


_SIMILARITY_MISTAKES = (
    Mistake(
        "The widths are added before they are squared: variances add, sigma_i^2 + sigma_j^2.",
        lambda w, mu, s: _normalised(_log_kernel(w, mu, s, add=lambda a, b: (a + b) ** 2).logsumexp((2, 3))),
    ),
    Mistake(
        "The widths are added as they are: it is their squares that add, sigma_i^2 + sigma_j^2.",
        lambda w, mu, s: _normalised(_log_kernel(w, mu, s, add=lambda a, b: a + b).logsumexp((2, 3))),
    ),
    Mistake(
        "The normalisation is missing: a mixture's similarity with itself is 1, its logarithm 0.",
        lambda w, mu, s: _log_kernel(w, mu, s).logsumexp((2, 3)),
    ),
    Mistake(
        "The root is missing in sqrt(K_ii K_jj): half of both logarithms is taken off.",
        lambda w, mu, s: _normalised(_log_kernel(w, mu, s).logsumexp((2, 3)), factor=1.0),
    ),
    Mistake("Component k meets only component k: the sum runs over all pairs of components.", _matched),
    Mistake("Densities are added in linear space and underflow. Use torch.logsumexp.", _linear),
    Mistake(
        "This is the similarity; return its logarithm.",
        lambda w, mu, s: _normalised(_log_kernel(w, mu, s).logsumexp((2, 3))).exp(),
    ),
)


def _drawn(n: int, k: int, d: int, generator: torch.Generator) -> Instance:
    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    means = functional.normalize(normal(n, k, d), dim=2)
    sigmas = (0.3 * normal(n, k)).exp() * 0.6
    return Instance(normal(n, k).log_softmax(1), means, sigmas, functional.normalize(normal(n, d), dim=1))


def _cases(seed: int) -> list[Instance]:
    """Mixtures: small, with as many rows as components, with wide ones in 512 dimensions, whose density underflows."""
    generator = torch.Generator().manual_seed(seed)
    cases = [_drawn(n, k, d, generator) for n, k, d in ((2, 2, 2), (3, 3, 4), (2, 3, 512))]
    cases[-1] = cases[-1]._replace(sigmas=8 * cases[-1].sigmas)
    return cases
