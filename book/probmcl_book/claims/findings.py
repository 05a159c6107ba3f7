"""What a claim's records let us say: a status, a sentence, and what would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from probmcl.evaluate import Interval
from probmcl_book.records.record import Record, load_result, read_record, results_path
from probmcl_book.studies import record_name, study_in

REPRODUCED, PARTLY, NOT_REPRODUCED = "reproduced", "partly", "not reproduced"

Records = Mapping[str, Record]
"""Records by name, those that exist."""


@dataclass(frozen=True)
class Finding:
    """What records let us say of a claim, or of a part of it.

    ``status`` is "reproduced", "partly" or "not reproduced", by the rule that was written before the runs;
    ``sentence`` has numbers, intervals and scope, and ``change`` says what would change it.
    """

    status: str
    sentence: str
    change: str
    records: tuple[str, ...]


def decided(interval: Interval) -> str:
    """Where an interval of a difference lies.

    >>> decided(Interval(0.02, 0.01, 0.03)), decided(Interval(0.02, -0.01, 0.05))
    ('reproduced', 'partly')
    """
    if interval.low > 0:
        return REPRODUCED
    return NOT_REPRODUCED if interval.high < 0 else PARTLY


def joined(findings: Sequence[Finding], change: str, *, missing: Sequence[str] = ()) -> Finding | None:
    """Findings on several worlds, or on several parts of a claim, as one.

    Findings that agree keep their status, others are "partly". So is the whole where something is ``missing``
    that the rule asks for, and then the sentence says that the verdict is provisional. Without findings there
    is none.

    >>> one = Finding("reproduced", "Here it holds.", "", ("a",))
    >>> other = Finding("not reproduced", "There it does not.", "", ("b",))
    >>> both = joined([one, other], "More runs.")
    >>> both.status, both.sentence, both.records
    ('partly', 'Here it holds. There it does not.', ('a', 'b'))
    >>> joined([one], "More runs.", missing=["there"]).sentence
    'Here it holds. Not run: there; the verdict is provisional.'
    """
    if not findings:
        return None
    statuses = {found.status for found in findings}
    status = PARTLY if missing or len(statuses) > 1 else statuses.pop()
    sentences = [found.sentence for found in findings]
    if missing:
        sentences.append(f"Not run: {', '.join(missing)}; the verdict is provisional.")
    records = dict.fromkeys(name for found in findings for name in found.records)
    return Finding(status, " ".join(sentences), change, tuple(records))


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
    own = {record.name}
    if "trials" in record.recipe:
        study = study_in(record)
        own.add(record_name(study.name, study.world))
    if own != {name}:
        raise ValueError(f"{name}.json: expected the study of this name, got {', '.join(sorted(own))}")
    return record


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> Record:
    """A record, checked once as long as its file does not change: the ledger and pages ask for it often."""
    return named(read_record(path), path.stem)
