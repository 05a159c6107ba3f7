"""Every check of an argument: what it takes, and what it says of what it refuses."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from probmcl import _check as check

Z = torch.zeros(2, 3)
REFUSED = {
    "name: expected a str, got int": lambda: check.instance("name", 3, str),
    "name: expected True or False, got 'no'": lambda: check.flag("name", "no"),
    "view: expected a function, got str": lambda: check.function("view", "plain"),
    "losses: expected real numbers, got torch.complex64": lambda: check.real("losses", Z * 1j),
    "root: expected a path, got NoneType": lambda: check.path("root", None),
    "device: expected one such as 'cpu' or 'cuda:0', got 'gpu'": lambda: check.device("gpu"),
    "names: expected a list, got str": lambda: check.several("names", "embedding"),
    "names: expected at least one entry, got none": lambda: check.several("names", ()),
    "classes: expected a list, got dict": lambda: check.in_order("classes", {"a": 1}),
    "z: expected a torch.Tensor, got ndarray": lambda: check.tensor("z", Z.numpy()),
    "z: expected a dense tensor, got one of layout torch.sparse_coo": lambda: check.tensor(
        "z", Z.to_sparse()
    ),
    "z: expected 3 dimensions, got shape (2, 3)": lambda: check.tensor("z", Z, dims=3),
    "z: expected at least one element, got shape (0, 3)": lambda: check.tensor("z", Z[:0]),
    "z: expected finite values, got 6 that are NaN or infinite (of 6)": lambda: check.finite("z", Z / 0),
    "z: expected finite values below 1e+12, got 1e+13": lambda: check.finite("z", Z + 1e13),
    "z: expected a floating-point tensor, got torch.uint8": lambda: check.floating("z", Z.byte()),
    "z: expected torch.float32 as w, got torch.float64": lambda: check.same_dtype("z", Z.double(), "w", Z),
    "labels: expected only 0 and 1, got 2": lambda: check.labels("labels", Z.int() + 2),
    "labels: expected only 0 and 1, got 0.5": lambda: check.labels("labels", Z + 0.5),
    "labels: expected only 0 and 1, got nan": lambda: check.labels("labels", Z / 0),
    "labels: expected real numbers, got torch.complex64": lambda: check.labels("labels", Z * 1j),
    "z: expected as many rows as w (1), got 2": lambda: check.same_rows("z", Z, "w", Z[:1]),
    "z: expected the shape of w (2, 2), got (2, 3)": lambda: check.same_shape("z", Z, "w", Z[:, 1:]),
    "z: expected shape (2, 4), got (2, 3)": lambda: check.shape("z", Z, (2, 4)),
    "b: expected 3 dimensions as in a, got 2": lambda: check.alike("b", 2, "a", 3, "dimensions"),
    "z: expected a square matrix, got shape (2, 3)": lambda: check.square("z", Z),
    "index: expected one of jaccard, dice, got 'j'": lambda: check.one_of("index", "j", ("jaccard", "dice")),
    "p: expected a number in (0, inf), got 0.0": lambda: check.number("p", 0.0, low=0.0, above=True),
    "p: expected a number in [0, 1], got nan": lambda: check.number("p", math.nan, low=0.0, high=1.0),
    "p: expected a number, got str": lambda: check.number("p", "0.5", low=0.0),
    "temperature: expected a number in [0.0001, 10000], got 0.0": lambda: check.temperature(0.0),
    "level: expected a number in (0, 1), got 1.0": lambda: check.share("level", 1.0),
    "n: expected a whole number >= 1, got 0": lambda: check.count("n", 0),
    "n: expected a whole number <= 2147483647, got 1000000000000": lambda: check.count("n", 10**12),
    "n: expected a whole number, got bool": lambda: check.count("n", True),
    "seed: expected a whole number, got str": lambda: check.seed("3"),
    "widths: expected a whole number >= 1, got 0": lambda: check.sizes("widths", [2, 0]),
    "rows: expected row indices in [0, 4), got 4": lambda: check.row_indices("rows", torch.tensor([4]), 4),
    "rows: expected row indices of type torch.int64, got torch.float32": lambda: check.row_indices(
        "rows", Z[0], 4
    ),
    "rows: expected every row at most once, got a row twice": lambda: check.row_indices(
        "rows", Z[0].long(), 4
    ),
}


@pytest.mark.parametrize(("message", "call"), REFUSED.items(), ids=REFUSED)
def test_what_is_refused_is_named(message: str, call: Any) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        call()
    assert str(raised.value) == message


def test_what_is_taken_comes_back_in_one_type() -> None:
    assert check.count("n", np.int64(3)) == 3
    assert check.number("p", np.float32(0.5), low=0.0) == 0.5
    assert check.path("root", "a") == Path("a")
    assert check.device("cpu") == check.device(torch.device("cpu"))
    assert (
        check.several("values", torch.tensor([1, 2])) == check.several("values", np.array([1, 2])) == [1, 2]
    )
    assert check.real("z", torch.tensor([True])).dtype == torch.float64
    assert all(check.labels("labels", torch.eye(2).to(kind)) is not None for kind in (torch.bool, torch.int8))
    assert math.isnan(check.finite("z", Z, limit=math.inf).sum().item()) is False
