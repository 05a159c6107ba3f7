"""What every head returns: an embedding and, from the mixture density head, a mixture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from probmcl.model.mixture import GaussianMixture


@dataclass(frozen=True)
class HeadOutput:
    """The output of a head for N rows.

    Attributes:
        embedding: the unit vectors z = t / |t|, ``(N, D)`` (M6).
        mixture: the Gaussian mixture of every row (M5), or None from a deterministic head.
        logits: scores of K classes, ``(N, K)``, from a head whose mixture weights are a classifier as well
            (KMCL); otherwise None.
        sigma_floor: the smallest sigma that the head can give; None from a deterministic head.
    """

    embedding: Tensor
    mixture: GaussianMixture | None = None
    logits: Tensor | None = None
    sigma_floor: float | None = None
