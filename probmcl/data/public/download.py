"""Bring one large file over a connection that may break."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tqdm.auto import tqdm

from probmcl import _check
from probmcl._files import bytes_of

BLOCK = 1 << 20
PATIENCE = 60.0  # seconds without a byte, or with fewer than SLOWEST bytes in each
SLOWEST = 1000
ATTEMPTS = 5  # in a row that may bring nothing, or next to nothing
WAIT = 1.0  # seconds before the next attempt; twice as long after each that brought nothing
LEAST = 1 << 16  # bytes that an attempt must bring to count as progress
PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that another attempt may change


class DownloadRefusedError(OSError):
    """The host answered, and it will not give the file.

    >>> issubclass(DownloadRefusedError, OSError)
    True
    """


def download(
    url: str, path: str | Path, *, checksum: str | None, size: int | None = None, progress: bool = True
) -> None:
    """Download a file; a broken connection is taken up again where it ended.

    The file grows as ``NAME.part`` beside its place and gets its name when it is whole and its checksum is
    right. A ``.part`` left behind, by a broken run or a full disk, is continued by the next call, unless the
    host has another file by then (``NAME.part.version``). A host without ranges starts from the first byte.

    Args:
        url: An http or https address.
        path: Where the file shall be. If it is there already, only its checksum is looked at.
        checksum: ``"sha256:..."`` or ``"md5:..."`` in hexadecimal; ``None`` if none is known.
        size: Bytes of the file; ``None`` if not known.
        progress: Whether to show a bar.

    Raises:
        DownloadRefusedError: If the host does not give the file, or leads elsewhere than http and https, or
            from https to http.
        ConnectionError: If five attempts in a row brought nothing more.
        ValueError: If checksum (the file is removed) or size are wrong, or the address is no http address.
        OSError: If there is not enough space.

    >>> download("ftp://example.org/a.zip", "a.zip", checksum=None)
    Traceback (most recent call last):
    ...
    ValueError: url: expected http:// or https://, got 'ftp://example.org/a.zip'
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"url: expected http:// or https://, got {url!r}")
    path = _check.path("path", path)
    if path.is_file():
        verify(path, checksum, progress=progress)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    failed, most = 0, bytes_of(part)
    while True:
        try:
            with full_disk_named(path.parent):
                if _grow(part, url, size, progress=progress):
                    break
            reason: object = "it ended early"
        except (URLError, HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            reason = error
        # More than ever before: a host that starts again each time must not be asked for ever.
        failed = 0 if bytes_of(part) >= most + LEAST else failed + 1
        most = max(most, bytes_of(part))
        if failed >= ATTEMPTS:
            raise ConnectionError(
                f"{url}: the connection broke {failed} times without bringing more than {most:,} bytes "
                f"({reason}); what there is is kept for the next attempt"
            )
        time.sleep(WAIT * 2**failed)
    try:
        verify(part, checksum, progress=progress)
    except ValueError as error:
        _forget(part)
        raise ValueError(f"{url}: {error}; it was removed") from None
    os.replace(part, path)
    _forget(part)


def verify(path: Path, checksum: str | None, *, progress: bool = False) -> None:
    """Raise unless a file has a checksum."""
    if checksum is None:
        return
    kind, _, _ = checksum.partition(":")
    found = f"{kind}:{digest(path, kind, progress=progress)}"
    if found != checksum.lower():
        raise ValueError(f"{path.name.removesuffix('.part')}: expected {checksum}, got {found}")


def digest(path: Path, kind: str = "sha256", *, progress: bool = False) -> str:
    """Return the SHA-256 or MD5 of a file, in hexadecimal."""
    _check.one_of("kind", kind, ("sha256", "md5"))
    found = hashlib.new(kind, usedforsecurity=False)
    with path.open("rb") as file, _bar(f"check {path.name}", bytes_of(path), 0, progress) as bar:
        while block := file.read(BLOCK):
            found.update(block)
            bar.update(len(block))
    return found.hexdigest()


def need_space(folder: Path, wanted: float) -> None:
    """Raise unless the disk of a folder, which may not exist yet, has ``wanted`` bytes free."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < wanted:
        raise OSError(
            f"root: expected {wanted / 1e9:,.1f} GB free on the disk of {folder}, got {free / 1e9:,.1f} GB"
        )


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Say which disk is full if writing fails for want of space."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(
            f"root: the disk of {folder} is full; make room and run the same command again"
        ) from None


class _Redirects(HTTPRedirectHandler):
    """Follow redirects to http and https, but not from https to http."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        fp.close()  # or urllib would read the answer's text, however long
        if not newurl.startswith("https://" if req.type == "https" else ("https://", "http://")):
            raise DownloadRefusedError(f"{req.full_url}: expected to stay with {req.type}, led to {newurl}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _grow(part: Path, url: str, size: int | None, *, progress: bool) -> bool:
    """Fetch what is missing of a file; return whether it is whole."""
    start, (version, total) = bytes_of(part), _known(part)
    asked = {"User-Agent": "probmcl", "Accept-Encoding": "identity"}
    if start:
        asked |= {"Range": f"bytes={start}-"} | ({"If-Range": version} if version else {})
    try:
        response: HTTPResponse = build_opener(_Redirects).open(Request(url, headers=asked), timeout=PATIENCE)
    except HTTPError as error:
        with error:
            return _refused(error, part, start)
    with response:
        begins, total = _extent(response, start, total if size is None else size)
        if begins not in (0, start):
            raise ConnectionError(f"asked for bytes from {start}, got them from {begins}")
        if size is not None and total not in (size, None):
            raise ValueError(f"{url}: expected {size:,} bytes, the host offers {total:,}")
        found = _version(response)
        if begins and version and found not in (version, ""):
            _forget(part)
            raise ConnectionError("the host has another file than before")
        need_space(part.parent, 0 if total is None else total - begins)
        if not begins:
            _note(part).write_text(f"{found}\n{total or ''}")
        whole = total if size is None else size
        with part.open("ab" if begins else "wb") as file, _bar(part.stem, total, begins, progress) as bar:
            for block in _blocks(response):
                file.write(block)
                bar.update(len(block))
                if whole is not None and file.tell() > whole:
                    break
    if whole is not None and bytes_of(part) > whole:
        _forget(part)
        raise ValueError(f"{url}: expected {whole:,} bytes, the host sends more; it was removed")
    return whole is None or bytes_of(part) == whole


def _extent(response: HTTPResponse, start: int, known: int | None) -> tuple[int | None, int | None]:
    """Return the first byte that an answer holds, and the size of the whole file."""
    header = response.headers.get("Content-Range")
    if header is not None or response.status == 206:
        return _range(header or "")
    if start and known is not None and response.length == known - start:
        return start, known  # what was asked for, though the host does not say so
    return 0, response.length


def _blocks(response: HTTPResponse) -> Iterator[bytes]:
    """Yield what comes when it comes, so that nothing is lost if the host stalls; raise if it is too slow."""
    since, came = time.monotonic(), 0
    while block := response.read1(BLOCK):
        yield block
        came += len(block)
        if (now := time.monotonic()) - since >= PATIENCE:
            if came < SLOWEST * PATIENCE:
                raise ConnectionError(f"less than {SLOWEST:,} bytes a second")
            since, came = now, 0


def _version(response: HTTPResponse) -> str:
    """Return by what the host tells a file from a later one; a weak ETag is good for nothing here."""
    tag: str = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.version")


def _known(part: Path) -> tuple[str, int | None]:
    """Return version and size of the file that a part is of, as far as the host told."""
    if not _note(part).exists():
        return "", None
    version, _, total = _note(part).read_text().partition("\n")
    return version, int(total) if total.isdecimal() else None


def _forget(part: Path) -> None:
    for path in (part, _note(part)):
        path.unlink(missing_ok=True)


def _refused(error: HTTPError, part: Path, start: int) -> bool:
    """Decide what an answer other than the file means; return whether the file is whole already."""
    if error.code == 416 and start:
        if _range(error.headers.get("Content-Range", ""))[1] == start:
            return True
        _forget(part)  # longer than the file: of something else
        return False
    if error.code in PASSING:
        raise ConnectionError(f"{error.code} {error.reason}")
    raise DownloadRefusedError(f"{error.url}: the host refused it: {error.code} {error.reason}") from None


def _range(header: str) -> tuple[int | None, int | None]:
    """Return first byte and total size of a Content-Range, ``bytes 5-9/10`` or ``bytes */10``."""
    match = re.fullmatch(r"bytes (?:([0-9]{1,18})-[0-9]+|\*)/(?:([0-9]{1,18})|\*)", header.strip())
    first, total = match.groups() if match else (None, None)
    return None if first is None else int(first), None if total is None else int(total)


def _bar(name: str, total: int | None, start: int, progress: bool) -> tqdm[None]:
    return tqdm(total=total, initial=start, desc=name, unit="B", unit_scale=True, disable=not progress)
