"""KMCL beside ProbMCL, with the formulas as they are meant: kernels compared class by class."""

from __future__ import annotations

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.asymmetric import asymmetric_loss
from probmcl.loss.contrastive import NoPositivesWarning
from probmcl.loss.criterion import ContrastiveCriterion, Terms
from probmcl.loss.overlap import LabelSets, overlap
from probmcl.loss.positives import positive_weights
from probmcl.loss.similarity import mixture_logits, wide_mixture
from probmcl.model import GaussianMixture, HeadOutput


def kmcl_contrastive_loss(mixture: GaussianMixture, labels: Tensor, *, temperature: float = 0.17) -> Tensor:
    """Contrastive term of KMCL (Sajedi et al., 2023): component k is the kernel of class k.

    With A(i) the rows that share a label with i, J the Jaccard index and BC_k the Bhattacharyya coefficient
    of the kernels of class k, it is the mean over anchors with a non-empty A(i) of

        -1/|A(i)| sum_{j in A(i)} J(i, j) sum_{k in both} log softmax_{j != i} BC_k(i, j) / tau.

    Two corrections to the published code: J stands outside the logarithm (inside, it is a constant without a
    gradient), and BC_k is the true coefficient also for diagonal covariances (the code's is its D-th power).
    Averaging over anchors with positives only, and no positives for label-less rows, is our reading.

    Args:
        mixture: N mixtures of K components; their weights are not used.
        labels: label matrix of zeros and ones, ``(N, K)``.
        temperature: tau, in [1e-4, 1e4].

    Returns:
        The loss, a scalar >= 0; 0 with a zero gradient and a :class:`NoPositivesWarning` if no two rows
        share a label.

    Raises:
        ValueError: if rows or classes differ, labels are not 0/1, a parameter is NaN or infinite, or a sigma
            is not above 0.

    Example:
        >>> same = GaussianMixture(torch.zeros(3, 1), torch.zeros(3, 1, 2), torch.ones(3, 1))
        >>> kmcl_contrastive_loss(same, torch.ones(3, 1))  # two others, equally similar: log 2
        tensor(0.6931)
    """
    _check.temperature(temperature)
    return _contrastive(*_one_component_per_class(mixture, labels), temperature)


def _contrastive(mixture: GaussianMixture, labels: Tensor, temperature: float) -> Tensor:
    """:func:`kmcl_contrastive_loss` of what has been checked."""
    present = labels.bool()
    positives = positive_weights(labels, "any", empty="drop")  # (N, N)
    counts = positives.sum(1)  # |A(i)|, (N,)
    anchors = (counts > 0).sum()
    if not anchors:
        NoPositivesWarning.emit()
    shares = overlap(labels.to(mixture.means.dtype))  # J(i, j)
    weights = shares * positives / counts.clamp(min=1).unsqueeze(1)  # J(i, j) / |A(i)|
    total = mixture.means.sum() * 0  # keeps the graph where no class is carried
    for k in present.any(0).nonzero().flatten().tolist():
        rows = present[:, k].nonzero().flatten()  # (R,) rows that carry class k
        log_probability = _log_softmax_of_class(mixture, k, rows, temperature)  # (R, N)
        pull = weights[rows] * present[:, k]
        total = total - (pull.to(log_probability.dtype) * log_probability).sum()
    return total / anchors.clamp(min=1)


def kmcl_reconstruction_loss(mixture: GaussianMixture, z: Tensor, labels: Tensor) -> Tensor:
    """Reconstruction term of KMCL: the kernels of a row's own classes should explain its point.

    The mean over labelled rows of

        -log[ sum_k y_k pi_k g_k(z) / sum_k pi_k g_k(z) ],   g_k(z) = exp(-|z - mu_k|^2 / (2 sigma_k^2)).

    g_k is a kernel, not a density: it has no factor sigma_k^-D. A factor common to all pi_k cancels, so the
    mixture's weights serve for KMCL's, which are sigmoids. A row without labels has the logarithm of 0 here;
    leaving it out is our reading.

    Args:
        mixture: N mixtures of K components, one per class.
        z: the points h in the formula of KMCL, ``(N, D)``.
        labels: label matrix of zeros and ones, ``(N, K)``.

    Returns:
        The loss, a scalar >= 0; 0 if no row has a label.

    Raises:
        ValueError: if rows, classes or dimensions differ, labels are not 0/1, a number is not finite, or
            a sigma is not above 0.

    Example:
        >>> mixture = GaussianMixture(torch.zeros(1, 2), torch.zeros(1, 2, 3), torch.ones(1, 2))
        >>> kmcl_reconstruction_loss(mixture, torch.zeros(1, 3), torch.tensor([[1, 0]]))  # one of two: log 2
        tensor(0.6931)
    """
    mixture, labels = _one_component_per_class(mixture, labels)
    _check.shape("z", _check.finite("z", z), (len(mixture), mixture.dimensions))
    return _reconstruction(mixture, z, labels)


def _reconstruction(mixture: GaussianMixture, z: Tensor, labels: Tensor) -> Tensor:
    """:func:`kmcl_reconstruction_loss` of what has been checked."""
    present = labels.bool()
    wide = torch.promote_types(torch.promote_types(mixture.means.dtype, z.dtype), torch.float32)
    mixture, labelled = mixture.to(wide), present.any(1)
    offset = (z.to(wide).unsqueeze(1) - mixture.means) / mixture.scale  # (N, K, D)
    log_kernels = (mixture.log_weights - offset.square().sum(-1) / 2)[labelled]  # log pi_k g_k
    own = log_kernels.masked_fill(~present[labelled], -torch.inf)
    lost = log_kernels.logsumexp(1) - own.logsumexp(1)
    return lost.sum() / labelled.sum().clamp(min=1)


class KMCLLoss(ContrastiveCriterion):
    """KMCL (Sajedi et al., 2023), corrected: contrastive + reconstruction + asymmetric loss.

    It needs a head with one component per class whose weights are a classifier:
    ``MixtureDensityHead(..., weights="sigmoid")``. KMCL gives every term the weight 1. Its asymmetric loss is
    a sum over the entries of a batch and ours a mean, so the same weights are not the same balance: 0.001 for
    both other terms is nearer to it, and did far better in our comparison on photographs.

    Args:
        temperature: tau, in [1e-4, 1e4].
        contrastive_weight: weight of the contrastive term, in [0, 1e6].
        reconstruction_weight: weight of the reconstruction term, in [0, 1e6].

    Raises:
        ValueError: for a parameter out of range.

    Example:
        >>> from probmcl.model import MixtureDensityHead
        >>> head = MixtureDensityHead(16, components=3, trunk=(32, 8), weights="sigmoid")
        >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0]])  # two images
        >>> sorted(KMCLLoss().in_parts(head(torch.randn(4, 16)), labels).parts)  # four rows: two views each
        ['asymmetric', 'contrastive', 'reconstruction']
    """

    scores_anchors = False

    def __init__(
        self, temperature: float = 0.17, contrastive_weight: float = 1.0, reconstruction_weight: float = 1.0
    ) -> None:
        super().__init__()
        self.temperature = _check.temperature(temperature)
        self.contrastive_weight = _check.number("contrastive_weight", contrastive_weight, low=0.0, high=1e6)
        self.reconstruction_weight = _check.number(
            "reconstruction_weight", reconstruction_weight, low=0.0, high=1e6
        )

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """The loss, with its parts ``contrastive``, ``reconstruction`` and ``asymmetric``."""
        if output.mixture is None or output.logits is None:
            raise ValueError('output: expected mixtures and logits (of a head with weights="sigmoid")')
        if anchors is not None:
            raise ValueError("anchors: expected None, for KMCLLoss scores all rows")
        mixture = output.mixture.wide()
        _check.alike("labels", images.present.shape[1], "output", mixture.components, "classes")
        rows = images.present.repeat(len(output.embedding) // len(images), 1)  # (V N, K)
        contrastive = _contrastive(mixture, rows, self.temperature)
        reconstruction = _reconstruction(mixture, output.embedding, rows)
        asymmetric = asymmetric_loss(output.logits, rows)
        total = self.contrastive_weight * contrastive + self.reconstruction_weight * reconstruction
        parts = {"contrastive": contrastive, "reconstruction": reconstruction, "asymmetric": asymmetric}
        return total + asymmetric, {name: part.detach() for name, part in parts.items()}


def _log_softmax_of_class(mixture: GaussianMixture, k: int, rows: Tensor, temperature: float) -> Tensor:
    """``log softmax_{j != i} BC_k(i, j) / tau`` for anchors i in ``rows`` (R,): ``(R, N)``, 0 at j = i."""
    whole = torch.zeros_like(mixture.log_weights[:, :1])  # one component, weight 1
    kernel = GaussianMixture(whole, mixture.means[:, k : k + 1], mixture.sigmas[:, k : k + 1])
    logits = mixture_logits("bhattacharyya", kernel[rows], kernel, temperature).matrix()
    itself = torch.zeros_like(logits, dtype=torch.bool).scatter_(1, rows.unsqueeze(1), True)
    others = logits.masked_fill(itself, torch.finfo(logits.dtype).min)
    return others.log_softmax(1).masked_fill(itself, 0)


def _one_component_per_class(mixture: GaussianMixture, labels: Tensor) -> tuple[GaussianMixture, Tensor]:
    """The mixture and the labels, if both are sound and rows and classes are the mixture's."""
    mixture = wide_mixture("mixture", mixture)
    _check.shape("labels", _check.labels("labels", labels), (len(mixture), mixture.components))
    return mixture, labels
