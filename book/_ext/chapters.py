"""What the chapters hold and where they are read: titles, labels, formulas, citations, addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from myst_blocks import Block, SourceError, split_blocks, walk
from myst_nb.core.read import is_myst_markdown_notebook
from pybtex.database import BibliographyData, Entry, Person, parse_file
from pybtex.richtext import Text

HEADING = re.compile(r"^#{1,6}\s+(?P<title>.+?)\s*$")
LABEL = re.compile(r"^\((?P<label>[\w:.-]+)\)=\s*$")


@dataclass
class Chapter:
    """One page of the book."""

    path: Path
    number: int | None  # the digits at the start of the file's name
    title: str = ""  # its first heading
    is_notebook: bool = False  # whether its front matter says ``file_format: mystnb``
    labels: dict[str, str] = field(default_factory=dict)  # text of the heading, figure or table behind each
    equations: dict[str, str] = field(default_factory=dict)  # numbers by label, such as ``4.2``
    captions: dict[str, str] = field(default_factory=dict)  # numbers by label, such as ``Fig. 4.1``
    problem: SourceError | None = None  # why the file cannot be read to its end, if so

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    def numbered(self, count: int) -> str:
        """Return ``count`` as the book prints it, with the chapter's number in front."""
        return f"{self.number}.{count}" if self.number is not None else str(count)


def read_chapter(path: Path) -> Chapter:
    """Index the headings, labels and formulas of one ``.md`` file."""
    source = path.read_text(encoding="utf-8")
    digits = re.match(r"\d+", path.stem)
    chapter = Chapter(path, int(digits[0]) if digits else None, is_notebook=is_myst_markdown_notebook(source))
    try:
        _index(chapter, source)
    except SourceError as error:  # told when this chapter is exported, not when another one is
        chapter.problem = error
    return chapter


def _index(chapter: Chapter, source: str) -> None:
    counts = {"figure": 0, "table": 0}
    waiting: list[str] = []  # labels whose heading has not come yet
    for block in walk(split_blocks(source.splitlines())):
        if block.kind == "math" and block.label:
            chapter.equations[block.label] = chapter.numbered(len(chapter.equations) + 1)
        elif block.kind == "directive":
            _index_directive(chapter, block, counts)
        elif block.kind == "text":
            for line in block.lines:
                if found := LABEL.match(line):
                    waiting.append(found["label"])
                elif heading := HEADING.match(line):
                    chapter.title = chapter.title or heading["title"]
                    chapter.labels |= dict.fromkeys(waiting, heading["title"])
                    waiting = []
    chapter.labels |= dict.fromkeys(waiting, chapter.title)


def _index_directive(chapter: Chapter, block: Block, counts: dict[str, int]) -> None:
    label = block.options.get("name", "")
    caption = block.argument if block.name != "figure" else " ".join(block.lines).strip()
    if block.name in counts and caption:
        counts[block.name] += 1
        kind = "Fig." if block.name == "figure" else "Table"
        chapter.captions[label] = f"{kind} {chapter.numbered(counts[block.name])}"
    if label:
        chapter.labels[label] = caption or chapter.title


class Book:
    """The book's chapters and addresses, read from the folder of ``_config.yml`` and ``book/``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "book"
        pages = [
            path
            for place in ("", "playgrounds/", "api/")
            for path in sorted(self.folder.glob(f"{place}*.md"))
        ]
        self.chapters = {path.stem: read_chapter(path) for path in pages}

    @cached_property
    def _config(self) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((self.root / "_config.yml").read_text(encoding="utf-8"))
        return config

    @property
    def repository(self) -> str:
        """Address of the repository, from ``repository.url`` in ``_config.yml``."""
        return str(self._config["repository"]["url"]).removesuffix("/").removesuffix(".git")

    @property
    def branch(self) -> str:
        """The branch that readers get, from ``repository.branch`` in ``_config.yml``."""
        return str(self._config["repository"]["branch"])

    @property
    def myst_extensions(self) -> set[str]:
        """The extensions of Markdown that the pages are read with, from ``_config.yml``."""
        return set(self._config["parse"]["myst_enable_extensions"])

    @property
    def _owner_and_name(self) -> tuple[str, str]:
        owner, name = self.repository.split("/")[-2:]
        return owner, name

    @cached_property
    def order(self) -> list[str]:
        """Names of the pages in reading order, from ``_toc.yml``."""
        toc = yaml.safe_load((self.root / "_toc.yml").read_text(encoding="utf-8"))
        return [Path(file).name.removesuffix(".md") for file in _toc_files(toc)]

    @cached_property
    def bibliography(self) -> BibliographyData:
        """The entries of ``book/references.bib``."""
        return parse_file(str(self.folder / "references.bib"))

    def address(self, name: str) -> str:
        """Return where a page is read from a notebook: in Colab, or in the published book."""
        if self.chapters[name].is_notebook:
            return self.colab(name)
        return self.published(name)

    def colab(self, name: str) -> str:
        """Return the address that opens a chapter's notebook in Colab."""
        owner, repository = self._owner_and_name
        github = f"github/{owner}/{repository}/blob/{self.branch}/book/{name}.ipynb"
        return f"https://colab.research.google.com/{github}"

    def published(self, name: str, anchor: str = "") -> str:
        """Return the address of a page of the published book."""
        owner, repository = self._owner_and_name
        chapter = self.chapters.get(name)
        inside = chapter.path.relative_to(self.folder).with_suffix("").as_posix() if chapter else name
        return f"https://{owner}.github.io/{repository}/book/{inside}.html" + (f"#{anchor}" if anchor else "")

    def raw(self, path: Path) -> str:
        """Return the address of a file's content, for pictures."""
        owner, repository = self._owner_and_name
        inside = path.resolve().relative_to(self.root.resolve()).as_posix()
        return f"https://raw.githubusercontent.com/{owner}/{repository}/{self.branch}/{inside}"

    def source(self, path: Path) -> str:
        """Return the address of a file's page in the repository."""
        inside = path.resolve().relative_to(self.root.resolve()).as_posix()
        return f"{self.repository}/blob/{self.branch}/{inside}"

    def owner_of(self, label: str) -> Chapter | None:
        """Return the chapter that defines a label of a heading, figure, table or formula."""
        return next((c for c in self.chapters.values() if label in c.labels or label in c.equations), None)

    def next_after(self, name: str) -> Chapter | None:
        """Return the page that follows in reading order, if there is one."""
        if name not in self.order[:-1]:
            return None
        return self.chapters.get(self.order[self.order.index(name) + 1])

    def cite(self, key: str, line: int) -> tuple[str, str]:
        """Return authors and year of an entry of the bibliography."""
        if key not in self.bibliography.entries:
            raise SourceError(line, f"no entry {key!r} in references.bib")
        entry: Entry = self.bibliography.entries[key]
        people: list[Person] = entry.persons.get("author") or entry.persons.get("editor") or []
        names = [str(Text.from_latex(" ".join(person.last_names))) for person in people]
        if not names:
            names = [str(Text.from_latex(entry.fields.get("title", key)))]
        authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return authors, entry.fields.get("year", "n.d.")


def _toc_files(entry: Any) -> Iterator[str]:
    if isinstance(entry, list):
        for part in entry:
            yield from _toc_files(part)
    elif isinstance(entry, dict):
        for key in ("root", "file"):
            if key in entry:
                yield entry[key]
        for key in ("parts", "chapters", "sections", "subtrees", "entries"):
            yield from _toc_files(entry.get(key))
