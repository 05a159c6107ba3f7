"""Cut a part from a data set so that whatever belongs together stays together."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from probmcl import _check
from probmcl.data.identifiers import group_names
from probmcl.data.packed import ImagesOnDisk


class Parts(NamedTuple):
    """A data set in three parts.

    Attributes:
        train: What weights are learned from.
        validation: What settings and thresholds are chosen on.
        test: What is measured, once.
        split: How the parts came about, in words: a record states it.
    """

    train: ImagesOnDisk
    validation: ImagesOnDisk
    test: ImagesOnDisk
    split: str


def held_out(groups: Sequence[str | int], share: float, seed: int) -> Tensor:
    """Choose whole groups until they hold ``share`` of the rows; return which these are, bool (N,).

    The order of choice is that of a hash of seed and group name: it depends neither on the order of the rows
    nor on the version of a random number generator, and the other groups hardly matter.

    Args:
        groups: The group of each row: its patient, or its own name where rows are independent. ``7``,
            ``" 7"`` and ``"007"`` are one group.
        share: Share of the rows to hold out, in (0, 1); exceeded by less than one group.
        seed: Another seed chooses other groups.

    Raises:
        ValueError: If a number is out of range, a row has no group, two groups differ in capitals only, or
            nothing would be left on one side.

    >>> held_out(["anna", "anna", "bert", "carl", "carl", "dora"], 1 / 3, seed=0).tolist()
    [False, False, False, True, True, False]
    """
    _check.number("share", share, low=0.0, high=1.0, above=True)
    _check.seed(seed)
    names = group_names(groups)
    sizes = Counter(names)
    chosen: set[str] = set()
    rows = 0
    for group in sorted(sizes, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest()):
        if rows >= share * len(names):
            break
        chosen.add(group)
        rows += sizes[group]
    if not chosen or len(chosen) == len(sizes):
        raise ValueError(f"share: expected groups on both sides, got all {len(sizes)} on one with {share}")
    return torch.tensor([name in chosen for name in names])
