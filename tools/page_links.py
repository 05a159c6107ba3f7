"""Links inside the built book that lead nowhere: a page that is not there, or a place that its page lacks.

Sphinx looks up its own references; this looks at what was written, in every page and in the notebooks that
lead back to the published book.
"""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

NOT_PAGES = ("_static", "_sources")
PUBLISHED = re.compile(r"https://[\w.-]+\.github\.io/[\w.-]+/(book/[^)\s\"\\\\]+)")
"""An address of the published book, as notebooks write it."""


class Links(HTMLParser):
    """The links of a page, and the places in it that a link may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of a link and the name of a place."""
        given = dict(attrs)
        self.places |= {name for name in (given.get("id"), given.get("name")) if name}
        if tag == "a" and (target := given.get("href")):
            self.targets.append(target)


@cache
def links(page: Path) -> Links:
    """Read a page once."""
    return Links(page.read_text(encoding="utf-8"))


def dead_links(root: Path) -> list[str]:
    """Return the links of built pages and of notebooks that lead nowhere, as "file: link"."""
    site = root / "_build" / "html"
    pages = [page for page in site.rglob("*.html") if page.relative_to(site).parts[0] not in NOT_PAGES]
    found = [(page, page, link) for page in sorted(pages) for link in dict.fromkeys(links(page).targets)]
    for notebook in sorted(root.glob("book/**/*.ipynb")):
        addresses = PUBLISHED.findall(notebook.read_text(encoding="utf-8"))
        found += [(notebook, site / "index.html", link) for link in dict.fromkeys(addresses)]
    return [f"{file.relative_to(root)}: {link}" for file, page, link in found if not leads(page, link)]


def leads(page: Path, link: str) -> bool:
    """Tell whether a link of a page leads somewhere; a link out of the book is not looked up."""
    address, place = urldefrag(link)
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    target = page if not parts.path else page.parent / unquote(parts.path)
    if target.is_dir():
        target = target / "index.html"
    if not target.is_file():
        return False
    return not place or target.suffix != ".html" or unquote(place) in links(target).places
