"""Values as JSON text: numbers, text, lists, dictionaries and arrays, and nothing that runs when it is read.

What a student's kernel sends is read with :func:`loads`, which believes nothing: size, depth, dtypes and
shapes are checked before an array is made.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

MOST_CHARACTERS = 4_000_000
MOST_DEPTH = 30
DTYPES = frozenset({"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"})
NARROW = (torch.bfloat16,)
"""Dtypes of PyTorch that NumPy lacks; they travel as float32."""


def dumps(value: Any) -> str:
    """Return a value as text.

    Raises:
        TypeError: if it holds something else than numbers, text, tensors, arrays, lists and dictionaries.
        ValueError: if it is too large or nested too deep.

    Example:
        >>> loads(dumps({"a": [1, float("inf")], "b": torch.tensor([True])}))
        {'a': [1, inf], 'b': tensor([True])}
    """
    text = json.dumps(_described(value, 0))
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected at most {MOST_CHARACTERS} characters as text, got {len(text)}")
    return text


def loads(text: str) -> Any:
    """Return the value of a text of :func:`dumps`: arrays as tensors, tuples as lists.

    Raises:
        ValueError: if it is none.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected at most {MOST_CHARACTERS} characters, got {len(text)}")
    try:
        return _value(json.loads(text), 0)
    except RecursionError:
        raise ValueError("the value is nested too deep") from None


def _described(value: Any, depth: int) -> Any:
    """A value of JSON's own kinds; what JSON has no kind for is a dictionary with one key."""
    if depth > MOST_DEPTH:
        raise ValueError(f"the value is nested deeper than {MOST_DEPTH}")
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if value is ...:
        return {"ellipsis": None}
    if hasattr(value, "to_numpy"):  # a table of pandas
        value = value.to_numpy()
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype in NARROW else value).numpy()
    if isinstance(value, np.ndarray):
        content = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.name, list(value.shape), content]}
    if isinstance(value, Mapping):
        return {"dict": {str(key): _described(part, depth + 1) for key, part in value.items()}}
    if isinstance(value, list | tuple):
        return [_described(part, depth + 1) for part in value]
    raise TypeError(
        f"expected numbers, text, tensors, arrays, lists or dictionaries, got {type(value).__name__}"
    )


def _value(described: Any, depth: int) -> Any:
    if depth > MOST_DEPTH:
        raise ValueError(f"the value is nested deeper than {MOST_DEPTH}")
    if isinstance(described, list):
        return [_value(part, depth + 1) for part in described]
    if not isinstance(described, dict):
        return described
    match list(described.items()):
        case [("ellipsis", None)]:
            return ...
        case [("dict", dict(content))]:
            return {key: _value(part, depth + 1) for key, part in content.items()}
        case [("array", [str(dtype), list(shape), str(content)])]:
            return _array(dtype, shape, content)
    raise ValueError(f"expected a value, got {str(described)[:80]}")


def _array(dtype: str, shape: list[Any], content: str) -> torch.Tensor:
    if dtype not in DTYPES or len(shape) > MOST_DEPTH or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"expected a dtype and a shape, got {dtype[:20]!r} and {str(shape)[:80]}")
    data = bytearray(base64.b64decode(content, validate=True))
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError(f"expected {dtype} numbers of shape {shape}, got {len(data)} bytes")
    return torch.from_numpy(np.ndarray(tuple(shape), dtype, data))
