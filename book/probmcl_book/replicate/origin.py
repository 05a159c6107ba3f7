"""A folder that looks like a public data set and is none says so: ``ORIGIN.json`` beside its files.

Images that somebody else kept, made smaller or laid out anew can be read by the loader of the data set they
come from. What is measured on them must not be recorded as measured on that data set.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from probmcl._files import whole_file
from probmcl_book.records.constraints import Text
from probmcl_book.records.plain import from_json

FILE = "ORIGIN.json"


@dataclass(frozen=True)
class Origin:
    """What a record says about such a folder, in place of what it says about the public data set.

    The texts are those of a :class:`~probmcl_book.records.DataIdentity`.
    """

    name: Text
    split: Text
    access: Text
    source: Text


def write_origin(root: str | Path, origin: Origin) -> None:
    """Write ``ORIGIN.json`` into the folder of a data set."""
    with whole_file(Path(root) / FILE) as file:
        file.write(json.dumps(asdict(origin), indent=2, ensure_ascii=False).encode())


def read_origin(root: str | Path) -> Origin | None:
    """Return what ``ORIGIN.json`` of a folder says; None if there is no such file."""
    path = Path(root) / FILE
    return from_json(Origin, path.read_bytes(), str(path)) if path.is_file() else None
