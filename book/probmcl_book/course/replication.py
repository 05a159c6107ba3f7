"""Checkers of assignment 4: protocol, choice on validation, record, verdict, and an audit of the ledger."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from probmcl_book.claims import read_ledger
from probmcl_book.course.comparison import WrongAnswerError, check_value, must_be_answered
from probmcl_book.course.student import instance_seed
from probmcl_book.records.plain import from_plain
from probmcl_book.records.record import Record

BASELINES = {"C1": ("ProbMCL, any label",), "C2": ("SupCon, threshold",), "C3": ("BCE", "ASL")}
"""Claims that a difference in mAP can speak for or against, with the methods that each is compared with."""

CRITERIA = {"ProbMCL, any label": "probmcl", "SupCon, threshold": "supcon", "BCE": "bce", "ASL": "asl"}
"""What the baselines are trained with."""

POSITIVES = {"rule": "threshold", "index": "jaccard", "threshold": 0.5, "empty": "match"}
"""Options that decide who is positive for whom, with their defaults."""

PROTOCOL = (
    "claim", "hypothesis", "refuted_by", "measure", "baseline", "seeds", "chosen_on", "interval", "minutes",
)  # fmt: skip
MOST_MINUTES = 60
VERDICTS = ("supported", "refuted", "undecided")


class Instance(NamedTuple):
    """What a student's own experiment uses."""

    data_seed: int  # draws the scenes
    seeds: tuple[int, ...]  # of training
    row: str  # of the ledger, to audit


def instance(student_id: str, term: str = "public") -> Instance:
    """The seeds and the ledger row of one student.

    >>> len(set(instance("ada").seeds))
    3
    """
    seed = instance_seed(student_id, term, "a4")
    first = seed % 9000 + 1000
    return Instance(seed % 90_000 + 10_000, (first, first + 1, first + 2), f"M{seed % 15 + 1}")


def protocol(answer: Any, student_id: str, term: str = "public") -> None:
    """Check that a protocol, a dictionary, says everything that has to be fixed before the run."""
    _said(answer, "protocol", PROTOCOL)
    claim, baseline = _plainly(answer["claim"]).upper(), answer["baseline"]
    told = f"`protocol`: claim is one of {', '.join(BASELINES)}, got {answer['claim']!r}."
    _require(claim in BASELINES, told, "mAP says nothing about the others.")
    told = f"`protocol`: {claim} is compared with {' or '.join(BASELINES[claim])}, got {baseline!r}."
    hint = "the table above says which baseline a claim asks for."
    _require(baseline in BASELINES[claim], told, hint)
    for key in ("hypothesis", "refuted_by"):
        sentence = f"`protocol`: {key} needs a whole sentence that somebody else could test."
        _require(_is_said(answer[key], 8), sentence, "at least eight words; a person reads them.")
    differ = _words(answer["hypothesis"]) != _words(answer["refuted_by"])
    _require(differ, "`protocol`: what refutes the hypothesis is another sentence than the hypothesis.")
    on_validation = _plainly(answer["chosen_on"]).startswith("validation")
    hint = "what is chosen on the test images is fitted to them, and then they test nothing."
    _require(on_validation, "`protocol`: settings are chosen on validation.", hint)
    told = f"`protocol`: measure is 'mAP', got {answer['measure']!r}."
    _require(_plainly(answer["measure"]) == "map", told, "a record compares methods in this metric.")
    seeds, own = answer["seeds"], list(instance(student_id, term).seeds)
    _require(_are_all(int, seeds), f"`protocol`: seeds is a list of whole numbers, got {seeds!r}.")
    _require(len(seeds) >= 3, "`protocol`: at least three seeds. One seed says nothing about its neighbours.")
    _require(sorted(seeds) == own, f"`protocol`: seeds are to be your own, {own}.")
    _minutes(answer)


def chosen(answer: Any, search: Any, student_id: str, term: str = "public") -> None:
    """Check that ``answer`` names the best on validation of the three or more settings of a search."""
    _valid(search, "search")
    _own_data(search, "search", student_id, term)
    overall = [row for row in search["rows"] if row["seed"] is None]
    candidates = {row["method"]: row["metrics"] for row in overall if row["method"].startswith("ProbMCL")}
    _require(len(candidates) >= 3, "`search` compares at least three settings, methods named 'ProbMCL, ...'.")
    if not isinstance(answer, str) or answer not in candidates:
        check_value("chosen", answer, "a name")

    def is_best(measure: str) -> bool:
        values = {name: metrics[measure]["value"] for name, metrics in candidates.items()}
        return bool(values[answer] == max(values.values()))

    hint = "compare the metric 'validation mAP' of the rows without a seed; the highest wins."
    if is_best("mAP"):
        hint = "that is the best on the test images. Compare 'validation mAP'."
    _require(is_best("validation mAP"), "`chosen` is not the best setting on validation.", hint)


def record(answer: Any, protocol: Any, chosen: Any, student_id: str, term: str = "public") -> None:
    """Check the record of the experiment: schema, own data and seeds, both methods, intervals, budget."""
    _said(protocol, "protocol", ("baseline", "measure", "minutes"))
    _must_be(str, protocol["baseline"], "baseline")
    _must_be(str, protocol["measure"], "measure")
    _must_be(str, chosen, "chosen")
    allowed = 60 * _minutes(protocol)
    _valid(answer, "record")
    _own_data(answer, "record", student_id, term)
    own, seeds = list(instance(student_id, term).seeds), answer["seeds"]
    _require(sorted(seeds) == own, f"`record` was run with seeds {seeds}, the protocol says {own}.")
    rows = {(row["method"], row["seed"]): row["metrics"] for row in answer["rows"]}
    for method in (protocol["baseline"], chosen):
        absent = [seed for seed in (*own, None) if (method, seed) not in rows]
        _require(not absent, f"`record` has no row of {method!r} for the seeds {absent}.")
    _as_named(answer, protocol["baseline"], chosen)
    by_measure = {_plainly(name): interval for name, interval in rows[chosen, None].items()}
    over_seeds = by_measure.get(_plainly(protocol["measure"]), {})
    has_ends = None not in (over_seeds.get("low"), over_seeds.get("high"))
    told = f"`record` holds no interval of {protocol['measure']} over seeds."
    _require(has_ends, told, "report no bare mean.")
    took = answer["wall_seconds"]
    _require(took <= allowed, f"`record` took {took:.0f} s, the protocol allows {allowed:.0f} s.")


def verdict(
    answer: tuple[Any, Any], record: Any, protocol: Any, chosen: Any, student_id: str, term: str = "public"
) -> None:
    """Check the difference to the baseline in mAP, ``[value, low, high]``, and the word that follows."""
    _said(protocol, "protocol", ("baseline",))
    _valid(record, "record")
    wanted = (chosen, protocol["baseline"], "mAP")
    found = [
        entry["interval"]
        for entry in record["differences"]
        if (entry["method"], entry["against"], entry["metric"]) == wanted
    ]
    hint = "the chosen method stands last in the recipe, and is compared with all before it."
    _require(found, f"`record` compares {chosen!r} with no {protocol['baseline']!r}.", hint)
    value, low, high = (found[0][key] for key in ("value", "low", "high"))
    mistakes = [("The sign is reversed: chosen minus baseline.", [-value, -high, -low])]
    mistakes += [("The ends of the interval are exchanged.", [value, high, low])]
    difference, said = answer
    bare = "`difference` is a bare number; give [value, low, high]."
    _require(not isinstance(difference, float | int), bare, "without an interval nobody can judge it.")
    check_value("difference", difference, [value, low, high], mistakes, tolerance=1e-3)
    right = "supported" if low > 0 else "refuted" if high < 0 else "undecided"
    check_value("verdict", said, right, tell=False)
    _require(_plainly(said) in VERDICTS, f"`verdict` is one of {', '.join(VERDICTS)}, got {said!r}.")
    hint = f"the whole interval lies {'above' if right == 'supported' else 'below'} 0."
    if right == "undecided":
        hint = "the interval contains 0, so the run decides nothing."
    _require(_plainly(said) == right, "`verdict` does not follow from the interval.", hint)


def audit(answer: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the audit of a student's own ledger row; only with ``tell`` it is compared with the ledger."""
    _said(answer, "audit", ("row", "tags", "status", "tests", "opinion"))
    own = instance(student_id, term).row
    for key in ("tags", "tests"):
        _require(_are_all(str, answer[key]), f"`audit`: {key} is a list of texts, got {answer[key]!r}.")
    _require(_plainly(answer["row"]) == own.lower(), f"`audit` is about {answer['row']}, your row is {own}.")
    opinion = "`audit`: the opinion says what the tests cover and what they leave open, in 15 words or more."
    _require(_is_said(answer["opinion"], 15), opinion, "a person reads it.")
    if not tell:
        return
    beside = Path("ledger.yml")  # where the grader has it
    entry = next(entry for entry in read_ledger(beside if beside.is_file() else None) if entry.id == own)
    tags = {tag.strip().upper() for tag in answer["tags"]} == set(entry.tags)
    _require(tags, f"`audit`: the tags are not those of {own}.", "they say how we know it: P, S, K, U.")
    status = _plainly(answer["status"]) == entry.status
    _require(status, f"`audit`: the status of {own} is another one.", "read it off the ledger.")
    tests = {test.strip() for test in answer["tests"]} == set(entry.tests)
    _require(tests, f"`audit`: the tests are not those listed for {own}.", "list all of them.")


def _require(holds: object, told: str, hint: str = "") -> None:
    """Raise a WrongAnswerError unless something holds."""
    if not holds:
        raise WrongAnswerError(told + (f"\n  Hint: {hint}" if hint else ""))


def _said(answer: Any, name: str, keys: Sequence[str]) -> None:
    """Raise unless ``answer`` is a dictionary with something under each of ``keys``."""
    _must_be(dict, answer, name)
    missing = [key for key in keys if _nothing(answer.get(key))]
    _require(not missing, f"`{name}` does not say: {', '.join(missing)}.")


def _plainly(text: Any) -> str:
    """A word without what does not matter: spaces around it, upper and lower case."""
    return str(text).strip().lower()


def _words(text: Any) -> list[str]:
    return re.findall(r"\w+", str(text).lower())


def _is_said(text: Any, words: int) -> bool:
    """Whether a text has so many words, and no few of them again and again, or single letters."""
    found = _words(text)
    return len(found) >= words and len({word for word in found if len(word) > 1}) >= 0.6 * words


def _are_all(kind: type, values: Any) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, kind) for value in values)


def _nothing(value: Any) -> bool:
    return value is None or value is ... or (isinstance(value, str | list | tuple) and not value)


def _minutes(protocol: Mapping[str, Any]) -> float:
    """The budget that a protocol states; raise unless it is a number up to the limit."""
    minutes = protocol["minutes"]
    usable = isinstance(minutes, int | float) and 0 < minutes <= MOST_MINUTES
    _require(usable, f"`protocol`: minutes is a number up to {MOST_MINUTES}, the budget of a CPU run.")
    return float(minutes)


def _must_be(kind: type, value: Any, name: str) -> None:
    must_be_answered(value, name)
    found = type(value).__name__
    _require(isinstance(value, kind), f"`{name}`: expected a {kind.__name__}, got {found}.")


def _valid(content: Any, name: str) -> None:
    """Raise unless ``content`` is a record as plain JSON values."""
    _must_be(dict, content, name)
    try:
        from_plain(Record, content, name, complete=True)
    except ValueError as error:
        raise WrongAnswerError(f"`{name}` is no record.\n  {error}") from None


def _own_data(content: Mapping[str, Any], name: str, student_id: str, term: str) -> None:
    found, expected = content["recipe"].get("data", {}).get("seed"), instance(student_id, term).data_seed
    _require(found == expected, f"`{name}` was run on scenes of seed {found}; yours is {expected}.")


def _as_named(content: Mapping[str, Any], baseline: str, chosen: str) -> None:
    """Raise unless the recipe trained both methods as their names say: a name alone proves nothing."""
    methods = {method["name"]: method for method in content["recipe"].get("methods", [])}
    for name, wanted in ((baseline, CRITERIA.get(baseline)), (chosen, "probmcl")):
        found = methods.get(name, {}).get("criterion")
        told = f"`record`: the criterion of {name!r} is {found!r}; the comparison asks for {wanted!r}."
        _require(found == wanted, told)
    theirs, ours = ({**POSITIVES, **methods[name].get("options", {})} for name in (baseline, chosen))
    if baseline == "ProbMCL, any label":
        told = f"`record`: {baseline!r} has other positives than its name says."
        _require(theirs["rule"] == "any", told, 'give it options={"rule": "any"}.')
    if baseline == "SupCon, threshold":
        told = f"`record`: {baseline!r} and {chosen!r} have different positives."
        hint = "give both the same options for them, so that only the mixture differs."
        _require(all(theirs[key] == ours[key] for key in POSITIVES), told, hint)
