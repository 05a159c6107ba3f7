"""Unpack an archive that nobody has looked into: nothing outside its folder, all of it or nothing."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from tqdm.auto import tqdm

from probmcl.data.public.download import full_disk_named, need_space


def unpack(archive: str | Path, folder: str | Path, *, progress: bool = True) -> None:
    """Unpack a zip or tar.gz file into a folder.

    Members are written into a folder of their own beside the place and moved when all of them are there: an
    archive that breaks off, or a full disk, leaves nothing. Files that were there before and have no namesake
    in the archive stay.

    Args:
        archive: The zip, tar or tar.gz file.
        folder: Where its members shall be; made if it is not there.
        progress: Whether to show a bar.

    Raises:
        ValueError: If the file is damaged or of another kind, or a member is no plain file or folder or its
            name leads out of the folder (``../``, an absolute path, a drive); the message names the member.
        OSError: If there is not enough space.

    >>> unpack(__file__, "somewhere")
    Traceback (most recent call last):
    ...
    ValueError: ...unpack.py: expected a zip or tar.gz archive, got a file of another kind
    """
    archive, folder = Path(archive), Path(folder)
    if zipfile.is_zipfile(archive):
        members = _zip_members(archive, folder)
    elif tarfile.is_tarfile(archive):
        members = _tar_members(archive)
    else:
        raise ValueError(f"{archive}: expected a zip or tar.gz archive, got a file of another kind")
    aside = folder / f".{archive.name}.tmp"
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    aside.mkdir(parents=True)
    try:
        with full_disk_named(folder), tqdm(desc=archive.name, unit=" files", disable=not progress) as bar:
            for name, content in members:
                place = aside / name
                place.parent.mkdir(parents=True, exist_ok=True)
                with content, place.open("wb") as file:
                    shutil.copyfileobj(content, file, 1 << 20)
                bar.update()
        _move(aside, folder)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, zipfile.BadZipFile) as error:
        raise ValueError(f"{archive}: expected a whole archive, got a damaged one: {error}") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _zip_members(archive: Path, folder: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with zipfile.ZipFile(archive) as opened:
        need_space(folder, sum(member.file_size for member in opened.infolist()))
        for member in opened.infolist():
            mode = stat.S_IFMT(member.external_attr >> 16)  # 0 where the archive was not made on Unix
            _check_member(archive, member.filename, plain=mode in (0, stat.S_IFREG, stat.S_IFDIR))
            if not member.is_dir():
                yield PurePosixPath(member.filename), opened.open(member)


def _tar_members(archive: Path) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            _check_member(archive, member.name, plain=member.isfile() or member.isdir())
            content = opened.extractfile(member)
            if content is not None:
                yield PurePosixPath(member.name), content
        while opened.fileobj is not None and opened.fileobj.read(1 << 20):
            pass  # tarfile stops at the last member, gzip compares its checksum at the end of the stream


def _check_member(archive: Path, name: str, *, plain: bool) -> None:
    """Raise unless a member is a plain file or folder inside the folder it is unpacked into."""
    if not plain:
        raise ValueError(f"{archive}: expected plain files and folders, got a link or device: {name!r}")
    windows = PureWindowsPath(name)  # knows drives and takes both kinds of slash
    if name.startswith("/") or windows.anchor or ".." in windows.parts or "\0" in name:
        raise ValueError(f"{archive}: expected members inside its folder, got {name!r}")


def _move(aside: Path, folder: Path) -> None:
    """Move what is in ``aside`` into ``folder``; folders that both have are joined."""
    for entry in sorted(aside.iterdir()):
        place = folder / entry.name
        if entry.is_dir() and place.is_dir():
            _move(entry, place)
        else:
            os.replace(entry, place)
