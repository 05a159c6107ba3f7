"""The objective of the contrastive stage: L_PCL + lambda L_NLL."""

from torch import Tensor

from probmcl import _check
from probmcl.loss.component_use import balance, excess_entropy
from probmcl.loss.contrastive import NO_POSITIVES, rule_loss
from probmcl.loss.criterion import ContrastiveCriterion, Terms
from probmcl.loss.overlap import LabelSets
from probmcl.loss.positives import PositiveRule
from probmcl.loss.queue import CrossBatchQueue
from probmcl.loss.similarity import SIMILARITIES, mixture_logits, wide_mixture
from probmcl.model import GaussianMixture, HeadOutput

NLL_TARGETS = ("other_view", "self")
"""Names of the embeddings that a row's mixture is asked to explain (M11)."""

_MIXTURE = ("log_weights", "means", "sigmas")


class ProbMCLLoss(ContrastiveCriterion):
    """L = L_PCL + lambda_nll L_NLL (M9 to M13); every open choice of the ledger is an argument.

    Args:
        similarity: similarity of two mixtures, one of :data:`~probmcl.loss.SIMILARITIES` (M10).
        temperature: tau, in [1e-4, 1e4]; the logits are score / tau (M13).
        rule: how labels become weights, one of :data:`~probmcl.loss.RULES` (M7).
        index: overlap index of the rule (M7).
        threshold: decision threshold alpha in [0, 1] (C1, M7).
        empty: policy for label-less rows (M8).
        no_positives: policy for anchors without positives (M9).
        nll_target: embedding that a mixture has to explain, ``"other_view"`` or ``"self"`` (M11).
        stop_gradient: do not let L_NLL move its target (M11).
        nll_weight: lambda_nll, in [0, 1e6]; with 0 the term is still computed, not minimised (M12).
        queue: mixtures of earlier batches to compare with as well, at most; 0 for none.
        balance_weight: weight of :func:`~probmcl.loss.component_use.balance`, in [0, 1e6], which rewards
            components that are used equally often over the batch (M5, our choice; 0 for none).
        sharpness_weight: weight of :func:`~probmcl.loss.component_use.excess_entropy`, in [0, 1e6], which
            lets an image use about as many components as images have labels (M5, our choice; 0 for none).

    Raises:
        ValueError: for an unknown name or a parameter out of range.

    >>> from probmcl.model import MixtureDensityHead
    >>> head = MixtureDensityHead(16, components=3, trunk=(32, 8))
    >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0]])  # two images
    >>> output = head(torch.randn(4, 16))  # four rows: two views each
    >>> ProbMCLLoss()(output, labels).backward()
    >>> found = ProbMCLLoss().in_parts(output, labels)
    >>> sorted(found.parts), sorted(found.diagnostics)
    (['contrastive', 'nll'], ['effective_rank', 'mean_sigma', 'sigma_at_floor', 'weight_entropy'])

    The defaults are the objective as it was first read, under which mixtures shrink. These keep components
    apart and let the image choose among them; ledger row M5 has what that brings.

    >>> head = MixtureDensityHead(16, components=3, trunk=(32, 8), sigma_floor=0.3, first_sigma=0.4)
    >>> loss = ProbMCLLoss("log_bhattacharyya", 0.3, balance_weight=1.0, sharpness_weight=0.8)
    >>> sorted(loss.in_parts(head(torch.randn(4, 16)), labels).parts)
    ['balance', 'contrastive', 'excess_entropy', 'nll']
    """

    def __init__(
        self,
        similarity: str = "log_expected_likelihood",
        temperature: float = 0.25,
        rule: str = "threshold",
        index: str = "jaccard",
        threshold: float = 0.5,
        empty: str = "match",
        no_positives: str = "skip",
        nll_target: str = "other_view",
        stop_gradient: bool = True,
        nll_weight: float = 0.05,
        queue: int = 0,
        balance_weight: float = 0.0,
        sharpness_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.similarity = _check.one_of("similarity", similarity, SIMILARITIES)
        self.temperature = _check.temperature(temperature)
        self.positives = PositiveRule(rule, index, threshold, empty)
        self.no_positives = _check.one_of("no_positives", no_positives, NO_POSITIVES)
        self.nll_target = _check.one_of("nll_target", nll_target, NLL_TARGETS)
        self.stop_gradient = _check.flag("stop_gradient", stop_gradient)
        self.nll_weight = _check.number("nll_weight", nll_weight, low=0.0, high=1e6)
        self.use_weights = (
            _check.number("balance_weight", balance_weight, low=0.0, high=1e6),
            _check.number("sharpness_weight", sharpness_weight, low=0.0, high=1e6),
        )
        self.queue = CrossBatchQueue(_check.count("queue", queue, low=0), _MIXTURE)

    def _terms(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """L_PCL + lambda_nll L_NLL (M12), and how components are used where that has a weight; with parts."""
        total, parts = self._likelihoods(output, images, anchors)
        if any(self.use_weights) and output.mixture is not None:
            log_weights = output.mixture.wide().log_weights
            used = balance(log_weights), excess_entropy(log_weights, images.sizes)
            share = 1 if anchors is None else len(anchors) / len(log_weights)
            total = total + share * sum(w * term for w, term in zip(self.use_weights, used, strict=True))
            parts |= {"balance": share * used[0].detach(), "excess_entropy": share * used[1].detach()}
        return total, parts

    def _likelihoods(self, output: HeadOutput, images: LabelSets, anchors: Tensor | None) -> Terms:
        """L_PCL + lambda_nll L_NLL, with its parts ``contrastive`` and ``nll``."""
        if output.mixture is None:
            raise ValueError("output: expected mixtures (of a MixtureDensityHead), got embeddings alone")
        mixture, z = output.mixture.wide(), output.embedding
        contrastive = self._contrastive(mixture, images, anchors)
        views = len(z) // len(images)
        if views == 1 and self.nll_target == "other_view":
            if self.nll_weight:
                raise ValueError(
                    'labels: expected one row per image of at least two views with nll_target="other_view" '
                    "and nll_weight above 0, got one row per embedding"
                )
            return contrastive, {"contrastive": contrastive.detach()}
        targets = _targets(z, self.nll_target, self.stop_gradient, images=len(images))
        if anchors is None:
            nll = -mixture._log_prob(targets).mean() / z.shape[1]
        else:
            log_prob = mixture[anchors]._log_prob(targets[anchors])
            nll = -log_prob.mean() / z.shape[1] * (len(anchors) / len(mixture))
        total = contrastive + self.nll_weight * nll
        return total, {"contrastive": contrastive.detach(), "nll": nll.detach()}

    def _contrastive(self, mixture: GaussianMixture, images: LabelSets, anchors: Tensor | None) -> Tensor:
        """L_PCL of the anchors against the batch and the queue (M9)."""
        some = mixture if anchors is None else mixture[anchors]
        rows, queued = mixture, None
        if len(self.queue):
            earlier = GaussianMixture(*(self.queue.get_buffer(name) for name in _MIXTURE))
            rows = GaussianMixture.cat([mixture, earlier.to(mixture.means.dtype)])
            queued = self.queue.label_sets()
        logits = mixture_logits(self.similarity, some, None if some is rows else rows, self.temperature)
        loss = rule_loss(logits, self.positives, images, queued, anchors, self.no_positives)
        if self.training and self.queue.rows:
            kept = {name: getattr(mixture, name) for name in _MIXTURE}
            self.queue.add(images.present.repeat(len(mixture) // len(images), 1), **kept)
        return loss


def mixture_nll(mixture: GaussianMixture, target: Tensor, *, per_dimension: bool = True) -> Tensor:
    """Mean negative log-likelihood of row i's mixture at row i of ``target`` (M11).

    Args:
        mixture: N mixtures in D dimensions.
        target: the points to explain, ``(N, D)``.
        per_dimension: divide by D. The term is O(D) nats, the contrastive term a few; undivided, it rules.

    Returns:
        The mean over rows, a scalar in nats (per dimension); it can be negative, for it is a density's.

    Raises:
        ValueError: if the target has another shape or is NaN or infinite.

    >>> mixture = GaussianMixture(torch.zeros(1, 1), torch.zeros(1, 1, 2), torch.ones(1, 1))
    >>> mixture_nll(mixture, torch.zeros(1, 2))  # log(2 pi) / 2
    tensor(0.9189)
    """
    wide_mixture("mixture", mixture)
    _check.shape("target", _check.finite("target", target), (len(mixture), mixture.dimensions))
    nll = -mixture._log_prob(target).mean()
    return nll / target.shape[1] if _check.flag("per_dimension", per_dimension) else nll


def view_targets(
    embedding: Tensor, target: str = "other_view", *, stop_gradient: bool = True, views: int = 2
) -> Tensor:
    """The embedding that each row's mixture is asked to explain (M11).

    Args:
        embedding: unit embeddings of V N rows, ``(V N, D)``; rows i, i + N, ... are views of one image.
        target: ``"other_view"``, the embedding of the image's next view (of two views, the other one), or
            ``"self"``, the row's own, which is minimised by copying.
        stop_gradient: do not let the loss move the target. It slows the collapse of all embeddings to one
            point but does not prevent it.
        views: the number V.

    Returns:
        Targets, ``(V N, D)``.

    Raises:
        ValueError: if the rows are not so many views of each image, there is no other view, or the target is
            unknown.

    >>> view_targets(torch.tensor([[1.0], [2.0], [3.0], [4.0]])).T
    tensor([[3., 4., 1., 2.]])
    """
    rows = _check.finite("embedding", embedding, dims=2).shape[0]
    if rows % _check.count("views", views):
        raise ValueError(f"embedding: expected {views} rows per image, got {rows} rows")
    if _check.one_of("target", target, NLL_TARGETS) == "other_view" and views == 1:
        raise ValueError('views: expected at least 2 with target="other_view", got 1')
    return _targets(embedding, target, _check.flag("stop_gradient", stop_gradient), images=rows // views)


def _targets(z: Tensor, target: str, stop_gradient: bool, images: int) -> Tensor:
    """:func:`view_targets` of what has been checked."""
    moved = z if target == "self" else z.roll(-images, 0)
    return moved.detach() if stop_gradient else moved
