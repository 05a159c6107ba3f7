"""What a training stage did, epoch by epoch."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
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
        data_share: share of ``seconds`` that the loop waited for the loader, from 0 to 1. Close to 0 the
            model is the slow part; far above, the data are.
        watched: the watched metric after the epoch, if one is watched.
    """

    epoch: int
    loss: float
    parts: dict[str, float]
    diagnostics: dict[str, float]
    learning_rate: float
    seconds: float
    views_per_second: float
    data_share: float
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


class EpochMeter:
    """What an epoch has seen so far: sums of loss parts (on the device), views, and waiting time."""

    def __init__(self) -> None:
        self.steps = 0
        self.views: float = 0  # of this process
        self.waited = 0.0  # seconds
        self.sums: dict[tuple[str, str], Tensor] = {}
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Time since the epoch began; of an interrupted epoch, without the interruption."""
        return time.perf_counter() - self._start

    def waiting(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Hand on the batches, and time how long each was waited for."""
        asked = time.perf_counter()
        for batch in batches:
            self.waited += time.perf_counter() - asked
            yield batch
            asked = time.perf_counter()

    def add(self, parts: LossParts, views: int) -> None:
        """Add one step."""
        self.steps += 1
        self.views += views
        found = {("loss", ""): parts.total.detach()}
        found |= {("parts", name): value for name, value in parts.parts.items()}
        found |= {("diagnostics", name): value for name, value in parts.diagnostics.items()}
        for key, value in found.items():
            self.sums[key] = self.sums.get(key, torch.zeros_like(value)) + value

    def read(self, kind: str) -> dict[str, float]:
        """The means of one kind: ``"loss"``, ``"parts"`` or ``"diagnostics"``."""
        return {name: (total / self.steps).item() for (of, name), total in self.sums.items() if of == kind}

    def state(self) -> dict[str, Any]:
        """A plain form for checkpoints."""
        return {name: getattr(self, name) for name in ("steps", "views", "waited", "seconds", "sums")}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], device: torch.device) -> EpochMeter:
        """The inverse of :meth:`state`: the clock goes on from where it stood."""
        meter = cls()
        meter.steps, meter.views, meter.waited = state["steps"], state["views"], state["waited"]
        meter.sums = {key: value.to(device) for key, value in state["sums"].items()}
        meter._start -= state["seconds"]
        return meter
