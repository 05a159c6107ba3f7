"""Write the notebook that Colab opens beside every chapter: ``python book/_ext/export.py [--check] [files]``.

A chapter is a file ``book/*.md`` with ``file_format: mystnb`` in its front matter. Its sibling ``.ipynb``
holds plain Markdown (:mod:`plain_markdown`), a badge, a set-up cell that installs the package on Colab only,
and a last cell that says what comes next. The same chapter always gives the same bytes.

Cells that belong to one side only:

* a code cell with the tag ``page-only``, and a ``{container} page-only`` block, are left out of the notebook;
* a code cell with the tags ``notebook-only``, ``remove-cell`` and ``skip-execution`` is left out of the page:
  myst-nb removes it and does not run it. The notebook's copy keeps ``notebook-only`` alone, so there it runs.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from chapters import Book, Chapter
from myst_blocks import SourceError
from myst_nb.core.read import MystMetadataParsingError, read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from plain_markdown import PlainMarkdown

from probmcl._files import whole_file

ROOT = Path(__file__).resolve().parents[2]
COLAB = Path(__file__).with_name("colab.md")
"""How to use a GPU of Colab: a chapter that uses one includes it, and its notebook begins with it."""
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
HIDDEN = {"hide-input", "hide-cell"}
NOTEBOOK_ONLY = {"remove-cell", "skip-execution"}


class ExportError(ValueError):
    """A chapter cannot be exported; the message names file and line."""


def export(book: Book, chapter: Chapter) -> str:
    """Return the text of the notebook that belongs to ``chapter``.

    Raises:
        ExportError: the chapter holds something that has no plain form.
    """
    text = chapter.path.read_text(encoding="utf-8")
    where = chapter.path.relative_to(book.root)
    try:
        if chapter.problem:
            raise chapter.problem
        myst = MdParserConfig(enable_extensions=book.myst_extensions)
        source = read_myst_markdown_notebook(text, config=myst, add_source_map=True, path=chapter.path)
        metadata = _metadata(source.metadata)
        box = COLAB.read_text(encoding="utf-8").replace(":class: dropdown\n", "")  # open, where it is used
        parts = PlainMarkdown(book, chapter).sections(box.splitlines() if "accelerator" in metadata else [])
        cells = [_badge(book, chapter), *map(new_markdown_cell, parts), _setup(book)]
        for cell, line in zip(source.cells, source.metadata["source_map"], strict=True):
            cells += _cells(PlainMarkdown(book, chapter), cell, line, text.splitlines())
    except SourceError as error:
        raise ExportError(f"{where}:{error.line}: {error}") from None
    except MystMetadataParsingError as error:
        raise ExportError(f"{where}: {error}") from None
    cells.append(_what_next(book, chapter))
    _name_cells(chapter, cells)
    notebook = new_notebook(cells=cells, metadata=metadata)
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def _cells(plain: PlainMarkdown, cell: NotebookNode, start: int, lines: Sequence[str]) -> list[NotebookNode]:
    if cell.cell_type == "code":
        return _code(cell, start)
    if cell.cell_type != "markdown":
        raise SourceError(start, f"a {cell.cell_type} cell has no place in a chapter")
    while not lines[start].strip():
        start += 1  # the reader strips the blank lines in front
    return [new_markdown_cell(part) for part in plain.sections(cell.source.splitlines(), start + 1)]


def _code(cell: NotebookNode, line: int) -> list[NotebookNode]:
    unknown = set(cell.metadata) - {"tags", "mystnb", "name"}
    if unknown:
        raise SourceError(line, f"code-cell: unknown option {sorted(unknown)[0]!r}, expected tags or mystnb")
    tags = cell.metadata.get("tags", [])
    if isinstance(tags, str):
        tags = tags.split()
    if "page-only" in tags:
        return []
    if "notebook-only" in tags:
        if not set(tags) >= NOTEBOOK_ONLY:
            raise SourceError(line, "a notebook-only cell also needs the tags remove-cell and skip-execution")
        tags = [tag for tag in tags if tag not in NOTEBOOK_ONLY]
    metadata: dict[str, Any] = {"tags": tags} if tags else {}
    if HIDDEN & set(tags):
        metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    return [new_code_cell(cell.source, metadata=metadata)]


def _badge(book: Book, chapter: Chapter) -> NotebookNode:
    return new_markdown_cell(
        f"[![Open in Colab]({BADGE})]({book.colab(chapter.name)})\n\n"
        f"This notebook is a chapter of [ProbMCL, the book]({book.published('index')}); "
        f"the [page]({book.published(chapter.name)}) shows it with its results. "
        "The first cell installs the package on Colab and does nothing elsewhere."
    )


def _setup(book: Book) -> NotebookNode:
    package = f"'probmcl[book] @ git+{book.repository}'"
    install = f'get_ipython().run_line_magic("pip", "install -q {package}")'
    return new_code_cell(f'if "google.colab" in str(get_ipython()): {install}', metadata={"tags": ["setup"]})


def _what_next(book: Book, chapter: Chapter) -> NotebookNode:
    following = book.next_after(chapter.name)
    read_on = f"Read on: [{following.title}]({book.address(following.name)}). " if following else ""
    return new_markdown_cell(
        f"---\n\n{read_on}Before you do, try the exercises of this chapter in new cells, and change a number "
        f"in the cells above to see what moves. Found a mistake? [Tell us]({book.repository}/issues)."
    )


def _name_cells(chapter: Chapter, cells: Sequence[NotebookNode]) -> None:
    """Give each cell an id that depends on its content alone, so that an edit changes few lines."""
    seen: dict[str, int] = {}
    for cell in cells:
        content = f"{chapter.name}\n{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        cell["id"] = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()[:12]


def _metadata(front_matter: NotebookNode) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if "accelerator" in front_matter:  # Colab then offers a GPU at once
        metadata["accelerator"] = front_matter["accelerator"]
    return metadata


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` so that no reader ever sees half of it."""
    with whole_file(path) as file:
        file.write(text.encode())


def stale(book: Book, chapters: Sequence[Chapter]) -> list[str]:
    """Return what is wrong with the notebooks beside ``chapters``: missing or not what the chapter gives."""
    problems = []
    for chapter in chapters:
        sibling = chapter.path.with_suffix(".ipynb")
        if not sibling.is_file():
            problems.append(f"{sibling.relative_to(book.root)} is missing")
        elif sibling.read_text(encoding="utf-8") != export(book, chapter):
            problems.append(f"{sibling.relative_to(book.root)} is stale")
    return problems


def orphans(book: Book) -> list[str]:
    """Return the notebooks in ``book/`` that no chapter stands beside."""
    notebooks = {chapter.name for chapter in book.chapters.values() if chapter.is_notebook}
    found = sorted(path for path in book.folder.glob("*.ipynb") if path.stem not in notebooks)
    return [f"{path.relative_to(book.root)} has no chapter" for path in found]


def _chosen(book: Book, files: Sequence[str]) -> list[Chapter]:
    if not files:
        return [chapter for chapter in book.chapters.values() if chapter.is_notebook]
    chosen = []
    for file in files:
        chapter = book.chapters.get(Path(file).stem)
        if chapter is None or not chapter.is_notebook:
            raise ExportError(
                f"{file}: expected a chapter in book/ with 'file_format: mystnb' in its front matter"
            )
        chosen.append(chapter)
    return chosen


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(description="Write the notebooks beside the chapters of the book.")
    parser.add_argument("files", nargs="*", help="chapters, all of them by default")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a notebook is stale or missing"
    )
    options = parser.parse_args(arguments)
    try:
        book = Book(root)
        chapters = _chosen(book, options.files)
        if not options.check:
            for chapter in chapters:
                write_atomically(chapter.path.with_suffix(".ipynb"), export(book, chapter))
            return 0
        problems = stale(book, chapters) + ([] if options.files else orphans(book))
    except ExportError as error:
        print(error, file=sys.stderr)
        return 1
    if problems:
        print("\n".join([*problems, "Run: python book/_ext/export.py"]), file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
