"""Files that are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

DAMAGED = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, RuntimeError, ValueError),  # Runtime: encrypted
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)
"""What Python's readers of archives and arrays raise when the bytes are not what they should be."""


@contextmanager
def whole_file(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` that takes its place once the block has ended and all is on the disk.

    If the block fails, or the process dies in it, whatever stood at ``path`` is still there.

    Args:
        path: the file to write; its folder is made if needed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with whole_file(f"{folder}/greeting") as file:
    ...         _ = file.write(b"hello")
    ...     Path(f"{folder}/greeting").read_bytes(), len(os.listdir(folder))
    (b'hello', 1)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system lets a folder be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
