"""Does the ledger keep its promises? Rows, words, names in the package, tests and records, one by one."""

import ast
import pkgutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from probmcl_book.claims.claims import CLAIMS, COUNTED_LABELS
from probmcl_book.claims.findings import named
from probmcl_book.claims.ledger import CLAIMING, LEDGER_ROWS, LEDGER_STATUSES, LEDGER_TAGS, LedgerEntry
from probmcl_book.records.record import Record, read_record
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study


def check_ledger(entries: Sequence[LedgerEntry], root: Path) -> list[str]:
    """Return what is wrong with a ledger, one sentence per problem; ``root`` is the checkout.

    >>> from probmcl_book.claims import read_ledger
    >>> check_ledger(read_ledger()[1:], Path("nowhere"))[0]
    'C1: expected one entry, got 0'
    """
    counts = Counter(entry.id for entry in entries)
    problems = [f"{row}: expected one entry, got {counts[row]}" for row in LEDGER_ROWS if counts[row] != 1]
    problems += [f"{row}: not a row of the ledger" for row in counts if row not in LEDGER_ROWS]
    for entry in entries:
        found = [*_words(entry), *_code_and_tests(entry, root), *_results(entry, root)]
        problems += [f"{entry.id}: {problem}" for problem in found]
    return problems


def _words(entry: LedgerEntry) -> list[str]:
    problems = [f"unknown tag {tag!r}" for tag in entry.tags if tag not in LEDGER_TAGS]
    if entry.status not in LEDGER_STATUSES:
        problems.append(f"unknown status {entry.status!r}")
    if entry.kind == "R":
        return problems if entry.published else [*problems, "no published numbers"]
    if not entry.tags:
        problems.append("no tag says how we know")
    if not entry.read:
        problems.append("nothing says what we read")
    if entry.status not in ("implemented", "deviates") and not entry.because:
        problems.append(f"nothing says why it is {entry.status!r}")
    return problems


def _code_and_tests(entry: LedgerEntry, root: Path) -> list[str]:
    problems = [f"no test {test!r}" for test in entry.tests if not has_test(root, test)]
    if entry.kind == "M" and not entry.tests:
        problems.append("no test covers this part of the method")
    for name in entry.code:
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError):
            problems.append(f"nothing named {name!r} in the package")
    return problems


def _results(entry: LedgerEntry, root: Path) -> list[str]:
    problems = [problem for name in entry.studies for problem in _study(name, root)]
    needed = CLAIMS[entry.id].records if entry.id in CLAIMS else ()
    if entry.studies != needed:
        problems.append(f"expected the studies {', '.join(needed) or 'none'}")
    if not entry.record:
        lacking = (entry.status in CLAIMING and not entry.verdict) or entry.against
        return [*problems, f"{entry.status!r} needs a record"] if lacking else problems
    if entry.studies and entry.status in CLAIMING and not entry.verdict:
        problems.append(f"{entry.status!r} needs a record of its studies")
    return problems + _record(entry.record, root, against=entry.against)


def _study(name: str, root: Path) -> list[str]:
    """What is wrong with a study that decides an entry; that it is not recorded is nothing wrong."""
    if not (root / "book" / "results" / f"{name}.json").is_file():
        return []
    problems = _record(name, root)
    if name in COUNTED_LABELS:
        problems += _record(COUNTED_LABELS[name], root, purpose=f", which {name!r} needs")
    return problems


def _record(name: str, root: Path, *, against: str = "", purpose: str = "") -> list[str]:
    try:
        record = named(read_record(root / "book" / "results" / f"{name}.json"), name)
        _load_recipe(record)
    except FileNotFoundError:
        return [f"no record {name!r}{purpose}"]
    except ValueError as error:
        return [f"record {name!r} does not load: {error}"]
    problems = []
    if record.code.dirty:  # what nobody else has makes no record again
        problems.append(f"record {name!r} was made by code that was not committed")
    if against and against not in {found.against for found in record.differences}:
        problems.append(f"record {name!r} has no comparison with {against!r}")
    return problems


def _load_recipe(record: Record) -> None:
    """Raise unless what a record was made with can be made again."""
    if record.kind == "comparison":
        Recipe.from_dict(record.recipe)
    elif record.kind == "study" and "trials" in record.recipe:
        Study.from_dict(record.recipe)
    elif record.kind == "study":  # one recipe, asked in another way
        Recipe.from_dict(record.recipe.get("recipe", record.recipe))


def entry_record(entry: LedgerEntry, root: Path) -> Record:
    """Return the record behind an entry of the checkout ``root``."""
    return read_record(root / "book" / "results" / f"{entry.record}.json")


def has_test(root: Path, test: str) -> bool:
    """Tell whether a test exists, from the text of its file: nothing is imported.

    ``test`` is ``path``, ``path::name`` or ``path::Class::name``; a path alone or a class needs a test in it.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "test_one.py").write_text("def test_it(): pass")
    ...     [has_test(Path(folder), f"test_one.py::{name}") for name in ("test_it", "test_other")]
    [True, False]
    """
    file = root / test.partition("::")[0]
    if not file.is_file():
        return False
    found = _tests(ast.parse(file.read_text(encoding="utf-8")), test.partition("::")[0])
    return any(f"{name}::".startswith(f"{test}::") for name in found)


def _tests(inside: ast.Module | ast.ClassDef, name: str) -> Iterator[str]:
    for node in inside.body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node, f"{name}::{node.name}")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield f"{name}::{node.name}"
