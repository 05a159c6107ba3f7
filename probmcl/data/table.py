"""A table of labels as people have them: CSV of any dialect, and one line that says what was made of it."""

import ast
import codecs
import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from probmcl.data.identifiers import check_classes, check_spelling, image_name, spelled

SEPARATORS = (",", ";", "\t")
MARKS = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "x": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}
NAMED = ("label", "labels", "tag", "tags", "class", "classes", "category", "categories")
INDEX = ("", "Unnamed: 0")  # what pandas calls its column of row numbers
PARTS = dict.fromkeys(("train", "training"), "train") | {"test": "test"}
PARTS |= dict.fromkeys(("validation", "valid", "val"), "validation")


class Table(NamedTuple):
    """The cells of a table, without the spaces around them."""

    path: Path
    heading: list[str]
    rows: list[tuple[int, list[str]]]  # the line of each row, and its cells
    said: str  # separator, encoding, lines left out

    def images(self, column: int) -> list[str]:
        """Return the names in a column, each of which stands there once."""
        lines: dict[str, int] = {}
        for line, cells in self.rows:
            if not cells[column]:
                raise ValueError(f"{self.path}, line {line}: expected the name of an image, got none")
            name = image_name(cells[column])
            if name in lines:
                found = f"{name} on line {lines[name]} too"
                raise ValueError(f"{self.path}, line {line}: expected each image once, got {found}")
            lines[name] = line
        return list(lines)


class LabelTable(NamedTuple):
    """What a table says of labels."""

    names: list[str]
    labels: Tensor  # uint8 (N, K)
    classes: tuple[str, ...]
    split: list[str] | None  # train, validation or test of each image
    said: str


def read_table(path: Path) -> Table:
    r"""Read a CSV file: UTF-8, UTF-16 or cp1252; ``,``, ``;`` or tab; blank lines are left out."""
    text, encoding = _decoded(path)
    separator = _separator(text)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=True)
    rows, begins, blank = [], 1, 0
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append((begins, cells))
            else:
                blank += 1
            begins = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {begins}: expected quotes that are closed, got: {error}") from None
    said = [f"separator {separator!r}"]
    if encoding != "utf-8-sig":
        said.append(f"encoding {encoding}")
    if blank:
        said.append(f"blank lines left out: {blank}")
    return _checked(path, rows, ", ".join(said))


def _decoded(path: Path) -> tuple[str, str]:
    """Return the text of a file and its encoding."""
    content = path.read_bytes()
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return text, encoding
    raise ValueError(f"{path}: expected a table as text (CSV), got a file of another kind")


def _separator(text: str) -> str:
    """Return what cuts the heading and the first row into most cells; csv.Sniffer asks all characters."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    return max(SEPARATORS, key=lambda mark: _fewest_cells(lines, mark))


def _fewest_cells(lines: list[str], separator: str) -> int:
    try:
        return min((len(row) for row in csv.reader(lines, delimiter=separator)), default=0)
    except csv.Error:  # a cell as long as the line
        return 0


def _checked(path: Path, rows: list[tuple[int, list[str]]], said: str) -> Table:
    """Cut off empty columns and row numbers, and raise unless all rows are as long as the heading."""
    heading = rows[0][1] if rows else []
    while heading and not heading[-1]:
        heading.pop()
    width, found = len(heading), []
    first = int(width > 2 and heading[0] in INDEX and all(cells[0].isdecimal() for _, cells in rows[1:]))
    for line, cells in rows:
        if len(cells) < width or any(cells[width:]):
            raise ValueError(f"{path}, line {line}: expected {width} columns, got {len(cells)}")
        if formula := next((cell for cell in cells if cell.startswith("=")), None):
            raise ValueError(f"{path}, line {line}: expected values, got the formula {formula!r}")
        found.append((line, cells[first:width]))
    return Table(path, heading[first:], found[1:], said + ", column of row numbers left out" * first)


def read_labels(path: Path) -> LabelTable:
    r"""Read the labels of images: one column per class, or one column with the classes' names."""
    table = read_table(path)
    places = {name.lower(): column for column, name in enumerate(table.heading)}
    columns = [column for column in range(1, len(table.heading)) if column != places.get("split")]
    if not columns or not table.rows:
        raise ValueError(f"{path}: expected a heading, a column of file names, and one column a class")
    try:
        classes = check_classes([table.heading[column] for column in columns], len(columns))
        check_spelling("classes", classes)
        words = {cells[column].lower() for _, cells in table.rows for column in columns}
        if len(columns) == 1 and classes[0].lower() in NAMED and not words <= MARKS.keys():
            labels, classes, said = _named([cells[columns[0]] for _, cells in table.rows])
        else:
            labels, said = _marked(table.rows, columns, classes, words)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None
    found = f"images: {len(labels):,}, classes: {len(classes):,}, {table.said}, {said}"
    return LabelTable(table.images(0), labels, classes, _split(table, places.get("split")), found)


def _named(cells: list[str]) -> tuple[Tensor, tuple[str, ...], str]:
    """Return labels, classes and what was read of cells such as ``cat|dog``; an empty one has no label."""
    cells = [_joined(cell) for cell in cells]
    joint = next((mark for mark in "|;," if any(mark in cell for cell in cells)), None)
    sets = [{spelled(name) for name in cell.split(joint or "|")} - {""} for cell in cells]
    classes = tuple(sorted(set().union(*sets)))
    if not classes:
        raise ValueError("expected the name of a class, got none")
    check_spelling("classes", classes)
    places = {name: column for column, name in enumerate(classes)}
    labels = torch.zeros(len(cells), len(classes), dtype=torch.uint8)
    for row, names in zip(labels, sets, strict=True):
        row[[places[name] for name in names]] = 1
    return labels, classes, f"names joined by {joint!r}" if joint else "one name an image"


def _joined(cell: str) -> str:
    """A list as Python prints it, ``['cat', 'dog']``, as other tables have it."""
    if not (cell.startswith("[") and cell.endswith("]")):
        return cell
    try:
        return "|".join(ast.literal_eval(cell))
    except (TypeError, ValueError, SyntaxError):  # no list of texts
        return cell[1:-1]


def _marked(
    rows: list[tuple[int, list[str]]], columns: list[int], classes: tuple[str, ...], words: set[str]
) -> tuple[Tensor, str]:
    """Return labels and what was read of cells such as ``0`` and ``1``; a blank is a 0 beside ``x`` alone."""
    marks = MARKS | ({"": 0} if words <= {"x", ""} and "x" in words else {})
    labels = []
    for line, cells in rows:
        for name, column in zip(classes, columns, strict=True):
            if cells[column].lower() not in marks:
                raise ValueError(f"line {line}: expected 0 or 1 for {name}, got {cells[column]!r}")
        labels.append([marks[cells[column].lower()] for column in columns])
    said = ", ".join(sorted(word or "blank" for word in words))
    return torch.tensor(labels, dtype=torch.uint8), f"labels as {said}"


def _split(table: Table, column: int | None) -> list[str] | None:
    if column is None:
        return None
    for line, cells in table.rows:
        if cells[column].lower() not in PARTS:
            wanted = f"{table.path}, line {line}: expected train, validation or test as split"
            raise ValueError(f"{wanted}, got {cells[column]!r}")
    return [PARTS[cells[column].lower()] for _, cells in table.rows]
