"""What every criterion returns: the loss, its parts, and what to watch."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class LossParts:
    """A loss with what it is made of.

    Attributes:
        total: the scalar to minimise.
        parts: its terms by name, detached scalars before weighting.
        diagnostics: detached scalars worth logging, such as a collapse diagnostic.
    """

    total: Tensor
    parts: dict[str, Tensor]
    diagnostics: dict[str, Tensor] = field(default_factory=dict)
