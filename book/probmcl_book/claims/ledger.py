"""The ledger: every claim and part of the paper, how we know of it, what we do, and what stands behind it.

The entries stand in ``book/ledger.yml``, one per row. The status and verdict of a claim are computed from the
records of its studies; what the file says holds until one of them is there.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import yaml

from probmcl_book.claims.claims import CLAIMS, claim_finding
from probmcl_book.claims.findings import WORDS
from probmcl_book.records.constraints import Text, filled
from probmcl_book.records.plain import from_plain
from probmcl_book.records.provenance import book_folder

LEDGER_KINDS = {
    "C": ("claims of the abstract", 4),
    "M": ("parts of the method", 15),
    "R": ("published numbers", 14),
    "F": ("figures", 2),
    "T": ("tables", 3),
}
"""What the letter of a row stands for, and how many rows it has."""

LEDGER_ROWS = tuple(f"{letter}{n}" for letter, (_, rows) in LEDGER_KINDS.items() for n in range(1, rows + 1))
"""The ids that the ledger holds, each once."""

LEDGER_TAGS = {
    "P": "abstract or official figures",
    "S": "a public summary",
    "K": "the code of KMCL, the same authors' sibling method",
    "U": "not in what we could read: our choice",
}
"""How we know what an entry says."""

LEDGER_STATUSES = {
    **WORDS,
    "implemented": "built and tested, as we read it or, where we could not read it, as we chose",
    "deviates": "built and tested, and knowingly different from what we read",
    "not run": "no run of ours has answered it",
    "not seen": "we know that it exists and could not see it",
}
"""What the word in an entry's status means."""

CLAIMING = tuple(WORDS)  # statuses that claim a result, and so need a record


@dataclass(frozen=True)
class Published:
    """Numbers that others published."""

    data: Text
    metric: Text
    values: Annotated[tuple[tuple[Text, Text], ...], filled]  #: setting (backbone, input) and value
    comparable: Text
    split: str = ""  #: empty where a data set has one


@dataclass(frozen=True)
class LedgerEntry:
    """One row of the ledger, in the words and order of the file."""

    id: Text  #: one of :data:`LEDGER_ROWS`
    part: Text  #: what it is about, in a few words
    status: Text  #: one of :data:`LEDGER_STATUSES`
    tags: tuple[str, ...] = ()  #: keys of :data:`LEDGER_TAGS`; none for numbers of other publications
    read: str = ""  #: what we read, in our words
    symbol: str = ""  #: our symbol, as a formula
    choice: str = ""  #: what we do
    code: tuple[str, ...] = ()  #: names in the package
    tests: tuple[str, ...] = ()  #: ``path``, ``path::name`` or ``path::Class::name``
    chapters: tuple[str, ...] = ()  #: names of the chapters with a note on it
    because: str = ""  #: what the status rests on, or what would answer the row
    record: str = ""  #: name of the record behind it
    against: str = ""  #: the method of the record that it is compared with
    studies: tuple[str, ...] = ()  #: names of the records of studies that decide it, recorded or not
    verdict: str = ""  #: what these records say, part by part; computed, not in the file
    where: str = ""  #: which parts have which word, where they differ; computed likewise
    cite: str = ""  #: key in ``references.bib``
    published: Published | None = None  #: numbers of a published-number row

    @property
    def kind(self) -> str:
        """The letter of the row."""
        return self.id[:1]

    @property
    def word(self) -> str:
        """The status, and in brackets which parts have which word."""
        return f"{self.status} ({self.where})" if self.where else self.status


def read_ledger(path: str | Path | None = None) -> tuple[LedgerEntry, ...]:
    """Return the entries of a ledger, by default the book's, decided by the records in ``results`` beside it.

    >>> ledger = read_ledger()
    >>> ledger[4].id, ledger[4].part, ledger[4].tags
    ('M1', 'Batch', ('S',))
    """
    path = Path(path) if path else (book_folder() or Path("book")) / "ledger.yml"
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ValueError(f"{path}: not YAML of ours ({str(error) or type(error).__name__})") from None
    if not isinstance(plain, list) or not all(isinstance(entry, dict) for entry in plain):
        raise ValueError(f"{path}: expected a list of entries with fields")
    return tuple(_decided(_entry(one), path.parent / "results") for one in plain)


def _decided(entry: LedgerEntry, results: Path) -> LedgerEntry:
    """The entry with the verdict of its studies, if it is a claim and one of them is recorded."""
    if entry.id not in CLAIMS:
        return entry
    with suppress(ValueError):  # a record that is no valid one: check_ledger says which
        said = claim_finding(entry.id, results)
        if said.records:
            return replace(
                entry, status=said.status, where=said.where, verdict=said.sentence, because=said.change
            )
    return entry


def _entry(plain: Mapping[str, Any]) -> LedgerEntry:
    name = str(plain.get("id", "an entry without id"))
    for field in ("verdict", "where"):
        if field in plain:
            raise ValueError(f"{name}: {field}: expected none, it is computed from the records of studies")
    return from_plain(LedgerEntry, plain, name)


def ledger_summary(entries: Sequence[LedgerEntry]) -> list[str]:
    """Every claim with its word, and one line per other kind of row: how many rows have which status.

    >>> ledger_summary(read_ledger())[-1]
    'tables (T1 to T3): 3 not seen'
    """
    lines = [f"{entry.id}, {entry.part.lower()}: {entry.word}" for entry in entries if entry.kind == "C"]
    for letter, (name, rows) in list(LEDGER_KINDS.items())[1:]:
        counts = Counter(entry.status for entry in entries if entry.kind == letter)
        found = ", ".join(f"{counts[status]} {status}" for status in LEDGER_STATUSES if counts[status])
        lines.append(f"{name} ({letter}1 to {letter}{rows}): {found}")
    return lines
