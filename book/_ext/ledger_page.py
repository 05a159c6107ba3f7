"""Sphinx extension for ``book/ledger.md``: the ledger as a page, and links to it from the chapters.

* ``{ledger} overview`` gives a table of all rows that can be sorted, ``{ledger} C`` the entries of one kind
  of row, ``{ledger} published`` the published numbers, ``{ledger} words`` what the words mean.
* A bold row id in an admonition of class ``ledger``, such as ``**M7**``, becomes a link to its entry. A note
  that names a row which the ledger does not have fails the build.

Entries are written as MyST and parsed with the page, so that formulas, citations and links work in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chapters import Book
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from ledger_notes import ROW_LIST
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from probmcl_book.claims import (
    LEDGER_KINDS,
    LEDGER_STATUSES,
    LEDGER_TAGS,
    LedgerEntry,
    entry_record,
    read_ledger,
)
from probmcl_book.records import verdict

SCRIPT = "ledger.js"
REFERENCE = {"refdomain": "std", "reftype": "ref", "refexplicit": True, "refwarn": True}


def badge(status: str) -> str:
    """Return a status as a word with a colour.

    >>> badge("not run")
    '[not run]{.ledger-status .ledger-not-run}'
    """
    return f"[{status}]{{.ledger-status .ledger-{status.replace(' ', '-')}}}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, classes: str) -> Iterator[str]:
    """Yield a table whose cells hold MyST, each of one or more lines."""
    yield from (":::::{list-table}", ":header-rows: 1", f":class: {classes}", "")
    for row in (columns, *rows):
        for place, cell in enumerate(row):
            first, *others = cell.split("\n")
            yield f"{'*' if place == 0 else ' '} - {first}"
            yield from (f"    {line}" for line in others)
    yield from (":::::", "")


def overview(entries: Sequence[LedgerEntry], book: Book) -> Iterator[str]:
    """Yield the table of all rows."""
    rows = [
        [
            f"{{ref}}`{entry.id} <{label(entry.id)}>`",
            entry.part,
            ", ".join(entry.tags) or "–",
            badge(entry.status),
            pages(entry, short=True) or "–",
        ]
        for entry in entries
    ]
    yield from table(["Row", "Part", "Read in", "Status", "Chapters"], rows, classes="ledger-sortable")


def entry_lines(entry: LedgerEntry, book: Book) -> Iterator[str]:
    """Yield one entry: a box with a label, the row and its status in the title, and its fields."""
    title = f"{entry.id} · {entry.part} {badge(entry.status)}"
    status = entry.status.replace(" ", "-")
    yield from (
        f"({label(entry.id)})=",
        f"::::{{admonition}} {title}",
        f":class: ledger-entry ledger-is-{status}",
        "",
    )
    sources = "; ".join(f"{LEDGER_TAGS[tag]} [{tag}]" for tag in entry.tags)
    for name, text in (
        ("Symbol", entry.symbol),
        ("We read", f"{entry.read} *({sources})*"),
        ("We do", entry.choice),
        ("Code", ", ".join(f"{{py:obj}}`~{name}`" for name in entry.code)),
        ("Tests", ", ".join(test_link(test, book) for test in entry.tests)),
        ("Chapters", pages(entry)),
        ("Verdict", f"{entry.word}. {entry.verdict}" if entry.verdict else ""),
        ("Studies", ", ".join(study_link(name, book) for name in entry.studies)),
        ("Record" if not entry.studies else "First look", record_line(entry, book) if entry.record else ""),
        ("Open", entry.because),
    ):
        if text:
            yield from (f":{name}: {text}", "")
    yield from ("::::", "")


def published(entries: Sequence[LedgerEntry], book: Book) -> Iterator[str]:
    """Yield the table of published numbers."""
    rows = []
    for entry in entries:
        if numbers := entry.published:
            model = f"{entry.part} {{cite:p}}`{entry.cite}`" if entry.cite else entry.part
            data = f"{numbers.data}, {numbers.split} split" if numbers.split else numbers.data
            tag = "".join(f" [{tag}]" for tag in entry.tags)
            values = "\n".join(f"- {setting}: **{value}**{tag}" for setting, value in numbers.values)
            target = f"({label(entry.id)})=\n{entry.id}"
            rows.append([target, model, f"{data}: {numbers.metric}", values, numbers.comparable])
    columns = ["Row", "Model", "Data and metric", "Published", "Comparable"]
    yield from table(columns, rows, classes="ledger-published")


def words(entries: Sequence[LedgerEntry], book: Book) -> Iterator[str]:
    """Yield what the statuses mean."""
    for status, meaning in LEDGER_STATUSES.items():
        yield f"- {badge(status)} {meaning}"
    yield ""


def label(row: str) -> str:
    """Return the label of an entry."""
    return f"ledger-{row.lower()}"


def pages(entry: LedgerEntry, *, short: bool = False) -> str:
    """Return links to the chapters of an entry, by number or by title."""
    if short:
        return ", ".join(f"{{doc}}`{name.split('_')[0]} <{name}>`" for name in entry.chapters)
    return ", ".join(f"{{doc}}`{name}`" for name in entry.chapters)


def test_link(test: str, book: Book) -> str:
    """Return a test's name with a link to its file."""
    file = test.split("::")[0]
    return f"[`{test.removeprefix('tests/')}`]({book.repository}/blob/{book.branch}/{file})"


def record_line(entry: LedgerEntry, book: Book) -> str:
    """Return what the record is, and what it says where the entry names a comparison."""
    record = entry_record(entry, book.root)
    address = f"{book.repository}/blob/{book.branch}/book/results/{record.name}.json"
    line = f"[{record.name}]({address}), {record.data.name}"
    if not entry.against:
        return line
    seeds = f"{len(record.seeds)} seed{'s' if len(record.seeds) > 1 else ''}"
    says = next(
        verdict(difference) for difference in record.differences if difference.against == entry.against
    )
    return f"{line}, {record.data.sizes['test']:,} test images, {seeds}. {says}"


def study_link(name: str, book: Book) -> str:
    """Return the name of a study's record with a link to it, or what to say where it is not run."""
    if not (book.root / "book" / "results" / f"{name}.json").is_file():
        return f"{name} (not run)"
    return f"[{name}]({book.repository}/blob/{book.branch}/book/results/{name}.json)"


PARTS = {"overview": overview, "published": published, "words": words}


class Ledger(Directive):
    """``{ledger}`` with the name of a part, or with the letter of a kind of row."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the part's lines where the directive stands."""
        env = self.state.document.settings.env
        book, part = Book(Path(env.srcdir)), self.arguments[0]
        path = book.folder / "ledger.yml"
        env.note_dependency(str(path))
        entries = read_ledger(path)
        if part in LEDGER_KINDS:
            lines = [line for entry in entries if entry.kind == part for line in entry_lines(entry, book)]
        elif part in PARTS:
            lines = list(PARTS[part](entries, book))
        else:
            raise self.error(f"ledger: expected one of {', '.join([*PARTS, *LEDGER_KINDS])}, got {part!r}")
        container = nodes.Element()
        self.state.nested_parse(StringList(lines, source=str(path)), self.content_offset, container)
        return container.children


class RowsBecomeLinks(SphinxTransform):
    """Turn bold row ids in notes into links to the ledger."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Go through the notes of one page."""
        for note in self.document.findall(nodes.admonition):
            if "ledger" in note["classes"]:
                for strong in list(note.findall(nodes.strong)):
                    if ROW_LIST.fullmatch(strong.astext()):
                        strong.children = self._links(strong)

    def _links(self, strong: nodes.strong) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for row in strong.astext().split(", "):
            if found:
                found.append(nodes.Text(", "))
            target = {"reftarget": label(row), "refdoc": self.env.docname, **REFERENCE}
            link = pending_xref("", nodes.inline("", row), **target)
            link.source, link.line = strong.source, strong.line
            found.append(link)
        for node in found:
            node.parent = strong
        return found


def add_script(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Answer ``html-page-context``: the script that sorts belongs to the ledger's page alone."""
    if page == "book/ledger":
        app.add_js_file(SCRIPT)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_transform(RowsBecomeLinks)
    app.connect("html-page-context", add_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
