"""Checkpoints that are whole or absent, and are read without running any code in them."""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import torch

FORMAT = "probmcl-checkpoint-1"


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write ``state`` so that a reader sees the old file or the new one, never half of one.

    The state goes to a temporary file in the same folder, is flushed to the disk and renamed.

    Args:
        path: the file to write; its folder is made if needed.
        state: tensors, numbers, strings and containers of them.

    Example:
        >>> from pathlib import Path
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "last.pt"
        >>> save_checkpoint(path, {"epoch": 3})
        >>> load_checkpoint(path)["epoch"]
        3
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint written by :func:`save_checkpoint`, onto the CPU.

    Args:
        path: the file to read.

    Returns:
        The state.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is torn, or is not a checkpoint of this package.
    """
    path = Path(path)
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, ValueError) as error:
        raise ValueError(f"path: {path} is torn or not a checkpoint ({error})") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"path: {path} is not a checkpoint of this package (expected format {FORMAT})")
    return state
