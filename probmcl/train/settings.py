"""The settings of one training stage."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch

from probmcl import _check


@dataclass(frozen=True)
class TrainingSettings:
    """Optimiser, schedule and precision of one stage (M15): AdamW with a one-cycle learning rate.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step; a contrastive step sees two views of each.
        learning_rate: the peak of the one-cycle schedule (Smith and Topin, 2018); a run of one step is at it.
        weight_decay: on weight matrices and filters; never on biases and normalisation (M15).
        warmup: share of the steps in which the learning rate rises, in (0, 1).
        ema_decay: decay of the exponential moving average of the weights; None for none.
        precision: arithmetic on CUDA: ``"bfloat16"``, ``"float16"`` or ``"float32"``. The CPU always uses
            float32.

    Example:
        >>> TrainingSettings(epochs=8, batch_size=128, learning_rate=5e-3).warmup
        0.2
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 1e-4
    warmup: float = 0.2
    ema_decay: float | None = None
    precision: str = "bfloat16"

    def __post_init__(self) -> None:
        _check.count("epochs", self.epochs)
        _check.count("batch_size", self.batch_size)
        _check.number("learning_rate", self.learning_rate, low=0.0, above=True)
        _check.number("weight_decay", self.weight_decay, low=0.0)
        _check.share("warmup", self.warmup)
        _check.one_of("precision", self.precision, ("bfloat16", "float16", "float32"))
        if self.ema_decay is not None:
            _check.number("ema_decay", self.ema_decay, low=0.0, high=1.0)
        for name in (field.name for field in fields(self)):
            for plain in (int, float, str):  # NumPy's float64 is a float, but no checkpoint can hold it
                if isinstance(getattr(self, name), plain):
                    object.__setattr__(self, name, plain(getattr(self, name)))

    def autocast(self, device: torch.device) -> torch.autocast:
        """The mixed-precision context of a step on ``device``."""
        dtype: torch.dtype = getattr(torch, self.precision)
        enabled = device.type == "cuda" and self.precision != "float32"
        return torch.autocast(device.type, dtype=dtype if enabled else torch.bfloat16, enabled=enabled)
