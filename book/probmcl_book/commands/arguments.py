"""Arguments that several commands share."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path

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


def record_file(name: str) -> Path:
    """The file of that name, to write a record to; a folder is refused before the run whose result it takes.

    >>> record_file("runs/digits.json").name
    'digits.json'
    """
    path = Path(name)
    if path.is_dir():
        raise ArgumentTypeError(f"expected a file, got the folder {name!r}")
    return path


def default_file(name: str, *, smoke: bool) -> Path:
    """Where a record goes that was given no file; a try is kept beside the real one and not over it.

    >>> default_file("digits", smoke=True).as_posix()
    'runs/digits_smoke.json'
    """
    return Path("runs") / f"{name}{'_smoke' if smoke else ''}.json"


def default_device() -> str:
    """The first GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"
