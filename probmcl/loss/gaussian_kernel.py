"""The expected-likelihood kernel of every pair of Gaussian mixtures, tile by tile, with its own gradient.

The N x M kernel is a sum over K x K pairs of components. Held as one tensor that is N M K^2 numbers (1.6 GiB
for N = M = 256 and K = 80), and autograd would keep several of them. So the forward pass works on a few
anchors at a time and keeps only the (N, M) result, and the backward pass computes each tile again and turns
it into gradients at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

TILE_ELEMENTS = 1 << 20
"""Numbers in one working buffer of a tile: 4 MiB in float32, which a CPU's cache can hold."""


class Components(NamedTuple):
    """Components of N mixtures: log weights ``(N, K)``, means ``(N, K, D)``, variances ``(N, K[, D])``."""

    log_weights: Tensor
    means: Tensor
    variances: Tensor

    def rows(self, rows: slice) -> Components:
        """Some of the mixtures, as views."""
        return Components(*(tensor[rows] for tensor in self))

    @property
    def isotropic(self) -> bool:
        """Whether a component has one variance for all dimensions."""
        return self.variances.dim() == 2


class LogKernel(torch.autograd.Function):
    """``log kappa_ij`` for mixtures a ``(N)`` and b ``(M)``; called through :func:`log_kernel`.

    Called with the three tensors of a alone it compares a with itself, and computes only the tiles on and
    above the diagonal.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Tensor:
        """Stream over anchors; keep the inputs and the result."""
        a, b = _both_sides(tensors)
        result = a.means.new_empty(len(a.means), len(b.means))
        for rows, columns in _tiles(a, b):
            exponents = _exponents(a.rows(rows), b.rows(columns))  # (T, K, M, L)
            largest = exponents.amax((1, 3), keepdim=True)
            sums = exponents.sub_(largest).exp_().sum(3).sum(1)
            result[rows, columns] = sums.log_().add_(largest[:, 0, :, 0])
            if a is b:
                result[rows.stop :, rows] = result[rows, rows.stop :].T
        ctx.save_for_backward(*tensors, result)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, upstream: Tensor) -> tuple[Tensor, ...]:
        """Stream again: a tile's responsibilities times the upstream gradient are all that is needed."""
        *tensors, result = ctx.saved_tensors  # type: ignore[attr-defined]
        a, b = _both_sides(tensors)
        gradient_a = Components(*(torch.zeros_like(tensor) for tensor in a))
        gradient_b = gradient_a if a is b else Components(*(torch.zeros_like(tensor) for tensor in b))
        add_gradients = _backward_isotropic if a.isotropic else _backward_diagonal
        for rows, columns in _tiles(a, b):
            tile_a, tile_b = a.rows(rows), b.rows(columns)
            arriving = upstream[rows, columns]
            if a is b:  # a pair above the diagonal answers for its mirror image too
                arriving = arriving.clone()
                arriving[:, rows.stop - rows.start :] += upstream[rows.stop :, rows].T
            # d log kappa_ij / d exponent_ikjl is the share of the pair (k, l) in the sum: a softmax.
            shares = _exponents(tile_a, tile_b).sub_(result[rows, columns][:, None, :, None]).exp_()
            shares.mul_(arriving[:, None, :, None])  # (T, K, M, L)
            add_gradients(tile_a, tile_b, shares, gradient_a.rows(rows), gradient_b.rows(columns))
        return gradient_a if a is b else (*gradient_a, *gradient_b)


def log_kernel(a: Components, b: Components | None = None) -> Tensor:
    """Log of the expected-likelihood kernel of every pair of mixtures, ``(N, M)``.

    kappa_ij = sum_k sum_l pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl), the integral of the product of
    the two densities (Jebara et al., 2004). Without ``b``, of every pair in ``a``.

    >>> one = Components(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> log_kernel(one)  # -log(4 pi)
    tensor([[-2.5310]])
    """
    # Distances do not change when both sides move; centred means lose fewer digits in |x|^2 + |y|^2 - 2 x.y.
    centre = (a if b is None else b).means.detach().mean((0, 1))
    sides = [side._replace(means=side.means - centre) for side in (a, b) if side is not None]
    log_kernels: Tensor = LogKernel.apply(*(tensor for side in sides for tensor in side))
    return log_kernels


def _both_sides(tensors: Sequence[Tensor]) -> tuple[Components, Components]:
    a = Components(*tensors[:3])
    return a, Components(*tensors[3:]) if len(tensors) > 3 else a


def _tiles(a: Components, b: Components) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of each tile: a few anchors, and all they are compared with."""
    anchors, others = len(a.means), len(b.means)
    per_anchor = a.log_weights.shape[1] * b.log_weights.numel()
    size = max(1, TILE_ELEMENTS // per_anchor)
    for start in range(0, anchors, size):
        yield slice(start, min(start + size, anchors)), slice(start if a is b else 0, others)


def _exponents(a: Components, b: Components) -> Tensor:
    """log[pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl)], ``(T, K, M, L)``."""
    dimensions = a.means.shape[-1]
    if a.isotropic:
        variance = _pairwise_sum(a.variances, b.variances)
        exponents = _squared_distances(a.means, b.means).div_(variance)
        exponents.add_(variance.log_(), alpha=dimensions)
    else:
        exponents = a.means.new_zeros(*a.log_weights.shape, *b.log_weights.shape)
        for d in range(dimensions):
            variance = _pairwise_sum(a.variances[..., d], b.variances[..., d])
            offset = _pairwise_sum(a.means[..., d], -b.means[..., d])
            exponents.add_(offset.square_().div_(variance)).add_(variance.log_())
    exponents.mul_(-0.5).sub_(0.5 * dimensions * math.log(2 * math.pi))
    return exponents.add_(a.log_weights[:, :, None, None]).add_(b.log_weights)


def _pairwise_sum(x: Tensor, y: Tensor) -> Tensor:
    """``x_ik + y_jl``, ``(T, K, M, L)``."""
    return x[:, :, None, None] + y


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """``|x_ik - y_jl|^2`` in Gram form, ``(T, K, M, L)``; never below zero."""
    flat_x, flat_y = x.flatten(0, 1), y.flatten(0, 1)  # (T K, D), (M L, D)
    squares = flat_x.square().sum(1, keepdim=True) + flat_y.square().sum(1)
    distances = squares.addmm_(flat_x, flat_y.T, alpha=-2).clamp_(min=0)
    return distances.view(*x.shape[:2], *y.shape[:2])


def _backward_isotropic(
    a: Components, b: Components, shares: Tensor, grad_a: Components, grad_b: Components
) -> None:
    """Add the gradients of one tile; ``shares`` is used up."""
    rows, columns = a.means.shape[:2].numel(), b.means.shape[:2].numel()
    dimensions = a.means.shape[-1]
    _add_pair_sums(shares, grad_a.log_weights, grad_b.log_weights)
    variance = _pairwise_sum(a.variances, b.variances)
    pull = shares.div(variance).view(rows, columns)  # how strongly component l pulls component k
    flat_a, flat_b = a.means.flatten(0, 1), b.means.flatten(0, 1)
    grad_a.means.add_((pull @ flat_b - pull.sum(1, keepdim=True) * flat_a).view_as(a.means))
    grad_b.means.add_((pull.T @ flat_a - pull.sum(0).unsqueeze(1) * flat_b).view_as(b.means))
    # d exponent / d variance = (distance / variance - D) / (2 variance)
    slope = _squared_distances(a.means, b.means).div_(variance).sub_(dimensions).mul_(0.5)
    _add_pair_sums(slope.mul_(pull.view_as(slope)), grad_a.variances, grad_b.variances)


def _backward_diagonal(
    a: Components, b: Components, shares: Tensor, grad_a: Components, grad_b: Components
) -> None:
    """Add the gradients of one tile, one dimension at a time."""
    _add_pair_sums(shares, grad_a.log_weights, grad_b.log_weights)
    for d in range(a.means.shape[-1]):
        variance = _pairwise_sum(a.variances[..., d], b.variances[..., d])
        offset = _pairwise_sum(a.means[..., d], -b.means[..., d])
        pull = shares / variance
        pulled = pull * offset
        grad_a.means[..., d] -= pulled.sum((2, 3))
        grad_b.means[..., d] += pulled.sum((0, 1))
        slope = offset.square_().div_(variance).sub_(1).mul_(0.5).mul_(pull)
        _add_pair_sums(slope, grad_a.variances[..., d], grad_b.variances[..., d])


def _add_pair_sums(pairs: Tensor, to_a: Tensor, to_b: Tensor) -> None:
    """Add ``(T, K, M, L)`` summed over the other side's components to each side."""
    to_a.add_(pairs.sum((2, 3)))
    to_b.add_(pairs.sum((0, 1)))
