"""Unpack an archive that nobody has looked into: nothing outside its folder, all of it or nothing."""

import errno
import os
import posixpath
import shutil
import stat
import tarfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any, cast

from tqdm.auto import tqdm

from probmcl import _check
from probmcl._files import DAMAGED
from probmcl.data.public.download import full_disk_named, need_space


def unpack(archive: str | Path, folder: str | Path, *, progress: bool = True) -> None:
    """Unpack a zip or tar.gz file into a folder.

    All names and sizes are looked at before anything is written. Members are written into a folder of their
    own and moved when all are there: an archive that breaks off, a full disk or a failed move leaves
    everything as it was. Files that were there before and have no namesake in the archive stay.

    Args:
        archive: The zip, tar or tar.gz file.
        folder: Where its members shall be; made if it is not there.
        progress: Whether to show a bar.

    Raises:
        ValueError: If the file is damaged, encrypted or of another kind, or a member is no plain file or
            folder or its name leads out of the folder (``../``, an absolute path, a drive).
        OSError: If there is not enough space, or a file stands where a folder shall be, or the reverse.

    >>> unpack(__file__, "somewhere")
    Traceback (most recent call last):
    ...
    ValueError: ...unpack.py: expected a zip or tar.gz archive, got a file of another kind
    """
    archive, folder = _check.path("archive", archive), _check.path("folder", folder)
    if not zipfile.is_zipfile(archive) and not tarfile.is_tarfile(archive):
        raise ValueError(f"{archive}: expected a zip or tar.gz archive, got a file of another kind")
    with _damage_named(archive):
        members = [(name, size) for name, size, _ in _members(archive)]
        _check_places([name for name, _ in members])
    need_space(folder, sum(size for _, size in members))
    aside = folder / f".{archive.name}.tmp"
    shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
    new, old = aside / "new", aside / "old"
    try:
        with full_disk_named(folder), _damage_named(archive):
            for place in (new, old):
                place.mkdir(parents=True)
            bar = tqdm(_members(archive), archive.name, len(members), unit=" files", disable=not progress)
            for name, _, content in bar:
                place = new / name
                place.parent.mkdir(parents=True, exist_ok=True)
                with content() as source, place.open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
            _move(new, folder, old)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _damage_named(archive: Path) -> Iterator[None]:
    """Name the archive if its bytes, and not the disk, are at fault."""
    try:
        yield
    except (*DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        found = str(error) or type(error).__name__
        raise ValueError(
            f"{archive}: expected a whole archive of plain files inside its folder, got: {found}"
        ) from None


def _members(archive: Path) -> Iterator[tuple[str, int, Callable[[], IO[bytes]]]]:
    """Yield name, size and content of every file in an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for entry in zipped.infolist():
                mode = stat.S_IFMT(entry.external_attr >> 16)  # 0 where the archive was not made on Unix
                _check_member(entry.filename, plain=mode in (0, stat.S_IFREG, stat.S_IFDIR))
                if not entry.is_dir():
                    yield entry.filename, entry.file_size, partial(zipped.open, entry)
        return
    with tarfile.open(archive) as tarred:
        for member in tarred:
            _check_member(member.name, plain=member.isfile() or member.isdir())
            if member.isfile():  # a sparse one as large as it will be
                yield member.name, member.size, partial(cast(Any, tarred.extractfile), member)
        while tarred.fileobj is not None and tarred.fileobj.read(1 << 20):
            pass  # tarfile stops at the last member, gzip compares its checksum at the end of the stream


def _check_member(name: str, *, plain: bool) -> None:
    """Raise unless a member is a plain file or folder inside the folder it is unpacked into."""
    if not plain:
        raise ValueError(f"a link or device: {name!r}")
    windows = PureWindowsPath(name)  # knows drives and takes both kinds of slash
    if name.startswith("/") or windows.anchor or ".." in windows.parts or "\0" in name:
        raise ValueError(f"a name outside: {name!r}")


def _check_places(names: Sequence[str]) -> None:
    """Raise unless every member has a place of its own, also where capitals are not told apart."""
    taken = {".": "."}
    for name in names:
        place = posixpath.normpath(unicodedata.normalize("NFC", name)).casefold()
        if place in taken:
            raise ValueError(f"one place for two: {taken[place]!r} and {name!r}")
        taken[place] = name
    for place, name in taken.items():
        for folder in map(str, list(PurePosixPath(place).parents)[:-1]):
            if folder in taken:
                raise ValueError(f"a file and a folder in one place: {taken[folder]!r} and {name!r}")


def _move(new: Path, folder: Path, old: Path) -> None:
    """Move what is in ``new`` into ``folder``, and what stood there into ``old``; all of it or nothing."""
    moved: list[tuple[Path, Path]] = []  # where it is, where it was
    try:
        for number, (entry, place) in enumerate(list(_pairs(new, folder))):
            if entry.is_dir() != place.is_dir() and os.path.lexists(place):
                kind = "folder" if entry.is_dir() else "file"
                raise FileExistsError(errno.EEXIST, f"expected room for a {kind}", str(place))
            if os.path.lexists(place):
                os.replace(place, old / str(number))
                moved.append((old / str(number), place))
            os.replace(entry, place)
            moved.append((place, entry))
    except BaseException:
        for now, before in reversed(moved):
            os.replace(now, before)
        raise


def _pairs(new: Path, folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield what is to be moved, and where; folders that both have are joined."""
    for entry in sorted(new.iterdir()):
        place = folder / entry.name
        if entry.is_dir() and place.is_dir():
            yield from _pairs(entry, place)
        else:
            yield entry, place
