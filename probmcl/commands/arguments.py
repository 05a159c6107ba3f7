"""Arguments that several commands share."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError

import torch


def device(name: str) -> torch.device:
    """The device of that name, if torch can use it here.

    Of several processes that ``torchrun`` started on one machine, each takes a GPU of its own for ``cuda``.

    >>> device("cpu")
    device(type='cpu')
    """
    if name == "cuda":
        name = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a torch built without CUDA
        raise ArgumentTypeError(f"expected one that torch can use here, got {name!r} ({error})") from error


def default_device() -> str:
    """The first GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
