"""Contrastive criteria on embeddings: the deterministic relatives of ProbMCL."""

from __future__ import annotations

from torch import Tensor, nn

from probmcl import _check
from probmcl.loss.anchor_sum import anchor_sum, scored_rows
from probmcl.loss.contrastive import NO_POSITIVES, label_targets, pair_mean, rule_mean, rule_targets
from probmcl.loss.diagnostics import collapse_diagnostics
from probmcl.loss.logits import cosine_logits
from probmcl.loss.parts import LossParts
from probmcl.loss.positive_rule import LabelledRows, PositiveRule
from probmcl.model import HeadOutput


class SupConLoss(nn.Module):
    """Multi-label supervised contrastive loss on the cosine of embeddings.

    With the default rule it is ProbMCL without its mixture, which is the recipe of MultiSupContrast (2022):
    positives by a Jaccard threshold.

    Args:
        rule: one of :data:`~probmcl.loss.RULES`.
        index: overlap index (M7).
        threshold: decision threshold alpha (M7).
        empty: policy for label-less rows (M8).
        temperature: tau > 0.
        no_positives: policy for anchors without positives.

    Example:
        >>> criterion = SupConLoss(temperature=0.1)
        >>> criterion(HeadOutput(torch.eye(4)), torch.tensor([[1, 0], [0, 1]])).total
        tensor(1.0986)
    """

    def __init__(
        self,
        rule: str = "threshold",
        index: str = "jaccard",
        threshold: float = 0.5,
        empty: str = "match",
        temperature: float = 0.1,
        no_positives: str = "skip",
    ) -> None:
        super().__init__()
        self.positives = PositiveRule(rule, index, threshold, empty)
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)
        self.no_positives = _check.one_of("no_positives", no_positives, NO_POSITIVES)

    def forward(self, output: HeadOutput, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """Score embeddings of 2N rows (row i and i + N: views of image i) against labels ``(N, K)``.

        Args:
            output: embeddings of the 2N rows.
            labels: label matrix of the N images, ``(N, K)``.
            anchors: rows to score against all, ``(A,)``; None for all. The loss is their sum divided by the
                count over all rows, so losses of disjoint anchors that cover the rows add up to the whole.

        Returns:
            The loss, itself as part ``contrastive``, and collapse diagnostics.

        Raises:
            ValueError: if there are not two rows an image, or for anchors that are no rows.
        """
        z = _check.finite("output.embedding", output.embedding, dims=2)
        rows = LabelledRows.two_views(labels, rows=len(z))
        scored = scored_rows(anchors, z)
        logits = cosine_logits(z[scored], z, self.temperature)
        targets = rule_targets(self.positives, rows, scored, logits.dtype)
        total = anchor_sum(logits, targets, scored)
        loss = rule_mean(total, self.positives, rows, self.no_positives)
        return LossParts(loss, {"contrastive": loss.detach()}, collapse_diagnostics(output))


class MulSupConLoss(nn.Module):
    """MulSupCon (Zhang and Wu, AAAI 2024) on the cosine of embeddings: one contrastive task a label.

    Args:
        temperature: tau > 0.

    Example:
        >>> criterion = MulSupConLoss(temperature=0.1)
        >>> criterion(HeadOutput(torch.eye(4)), torch.tensor([[1, 0], [0, 1]])).total
        tensor(1.0986)
    """

    def __init__(self, temperature: float = 0.1) -> None:
        super().__init__()
        self.temperature = _check.number("temperature", temperature, low=0.0, above=True)

    def forward(self, output: HeadOutput, labels: Tensor, anchors: Tensor | None = None) -> LossParts:
        """Score embeddings of 2N rows against labels ``(N, K)``; arguments as of :class:`SupConLoss`."""
        z = _check.finite("output.embedding", output.embedding, dims=2)
        rows = LabelledRows.two_views(labels, rows=len(z))
        scored = scored_rows(anchors, z)
        logits = cosine_logits(z[scored], z, self.temperature)
        targets, pairs = label_targets(rows.sets.present.to(logits.dtype), scored)
        loss = pair_mean(anchor_sum(logits, targets, scored), pairs)
        return LossParts(loss, {"contrastive": loss.detach()}, collapse_diagnostics(output))
