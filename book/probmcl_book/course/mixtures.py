"""Checkers of assignment 3 and of exercises: mixtures in log space, similarity, likelihood (M4 to M11)."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from probmcl_book import reference
from probmcl_book.course import mixtures_mistakes as mistakes
from probmcl_book.course.comparison import WrongAnswerError, check_function, check_value, measured
from probmcl_book.course.student import generator_of
from probmcl_book.reference import Mixture

FLOOR = 0.05
SINGLE = 2e-3
"""What float32 may lose where large logarithms are subtracted; no mistake is as close."""
PRECISION = 1e-3
"""Of numbers that are asked for to three decimals."""


class Instance(NamedTuple):
    """A student's own mixtures, 6 of 3 components in 4 dimensions, and a point for each."""

    log_weights: Tensor  # (N, K)
    means: Tensor  # (N, K, D)
    sigmas: Tensor  # (N, K)
    points: Tensor  # (N, D)


def instance(student_id: str, term: str = "public") -> Instance:
    """The mixtures of one student.

    >>> instance("ada").means.shape
    torch.Size([6, 3, 4])
    """
    return _drawn(6, 3, 4, generator_of(student_id, term, "a3"))


def log_normal(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_normal(z, mean, sigma)`` for z and mean (N, D), sigma (N,): (N,) (M5)."""
    cases = [(z, means[:, 0], sigmas[:, 0]) for _, means, sigmas, z in _cases(seed)]
    truth = mistakes.rows_log_normal
    check_function(answer, truth, cases, mistakes.NORMAL, name="log_normal", tolerance=SINGLE)


def log_prob(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_prob(log_weights, means, sigmas, z)``: (N,), finite in 512 dimensions (M5)."""

    def log_prob(log_weights: Tensor, means: Tensor, sigmas: Tensor, z: Tensor) -> Tensor:
        return reference.log_prob(Mixture(log_weights, means, sigmas), z)

    check_function(answer, log_prob, [tuple(case) for case in _cases(seed)], mistakes.PROB, tolerance=SINGLE)


def mixture_parameters(answer: Any, *, seed: int = 0) -> None:
    """Check ``mixture_parameters(raw_weights, raw_means, raw_sigmas, floor)``: log pi, mu, sigma (M4)."""
    generator = torch.Generator().manual_seed(seed)
    cases = []
    for n, k, d, scale in ((2, 3, 4, 1.0), (3, 2, 5, 3.0), (2, 4, 3, 2000.0)):
        raw = [
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in ((n, k), (n, k, d), (n, k))
        ]
        # the widest raw sigmas reach below the floor, where a clamp and a sum differ
        cases.append((scale * raw[0], raw[1], min(2 * scale, 10) * raw[2], FLOOR))
    truth, name = mistakes.parameters_of, "mixture_parameters"
    check_function(answer, truth, cases, mistakes.PARAMETER, name=name, tolerance=SINGLE)


def log_similarity(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_similarity(log_weights, means, sigmas)``: log Sim of every pair (M10)."""

    def log_similarity(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
        return reference.log_expected_likelihood(Mixture(log_weights, means, sigmas))

    cases = [tuple(case[:3]) for case in _cases(seed)]
    check_function(answer, log_similarity, cases, mistakes.SIMILARITY, tolerance=SINGLE)


def log_kappa(answer: Any, *, seed: int = 0) -> None:
    """Check ``log_kappa(log_weights, means, sigmas)``: (N, N) for sigmas (N, K) or (N, K, D) (M10)."""

    def log_kappa(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> Tensor:
        mixture = Mixture(log_weights, means, sigmas)
        return reference.log_expected_likelihood_kernel(mixture, mixture)

    cases = [tuple(case[:3]) for case in _cases(seed)]
    cases += [(w, mu, s[..., None] * torch.linspace(0.5, 2, mu.shape[2]).double()) for w, mu, s in cases]
    check_function(answer, log_kappa, cases, mistakes.KERNEL)


def variances(answer: Any, *, seed: int = 0) -> None:
    """Check ``variances(log_weights, means, sigmas)``: within and between, both (N,)."""

    def variances(log_weights: Tensor, means: Tensor, sigmas: Tensor) -> tuple[Tensor, Tensor]:
        mixture = Mixture(log_weights, means, sigmas)
        return reference.within_variance(mixture), reference.between_variance(mixture)

    check_function(answer, variances, [tuple(c[:3]) for c in _cases(seed)], mistakes.VARIANCE)


def own_neighbour(value: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the similarity, not its logarithm, of a student's first mixture with the nearest other one."""
    own = instance(student_id, term)

    def nearest(log_similarity: Tensor) -> float:
        return log_similarity[0, 1:].max().exp().item()

    truth = nearest(reference.log_expected_likelihood(Mixture(*own[:3])))
    told = [(m.hint, nearest(m.answer(*own[:3]))) for m in mistakes.SIMILARITY]
    told += [
        ("This is its logarithm.", math.log(truth)),
        ("This is the similarity with itself: leave the diagonal out.", 1.0),
    ]
    check_value("my_similarity", value, truth, told, tolerance=PRECISION, tell=tell)


def nll(answer: Any, *, seed: int = 0) -> None:
    """Check ``nll(log_weights, means, sigmas, target)``: per dimension, target detached (M11)."""

    def nll(log_weights: Tensor, means: Tensor, sigmas: Tensor, target: Tensor) -> Tensor:
        return reference.mixture_nll(Mixture(log_weights, means, sigmas), target)

    cases = [tuple(case) for case in _cases(seed)]
    check_function(answer, nll, cases, mistakes.NLL)
    for case in cases:
        _gradients_of_nll(answer, case)


def _gradients_of_nll(answer: Callable[..., Tensor], case: tuple[Tensor, ...]) -> None:
    """Raise unless the gradient reaches the mixture, is finite, and stops at the target."""
    try:
        found = measured(answer, "gradients", case)
    except Exception as error:
        raise WrongAnswerError(
            f"`nll` has the right value, but stops with an error where a gradient is wanted.\n  {error}\n"
            "  Hint: compute with tensors only, and change no argument in place."
        ) from None
    if found is None:
        raise WrongAnswerError("`nll` has no gradient: return a tensor, and compute it with tensors only.")
    for name, gradient in zip(("log_weights", "means", "sigmas"), found, strict=False):
        if not isinstance(gradient, Tensor) or not gradient.isfinite().all():
            raise WrongAnswerError(
                f"`nll` has the right value, but its gradient for {name} is missing or not finite."
            )
    if isinstance(found[3], Tensor) and found[3].any():
        raise WrongAnswerError(
            "`nll` has the right value, but its gradient pulls the target as well, which invites collapse.\n"
            "  Hint: detach the target."
        )


def _drawn(n: int, k: int, d: int, generator: torch.Generator) -> Instance:
    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    means = functional.normalize(normal(n, k, d), dim=2)
    sigmas = (0.3 * normal(n, k)).exp() * 0.6
    return Instance(normal(n, k).log_softmax(1), means, sigmas, functional.normalize(normal(n, d), dim=1))


def _cases(seed: int) -> list[Instance]:
    """Small mixtures, as many rows as components, and wide ones in 512 dimensions (they underflow)."""
    generator = torch.Generator().manual_seed(seed)
    cases = [_drawn(n, k, d, generator) for n, k, d in ((2, 2, 2), (3, 3, 4), (2, 3, 512))]
    cases[-1] = cases[-1]._replace(sigmas=8 * cases[-1].sigmas)
    return cases
