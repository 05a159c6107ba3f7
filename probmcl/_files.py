"""Files that are whole or absent, whatever happens while they are written, and one writer for a folder."""

import lzma
import os
import platform
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

DAMAGED = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, RuntimeError, ValueError),  # Runtime: encrypted
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError),
)
"""What Python's readers of archives and arrays raise when the bytes are not what they should be."""

LEFTOVERS = "**/.*.[0-9]*.tmp"
"""Temporary files of :func:`whole_file`, anywhere in a folder."""

_held: set[tuple[int, Path]] = set()  # processes and their locks


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


def bytes_of(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0


@contextmanager
def one_writer(lock: str | Path, leftovers: str = LEFTOVERS) -> Iterator[None]:
    """Write to a folder as the only process inside the block; what killed writers left there is removed.

    The system releases the lock when the process ends, however it ends. The process may take it again.

    Args:
        lock: a file in the folder that is there during the block; the folder is made if needed.
        leftovers: which temporary files of :func:`whole_file` are those of this writer.

    Raises:
        BlockingIOError: naming the process that writes there.
    """
    lock = Path(lock).resolve()
    key = (os.getpid(), lock)
    if key in _held:
        yield
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = _locked(lock)
    _held.add(key)
    try:
        for left in lock.parent.glob(leftovers):
            left.unlink(missing_ok=True)
        yield
    finally:
        _held.remove(key)
        with suppress(OSError):  # Windows keeps what is open
            lock.unlink()
        file.close()


def sweep(lock: Path, leftovers: str = LEFTOVERS) -> None:
    """Remove the lock and the temporary files of a writer that was killed; those of a living one stay."""
    if lock.exists():
        with suppress(BlockingIOError), one_writer(lock, leftovers):
            pass


def _locked(lock: Path) -> BinaryIO:
    """The open file, locked, with the name of this process in it."""
    while True:
        file = lock.open("a+b")
        try:
            if sys.platform == "win32":
                file.seek(2**30)  # a locked byte cannot be read, so not one of the name
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # not inherited by workers, which live on
        except (BlockingIOError, PermissionError):
            file.seek(0)
            with file:
                who = file.read().decode(errors="replace") or "another process"
            raise BlockingIOError(f"{lock.parent}: {who} writes there; expected no other writer") from None
        with suppress(FileNotFoundError):  # who held it may have removed it just now
            if os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                file.truncate(0)
                file.write(f"process {os.getpid()} on {platform.node()}".encode())
                file.flush()
                return file
        file.close()
