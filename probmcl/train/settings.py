"""The settings of one training stage."""

from dataclasses import dataclass, field, fields
from typing import Any

import torch

from probmcl import _check

PRECISIONS = ("bfloat16", "float16", "float32")
LATER = {"later": True}  # of a field that settings did not always have, see ``stated``


@dataclass(frozen=True)
class TrainingSettings:
    """Optimiser, schedule and precision of one stage (M15), with a one-cycle learning rate.

    Attributes:
        epochs: passes over the training images.
        batch_size: images a step; a contrastive step sees two views of each.
        learning_rate: the peak of the one-cycle schedule (Smith and Topin, 2018); a run of one step is at it.
        weight_decay: on weight matrices and filters; never on biases and normalisation (M15).
        warmup: share of the steps in which the learning rate rises, in (0, 1).
        ema_decay: decay of the exponential moving average of the weights; None for none.
        precision: arithmetic on CUDA: ``"bfloat16"``, ``"float16"`` or ``"float32"``, see :meth:`arithmetic`.
        optimiser: ``"adamw"``, or ``"adam"``, where the weight decay is a part of the gradient.
        ema_warmup: whether the average's decay rises to ``ema_decay``, or is that from the first step.

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
    optimiser: str = field(default="adamw", metadata=LATER)
    ema_warmup: bool = field(default=True, metadata=LATER)

    def __post_init__(self) -> None:
        _check.count("epochs", self.epochs)
        _check.count("batch_size", self.batch_size)
        _check.number("learning_rate", self.learning_rate, low=0.0, above=True)
        _check.number("weight_decay", self.weight_decay, low=0.0)
        _check.share("warmup", self.warmup)
        _check.one_of("precision", self.precision, PRECISIONS)
        _check.one_of("optimiser", self.optimiser, ("adamw", "adam"))
        _check.flag("ema_warmup", self.ema_warmup)
        if self.ema_decay is not None:
            _check.number("ema_decay", self.ema_decay, low=0.0, high=1.0)
        for name in (one.name for one in fields(self)):
            for plain in (bool, int, float, str):  # NumPy's float64 is a float, but no checkpoint can hold it
                if isinstance(getattr(self, name), plain):
                    object.__setattr__(self, name, plain(getattr(self, name)))
                    break

    def arithmetic(self, device: torch.device) -> str:
        """What a step on ``device`` computes in, the precision but for two cases.

        A CPU uses float32. For bfloat16, a GPU that only emulates it (compute capability below 8.0, such as a
        T4) uses float16, with scaled gradients.
        """
        if device.type != "cuda":
            return "float32"
        emulated = self.precision == "bfloat16" and torch.cuda.get_device_capability(device) < (8, 0)
        return "float16" if emulated else self.precision

    def autocast(self, device: torch.device) -> torch.autocast:
        """The mixed-precision context of a step on ``device``."""
        name = self.arithmetic(device)
        dtype = torch.float16 if name == "float16" else torch.bfloat16
        return torch.autocast(device.type, dtype=dtype, enabled=name != "float32")


def stated(settings: Any) -> dict[str, Any]:
    """Fields of a dataclass by name, as checkpoints, keys and records of runs state them.

    A later field is left out where it says what runs did before it was there, so that these stay the same.

    >>> {"optimiser", "ema_warmup"} & set(stated(TrainingSettings(8, 128, 5e-3, optimiser="adam")))
    {'optimiser'}
    """
    held = {one: getattr(settings, one.name) for one in fields(settings)}
    return {one.name: value for one, value in held.items() if not one.metadata or value != one.default}
