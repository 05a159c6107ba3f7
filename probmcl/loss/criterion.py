"""What all contrastive losses share: their arguments, and what they return, a scalar or its parts."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch._compile import _disable_dynamo  # torch.compiler.disable would load the compiler with this file

from probmcl import _check
from probmcl.loss.gaussian_kernel import refuse_transforms
from probmcl.loss.overlap import LabelSets, countable
from probmcl.model import GaussianMixture, HeadOutput
from probmcl.model.mixture import SIGMAS, checked_mixture, widened


@dataclass(frozen=True)
class LossParts:
    """A loss with what it is made of.

    Attributes:
        total: the scalar to minimise.
        parts: its terms by name, detached scalars before weighting.
        diagnostics: detached scalars worth logging, such as :func:`collapse_diagnostics`.
    """

    total: Tensor
    parts: dict[str, Tensor]
    diagnostics: dict[str, Tensor] = field(default_factory=dict)


Terms = tuple[Tensor, dict[str, Tensor]]
"""A loss, and its parts by name, detached and before weighting."""


class ContrastiveCriterion(nn.Module):
    """A loss of a batch that holds each image in V views: first all first views, then all second ones (M1).

    A call takes

    * ``output``: embeddings ``(V N, D)``; or a :class:`~probmcl.model.GaussianMixture`, whose mean is then
      its embedding; or what a head returns, a :class:`~probmcl.model.HeadOutput`.
    * ``labels``: zeros and ones, one row per image, ``(N, K)``, which tells V; or one row per embedding,
      ``(V N, K)``, where each counts as an image of its own.
    * ``anchors``: rows to score against all, ``(A,)``; None for all. The loss is their sum divided by the
      count over all rows, so losses of disjoint anchors that cover the rows add up to the whole.

    It returns a scalar, differentiable once, and raises a TypeError or ValueError that names the argument.
    A criterion with a queue, in training mode, then puts the rows into it.

    >>> from probmcl.loss import SupConLoss
    >>> z, labels = torch.eye(4, requires_grad=True), torch.tensor([[1, 0], [0, 1]])  # two views each
    >>> loss = SupConLoss(temperature=0.1)(z, labels)
    >>> loss.backward()
    >>> torch.allclose(SupConLoss(temperature=0.1)(z, labels.repeat(2, 1)), loss)
    True
    """

    scores_anchors = True
    """Whether it takes ``anchors``; a loss that needs all rows at once cannot be split among processes."""

    def forward(self, output: object, labels: Tensor, anchors: Tensor | None = None) -> Tensor:
        """The loss, a scalar."""
        if torch.compiler.is_compiling():  # each check would break the graph, and tiles gain nothing
            return self._as_it_is(output, labels, anchors)
        return self._terms(*batch(output, labels, anchors))[0]

    # Its first call loads the compiler, so nobody calls it who does not compile.
    _as_it_is = _disable_dynamo(forward)

    def in_parts(self, output: object, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """The loss with its parts, and with :func:`collapse_diagnostics` of the output."""
        found, images, anchors = batch(output, labels, anchors)
        total, parts = self._terms(found, images, anchors)
        return LossParts(total, parts, _diagnostics(found))

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """The loss of checked arguments, and its parts."""
        raise NotImplementedError


def batch(
    output: object, labels: Tensor, anchors: Tensor | None = None
) -> tuple[HeadOutput, LabelSets, Tensor | None]:
    """The arguments of a criterion, checked: as a head's output, the label sets of its images, and anchors.

    >>> output, images, _ = batch(torch.eye(4), torch.tensor([[1, 0], [0, 1]]))
    >>> output.mixture, len(images)
    (None, 2)
    """
    refuse_transforms()
    if isinstance(output, Tensor):
        found = HeadOutput(_check.tensor("output", output, dims=2))
    elif isinstance(output, GaussianMixture):
        found = HeadOutput(output.mean(), output)
    elif isinstance(output, HeadOutput):
        found = output
    else:
        kind = type(output).__name__
        raise TypeError(f"output: expected embeddings, a GaussianMixture or a HeadOutput, got {kind}")
    rows = len(_check.floating("output", _check.tensor("output", found.embedding)))
    labels = _check.tensor("labels", labels, dims=2).to(found.embedding.device)
    if labels.is_complex():
        raise TypeError(f"labels: expected real numbers, got {labels.dtype}")
    present = countable(labels, found.embedding.dtype)
    sizes = present.sum(1)
    sound, largest = _look(found, labels, sizes)
    if not sound:
        _check.labels("labels", labels)
        if found.mixture is not None:
            checked_mixture("output.mixture" if found is output else "output", found.mixture)
        _check.finite("output", found.embedding)
        if found.logits is not None:
            _check.finite("output.logits", found.logits)
    if rows % len(labels):
        expected = f"one row per embedding ({rows}) or per image ({rows} / views)"
        raise ValueError(f"labels: expected {expected}, got {len(labels)}")
    if anchors is not None:
        anchors = _check.row_indices("anchors", anchors, rows).to(labels.device)
    return found, LabelSets(present, sizes, torch.arange(len(labels), device=labels.device), largest), anchors


def _look(output: HeadOutput, labels: Tensor, sizes: Tensor) -> tuple[bool, int]:
    """Whether all numbers of a batch are in range, and its largest label set; waits for the device once."""
    tensors = [labels != labels.bool(), sizes, output.embedding]
    if output.logits is not None:
        tensors.append(output.logits)
    if output.mixture is not None:
        tensors += [output.mixture.log_weights, output.mixture.means, output.mixture.sigmas]
    ends = torch.stack([torch.stack(tensor.detach().aminmax()).float() for tensor in tensors])
    (_, wrong), (_, largest), *numbers = ends.tolist()
    sound = not wrong and all(max(-low, high) < _check.LARGEST for low, high in numbers)
    if output.mixture is not None:
        sound = sound and SIGMAS[0] <= numbers[-1][0] and numbers[-1][1] <= SIGMAS[1]
    return sound, 0 if wrong else int(largest)


def effective_rank(embedding: Tensor) -> Tensor:
    """Effective number of directions that embeddings use (Roy and Vetterli, 2007).

    The exponential of the entropy of the eigenvalues of E[z z^T], scaled to sum to one: 1 when all embeddings
    are one point (collapse), also if that is the origin, D when they use all directions alike.

    Args:
        embedding: embeddings, ``(N, D)``.

    Returns:
        A scalar between 1 and min(N, D), without gradient.

    >>> effective_rank(torch.eye(3)), round(effective_rank(torch.ones(5, 3)).item(), 3)
    (tensor(3.), 1.0)
    """
    return _rank(_check.finite("embedding", embedding, dims=2))


def _rank(z: Tensor) -> Tensor:
    z = widened(z.detach())
    with torch.autocast(z.device.type, enabled=False):
        gram = z.T @ z if z.shape[0] > z.shape[1] else z @ z.T  # the same eigenvalues but for zeros
    shares = torch.linalg.eigvalsh(gram).clamp(min=0)
    total = shares.sum().clamp(min=torch.finfo(shares.dtype).tiny)  # 0 for zeros, whose rank is then exp(0)
    rank: Tensor = torch.special.entr(shares / total).sum().exp()
    return rank


def collapse_diagnostics(output: HeadOutput) -> dict[str, Tensor]:
    """Scalars that show a collapse (M11): of the embedding to a point, of sigma to its floor.

    Args:
        output: embeddings of a batch, and perhaps mixtures and the floor of their sigmas.

    Returns:
        ``effective_rank``; with a mixture also ``mean_sigma``, ``weight_entropy`` (nats, between 0 and log
        K) and, with a floor, ``sigma_at_floor`` in [0, 1], the share of sigmas within 1 % of it. A component
        counts for the sigmas as much as it weighs in its mixture: what nobody uses must not hide a collapse.

    >>> collapse_diagnostics(HeadOutput(torch.eye(3)))
    {'effective_rank': tensor(3.)}
    """
    _check.finite("output.embedding", _check.instance("output", output, HeadOutput).embedding)
    if output.mixture is not None:
        checked_mixture("output.mixture", output.mixture)
    return _diagnostics(output)


@torch.no_grad()
def _diagnostics(output: HeadOutput) -> dict[str, Tensor]:
    """:func:`collapse_diagnostics` of what has been checked."""
    found = {"effective_rank": _rank(output.embedding)}
    if output.mixture is not None:
        mixture = output.mixture
        weights = mixture.log_weights.exp()  # (N, K)
        found["mean_sigma"] = (weights * mixture.scale.mean(-1)).sum(-1).mean()
        found["weight_entropy"] = -(weights * mixture.log_weights).sum(-1).mean()
        if output.sigma_floor is not None:
            at_floor = (mixture.scale <= 1.01 * output.sigma_floor).to(weights.dtype).mean(-1)
            found["sigma_at_floor"] = (weights * at_floor).sum(-1).mean()
    return found
