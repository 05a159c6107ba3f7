"""What a training stage did, epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from probmcl.loss import LossParts


@dataclass(frozen=True)
class EpochLog:
    """One epoch.

    Attributes:
        epoch: number, from 1.
        loss: mean of the total loss over the epoch's steps.
        parts: mean of each loss part.
        diagnostics: mean of each diagnostic.
        learning_rate: at the end of the epoch.
        seconds: wall time of the training steps.
        views_per_second: image views through the model in a second.
        watched: the watched metric after the epoch, if one is watched.
    """

    epoch: int
    loss: float
    parts: dict[str, float]
    diagnostics: dict[str, float]
    learning_rate: float
    seconds: float
    views_per_second: float
    watched: float | None = None


@dataclass
class History:
    """All epochs of a stage, and which of them was kept.

    Attributes:
        epochs: one log an epoch.
        best_epoch: number of the epoch whose weights were kept.
    """

    epochs: list[EpochLog] = field(default_factory=list)
    best_epoch: int = 0

    @property
    def seconds(self) -> float:
        """Wall time of all training steps."""
        return sum(log.seconds for log in self.epochs)

    def curve(self, name: str) -> list[float]:
        """One value an epoch: ``"loss"``, ``"watched"``, or the name of a loss part or diagnostic.

        Raises:
            ValueError: if no epoch has a value of that name.
        """
        values = [getattr(log, name, log.parts.get(name, log.diagnostics.get(name))) for log in self.epochs]
        if any(value is None for value in values) or not values:
            raise ValueError(f"name: expected a loss part, a diagnostic or a logged field, got {name!r}")
        return [float(value) for value in values if value is not None]

    def state(self) -> dict[str, Any]:
        """A plain form for checkpoints and records."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> History:
        """The inverse of :meth:`state`."""
        return cls([EpochLog(**log) for log in state["epochs"]], state["best_epoch"])


class Mean:
    """Running mean of the loss parts of an epoch; it stays on the device until it is read."""

    def __init__(self) -> None:
        self.steps = 0
        self.sums: dict[tuple[str, str], Tensor] = {}

    def add(self, parts: LossParts) -> None:
        """Add one step."""
        self.steps += 1
        found = {("loss", ""): parts.total.detach()}
        found |= {("parts", name): value for name, value in parts.parts.items()}
        found |= {("diagnostics", name): value for name, value in parts.diagnostics.items()}
        for key, value in found.items():
            self.sums[key] = self.sums.get(key, torch.zeros_like(value)) + value

    def read(self, kind: str) -> dict[str, float]:
        """The means of one kind: ``"loss"``, ``"parts"`` or ``"diagnostics"``."""
        return {name: (total / self.steps).item() for (of, name), total in self.sums.items() if of == kind}
