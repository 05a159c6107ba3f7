"""Which room may import which: the arrows of both packages."""

from pathlib import Path

import pytest
from imports import imported

ROOT = Path(__file__).parents[1]
PACKAGE = ("data", "model", "loss", "train", "evaluate")
"""The rooms of the package, in the order of the data: each may import those before it."""
BOOK = {
    "reference": (),
    "records": (),
    "replicate": ("records",),
    "studies": ("records", "replicate"),
    "claims": ("records", "replicate", "studies"),
    "bench": ("records", "replicate"),
    "pages": ("records", "replicate", "studies", "claims"),
    "course": ("reference", "records", "claims"),
    "commands": ("reference", "records", "replicate", "studies", "claims", "bench", "pages", "course"),
}
"""The rooms of the book's code, and which others each may import."""


def rooms(folder: Path, package: str) -> set[str]:
    """The rooms of a package that the files of a folder import."""
    names = (name.split(".") for file in folder.rglob("*.py") for name in imported(file))
    return {name[1] for name in names if name[0] == package and len(name) > 1}


@pytest.mark.parametrize("room", PACKAGE)
def test_a_room_of_the_package_imports_only_those_before_it(room: str) -> None:
    allowed = {*PACKAGE[: PACKAGE.index(room) + 1], "_check", "_files", "_lazy", "_modes"}
    assert rooms(ROOT / "probmcl" / room, "probmcl") <= allowed


def test_the_package_never_imports_the_books_code_but_as_the_command_line() -> None:
    files = [file for file in (ROOT / "probmcl").rglob("*.py") if file.name != "__main__.py"]
    assert not [file for file in files for name in imported(file) if name.startswith("probmcl_book")]


@pytest.mark.parametrize("room", BOOK)
def test_a_room_of_the_book_imports_only_what_it_may(room: str) -> None:
    assert rooms(ROOT / "book" / "probmcl_book" / room, "probmcl_book") <= {room, *BOOK[room]}


def test_every_room_is_known() -> None:
    for folder, known in ((ROOT / "probmcl", PACKAGE), (ROOT / "book" / "probmcl_book", BOOK)):
        assert {path.parent.name for path in folder.glob("*/__init__.py")} == set(known)


def test_the_grader_stands_on_the_course_and_nothing_of_the_book_on_the_grader() -> None:
    assert rooms(ROOT / "tools" / "grading", "probmcl_book") == {"course"}
    names = {name.partition(".")[0] for file in (ROOT / "book").rglob("*.py") for name in imported(file)}
    assert "grading" not in names


def test_the_reference_imports_nothing_else_of_the_project() -> None:
    assert not rooms(ROOT / "book" / "probmcl_book" / "reference", "probmcl")
