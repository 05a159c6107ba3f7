"""Which public data sets the experiments use: where they are, how large, under which terms, in which splits.

They stand in ``sources.toml``, a line for each file, with where each checksum comes from.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from probmcl import _check


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Attributes:
        name: Its name in the data set's folder.
        url: Where it is; ``None`` if the publisher offers it only through a page.
        size: Bytes: what the host has must be as large. ``None`` if not known.
        checksum: ``"sha256:..."`` or ``"md5:..."``; ``None`` if none is published: it is not downloaded then.
        proof: A path in the data set's folder that is there once this file is in place; its name by default.
        unpack_into: For an archive, the folder inside the data set's folder that it is unpacked into.
        growth: Size when unpacked, as a multiple of ``size``.
    """

    name: str
    url: str | None = None
    size: int | None = None
    checksum: str | None = None
    proof: str = ""
    unpack_into: str | None = None
    growth: float = 1.05  # photographs hardly shrink; the rest is what a file system adds

    def __post_init__(self) -> None:
        object.__setattr__(self, "proof", self.proof or self.name)


@dataclass(frozen=True)
class Source:
    """A public data set.

    Attributes:
        name: The name that ``python -m probmcl sources fetch`` takes, and of its folder under the root.
        title: Its full name.
        licence: Its terms.
        page: Where a person gets it by hand.
        splits: Number of images of each part, as published.
        files: Its files.
        note: What a reader should know before using it.

    >>> SOURCES["coco2014"].splits["val2014, with labels"]
    40137
    """

    name: str
    title: str
    licence: str
    page: str
    splits: Mapping[str, int]
    files: tuple[RemoteFile, ...]
    note: str

    @property
    def size(self) -> int:
        """Bytes to download, as far as they are known."""
        return sum(file.size or 0 for file in self.files)


def source(name: str) -> Source:
    """Return a data set of ``SOURCES``."""
    return SOURCES[_check.one_of("name", name, SOURCES)]


def _source(name: str, files: list[dict[str, Any]], splits: dict[str, int], **words: str) -> Source:
    found = tuple(RemoteFile(**file) for file in files)
    return Source(name=name, files=found, splits=MappingProxyType(splits), **words)


_TABLE = tomllib.loads(Path(__file__).with_name("sources.toml").read_text(encoding="utf-8"))

SOURCES = MappingProxyType({name: _source(name, **entry) for name, entry in _TABLE.items()})
"""Every data set, by its name."""
