"""Bring a whole data set: download, verify, unpack, and remember what was verified."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from probmcl import _check
from probmcl._files import bytes_of, one_writer, sweep, whole_file
from probmcl.data.public.download import DownloadRefusedError, download, need_space, verify
from probmcl.data.public.sources import RemoteFile, Source
from probmcl.data.public.unpack import unpack

RECEIPTS = ".verified"  # a folder beside those of the data sets, where no archive is unpacked


def fetch(source: Source, root: str | Path, *, progress: bool = True) -> Path:
    """Bring what is missing of a data set into ``root/NAME``, and return this folder.

    Each file is downloaded, compared with its checksum, unpacked and, if it is an archive, removed. A file
    that a person has put there is used as if downloaded; one without a published checksum comes in no other
    way. What is complete is left alone: a second call goes on where the first one ended.

    Args:
        source: A data set of ``SOURCES``.
        root: The folder that holds all data sets.
        progress: Whether to show bars.

    Raises:
        FileNotFoundError: If only files to be got by hand are missing.
        DownloadRefusedError: If a host refuses a file.
        ConnectionError: If the connection broke too often.
        ValueError: If a checksum is wrong or an archive is damaged or unsafe.
        OSError: If there is not enough space, or another process brings the data set.

    Where a file did not come, the message says how to get it by hand.

    >>> from probmcl.data import SOURCES
    >>> fetch(SOURCES["coco2014"], "no/such/folder")  # doctest: +SKIP
    PosixPath('no/such/folder/coco2014')
    """
    folder = _check.path("root", root) / _check.instance("source", source, Source).name
    pending = [file for file in source.files if _is_pending(file, folder)]
    need_space(folder, _space(pending, folder))
    lock = folder.parent / RECEIPTS / folder.name / ".lock"
    if not pending:
        sweep(lock)
    with one_writer(lock) if pending else nullcontext():
        for file in pending:
            if (file.url is None or file.checksum is None) and not (folder / file.name).exists():
                continue
            try:
                if file.url is None:
                    verify(folder / file.name, file.checksum, progress=progress)
                else:
                    path = folder / file.name
                    download(file.url, path, checksum=file.checksum, size=file.size, progress=progress)
            except (DownloadRefusedError, ConnectionError, ValueError) as error:
                raise type(error)(f"{error}\n{by_hand(source, root, [file])}") from None
            _put_in_place(file, folder, progress)
    left = [file for file in source.files if state(file, folder) in ("missing", "broken off")]
    if left:
        raise FileNotFoundError(by_hand(source, root, left))
    return folder


def state(file: RemoteFile, folder: Path) -> str:
    """Return how far a file is.

    Returns:
        ``"verified"``; ``"there"``, found but not compared with its checksum; ``"packed"``, an archive that
        waits to be unpacked; ``"broken off"``, a part of a download; or ``"missing"``.
    """
    there = (folder / file.proof).exists()
    if there and _receipt(file, folder).exists():
        return "verified"
    if file.unpack_into is not None and (folder / file.name).exists():
        return "packed"
    if there:
        return "there"
    return "broken off" if (folder / f"{file.name}.part").exists() else "missing"


def _is_pending(file: RemoteFile, folder: Path) -> bool:
    found = state(file, folder)
    if found == "there":  # unpacked by hand: nothing is left to compare
        return file.unpack_into is None and file.checksum is not None
    return found != "verified"


def by_hand(source: Source, root: str | Path, files: Sequence[RemoteFile]) -> str:
    """Return how a person gets some files of a data set."""
    lines = [
        "To get it by hand:",
        f"1. Open {source.page} in a browser.",
        f"2. Download into {(Path(root) / source.name).as_posix()}, under these names, without unpacking:",
    ]
    for file in files:
        verified = file.checksum or "cannot be verified: no checksum published"
        lines.append(f"     {file.name}, {verified}" + (f", from {file.url}" if file.url else ""))
    return "\n".join([*lines, "3. Run the same command again: it verifies and unpacks what it finds there."])


def _put_in_place(file: RemoteFile, folder: Path, progress: bool) -> None:
    """Unpack the file if it is an archive, and write down what was verified."""
    path = folder / file.name
    if file.unpack_into is not None:
        unpack(path, folder / file.unpack_into, progress=progress)
        if not (folder / file.proof).exists():
            raise ValueError(f"{path}: expected an archive that holds {file.proof}, got one without it")
    if file.checksum is not None:
        receipt = {"file": file.name, "url": file.url, "checksum": file.checksum}
        with whole_file(_receipt(file, folder)) as opened:
            opened.write(json.dumps(receipt).encode() + b"\n")
    if file.unpack_into is not None:
        path.unlink()


def _receipt(file: RemoteFile, folder: Path) -> Path:
    return folder.parent / RECEIPTS / folder.name / f"{file.name}.json"


def _space(pending: Sequence[RemoteFile], folder: Path) -> float:
    """Bytes that are needed at the fullest moment: all that is unpacked, and one archive."""
    unpacked = sum((file.size or 0) * file.growth for file in pending if file.unpack_into is not None)
    here = {file: (bytes_of(folder / file.name), bytes_of(folder / f"{file.name}.part")) for file in pending}
    return unpacked + max([0, *((file.size or 0) - max(found) for file, found in here.items())])
