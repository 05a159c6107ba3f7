"""What records let us say of a claim: a word for each of its parts, and one for the whole."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from probmcl.evaluate import Interval
from probmcl_book.records.record import Record, load_result, read_record, results_path
from probmcl_book.studies import record_name, study_in

SUPPORTED, CONTRADICTED, UNDECIDED, NOT_RUN = "supported", "contradicted", "undecided", "not run"
MIXED, NOT_SUPPORTED = "mixed", "not supported"

WORDS = {
    SUPPORTED: "by its rule, records support every part of it, within the scope that is named",
    MIXED: "records support one part of it and contradict another",
    NOT_SUPPORTED: "records contradict a part of it and support none",
    UNDECIDED: "records contradict no part of it, and do not support every part",
}
"""The words of a claim whose records are all there, in the order in which its parts speak for it."""

Records = Mapping[str, Record]  #: by name, those that exist


@dataclass(frozen=True)
class Part:
    """One part of a claim, such as one world."""

    name: str
    word: str  #: "supported", "contradicted" or "undecided" by the claim's rule, or "not run"
    where: str = ""  #: what was measured
    numbers: tuple[str, ...] = ()  #: that the rule reads, each with its interval, in words
    records: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.word == NOT_RUN:
            return f"{self.name}: not run."
        return f"{self.name}: {self.word}. {self.where}: {'; '.join(self.numbers)}."


@dataclass(frozen=True)
class Finding:
    """What records let us say of a claim, part by part, and what would ``change`` it."""

    parts: tuple[Part, ...]
    change: str

    @property
    def status(self) -> str:
        """One of :data:`WORDS`, or "not run" where a record is missing that the rule asks for.

        >>> here, there = Part("DigitScenes", "supported"), Part("MIRFLICKR", "contradicted")
        >>> Finding((here, there), "").status, Finding((here, Part("COCO", "not run")), "").status
        ('mixed', 'not run')
        """
        words = {part.word for part in self.parts}
        if NOT_RUN in words:
            return NOT_RUN
        if CONTRADICTED in words:
            return MIXED if SUPPORTED in words else NOT_SUPPORTED
        return SUPPORTED if words == {SUPPORTED} else UNDECIDED

    @property
    def where(self) -> str:
        """Which parts have which word; nothing where all have the whole's.

        >>> Finding((Part("A", "undecided"), Part("B", "contradicted"), Part("C", "undecided")), "").where
        'contradicted on B, undecided on A and C'
        """
        if {part.word for part in self.parts} == {self.status}:
            return ""
        words = (SUPPORTED, CONTRADICTED, UNDECIDED, NOT_RUN)
        named = {word: [part.name for part in self.parts if part.word == word] for word in words}
        return ", ".join(f"{word} on {' and '.join(names)}" for word, names in named.items() if names)

    @property
    def word(self) -> str:
        """The status, and in brackets what it rests on."""
        return f"{self.status} ({self.where})" if self.where else self.status

    @property
    def sentence(self) -> str:
        """Every part that is run with its scope, its numbers and its word."""
        return " ".join(str(part) for part in self.parts if part.word != NOT_RUN)

    @property
    def records(self) -> tuple[str, ...]:
        """Names of the records that were read."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.records))


def decided(interval: Interval) -> str:
    """On which side of 0 an interval lies; one without bounds decides nothing.

    >>> decided(Interval(0.02, 0.01, 0.03)), decided(Interval(0.02, -0.01, 0.05)), decided(Interval(0.02))
    ('supported', 'undecided', 'undecided')
    """
    if interval.low > 0:
        return SUPPORTED
    return CONTRADICTED if interval.high < 0 else UNDECIDED


def scope(record: Record, *settings: str) -> str:
    """On what a record was measured, in a few words; seeds are those that all ``settings`` have."""
    each = [{row.seed for row in record.rows if row.method == name} - {None} for name in settings]
    count = len(set.intersection(*each)) if each else len(record.seeds)
    seeds = f"{count} seed{'s' if count > 1 else ''}"
    return f"On {record.data.name} ({record.data.sizes['train']:,} training images, {seeds})"


def records_in(folder: Path | None, names: Sequence[str]) -> dict[str, Record]:
    """Read those of some records that exist; without a folder, those of the book."""
    found = {}
    for name in names:
        path = folder / f"{name}.json" if folder else results_path(name)
        if path.is_file():
            found[name] = _read(path, path.stat().st_mtime_ns)
        elif folder is None:
            with suppress(FileNotFoundError):
                found[name] = named(load_result(name), name)
    return found


def named(record: Record, name: str) -> Record:
    """The record, unless it is a study whose file has another name: verdicts go by the names of files."""
    if record.kind != "study":
        return record
    planned = [study_in(record)] if "trials" in record.recipe else []
    own = {record.name, *(record_name(study.name, study.world) for study in planned)}
    if own != {name}:
        raise ValueError(f"{name}.json: expected the study of this name, got {', '.join(sorted(own))}")
    return record


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> Record:
    """A record, checked once as long as its file does not change: the ledger and pages ask for it often."""
    return named(read_record(path), path.stem)
