"""The one kind of file for what is trained: tensors by name, what they are, and a digest of both."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor

from probmcl._files import whole_file

FORMAT = "probmcl-trained-1"
OLDER, OLDER_TENSORS = "probmcl-run-1", ("validation_scores", "test_scores", "weight", "bias")
"""Studies once wrote their runs so: a linear classifier beside the scores, digested in this order."""


class _About(dict[str, Any]):
    """What a file says of its tensors; what it should say and does not is missed by name."""

    def __init__(self, path: Path, text: str) -> None:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError(
                f"path: {path}: expected an object as header, got {type(found).__name__}; remove it"
            )
        super().__init__(found)
        self.path = path

    def __missing__(self, name: str) -> NoReturn:
        said = ", ".join(self) or "nothing"
        raise ValueError(
            f"path: {self.path}: expected a header with {name!r}, got one with {said}; remove it"
        )


def write_tensors(path: Path, about: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write tensors and a header of plain JSON values to one safetensors file, all of it or nothing."""
    text = json.dumps(about)
    # contiguous copies: safetensors refuses tensors that share memory
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    header = {"format": FORMAT, "about": text, "digest": _digest(text, plain, sorted(plain))}
    with whole_file(path) as file:
        file.write(save(plain, header))


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what :func:`write_tensors` wrote, or a finished run of an older study: header and tensors.

    A file that is torn, damaged or of another format is named in a ValueError.
    """
    with _opened(path) as (file, header, text):
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        about = _About(path, text)
    older = header["format"] == OLDER
    if older and set(tensors) != set(OLDER_TENSORS):
        raise ValueError(f"path: {path} lacks tensors of a finished run; remove it")
    if header.get("digest") != _digest(text, tensors, OLDER_TENSORS if older else sorted(tensors)):
        raise ValueError(f"path: {path} is damaged, its content is not what was written; remove it")
    if older:
        linear = {f"classifier.{name}": tensors.pop(name) for name in ("weight", "bias")}
        tensors |= linear if linear["classifier.weight"].numel() else {}
    return about, tensors


def read_header(path: Path) -> dict[str, Any]:
    """Read what a file says about its tensors, and take it at its word; errors as in :func:`read_tensors`."""
    with _opened(path) as (_, _, text):
        return _About(path, text)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, str], str]]:  # safe_open has no types
    """The open file, its header, and the JSON in it."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") not in (FORMAT, OLDER):
                raise ValueError(
                    f"path: {path} is of another or an older format ({header.get('format')}), expected "
                    f"{FORMAT}; remove it, and the command that wrote it makes it anew"
                )
            yield file, header, header["about" if header["format"] == FORMAT else "run"]
    except (safetensors.SafetensorError, OSError, LookupError, RuntimeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"path: {path} is torn or was not written by training ({error}); remove it"
        ) from None


def _digest(text: str, tensors: Mapping[str, Tensor], names: Iterable[str]) -> str:
    """A digest of a text and of tensors, in the order of their names."""
    found = hashlib.sha256(text.encode())
    for name in names:
        found.update(tensors[name].contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
