"""The expected-likelihood kernel of every pair of Gaussian mixtures, tile by tile, with its own gradient.

The N x M kernel is a sum over K x K pairs of components. Held as one tensor that is N M K^2 numbers (1.6 GiB
for N = M = 256 and K = 80), and autograd would keep several of them. So the forward pass works on a tile of
mixtures against mixtures at a time and keeps only the (N, M) result, and the backward pass computes each tile
again and turns it into gradients at once.

Inside, logarithms are to the base two. PyTorch's ``exp2`` is three times as fast as its ``exp`` on a CPU, and
thirty times where the result underflows, which in many dimensions most terms do.

The tiles are not compiled. On a CPU most of their time goes into matrix products and logarithms, which
``torch.compile`` leaves as they are; fusing the rest saves about a tenth (N 256, K 14, D 16) and costs half a
minute at first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from probmcl.model import GaussianMixture

TILE_ELEMENTS = 1 << 18
"""Pairs of components in a tile on a CPU: 1 MiB in float32, so that its few buffers stay in the cache."""

MEMORY_SHARE = 1 / 64
"""Share of the memory of any other device that one buffer of a tile may take."""

BITS = 1 / math.log(2)
"""log2(x) = BITS log(x)."""


class Components(NamedTuple):
    """What the kernel computes with: log weights ``(N, K)``, means ``(N, K, D)``, variances ``(N, K[, D])``.

    The mixtures' weights in bits, and their means centred and scaled, see :func:`log_kernels`.
    """

    log_weights: Tensor
    means: Tensor
    variances: Tensor

    def rows(self, rows: slice) -> Components:
        """Some of the mixtures, as views."""
        return Components(self.log_weights[rows], self.means[rows], self.variances[rows])


def log_kernels(a: GaussianMixture, b: GaussianMixture | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Logs of the expected likelihood of every pair of mixtures, and of each mixture with itself.

    kappa_ij = sum_k sum_l pi_ik pi_jl N(mu_ik; mu_jl, Sigma_ik + Sigma_jl), the integral of the product of
    the two densities (Jebara et al., 2004). Without ``b``, of every pair in ``a``.

    Returns:
        ``log kappa_ij`` ``(N, M)``, ``log kappa_ii`` ``(N,)`` and ``log kappa_jj`` ``(M,)``.

    >>> one = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> log_kernels(one)  # -log(4 pi)
    (tensor([[-2.5310]]), tensor([-2.5310]), tensor([-2.5310]))
    """
    mixtures = (a,) if b is None else (a, b)
    # Distances do not change when both sides move; centred means lose fewer digits in |x|^2 + |y|^2 - 2 x.y.
    centre = mixtures[-1].means.detach().mean((0, 1))
    # Then log2 N(x; y, v I) = -|x' - y'|^2 / v - D/2 log2(2 pi v); each side brings half of the factor 2 pi.
    scale, offset = math.sqrt(BITS / 2), a.means.shape[2] / 4 * math.log(2 * math.pi)
    tensors: list[Tensor] = []
    for side in mixtures:
        tensors += [(side.log_weights - offset) * BITS, (side.means - centre) * scale, side.sigmas.square()]
    with torch.autocast(a.means.device.type, enabled=False):
        log_k: Tensor = LogKernel.apply(*tensors)
        if b is None:
            return log_k, log_k.diagonal(), log_k.diagonal()
        return log_k, log_self_kernel(a, tensors[2]), log_self_kernel(b, tensors[5])


class LogKernel(torch.autograd.Function):
    """``log kappa_ij`` for mixtures a ``(N)`` and b ``(M)``; called through :func:`log_kernels`.

    Called with the three tensors of a alone it compares a with itself, and computes only the tiles on and
    above the diagonal.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Tensor:
        """Stream over tiles; keep the inputs and the result."""
        a = b = Components(*tensors[:3])
        if len(tensors) > 3:
            b = Components(*tensors[3:])
        result = a.means.new_empty(len(a.means), len(b.means))
        for rows, columns, buffers in _tiles(a, b):
            tile_b = b.rows(columns)
            exponents = _exponents(a.rows(rows), tile_b, buffers)  # (T, K, M, L)
            # First over the components of a, where memory is contiguous; the rest is K times smaller.
            largest = exponents.amax(1, keepdim=True)
            sums = exponents.sub_(largest).exp2_().sum(1)  # (T, M, L)
            terms = sums.log2_().add_(largest[:, 0]).add_(tile_b.log_weights)
            tile = terms.mul_(1 / BITS).logsumexp(2)  # (T, M), in nats
            result[rows, columns] = tile
            if a is b:
                result[columns, rows] = tile.T
        ctx.save_for_backward(*tensors, result)
        return result

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, ...]:
        """Stream again: a tile's responsibilities times the upstream gradient are all that is needed."""
        refuse_second_order()
        *tensors, result = ctx.saved_tensors
        gradients = list(map(torch.zeros_like, tensors))
        a, gradient_a = b, gradient_b = Components(*tensors[:3]), Components(*gradients[:3])
        if len(tensors) > 3:
            b, gradient_b = Components(*tensors[3:]), Components(*gradients[3:])
        for rows, columns, buffers in _tiles(a, b):
            arriving = upstream[rows, columns]
            if a is b and rows != columns:  # a pair above the diagonal answers for its mirror image too
                arriving = arriving + upstream[columns, rows].T
            in_bits = (result[rows, columns] * BITS, arriving / BITS)
            sides = (a.rows(rows), b.rows(columns))
            _add_gradients(*sides, *in_bits, gradient_a.rows(rows), gradient_b.rows(columns), buffers)
        return tuple(gradients)


def refuse_second_order() -> None:
    """Raise in the backward pass of a tiled function if the gradient is to be differentiated again.

    PyTorch's ``once_differentiable`` raises only where the upstream gradient has a history. That of a loss
    has none, and the second derivative would be wrong without a word.
    """
    if torch.is_grad_enabled():
        raise NotImplementedError(
            "create_graph: expected False (a tiled loss is differentiable once), got True"
        )


def refuse_transforms() -> None:
    """Raise inside a transform of ``torch.func``: the gradient of a tile is made while the loss is."""
    if torch._C._are_functorch_transforms_active():
        raise NotImplementedError(
            "torch.func: expected a call outside of its transforms (a tiled loss makes its own gradient)"
        )


def log_self_kernel(mixture: GaussianMixture, variances: Tensor) -> Tensor:
    """``log kappa_ii`` of every mixture, ``(N,)``; N times fewer pairs than :func:`log_kernels`."""
    elements = tile_elements(variances.device, TILE_ELEMENTS)
    size = max(1, elements // (mixture.components * variances[0].numel()))
    inputs = mixture.log_weights, mixture.means, variances
    tiles = [[tensor[rows] for tensor in inputs] for rows in slices(0, len(mixture), size)]
    # The backward pass computes each tile again: only (N,) numbers are kept.
    return torch.cat([checkpoint(_log_self_kernel, *tile, use_reentrant=False) for tile in tiles])


def _log_self_kernel(log_weights: Tensor, means: Tensor, variances: Tensor) -> Tensor:
    variance = variances.unsqueeze(2) + variances.unsqueeze(1)  # (T, K, K) or (T, K, K, D)
    if variances.dim() == 2:
        means = means - means.mean(1, keepdim=True).detach()
        squares = means.square().sum(2)  # (T, K)
        squares = squares.unsqueeze(2) + squares.unsqueeze(1)
        distance = torch.baddbmm(squares, means, means.mT, alpha=-2).clamp(min=0) / variance
        exponents = distance + means.shape[-1] * variance.log()
    else:
        offset = means.unsqueeze(2) - means.unsqueeze(1)  # (T, K, K, D)
        exponents = (offset.square() / variance + variance.log()).sum(-1)
    exponents = exponents + means.shape[-1] * math.log(2 * math.pi)
    return (log_weights.unsqueeze(2) + log_weights.unsqueeze(1) - exponents / 2).logsumexp((1, 2))


def _tiles(a: Components, b: Components) -> Iterator[tuple[slice, slice, Tensor]]:
    """Rows and columns of each tile, as square as they can be: its matrix products read least then.

    And three buffers ``(3, T, K, M, L)``, the same memory every time: new memory costs a CPU as much as the
    numbers that are written into it.
    """
    (n, k), (m, other_k) = a.log_weights.shape, b.log_weights.shape
    side = max(1, math.isqrt(tile_elements(a.means.device, TILE_ELEMENTS) // (k * other_k)))
    buffers = a.means.new_empty(3, min(n, side) * k * min(m, side) * other_k)
    for rows in slices(0, n, side):
        for columns in slices(rows.start if a is b else 0, m, side):
            shape = rows.stop - rows.start, k, columns.stop - columns.start, other_k
            yield rows, columns, buffers[:, : math.prod(shape)].view(3, *shape)


def tile_elements(device: torch.device, on_cpu: int) -> int:
    """Numbers in a tile: ``on_cpu`` there; elsewhere, where each operation takes a launch, many more."""
    if device.type == "cpu":
        return on_cpu
    gpu = device.type == "cuda" and torch.cuda.is_available()
    memory = torch.cuda.get_device_properties(device).total_memory if gpu else 15 << 30  # as a T4 has
    return int(memory * MEMORY_SHARE / 4)


def slices(start: int, stop: int, size: int) -> Iterator[slice]:
    """The range from ``start`` to ``stop`` in pieces of at most ``size``."""
    for begin in range(start, stop, size):
        yield slice(begin, min(begin + size, stop))


def _exponents(a: Components, b: Components, buffers: Tensor) -> Tensor:
    """log2[pi_ik N(mu_ik; mu_jl, Sigma_ik + Sigma_jl)] without the factor of 2 pi, ``(T, K, M, L)``.

    They are in the first buffer. With isotropic covariances the others then hold the squared distances in
    standard deviations, and the sums of the variances.
    """
    out, offsets, variances = buffers.unbind()
    log_weights = a.log_weights[:, :, None, None]
    if a.variances.dim() == 2:
        torch.add(a.variances[:, :, None, None], b.variances, out=variances)
        torch.log2(variances, out=out).mul_(-0.5 * a.means.shape[-1])
        flat_a, flat_b = a.means.flatten(0, 1), b.means.flatten(0, 1)  # (T K, D), (M L, D)
        distances = offsets.view(len(flat_a), len(flat_b))
        torch.add(flat_a.square().sum(1, keepdim=True), flat_b.square().sum(1), out=distances)
        distances.addmm_(flat_a, flat_b.T, alpha=-2).clamp_(min=0)  # |x|^2 + |y|^2 - 2 x.y
        return out.sub_(offsets.div_(variances)).add_(log_weights)
    out.copy_(log_weights.expand_as(out))
    for _ in _dimensions(a, b, offsets, variances):
        out.addcdiv_(offsets.square_(), variances, value=-1).sub_(variances.log2_(), alpha=0.5)
    return out


def _dimensions(a: Components, b: Components, offsets: Tensor, variances: Tensor) -> Iterator[int]:
    """Each dimension in turn, with ``mu_ik - mu_jl`` and the sum of the variances put into the buffers."""
    # Contiguous in each dimension: broadcasting numbers that lie D apart takes nine times as long.
    parts = (tensor.movedim(2, 0).contiguous() for tensor in (a.means, b.means, a.variances, b.variances))
    for d, (mean_a, mean_b, variance_a, variance_b) in enumerate(zip(*parts, strict=True)):
        torch.sub(mean_a[:, :, None, None], mean_b, out=offsets)
        torch.add(variance_a[:, :, None, None], variance_b, out=variances)
        yield d


def _add_gradients(
    a: Components,
    b: Components,
    log_kappa: Tensor,
    arriving: Tensor,
    grad_a: Components,
    grad_b: Components,
    buffers: Tensor,
) -> None:
    """Add the gradients of one tile; those of diagonal covariances one dimension at a time."""
    # d log kappa_ij / d exponent_ikjl is the share of the pair (k, l) in the sum: a softmax.
    offset = b.log_weights - log_kappa.unsqueeze(2)  # (T, M, L)
    shares = _exponents(a, b, buffers).add_(offset.unsqueeze(1)).exp2_().mul_(arriving[:, None, :, None])
    _, offsets, variances = buffers.unbind()
    _add_pair_sums(shares, grad_a.log_weights, grad_b.log_weights)
    if a.variances.dim() == 2:
        pull = shares.div_(variances)  # how strongly component l pulls component k
        flat_a, flat_b = a.means.flatten(0, 1), b.means.flatten(0, 1)
        flat_pull = pull.view(len(flat_a), len(flat_b))
        towards_b = flat_pull @ flat_b - flat_pull.sum(1, keepdim=True) * flat_a
        towards_a = flat_pull.T @ flat_a - flat_pull.sum(0).unsqueeze(1) * flat_b
        grad_a.means.add_(towards_b.view_as(a.means), alpha=2)
        grad_b.means.add_(towards_a.view_as(b.means), alpha=2)
        # d exponent / d variance = (distance - D/2 log2 e) / variance
        slope = offsets.sub_(0.5 * BITS * a.means.shape[-1]).mul_(pull)
        _add_pair_sums(slope, grad_a.variances, grad_b.variances)
        return
    for d in _dimensions(a, b, offsets, variances):
        pull = shares / variances
        pulled = pull * offsets
        grad_a.means[..., d].sub_(pulled.sum((2, 3)), alpha=2)
        grad_b.means[..., d].add_(pulled.sum((0, 1)), alpha=2)
        slope = pulled.mul_(offsets).div_(variances).sub_(pull, alpha=0.5 * BITS)
        _add_pair_sums(slope, grad_a.variances[..., d], grad_b.variances[..., d])


def _add_pair_sums(pairs: Tensor, to_a: Tensor, to_b: Tensor) -> None:
    """Add ``(T, K, M, L)`` summed over the other side's components to each side."""
    to_a.add_(pairs.sum((2, 3)))
    to_b.add_(pairs.sum((0, 1)))
