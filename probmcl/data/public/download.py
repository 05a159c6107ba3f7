"""Bring one large file over a connection that may break."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm.auto import tqdm

from probmcl import _check

BLOCK = 1 << 20
PATIENCE = 60.0  # seconds without a byte
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that another attempt may change


class DownloadRefusedError(OSError):
    """The host answered, and it will not give the file.

    >>> issubclass(DownloadRefusedError, OSError)
    True
    """


def download(
    url: str,
    path: str | Path,
    *,
    checksum: str | None,
    progress: bool = True,
    attempts: int = 5,
    wait: float = 1.0,
) -> None:
    """Download a file; a broken connection is taken up again where it ended.

    The file grows as ``NAME.part`` beside its place and gets its name when it is whole and its checksum is
    right. A ``.part`` left behind, by a broken run or a full disk, is continued by the next call. A host that
    does not know ranges starts again from the first byte.

    Args:
        url: An http or https address.
        path: Where the file shall be. If it is there already, only its checksum is looked at.
        checksum: ``"sha256:..."`` or ``"md5:..."`` in hexadecimal; ``None`` if none is known.
        progress: Whether to show a bar.
        attempts: How many attempts in a row may bring nothing.
        wait: Seconds before the next attempt; twice as long after each that brought nothing.

    Raises:
        DownloadRefusedError: If the host says that it does not have the file or will not give it.
        ConnectionError: If ``attempts`` in a row brought nothing more.
        ValueError: If the checksum is wrong (the file is removed), or the address is no http address.
        OSError: If there is not enough space.

    >>> download("ftp://example.org/a.zip", "a.zip", checksum=None)
    Traceback (most recent call last):
    ...
    ValueError: url: expected http:// or https://, got 'ftp://example.org/a.zip'
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url: expected http:// or https://, got {url!r}")
    _check.count("attempts", attempts)
    path = Path(path)
    if path.is_file():
        verify(path, checksum, progress=progress)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    failed, most = 0, _size(part)
    while True:
        try:
            with full_disk_named(path.parent):
                if _grow(part, url, progress=progress):
                    break
            reason: object = "it ended early"
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            reason = error
        # More than ever before: a host that starts again each time must not be asked for ever.
        failed = 0 if _size(part) > most else failed + 1
        most = max(most, _size(part))
        if failed >= attempts:
            raise ConnectionError(
                f"{url}: the connection broke {failed} times without bringing more than {most:,} bytes "
                f"({reason}); what there is is kept for the next attempt"
            )
        time.sleep(wait * 2**failed)
    try:
        verify(part, checksum, progress=progress)
    except ValueError as error:
        part.unlink()
        raise ValueError(f"{url}: {error}; it was removed") from None
    os.replace(part, path)


def verify(path: Path, checksum: str | None, *, progress: bool = False) -> None:
    """Raise unless a file has a checksum.

    Raises:
        ValueError: If the file has another one.

    >>> verify(Path(__file__), "md5:00000000000000000000000000000000")
    Traceback (most recent call last):
    ...
    ValueError: download.py: expected md5:00000000000000000000000000000000, got md5:...
    """
    if checksum is None:
        return
    kind, _, _ = checksum.partition(":")
    found = f"{kind}:{digest(path, kind, progress=progress)}"
    if found != checksum.lower():
        raise ValueError(f"{path.name.removesuffix('.part')}: expected {checksum}, got {found}")


def digest(path: Path, kind: str = "sha256", *, progress: bool = False) -> str:
    """Return the SHA-256 or MD5 of a file, in hexadecimal.

    >>> len(digest(Path(__file__), "md5"))
    32
    """
    _check.one_of("kind", kind, ("sha256", "md5"))
    found = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file, _bar(f"check {path.name}", _size(path), 0, progress) as bar:
        while block := file.read(BLOCK):
            found.update(block)
            bar.update(len(block))
    return found.hexdigest()


def need_space(folder: Path, wanted: float) -> None:
    """Raise unless the disk of a folder, which may not exist yet, has ``wanted`` bytes free.

    >>> need_space(Path("."), 1e18)
    Traceback (most recent call last):
    ...
    OSError: root: expected 1,000,000,000.0 GB free on the disk of ., got ...
    """
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < wanted:
        raise OSError(
            f"root: expected {wanted / 1e9:,.1f} GB free on the disk of {folder}, got {free / 1e9:,.1f} GB"
        )


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Say which disk is full if writing fails for want of space.

    >>> with full_disk_named(Path("data")):
    ...     raise OSError(errno.ENOSPC, "No space left on device")
    Traceback (most recent call last):
    ...
    OSError: root: the disk of data is full; make room and run the same command again
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            f"root: the disk of {folder} is full; make room and run the same command again"
        ) from None


def _grow(part: Path, url: str, *, progress: bool) -> bool:
    """Fetch what is missing of a file; return whether it is whole."""
    start = _size(part)
    asked = {"User-Agent": "probmcl", "Accept-Encoding": "identity"}
    if start:
        asked["Range"] = f"bytes={start}-"
    try:
        response: HTTPResponse = urlopen(Request(url, headers=asked), timeout=PATIENCE)
    except HTTPError as error:
        with error:
            return _refused(error, part, start)
    with response:
        if start and response.status == 206:
            begins, total = _range(response.headers.get("Content-Range", ""))
            if begins != start:
                raise ConnectionError(f"asked for bytes from {start}, got them from {begins}")
        else:  # the whole file, whether asked for or not
            start, total = 0, None
        if total is None and (length := response.headers.get("Content-Length")):
            total = start + int(length)
        need_space(part.parent, 0 if total is None else total - start)
        name = part.name.removesuffix(".part")
        with part.open("ab" if start else "wb") as file, _bar(name, total, start, progress) as bar:
            while block := response.read(BLOCK):
                file.write(block)
                bar.update(len(block))
    return total is None or _size(part) == total


def _refused(error: HTTPError, part: Path, start: int) -> bool:
    """Decide what an answer other than the file means; return whether the file is whole already."""
    if error.code == 416 and start:
        if _range(error.headers.get("Content-Range", ""))[1] == start:
            return True
        part.unlink()  # longer than the file: of something else
        return False
    if error.code in PASSING:
        raise ConnectionError(f"{error.code} {error.reason}")
    raise DownloadRefusedError(f"{error.url}: the host refused it: {error.code} {error.reason}") from None


def _range(header: str) -> tuple[int | None, ...]:
    """Return first byte and total size of a Content-Range, ``bytes 5-9/10`` or ``bytes */10``."""
    match = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(?:(\d+)|\*)", header.strip())
    numbers = match.groups() if match else (None, None)
    return tuple(None if number is None else int(number) for number in numbers)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _bar(name: str, total: int | None, start: int, progress: bool) -> tqdm[None]:
    return tqdm(total=total, initial=start, desc=name, unit="B", unit_scale=True, disable=not progress)
