"""Checkpoints that are whole or absent, and are read without running any code in them."""

import os
import warnings
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from probmcl import _check
from probmcl._files import DAMAGED, one_writer, sync_folder, whole_file
from probmcl.train.distributed import broadcast_object, is_first

FORMAT = "probmcl-checkpoint-2"
PLAIN = (str, int, float, bool, type(None))


class TornCheckpointError(ValueError):
    """A file that cannot be read as a checkpoint: cut off, damaged, or of another kind."""


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Write ``state`` so that a reader sees the old file or the new one, never half of one.

    Of several ranks the first writes, and the others return at once. The checkpoint that was there, if it is
    whole, is kept as ``NAME.previous.pt``.

    Args:
        path: the file to write; its folder is made if needed.
        state: tensors, numbers, strings and containers of them.

    Raises:
        TypeError: if the state holds anything else, such as a NumPy number, which could not be read back.
        OSError: if the file cannot be written, for instance on a full disk; the old one is still there.

    >>> from pathlib import Path
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "last.pt"
    >>> save_checkpoint(path, {"epoch": 3})
    >>> load_checkpoint(path)["epoch"]
    3
    """
    _check_plain(state, "state")
    if not is_first():
        return
    path = Path(path)
    fresh = _beside(path, "new")
    try:
        with whole_file(fresh) as file:
            torch.save({"format": FORMAT, **state}, file)
    except RuntimeError as error:  # torch reports a write that failed half-way in its own terms
        raise OSError(f"path: {path} could not be written ({error.__context__ or error})") from error
    if path.exists() and not _damage(path):  # a torn file must not push out the whole one before it
        os.replace(path, _beside(path, "previous"))
    os.replace(fresh, path)
    sync_folder(path.parent)


def _check_plain(value: object, name: str) -> None:
    """Raise unless a value can be read back without running code."""
    if type(value) in (dict, OrderedDict):
        for key, entry in cast(Mapping[Any, Any], value).items():
            _check_plain(key, f"a key of {name}")
            _check_plain(entry, f"{name}.{key}")
    elif type(value) in (list, tuple):
        for position, entry in enumerate(cast(Sequence[Any], value)):
            _check_plain(entry, f"{name}.{position}")
    elif type(value) not in PLAIN and not isinstance(value, Tensor):
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(f"{name}: expected tensors and plain Python values, got {kind}")


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint written by :func:`save_checkpoint`, onto the CPU.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is torn, damaged, or not a checkpoint of this package.
    """
    path = _check.path("path", path)
    if damage := _damage(path):
        raise TornCheckpointError(f"path: {path} is torn or not a checkpoint ({damage})")
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except Exception as error:  # a whole file that is not torch's, or would run code
        raise ValueError(f"path: {path} is not a checkpoint ({error})") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"path: {path} is not a checkpoint of this package (expected format {FORMAT})")
    return state


def latest_checkpoint(path: str | Path) -> dict[str, Any] | None:
    """Read the checkpoint at ``path``, or the one before it where the newest is torn; None where is none yet.

    Of several ranks the first reads it and sends it to the others, so all must call this together.

    Raises:
        ValueError: if the file is no checkpoint of this package, or torn without a whole one before it.
    """
    path = _check.path("path", path)
    return broadcast_object(_latest(path) if is_first() else None)


def _latest(path: Path) -> dict[str, Any] | None:
    previous, newest = _beside(path, "previous"), path if path.exists() else _beside(path, "new")
    if not newest.exists():  # else killed between the two renames of a save
        return None
    try:
        return load_checkpoint(newest)
    except TornCheckpointError as error:
        if not previous.exists():
            raise
        state = load_checkpoint(previous)
        warnings.warn(f"{error}; going on from the one before it, {previous.name}", stacklevel=3)
        return state


def writing(path: Path | None) -> AbstractContextManager[None]:
    """Hold a checkpoint against other processes, on the rank that writes it."""
    if path is None or not is_first():
        return nullcontext()
    return one_writer(path.with_name(f"{path.name}.lock"), f".{path.stem}.new{path.suffix}.*.tmp")


def _damage(path: Path) -> str | None:
    """What is wrong with a file: it holds a CRC-32 of every part, which torch writes and does not check."""
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as parts:
                damaged = parts.testzip()
        except (*DAMAGED, OSError) as error:  # damaged bytes fail in a dozen ways
            return str(error) or type(error).__name__
    return damaged and f"the checksum of {damaged} is wrong"


def _beside(path: Path, what: str) -> Path:
    """Where the previous checkpoint is kept, or a new one until it has its name."""
    return path.with_suffix(f".{what}{path.suffix}")


def check_same_run(path: str | Path, saved: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise unless a checkpoint belongs to what is running now.

    Args:
        path: the checkpoint's file, for the message.
        saved: what the checkpoint belongs to; mappings may be nested.
        now: the same of what is running; the error names every entry that differs, with both values.

    >>> check_same_run("last.pt", {"settings": {"epochs": 3}}, {"settings": {"epochs": 4}})
    Traceback (most recent call last):
    ...
    ValueError: path: last.pt is a checkpoint of another run (settings.epochs: 3 there, 4 here)
    """
    for name, value in (("saved", saved), ("now", now)):
        if not isinstance(value, Mapping):
            raise TypeError(f"{name}: expected a mapping, got {type(value).__name__}")
    there, here = dict(_flat(saved)), dict(_flat(now))
    pairs = {name: (there.get(name, "none"), here.get(name, "none")) for name in {**there, **here}}
    differ = [f"{name}: {one} there, {other} here" for name, (one, other) in pairs.items() if one != other]
    if differ:
        rest = f"; and {len(differ) - 5} more" if len(differ) > 5 else ""
        raise ValueError(f"path: {path} is a checkpoint of another run ({'; '.join(differ[:5])}{rest})")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of nested mappings, and of lists of them, with dotted names."""
    for name, value in tree.items():
        if isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
            value = {str(position): entry for position, entry in enumerate(value)}
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
