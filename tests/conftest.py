"""Factories of seeded labels, mixtures and logits, and the comparison with the oracle."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from probmcl.model import GaussianMixture


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    return torch.device(request.param)


@pytest.fixture
def make_labels() -> Callable[..., Tensor]:
    """Random (N, K) zeros and ones; the first ``empty`` rows carry no label."""

    def make(n: int, k: int, *, seed: int = 0, empty: int = 0, density: float = 0.4) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        labels = (torch.rand(n, k, generator=generator) < density).to(torch.uint8)
        labels[labels.sum(1) == 0, 0] = 1
        labels[:empty] = 0
        return labels

    return make


@pytest.fixture(scope="session")
def make_mixture() -> Callable[..., GaussianMixture]:
    """Random mixtures; drawn in float32 and then converted, so both dtypes hold the same numbers."""

    def make(
        n: int,
        components: int,
        dimensions: int,
        *,
        seed: int = 0,
        diagonal: bool = False,
        sigma: tuple[float, float] = (0.05, 3.0),
        unit_means: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> GaussianMixture:
        generator = torch.Generator().manual_seed(seed)
        log_weights = torch.randn(n, components, generator=generator).log_softmax(-1)
        means = torch.randn(n, components, dimensions, generator=generator)
        if unit_means:
            means = torch.nn.functional.normalize(means, dim=-1)
        shape = (n, components, dimensions) if diagonal else (n, components)
        low, high = (math.log(bound) for bound in sigma)
        sigmas = (low + (high - low) * torch.rand(shape, generator=generator)).exp()
        mixture = GaussianMixture(log_weights, means, sigmas).to(dtype)
        return replace(mixture, log_weights=mixture.log_weights.log_softmax(-1))  # sums to 1 in dtype

    return make


@pytest.fixture(scope="session")
def assert_matches() -> Callable[..., None]:
    """Agreement with a float64 value to 1e-9 (float64) or 1e-5 (float32), absolute plus relative."""

    def check(found: Tensor, expected: Tensor, *, scale: Tensor | float = 0.0) -> None:
        """``scale`` is a magnitude that was subtracted on the way: log Sim is a difference of log kappa."""
        tolerance = {torch.float64: 1e-9, torch.float32: 1e-5}[found.dtype]
        assert found.shape == expected.shape
        assert torch.isfinite(found).all()
        error = (found.double() - expected).abs()
        allowed = tolerance * (1 + torch.maximum(expected.abs(), torch.as_tensor(scale, dtype=torch.float64)))
        assert (error <= allowed).all(), (
            f"error {error.max():.2e}, allowed {allowed.flatten()[(error - allowed).argmax()]:.2e}"
        )

    return check
