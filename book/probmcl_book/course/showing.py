"""Values and cases in few words, for the messages of the checkers."""

import inspect
import math
from collections.abc import Callable
from typing import Any

from torch import Tensor

SHOWN_NUMBERS = 40
"""The most numbers of a tensor that a message shows."""


def shown(value: Any) -> str:
    """A value in few words: small tensors in full, large ones by their shape.

    >>> shown(torch.tensor([[0.5, 1.0]])), shown(torch.zeros(100)), shown(True)
    ('[[0.5, 1.0]]', 'a tensor of shape (100,)', 'True')
    """
    if isinstance(value, Tensor):
        if value.numel() > SHOWN_NUMBERS:
            return f"a tensor of shape {tuple(value.shape)}"
        numbers = value.detach().cpu().tolist()
        return str(_rounded(numbers)).replace("True", "1").replace("False", "0")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return ", ".join(f"{name} {shown(part)}" for name, part in zip(value._fields, value, strict=True))
    return str(_rounded(value)) if isinstance(value, list | tuple | dict) else repr(value)


def shown_case(truth: Callable[..., Any], case: tuple[Any, ...]) -> str:
    """The arguments of a call by their names, one per line."""
    names = list(inspect.signature(truth).parameters)
    return "\n".join(f"  {name} = {shown(value)}" for name, value in zip(names, case, strict=False))


def _rounded(value: Any) -> Any:
    if isinstance(value, Tensor) and value.numel() <= SHOWN_NUMBERS:
        return _rounded(value.detach().cpu().tolist())
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else value
    if isinstance(value, list | tuple):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return value
