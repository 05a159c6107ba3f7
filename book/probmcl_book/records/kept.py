"""No record is lost: its place is tried before the work, and another is found if it fails after the work."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from probmcl._files import whole_file
from probmcl_book.records.plain import to_plain
from probmcl_book.records.record import Record

ROOM = 2**20  # bytes that are tried: more than any record


class _TriedError(Exception):
    pass


def check_writable(path: str | Path) -> None:
    """Raise unless a file could be written at ``path``: the disk is full, read-only, the name too long.

    Missing folders are made; what stands at ``path`` is left alone.

    Raises:
        OSError: saying why.
    """
    if Path(path).is_dir():
        raise IsADirectoryError(f"expected a file, got the folder {str(path)!r}")
    with suppress(_TriedError), whole_file(path) as file:
        file.write(bytes(ROOM))
        file.flush()
        os.fsync(file.fileno())
        raise _TriedError


def kept_elsewhere(record: Record, error: Exception, *folders: Path | None) -> OSError:
    """Write a record where it can be written, and return the error to raise, which says where that is.

    Args:
        record: the record, which need not be one that :func:`write_record` takes.
        error: what failed.
        folders: where to try before the working directory and a temporary folder; None is passed over.
    """
    content = json.dumps(to_plain(record, digits=6), indent=2, sort_keys=True, ensure_ascii=False).encode()
    for folder in (*folders, Path.cwd(), Path(tempfile.gettempdir())):
        with suppress(OSError):
            if folder is not None:
                path = folder / f"kept-{record.name}-{os.getpid()}.json"
                with whole_file(path) as file:
                    file.write(content)
                return OSError(f"{error}; the record is kept at {path}")
    return OSError(f"{error}; the record could not be written anywhere: {content.decode()}")
