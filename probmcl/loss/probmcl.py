"""The objective of the contrastive stage: L_PCL + lambda L_NLL."""

from __future__ import annotations

from torch import Tensor, nn

from probmcl import _check
from probmcl.loss.anchor_sum import anchor_sum, scored_rows
from probmcl.loss.contrastive import NO_POSITIVES, rule_mean, rule_targets
from probmcl.loss.diagnostics import collapse_diagnostics
from probmcl.loss.likelihood import NLL_TARGETS, mixture_nll, view_targets
from probmcl.loss.logits import mixture_logits
from probmcl.loss.parts import LossParts
from probmcl.loss.positive_rule import LabelledRows, PositiveRule
from probmcl.loss.queue import CrossBatchQueue
from probmcl.loss.similarity import SIMILARITIES
from probmcl.model import GaussianMixture, HeadOutput

_MIXTURE = ("log_weights", "means", "sigmas")


class ProbMCLLoss(nn.Module):
    """L = L_PCL + lambda_nll L_NLL (M9 to M13); every open choice of the ledger is an argument.

    Args:
        similarity: similarity of two mixtures, one of :data:`~probmcl.loss.SIMILARITIES` (M10).
        temperature: tau > 0; the logits are score / tau (M13).
        rule: how labels become weights, one of :data:`~probmcl.loss.RULES` (M7).
        index: overlap index of the rule (M7).
        threshold: decision threshold alpha in [0, 1] (C1, M7).
        empty: policy for label-less rows (M8).
        no_positives: policy for anchors without positives (M9).
        nll_target: embedding that a mixture has to explain, ``"other_view"`` or ``"self"`` (M11).
        stop_gradient: do not let L_NLL move its target (M11).
        nll_weight: lambda_nll >= 0; with 0 the term is still computed and logged, not minimised (M12).
        queue: mixtures of earlier batches to compare with as well, at most; 0 for none.

    Raises:
        ValueError: for an unknown name or a parameter out of range.

    Example:
        >>> from probmcl.model import MixtureDensityHead
        >>> head = MixtureDensityHead(16, components=3, trunk=(32, 8))
        >>> labels = torch.tensor([[1, 1, 0], [1, 0, 0]])  # two images
        >>> found = ProbMCLLoss()(head(torch.randn(4, 16)), labels)  # four rows: two views each
        >>> sorted(found.parts), sorted(found.diagnostics)
        (['contrastive', 'nll'], ['effective_rank', 'mean_sigma', 'weight_entropy'])
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
    ) -> None:
        super().__init__()
        self.similarity = _check.one_of("similarity", similarity, SIMILARITIES)
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)
        self.positives = PositiveRule(rule, index, threshold, empty)
        self.no_positives = _check.one_of("no_positives", no_positives, NO_POSITIVES)
        self.nll_target = _check.one_of("nll_target", nll_target, NLL_TARGETS)
        self.stop_gradient = stop_gradient
        self.nll_weight = _check.number("nll_weight", nll_weight, low=0.0)
        self.queue = CrossBatchQueue(queue, _MIXTURE)

    def forward(self, output: HeadOutput, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """Score the mixtures of 2N rows against the labels of N images.

        Args:
            output: embeddings and mixtures of a :class:`~probmcl.model.MixtureDensityHead`; row i and row
                i + N are the two views of image i (M1).
            labels: label matrix of the N images, zeros and ones, ``(N, K)``.
            anchors: rows to score against all, ``(A,)``; None for all. Their sum is divided by the count over
                all rows, so losses of disjoint anchors that cover the rows add up to the whole.

        Returns:
            The loss, its parts ``contrastive`` (L_PCL) and ``nll`` (L_NLL), and collapse diagnostics. In
            training mode the mixtures then join the queue.

        Raises:
            ValueError: if the output has no mixture or not two rows an image, or an anchor is no row.
        """
        if output.mixture is None:
            raise ValueError("output: expected mixtures (of a MixtureDensityHead), got embeddings alone")
        contrastive = self._contrastive(output.mixture, labels, anchors)
        nll = self._nll(output.mixture, output.embedding, anchors)
        return LossParts(
            contrastive + self.nll_weight * nll,
            {"contrastive": contrastive.detach(), "nll": nll.detach()},
            collapse_diagnostics(output),
        )

    def _contrastive(self, mixture: GaussianMixture, labels: Tensor, anchors: Tensor | None) -> Tensor:
        """L_PCL of the anchors against the batch and the queue (M9)."""
        images = LabelledRows.images(labels, views=len(mixture))
        scored = scored_rows(anchors, mixture.means)
        some = mixture if anchors is None else mixture[scored]
        rows = self._with_queue(mixture)
        logits = mixture_logits(self.similarity, some, None if some is rows else rows, self.temperature)
        queued = self.queue.labelled_rows()
        targets = rule_targets(self.positives, images, queued, scored, logits.dtype)
        total = anchor_sum(logits, targets, scored)
        if self.training:
            kept = {name: getattr(mixture, name) for name in _MIXTURE}
            self.queue.add(labels.repeat(2, 1), **kept)
        return rule_mean(total, self.positives, images, self.no_positives)

    def _with_queue(self, mixture: GaussianMixture) -> GaussianMixture:
        """The mixtures of a batch and of the queue behind it."""
        if not len(self.queue):
            return mixture
        queued = GaussianMixture(*(self.queue.get_buffer(name) for name in _MIXTURE))
        return GaussianMixture.cat([mixture, queued.to(mixture.means.dtype)])

    def _nll(self, mixture: GaussianMixture, embedding: Tensor, anchors: Tensor | None) -> Tensor:
        """L_NLL of the anchors (M11)."""
        targets = view_targets(embedding, self.nll_target, stop_gradient=self.stop_gradient)
        if anchors is None:
            return mixture_nll(mixture, targets)
        return mixture_nll(mixture[anchors], targets[anchors]) * (len(anchors) / len(mixture))
