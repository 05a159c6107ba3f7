"""KMCL beside ProbMCL, with the formulas as they are meant: kernels compared class by class."""

from collections.abc import Iterator

import torch
from torch import Tensor

from probmcl import _check
from probmcl.loss.asymmetric import unchecked_asymmetric_loss
from probmcl.loss.contrastive import NoPositivesWarning
from probmcl.loss.criterion import ContrastiveCriterion, Terms
from probmcl.loss.gaussian_kernel import TILE_ELEMENTS, tile_elements
from probmcl.loss.overlap import LabelSets, pair_overlap
from probmcl.loss.similarity import log_bhattacharyya_coefficients, wide_mixture
from probmcl.model import GaussianMixture, HeadOutput
from probmcl.model.mixture import widened


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

    >>> same = GaussianMixture(torch.zeros(3, 1), torch.zeros(3, 1, 2), torch.ones(3, 1))
    >>> kmcl_contrastive_loss(same, torch.ones(3, 1))  # two others, equally similar: log 2
    tensor(0.6931)
    """
    _check.temperature(temperature)
    mixture = _one_component_per_class(mixture, labels)
    return _contrastive(mixture, LabelSets.of("labels", labels.to(mixture.means.dtype)), temperature)


def _contrastive(mixture: GaussianMixture, sets: LabelSets, temperature: float) -> Tensor:
    """:func:`kmcl_contrastive_loss` of what has been checked, for many classes at a time."""
    present = sets.present  # (N, K)
    shares = pair_overlap(sets, sets, "jaccard").fill_diagonal_(0)  # J(i, j)
    counts = (shares > 0).sum(1)  # |A(i)|, (N,)
    weights = shares / counts.clamp(min=1).unsqueeze(1)
    anchors = (counts > 0).sum()
    *carriers, some = torch.cat([present.sum(0), anchors.unsqueeze(0)]).tolist()  # one wait for the device
    if not some:
        NoPositivesWarning.emit()
    carriers_first = present.argsort(dim=0, descending=True, stable=True)  # (N, K)
    total = mixture.means.sum() * 0  # keeps the graph where no class is carried
    for classes, most in _groups(carriers, len(mixture) * mixture.sigmas[0, 0].numel(), mixture.means.device):
        rows = carriers_first[:most, classes].T  # (G, R)
        carried = present[:, classes].T  # (G, N)
        pull = weights[rows] * carried.unsqueeze(1) * carried.gather(1, rows).unsqueeze(2)  # (G, R, N)
        total = total - (pull * _log_softmax_of_classes(mixture, classes, rows, temperature)).sum()
    return total / anchors.clamp(min=1)


def _groups(carriers: list[float], others: int, device: torch.device) -> Iterator[tuple[Tensor, int]]:
    """Classes that two rows carry, a tile's worth at a time, and how many rows carry one of them at most."""
    elements = tile_elements(device, TILE_ELEMENTS)
    classes = sorted((k for k, rows in enumerate(carriers) if rows > 1), key=lambda k: -carriers[k])
    while classes:
        most = int(carriers[classes[0]])
        size = max(1, elements // (most * others))
        yield torch.tensor(classes[:size], device=device), most
        classes = classes[size:]


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

    >>> mixture = GaussianMixture(torch.zeros(1, 2), torch.zeros(1, 2, 3), torch.ones(1, 2))
    >>> kmcl_reconstruction_loss(mixture, torch.zeros(1, 3), torch.tensor([[1, 0]]))  # one of two: log 2
    tensor(0.6931)
    """
    mixture = _one_component_per_class(mixture, labels)
    _check.shape("z", _check.finite("z", z), (len(mixture), mixture.dimensions))
    return _reconstruction(mixture, z, labels.bool())


def _reconstruction(mixture: GaussianMixture, z: Tensor, present: Tensor) -> Tensor:
    """:func:`kmcl_reconstruction_loss` of what has been checked; the labels as booleans."""
    mixture, labelled = mixture.wide(), present.any(1)
    offset = (widened(z).unsqueeze(1) - mixture.means) / mixture.scale  # (N, K, D)
    log_kernels = mixture.log_weights - offset.square().sum(-1) / 2  # log pi_k g_k
    foreign = labelled.unsqueeze(1) & ~present  # of a row without labels, none: it loses nothing
    lost = log_kernels.logsumexp(1) - log_kernels.masked_fill(foreign, -torch.inf).logsumexp(1)
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
        rows = images[torch.arange(len(mixture), device=images.sizes.device) % len(images)]  # V N label sets
        present = rows.present.bool()
        contrastive = _contrastive(mixture, rows, self.temperature)
        reconstruction = _reconstruction(mixture, output.embedding, present)
        asymmetric = unchecked_asymmetric_loss(output.logits, present)
        total = self.contrastive_weight * contrastive + self.reconstruction_weight * reconstruction
        parts = {"contrastive": contrastive, "reconstruction": reconstruction, "asymmetric": asymmetric}
        return total + asymmetric, {name: part.detach() for name, part in parts.items()}


def _log_softmax_of_classes(
    mixture: GaussianMixture, classes: Tensor, rows: Tensor, temperature: float
) -> Tensor:
    """``log softmax_{j != i} BC_k(i, j) / tau`` of G classes, for R anchors i of each: ``(G, R, N)``."""
    means = mixture.means[:, classes].transpose(0, 1)  # (G, N, D)
    variances = mixture.sigmas[:, classes].transpose(0, 1).square()  # (G, N[, D])
    first = means.take_along_dim(rows.unsqueeze(2), 1)  # (G, R, D)
    spread = variances.take_along_dim(rows if mixture.isotropic else rows.unsqueeze(2), 1)  # (G, R[, D])
    coefficients = log_bhattacharyya_coefficients(first, spread, means, variances).exp()
    itself, lowest = rows.unsqueeze(2), torch.finfo(coefficients.dtype).min / 2
    return (coefficients / temperature).scatter(2, itself, lowest).log_softmax(2)


def _one_component_per_class(mixture: GaussianMixture, labels: Tensor) -> GaussianMixture:
    """The mixture, if it and the labels are sound, and rows and classes are the mixture's."""
    mixture = wide_mixture("mixture", mixture)
    _check.shape("labels", _check.labels("labels", labels), (len(mixture), mixture.components))
    return mixture
