"""Check that the book was really built: ``python tools/check_book.py [root]``.

A build that failed can still exit 0, so this looks for ``_build/html/index.html`` and for the page of every
entry of ``_toc.yml``, follows the links inside the book (:mod:`page_links`) and prints where it stands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from page_links import dead_links

ROOT = Path(__file__).resolve().parents[1]


def toc_entries(toc: Any) -> Iterator[str]:
    """Yield the files that a table of contents names, in reading order."""
    if isinstance(toc, list):
        for entry in toc:
            yield from toc_entries(entry)
    elif isinstance(toc, dict):
        yield from (str(toc[key]) for key in ("root", "file") if key in toc)
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            yield from toc_entries(toc.get(key))


def missing_pages(root: Path) -> list[str]:
    """Return the pages of the book that were not built, as paths inside ``_build/html``."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    pages = ["index.html", *(f"{entry.removesuffix('.md')}.html" for entry in toc_entries(toc))]
    return [page for page in pages if not (root / "_build" / "html" / page).is_file()]


def main(root: Path = ROOT) -> int:
    """Print where the book is, or what is missing; return the exit status."""
    if missing := missing_pages(root):
        print(f"the book is not complete; missing in _build/html: {', '.join(missing)}", file=sys.stderr)
        return 1
    if dead := dead_links(root):
        print(f"links that lead nowhere: {', '.join(dead)}", file=sys.stderr)
        return 1
    print(f"The book: {root / '_build' / 'html' / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
