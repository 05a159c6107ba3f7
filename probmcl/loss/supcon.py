"""Contrastive criteria on embeddings: the deterministic relatives of ProbMCL."""

from __future__ import annotations

from torch import Tensor, nn

from probmcl import _check
from probmcl.loss.contrastive import NO_POSITIVES, contrastive_loss, mulsupcon_loss
from probmcl.loss.diagnostics import collapse_diagnostics
from probmcl.loss.parts import LossParts
from probmcl.loss.positives import PositiveRule, two_view_labels
from probmcl.loss.similarity import cosine_similarity
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

    def forward(self, output: HeadOutput, labels: Tensor) -> LossParts:
        """Score embeddings of 2N rows (row i and i + N: views of image i) against labels ``(N, K)``."""
        weights = self.positives.two_view_weights(labels, rows=len(output.embedding))
        logits = cosine_similarity(output.embedding) / self.temperature
        loss = contrastive_loss(logits, weights, no_positives=self.no_positives)
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

    def forward(self, output: HeadOutput, labels: Tensor) -> LossParts:
        """Score embeddings of 2N rows (row i and i + N: views of image i) against labels ``(N, K)``."""
        logits = cosine_similarity(output.embedding) / self.temperature
        loss = mulsupcon_loss(logits, two_view_labels(labels)[0])
        return LossParts(loss, {"contrastive": loss.detach()}, collapse_diagnostics(output))
