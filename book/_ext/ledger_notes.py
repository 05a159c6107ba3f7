"""Notes in the chapters that name rows of the ledger: admonitions of class ``ledger`` with a bold ``M7``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chapters import Book, Chapter
from myst_blocks import split_blocks, walk

from probmcl_book.claims import LedgerEntry

ROW_LIST = re.compile(r"[A-Z]\d+(?:, [A-Z]\d+)*")
BOLD = re.compile(rf"\*\*({ROW_LIST.pattern})\*\*")


def rows_named(chapter: Chapter) -> set[str]:
    """Return the rows that a chapter's notes name in bold."""
    lines = chapter.path.read_text(encoding="utf-8").splitlines()
    return {
        row
        for block in walk(split_blocks(lines))
        if block.name == "admonition" and "ledger" in block.options.get("class", "").split()
        for found in BOLD.finditer("\n".join(block.lines))
        for row in found[1].split(", ")
    }


def chapter_problems(entries: Sequence[LedgerEntry], book: Book) -> list[str]:
    """Return where the ledger and the chapters disagree on which chapter has a note on which row."""
    named = {name: rows_named(chapter) for name, chapter in book.chapters.items()}
    listed = {entry.id: entry.chapters for entry in entries}
    problems = []
    for entry in entries:
        for name in entry.chapters:
            if name not in book.order:
                problems.append(f"{entry.id}: no chapter {name!r} in _toc.yml")
            elif entry.id not in named.get(name, ()):
                problems.append(f"{entry.id}: no note in {name} names it in bold")
    for name, rows in named.items():
        for row in sorted(rows):
            if name not in listed.get(row, ()):
                problems.append(
                    f"{row}: a note in {name} names it, but the ledger does not list that chapter"
                )
    return problems
