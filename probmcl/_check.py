"""Argument checks shared by every room: a wrong argument is named, with what was expected and what came."""

from __future__ import annotations

import math
from collections.abc import Collection
from numbers import Integral, Real

import torch
from torch import Tensor


def _shape(tensor: Tensor) -> str:
    return "(" + ", ".join(str(size) for size in tensor.shape) + ")"


def tensor(name: str, value: object, *, dims: int | None = None, not_empty: bool = True) -> Tensor:
    """Return ``value`` if it is a tensor with ``dims`` dimensions and at least one row.

    >>> tensor("features", torch.zeros(2, 3), dims=2).shape
    torch.Size([2, 3])
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: expected a torch.Tensor, got {type(value).__name__}")
    if dims is not None and value.dim() != dims:
        raise ValueError(f"{name}: expected {dims} dimensions, got shape {_shape(value)}")
    if not_empty and value.numel() == 0:
        raise ValueError(f"{name}: expected at least one element, got shape {_shape(value)}")
    return value


def finite(name: str, value: object, *, dims: int | None = None) -> Tensor:
    """Return ``value`` if it is a floating-point tensor without NaN or infinity.

    >>> finite("features", torch.tensor([1.0, float("nan")]))
    Traceback (most recent call last):
    ...
    ValueError: features: expected finite values, got 1 that are NaN or infinite (of 2)
    """
    checked = tensor(name, value, dims=dims)
    if not checked.is_floating_point():
        raise TypeError(f"{name}: expected a floating-point tensor, got {checked.dtype}")
    # A sum that is finite has finite terms, and is had without a tensor of booleans.
    if not torch.isfinite(checked.sum()) and not torch.isfinite(checked).all():
        bad = int((~torch.isfinite(checked)).sum())
        raise ValueError(
            f"{name}: expected finite values, got {bad} that are NaN or infinite (of {checked.numel()})"
        )
    return checked


def labels(name: str, value: object) -> Tensor:
    """Return ``value`` if it is an (N, K) label matrix of zeros and ones, of any dtype.

    >>> labels("labels", torch.tensor([[0, 2]]))
    Traceback (most recent call last):
    ...
    ValueError: labels: expected only 0 and 1, got 2
    """
    checked = tensor(name, value, dims=2)
    if checked.dtype == torch.bool:
        return checked
    wrong = checked[(checked != 0) & (checked != 1)]
    if wrong.numel():
        raise ValueError(f"{name}: expected only 0 and 1, got {wrong[0].item():g}")
    return checked


def same_rows(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless both tensors have the same number of rows.

    >>> same_rows("logits", torch.zeros(2, 3), "labels", torch.zeros(4, 3))
    Traceback (most recent call last):
    ...
    ValueError: logits: expected as many rows as labels (4), got 2
    """
    if value.shape[0] != other.shape[0]:
        raise ValueError(
            f"{name}: expected as many rows as {other_name} ({other.shape[0]}), got {value.shape[0]}"
        )


def same_shape(name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Raise unless both tensors have the same shape.

    >>> same_shape("logits", torch.zeros(2, 3), "labels", torch.zeros(2, 4))
    Traceback (most recent call last):
    ...
    ValueError: logits: expected the shape of labels (2, 4), got (2, 3)
    """
    if value.shape != other.shape:
        raise ValueError(f"{name}: expected the shape of {other_name} {_shape(other)}, got {_shape(value)}")


def square(name: str, value: object) -> Tensor:
    """Return ``value`` if it is an (N, N) tensor.

    >>> square("weights", torch.zeros(2, 3))
    Traceback (most recent call last):
    ...
    ValueError: weights: expected a square matrix, got shape (2, 3)
    """
    checked = tensor(name, value, dims=2)
    if checked.shape[0] != checked.shape[1]:
        raise ValueError(f"{name}: expected a square matrix, got shape {_shape(checked)}")
    return checked


def one_of(name: str, value: object, choices: Collection[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    >>> one_of("index", "jacard", ("jaccard", "dice"))
    Traceback (most recent call last):
    ...
    ValueError: index: expected one of jaccard, dice, got 'jacard'
    """
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    return value


def number(name: str, value: float, *, low: float, high: float | None = None, above: bool = False) -> float:
    """Return ``value`` as a float if low <= value <= high (low < value with ``above``).

    Without ``high`` the value is finite; NumPy's numbers are numbers too.

    >>> number("temperature", 0.0, low=0.0, above=True)
    Traceback (most recent call last):
    ...
    ValueError: temperature: expected a number in (0, inf), got 0.0
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")
    inside = (low < value if above else low <= value) and (
        value < math.inf if high is None else value <= high
    )
    if not inside:  # a NaN fails every comparison
        end = "inf)" if high is None else f"{high:g}]"
        raise ValueError(f"{name}: expected a number in {'(' if above else '['}{low:g}, {end}, got {value}")
    return float(value)


def share(name: str, value: float) -> float:
    """Return ``value`` as a float if it lies in (0, 1), without the ends.

    >>> share("level", 1.0)
    Traceback (most recent call last):
    ...
    ValueError: level: expected a number in (0, 1), got 1.0
    """
    if number(name, value, low=0.0, high=1.0, above=True) == 1.0:
        raise ValueError(f"{name}: expected a number in (0, 1), got {value}")
    return float(value)


def count(name: str, value: int, *, low: int = 1) -> int:
    """Return ``value`` as an int if it is a whole number of at least ``low``.

    >>> count("components", 0)
    Traceback (most recent call last):
    ...
    ValueError: components: expected a whole number >= 1, got 0
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected a whole number, got {type(value).__name__}")
    if value < low:
        raise ValueError(f"{name}: expected a whole number >= {low}, got {value}")
    return int(value)


def row_indices(name: str, value: object, rows: int) -> Tensor:
    """Return ``value`` if it holds distinct row indices, whole numbers in [0, rows).

    >>> row_indices("anchors", torch.tensor([0, 4]), 4)
    Traceback (most recent call last):
    ...
    ValueError: anchors: expected row indices in [0, 4), got 4
    """
    checked = tensor(name, value, dims=1)
    if checked.dtype != torch.int64:
        raise TypeError(f"{name}: expected row indices of type torch.int64, got {checked.dtype}")
    outside = checked[(checked < 0) | (checked >= rows)]
    if outside.numel():
        raise ValueError(f"{name}: expected row indices in [0, {rows}), got {outside[0].item()}")
    if len(torch.unique(checked)) != len(checked):
        raise ValueError(f"{name}: expected every row at most once, got a row twice")
    return checked
