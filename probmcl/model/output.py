"""What every head returns: an embedding and, from the mixture density head, a mixture."""

from dataclasses import dataclass

from torch import Tensor

from probmcl import _check
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

    Raises:
        ValueError: if the parts are not of the same rows, dimensions and classes.
    """

    embedding: Tensor
    mixture: GaussianMixture | None = None
    logits: Tensor | None = None
    sigma_floor: float | None = None

    def __post_init__(self) -> None:
        rows, dimensions = _check.tensor("embedding", self.embedding, dims=2, not_empty=False).shape
        if self.mixture is not None:
            mixture = _check.instance("mixture", self.mixture, GaussianMixture)
            _check.alike("mixture", len(mixture), "embedding", rows, "rows")
            _check.alike("mixture", mixture.dimensions, "embedding", dimensions, "dimensions")
        if self.logits is not None:
            logits = _check.floating("logits", _check.tensor("logits", self.logits, dims=2))
            if self.mixture is not None:
                _check.same_shape("logits", logits, "mixture.log_weights", self.mixture.log_weights)
            _check.same_rows("logits", logits, "embedding", self.embedding)
        if self.sigma_floor is not None:
            _check.number("sigma_floor", self.sigma_floor, low=0.0, above=True)
