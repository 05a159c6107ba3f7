"""Submissions as they come: notebooks, zips, and the downloads of Moodle, Canvas and Gradescope.

In a folder every folder is a submission, and so is every notebook and zip; a zip with several notebooks is
read like a folder. Canvas' files without folders are put together by what their names begin with. What macOS
and Jupyter leave (``__MACOSX``, ``._a.ipynb``, checkpoints) is passed over.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import NotebookNode

LEFT_BY_PROGRAMS = re.compile(
    r"(^|/)(__MACOSX|\.ipynb_checkpoints|\.git|\._[^/]*|\.DS_Store|Thumbs\.db)(/|$)"
)
MOODLE = re.compile(r"_\d+_assignsubmission_\w*$")
CANVAS = re.compile(r"^(?P<who>[^_/]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<file>[^/]+)$")
AGAIN = re.compile(r"-\d+(?=\.\w+$)")  # Canvas numbers a file that is handed in once more
ENDINGS = (".ipynb", ".zip")
MOST_BYTES = 100_000_000
MOST_FILES = 1000


@dataclass
class Submission:
    """What one student handed in.

    Attributes:
        name: what tells it from the others, in the table and as a file's name.
        files: contents by name, without folders.
        handed_in: when, as the newest file says.
        late: whether the platform's name of a file says so.
        problem: why it cannot be read, or empty.
    """

    name: str
    files: dict[str, bytes] = field(default_factory=dict)
    handed_in: datetime = datetime.min
    late: bool = False
    problem: str = ""

    def notebook(self) -> NotebookNode:
        """The notebook to grade.

        Raises:
            ValueError: if there is none, more than one, or one that is no notebook.
        """
        found = sorted(name for name in self.files if name.lower().endswith(".ipynb"))
        if self.problem or len(found) != 1:
            raise ValueError(self.problem or f"expected one notebook, got {', '.join(found) or 'none'}")
        try:
            return nbformat.reads(self.files[found[0]].decode("utf-8-sig"), as_version=4)
        except Exception as error:  # of many classes
            raise ValueError(f"{found[0]} is no notebook: {str(error)[:200]}") from None


@dataclass(frozen=True)
class _File:
    """A file of a folder or zip; its content is read when it is wanted."""

    path: PurePosixPath
    time: datetime
    source: Path | io.BytesIO
    member: zipfile.ZipInfo | None = None

    def content(self) -> bytes:
        if isinstance(self.source, Path) and self.member is None:
            return self.source.read_bytes()
        with zipfile.ZipFile(self.source) as bundle:
            return bundle.read(self.member or "")

    @property
    def size(self) -> int:
        return self.member.file_size if self.member else Path(str(self.source)).stat().st_size


def submissions(paths: Sequence[Path]) -> list[Submission]:
    """Read everything that was handed in.

    Raises:
        ValueError: if there is nothing, or if two have one name.
    """
    found: list[Submission] = []
    for path in paths:
        if path.is_dir():
            groups = _grouped(_of_folder(path))
        elif path.suffix.lower() == ".zip" and _is_class(path):
            groups = _grouped(_of_zip(path))
        else:
            groups = {path.stem: [_whole(path)]}
        found += [_read(name, files) for name, files in groups.items()]
    if not found:
        raise ValueError("submissions: expected notebooks, zips, or folders of them, got none")
    names = [each.name.lower() for each in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"submissions: expected different names, got more than one {', '.join(twice)}")
    return found


def _whole(path: Path) -> _File:
    return _File(PurePosixPath(path.name), datetime.fromtimestamp(path.stat().st_mtime), path)


def _of_folder(folder: Path) -> list[_File]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    found = [
        _File(PurePosixPath(path.relative_to(folder).as_posix()), _whole(path).time, path) for path in files
    ]
    return [file for file in found if not LEFT_BY_PROGRAMS.search(str(file.path))]


def _of_zip(path: Path | io.BytesIO) -> list[_File]:
    """The files of a zip, without the folder that holds all of them.

    Raises:
        ValueError: if it is broken, encrypted or too large.
    """
    try:
        with zipfile.ZipFile(path) as bundle:
            members = [member for member in bundle.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"no zip: {error}") from None
    kept = [member for member in members if not LEFT_BY_PROGRAMS.search(member.filename)]
    if len(kept) > MOST_FILES or any(member.flag_bits & 1 for member in kept):
        raise ValueError(f"expected a zip of at most {MOST_FILES} files without password")
    parts = [PurePosixPath(member.filename.replace("\\", "/")).parts for member in kept]
    while parts and all(len(each) > 1 for each in parts) and len({each[0] for each in parts}) == 1:
        parts = [each[1:] for each in parts]
    return [
        _File(PurePosixPath(*each), datetime(*member.date_time), path, member)
        for each, member in zip(parts, kept, strict=True)
    ]


def _is_class(path: Path) -> bool:
    """Whether a zip holds more than one submission."""
    try:
        return sum(file.path.suffix.lower() in ENDINGS for file in _of_zip(path)) > 1
    except ValueError:
        return False


def _grouped(files: Sequence[_File]) -> dict[str, list[_File]]:
    """The files of each submission: those of a folder, or those whose names Canvas begins alike."""
    groups: dict[str, list[_File]] = {}
    for file in files:
        first = file.path.parts[0]
        if len(file.path.parts) > 1:
            name = MOODLE.sub("", first)
        elif found := CANVAS.match(first):
            name = f"{found['who']}_{found['id']}"
        elif file.path.suffix.lower() in ENDINGS:
            name = file.path.stem
        else:
            continue
        groups.setdefault(name, []).append(file)
    return groups


def _read(name: str, files: Sequence[_File]) -> Submission:
    """Read a submission, the files of a zip in the place of the zip; what is wrong with it is its problem."""
    read = Submission(name, handed_in=max(file.time for file in files))
    try:
        inner = [part for file in files for part in _opened(file)]
        if sum(file.size for file in inner) > MOST_BYTES:
            raise ValueError(f"expected at most {MOST_BYTES:,} bytes, got more")
        for file in inner:
            found = CANVAS.match(file.path.name)
            read.late = read.late or bool(found and found["late"])
            read.files[AGAIN.sub("", found["file"]) if found else file.path.name] = file.content()
    except Exception as error:  # a broken archive has errors of many classes
        read.problem = str(error)[:300] or type(error).__name__
    return read


def _opened(file: _File) -> Iterator[_File]:
    """The file, or what it holds if it is a zip."""
    if file.path.suffix.lower() != ".zip":
        yield file
    elif file.size > MOST_BYTES:
        raise ValueError(f"expected at most {MOST_BYTES:,} bytes, got {file.size:,} in {file.path.name}")
    else:
        yield from _of_zip(file.source if file.member is None else io.BytesIO(file.content()))
