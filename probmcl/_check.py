"""Argument checks shared by every room: a wrong argument is named, with what was expected and what came.

>>> count("components", 0)
Traceback (most recent call last):
...
ValueError: components: expected a whole number >= 1, got 0
"""

import math
from collections.abc import Collection, Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

LARGEST = 1e12
"""Numbers beyond it are refused: their squares, over a small variance, would not fit into float32."""

Kind = TypeVar("Kind")


def instance(name: str, value: object, kind: type[Kind]) -> Kind:
    """Return ``value`` if it is of a class."""
    if not isinstance(value, kind):
        known = "torch.Tensor" if kind is Tensor else kind.__name__
        raise TypeError(f"{name}: expected a {known}, got {type(value).__name__}")
    return value


def flag(name: str, value: object) -> bool:
    """Return ``value`` if it is True or False: a text, such as "no", would be true."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def function(name: str, value: Kind) -> Kind:
    """Return ``value`` if it can be called."""
    if not callable(value):
        raise TypeError(f"{name}: expected a function, got {type(value).__name__}")
    return value


def real(name: str, value: object, *, dims: int | None = None) -> Tensor:
    """Return a tensor of real numbers, whole ones too, as float64 on the CPU, without its gradient."""
    found = tensor(name, value, dims=dims)
    if found.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {found.dtype}")
    return found.detach().double().cpu()


def path(name: str, value: object) -> Path:
    """Return ``value`` as a path."""
    if not isinstance(value, str | Path):
        raise TypeError(f"{name}: expected a path, got {type(value).__name__}")
    return Path(value)


def device(value: object) -> torch.device:
    """Return a ``device``, which may be named by a text."""
    if isinstance(value, torch.device):
        return value
    try:
        return torch.device(instance("device", value, str))
    except RuntimeError:
        raise ValueError(f"device: expected one such as 'cpu' or 'cuda:0', got {value!r}") from None


def several(name: str, value: object) -> list[Any]:
    """Return the entries of ``value`` if it is a list, or the like, and has one."""
    if isinstance(value, Tensor | np.ndarray):
        value = value.tolist()
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError(f"{name}: expected a list, got {type(value).__name__}")
    found = list(value)
    if not found:
        raise ValueError(f"{name}: expected at least one entry, got none")
    return found


def in_order(name: str, value: object) -> list[Any]:
    """Return the entries of ``value``, of which each belongs to a row or column, so not those of a set."""
    if isinstance(value, set | frozenset | Mapping):
        raise TypeError(f"{name}: expected a list, got {type(value).__name__}")
    return several(name, value)


def _shape(tensor: Tensor) -> str:
    return "(" + ", ".join(str(size) for size in tensor.shape) + ")"


def tensor(name: str, value: object, *, dims: int | None = None, not_empty: bool = True) -> Tensor:
    """Return ``value`` if it is a tensor with ``dims`` dimensions and at least one row."""
    found = instance(name, value, Tensor)
    if found.layout != torch.strided:
        raise TypeError(f"{name}: expected a dense tensor, got one of layout {found.layout}")
    if dims is not None and found.dim() != dims:
        raise ValueError(f"{name}: expected {dims} dimensions, got shape {_shape(found)}")
    if not_empty and found.numel() == 0:
        raise ValueError(f"{name}: expected at least one element, got shape {_shape(found)}")
    return found


def finite(name: str, value: object, *, dims: int | None = None, limit: float = LARGEST) -> Tensor:
    """Return ``value`` if it is a floating-point tensor of numbers below a limit, without NaN or infinity.

    >>> finite("features", torch.tensor([1.0, float("nan")]))
    Traceback (most recent call last):
    ...
    ValueError: features: expected finite values, got 1 that are NaN or infinite (of 2)
    """
    checked = floating(name, tensor(name, value, dims=dims))
    # The extremes tell all, NaN included, and are had without a tensor of booleans.
    low, high = checked.detach().aminmax()
    largest = torch.maximum(-low, high).item()
    if not largest < limit:
        bad = int((~torch.isfinite(checked)).sum())
        got = f"{bad} that are NaN or infinite (of {checked.numel()})" if bad else f"{largest:g}"
        raise ValueError(f"{name}: expected finite values{'' if bad else f' below {limit:g}'}, got {got}")
    return checked


def floating(name: str, value: Tensor) -> Tensor:
    """Return ``value`` if it is a floating-point tensor."""
    if not value.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point tensor, got {value.dtype}")
    return value


def same_dtype(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless both tensors have the same type, or mixed precision will see to it."""
    if value.dtype != other.dtype and not torch.is_autocast_enabled(value.device.type):
        raise TypeError(f"{name}: expected {other.dtype} as {other_name}, got {value.dtype}")


def labels(name: str, value: object) -> Tensor:
    """Return ``value`` if it is an (N, K) label matrix of zeros and ones, of any dtype."""
    checked = tensor(name, value, dims=2)
    if checked.dtype == torch.bool:
        return checked
    if checked.is_complex():
        raise TypeError(f"{name}: expected real numbers, got {checked.dtype}")
    wrong = checked[(checked != 0) & (checked != 1)]
    if wrong.numel():
        raise ValueError(f"{name}: expected only 0 and 1, got {wrong[0].item():g}")
    return checked


def same_rows(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless both tensors have the same number of rows."""
    if value.shape[:1] != other.shape[:1]:
        got = value.shape[0] if value.dim() else "a single number"
        raise ValueError(f"{name}: expected as many rows as {other_name} ({other.shape[0]}), got {got}")


def same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless both tensors have the same shape."""
    if value.shape != other.shape:
        raise ValueError(f"{name}: expected the shape of {other_name} {_shape(other)}, got {_shape(value)}")


def shape(name: str, value: Tensor, *choices: tuple[int, ...]) -> None:
    """Raise unless a tensor has one of some shapes."""
    if tuple(value.shape) not in choices:
        raise ValueError(f"{name}: expected shape {' or '.join(map(str, choices))}, got {tuple(value.shape)}")


def alike(name: str, value: int, other_name: str, other: int, what: str) -> None:
    """Raise unless two arguments have the same number of something."""
    if value != other:
        raise ValueError(f"{name}: expected {other} {what} as in {other_name}, got {value}")


def scored(name: str, scores: object, other_name: str, truth: object) -> None:
    """Raise unless (N, K) scores are finite and belong to a label matrix."""
    same_shape(name, finite(name, scores, dims=2), other_name, labels(other_name, truth))


def square(name: str, value: object) -> Tensor:
    """Return ``value`` if it is an (N, N) tensor."""
    checked = tensor(name, value, dims=2)
    if checked.shape[0] != checked.shape[1]:
        raise ValueError(f"{name}: expected a square matrix, got shape {_shape(checked)}")
    return checked


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    return value


def number(
    name: str, value: float, *, low: float, high: float = math.inf, above: bool = False, below: bool = False
) -> float:
    """Return ``value`` as a float if it is in [low, high]; with ``above`` not low, with ``below`` not high.

    Without ``high`` the value is finite; NumPy's numbers are numbers too.

    >>> number("temperature", 0.0, low=0.0, above=True)
    Traceback (most recent call last):
    ...
    ValueError: temperature: expected a number in (0, inf), got 0.0
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    below = below or high == math.inf
    inside = (low < value if above else low <= value) and (value < high if below else value <= high)
    if not inside:  # a NaN fails every comparison
        left, right = "(" if above else "[", ")" if below else "]"
        raise ValueError(f"{name}: expected a number in {left}{low:g}, {high:g}{right}, got {value}")
    return float(value)


def temperature(value: float) -> float:
    """Return the ``temperature`` of a loss if it lies in [1e-4, 1e4], where logits stay finite."""
    return number("temperature", value, low=1e-4, high=1e4)


def share(name: str, value: float) -> float:
    """Return ``value`` as a float if it lies in (0, 1), without the ends."""
    return number(name, value, low=0.0, high=1.0, above=True, below=True)


def count(name: str, value: int, *, low: int = 1, high: int = 2**31 - 1) -> int:
    """Return ``value`` as an int if it is a whole number of at least ``low``, and of a size that can be."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected a whole number, got {type(value).__name__}")
    if not low <= value <= high:
        bound = f">= {low}" if value < low else f"<= {high}"
        raise ValueError(f"{name}: expected a whole number {bound}, got {value}")
    return int(value)


def seed(value: int) -> int:
    """Return a ``seed`` if it is a whole number from 0 that fits into 64 bits."""
    return count("seed", value, low=0, high=2**63 - 1)


def sizes(name: str, value: object) -> tuple[int, ...]:
    """Return the sizes of layers, whole numbers of at least 1, if there is one."""
    return tuple(count(name, size) for size in several(name, value))


def row_indices(name: str, value: object, rows: int) -> Tensor:
    """Return ``value`` if it holds distinct row indices, whole numbers in [0, rows)."""
    checked = tensor(name, value, dims=1)
    if checked.dtype != torch.int64:
        raise TypeError(f"{name}: expected row indices of type torch.int64, got {checked.dtype}")
    outside = checked[(checked < 0) | (checked >= rows)]
    if outside.numel():
        raise ValueError(f"{name}: expected row indices in [0, {rows}), got {outside[0].item()}")
    if len(torch.unique(checked)) != len(checked):
        raise ValueError(f"{name}: expected every row at most once, got a row twice")
    return checked
