"""Checkers of assignment 4: protocol, choice on validation, record, verdict, and an audit of the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from probmcl_book.claims import read_ledger
from probmcl_book.course.comparison import WrongAnswerError, check_value
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
    own = instance(student_id, term)
    _baseline_of_claim(answer)
    for key in ("hypothesis", "refuted_by"):
        if not _is_said(answer[key], 8):
            raise WrongAnswerError(
                f"`protocol`: {key} needs a whole sentence that somebody else could test.\n"
                "  Hint: at least eight words; a person reads them."
            )
    if _words(answer["hypothesis"]) == _words(answer["refuted_by"]):
        raise WrongAnswerError(
            "`protocol`: what refutes the hypothesis is another sentence than the hypothesis."
        )
    if not str(answer["chosen_on"]).strip().lower().startswith("validation"):
        raise WrongAnswerError(
            "`protocol`: settings are chosen on validation.\n  Hint: what is chosen on the test images is "
            "fitted to them, and then they test nothing."
        )
    if answer["measure"] != "mAP":
        raise WrongAnswerError(
            f"`protocol`: measure is 'mAP', got {answer['measure']!r}.\n"
            "  Hint: a record compares methods in this metric."
        )
    _own_seeds(answer["seeds"], own.seeds)
    _minutes(answer)


def chosen(answer: Any, search: Any, student_id: str, term: str = "public") -> None:
    """Check that ``answer`` names the best on validation of the three or more settings of a search."""
    _valid(search, "search")
    _own_data(search, "search", student_id, term)
    candidates = {
        row["method"]: row["metrics"]
        for row in search["rows"]
        if row["seed"] is None and row["method"].startswith("ProbMCL")
    }
    if len(candidates) < 3:
        raise WrongAnswerError("`search` compares at least three settings, methods named 'ProbMCL, ...'.")
    if not isinstance(answer, str) or answer not in candidates:
        check_value("chosen", answer, "a name")

    def is_best(measure: str) -> bool:
        values = {name: metrics[measure]["value"] for name, metrics in candidates.items()}
        return bool(values[answer] == max(values.values()))

    if not is_best("validation mAP"):
        hint = "compare the metric 'validation mAP' of the rows without a seed; the highest wins."
        if is_best("mAP"):
            hint = "that is the best on the test images. Compare 'validation mAP'."
        raise WrongAnswerError(f"`chosen` is not the best setting on validation.\n  Hint: {hint}")


def record(answer: Any, protocol: Any, chosen: Any, student_id: str, term: str = "public") -> None:
    """Check the record of the experiment: schema, own data and seeds, both methods, intervals, budget."""
    _said(protocol, "protocol", ("baseline", "measure", "minutes"))
    _must_be(str, protocol["baseline"], "baseline")
    _must_be(str, protocol["measure"], "measure")
    _must_be(str, chosen, "chosen")
    allowed = 60 * _minutes(protocol)
    _valid(answer, "record")
    _own_data(answer, "record", student_id, term)
    own = instance(student_id, term)
    if sorted(answer["seeds"]) != list(own.seeds):
        raise WrongAnswerError(
            f"`record` was run with seeds {answer['seeds']}, the protocol says {list(own.seeds)}."
        )
    rows = {(row["method"], row["seed"]): row["metrics"] for row in answer["rows"]}
    for method in (protocol["baseline"], chosen):
        absent = [seed for seed in (*own.seeds, None) if (method, seed) not in rows]
        if absent:
            raise WrongAnswerError(f"`record` has no row of {method!r} for the seeds {absent}.")
    _as_named(answer, protocol["baseline"], chosen)
    measure = protocol["measure"]
    over_seeds = rows[chosen, None].get(measure, {})
    if over_seeds.get("low") is None or over_seeds.get("high") is None:
        raise WrongAnswerError(
            f"`record` holds no interval of {measure} over seeds.\n  Hint: report no bare mean."
        )
    if answer["wall_seconds"] > allowed:
        raise WrongAnswerError(
            f"`record` took {answer['wall_seconds']:.0f} s, the protocol allows {allowed:.0f} s."
        )


def verdict(
    answer: tuple[Any, Any], record: Any, protocol: Any, chosen: Any, student_id: str, term: str = "public"
) -> None:
    """Check the difference to the baseline in mAP, ``[value, low, high]``, and the word that follows."""
    _said(protocol, "protocol", ("baseline",))
    _valid(record, "record")
    found = [
        entry["interval"]
        for entry in record["differences"]
        if (entry["method"], entry["against"], entry["metric"]) == (chosen, protocol.get("baseline"), "mAP")
    ]
    if not found:
        raise WrongAnswerError(
            f"`record` compares {chosen!r} with no {protocol.get('baseline')!r}.\n"
            "  Hint: the chosen method stands last in the recipe, and is compared with all before it."
        )
    value, low, high = (found[0][key] for key in ("value", "low", "high"))
    mistakes = [("The sign is reversed: chosen minus baseline.", [-value, -high, -low])]
    mistakes += [("The ends of the interval are exchanged.", [value, high, low])]
    difference = answer[0]
    if isinstance(difference, float | int):
        raise WrongAnswerError(
            "`difference` is a bare number; give [value, low, high].\n"
            "  Hint: without an interval nobody can judge it."
        )
    check_value("difference", difference, [value, low, high], mistakes, tolerance=1e-3)
    right = "supported" if low > 0 else "refuted" if high < 0 else "undecided"
    check_value("verdict", answer[1], right, tell=False)
    if answer[1] not in VERDICTS:
        raise WrongAnswerError(f"`verdict` is one of {', '.join(VERDICTS)}, got {answer[1]!r}.")
    if answer[1] != right:
        hint = f"the whole interval lies {'above' if right == 'supported' else 'below'} 0."
        if right == "undecided":
            hint = "the interval contains 0, so the run decides nothing."
        raise WrongAnswerError(f"`verdict` does not follow from the interval.\n  Hint: {hint}")


def audit(answer: Any, student_id: str, term: str = "public", *, tell: bool = False) -> None:
    """Check the audit of a student's own ledger row; only with ``tell`` it is compared with the ledger."""
    _said(answer, "audit", ("row", "tags", "status", "tests", "opinion"))
    own = instance(student_id, term).row
    for key in ("tags", "tests"):
        listed = answer[key]
        if not isinstance(listed, list | tuple) or not all(isinstance(item, str) for item in listed):
            raise WrongAnswerError(f"`audit`: {key} is a list of texts, got {listed!r}.")
    if answer["row"] != own:
        raise WrongAnswerError(f"`audit` is about {answer['row']}, your row is {own}.")
    if not _is_said(answer["opinion"], 15):
        raise WrongAnswerError(
            "`audit`: the opinion says what the tests cover and what they leave open, in 15 words or more.\n"
            "  Hint: a person reads it."
        )
    if not tell:
        return
    beside = Path("ledger.yml")  # where the grader has it
    entry = next(entry for entry in read_ledger(beside if beside.is_file() else None) if entry.id == own)
    if set(answer["tags"]) != set(entry.tags):
        hint = "the tags say how we know it: P, S, K, U."
        raise WrongAnswerError(f"`audit`: the tags are not those of {own}.\n  Hint: {hint}")
    if answer["status"] != entry.status:
        raise WrongAnswerError(
            f"`audit`: the status of {own} is another one.\n  Hint: read it off the ledger."
        )
    if set(answer["tests"]) != set(entry.tests):
        raise WrongAnswerError(
            f"`audit`: the tests are not those listed for {own}.\n  Hint: list all of them."
        )


def _said(answer: Any, name: str, keys: Sequence[str]) -> None:
    """Raise unless ``answer`` is a dictionary with something under each of ``keys``."""
    _must_be(dict, answer, name)
    missing = [key for key in keys if _nothing(answer.get(key))]
    if missing:
        raise WrongAnswerError(f"`{name}` does not say: {', '.join(missing)}.")


def _words(text: Any) -> list[str]:
    return re.findall(r"\w+", str(text).lower())


def _is_said(text: Any, words: int) -> bool:
    """Whether a text has so many words, and no few of them again and again, or single letters."""
    found = _words(text)
    return len(found) >= words and len({word for word in found if len(word) > 1}) >= 0.6 * words


def _nothing(value: Any) -> bool:
    return value is None or value is ... or (isinstance(value, str | list | tuple) and not value)


def _baseline_of_claim(answer: Mapping[str, Any]) -> None:
    """Raise unless a protocol compares with what its claim asks for."""
    claim = answer["claim"].strip().upper() if isinstance(answer["claim"], str) else answer["claim"]
    if claim not in tuple(BASELINES):
        raise WrongAnswerError(
            f"`protocol`: claim is one of {', '.join(BASELINES)}, got {answer['claim']!r}.\n"
            "  Hint: mAP says nothing about the others."
        )
    if answer["baseline"] not in BASELINES[claim]:
        raise WrongAnswerError(
            f"`protocol`: {claim} is compared with {' or '.join(BASELINES[claim])}, "
            f"got {answer['baseline']!r}.\n  Hint: the table above says which baseline a claim asks for."
        )


def _own_seeds(seeds: Any, own: Sequence[int]) -> None:
    """Raise unless ``seeds`` are the student's own."""
    if not isinstance(seeds, list | tuple) or not all(isinstance(seed, int) for seed in seeds):
        raise WrongAnswerError(f"`protocol`: seeds is a list of whole numbers, got {seeds!r}.")
    if len(seeds) < 3:
        raise WrongAnswerError(
            "`protocol`: at least three seeds. One seed says nothing about its neighbours."
        )
    if sorted(seeds) != list(own):
        raise WrongAnswerError(f"`protocol`: seeds are to be your own, {list(own)}.")


def _minutes(protocol: Mapping[str, Any]) -> float:
    """The budget that a protocol states; raise unless it is a number up to the limit."""
    minutes = protocol["minutes"]
    if not isinstance(minutes, int | float) or not 0 < minutes <= MOST_MINUTES:
        raise WrongAnswerError(
            f"`protocol`: minutes is a number up to {MOST_MINUTES}, the budget of a CPU run."
        )
    return float(minutes)


def _must_be(kind: type, value: Any, name: str) -> None:
    if value is None or value is ...:
        raise WrongAnswerError(
            f"`{name}`: not answered yet. Replace the ... by your answer and run its cell."
        )
    if not isinstance(value, kind):
        raise WrongAnswerError(f"`{name}`: expected a {kind.__name__}, got {type(value).__name__}.")


def _valid(content: Any, name: str) -> None:
    """Raise unless ``content`` is a record as plain JSON values."""
    _must_be(dict, content, name)
    try:
        from_plain(Record, content, name, complete=True)
    except ValueError as error:
        raise WrongAnswerError(f"`{name}` is no record.\n  {error}") from None


def _own_data(content: Mapping[str, Any], name: str, student_id: str, term: str) -> None:
    data = content["recipe"].get("data", {})
    expected = instance(student_id, term).data_seed
    if data.get("seed") != expected:
        raise WrongAnswerError(f"`{name}` was run on scenes of seed {data.get('seed')}; yours is {expected}.")


def _as_named(content: Mapping[str, Any], baseline: str, chosen: str) -> None:
    """Raise unless the recipe trained both methods as their names say: a name alone proves nothing."""
    methods = {method["name"]: method for method in content["recipe"].get("methods", [])}
    for name, criterion in ((baseline, CRITERIA.get(baseline)), (chosen, "probmcl")):
        found = methods.get(name, {}).get("criterion")
        if found != criterion:
            raise WrongAnswerError(
                f"`record`: the criterion of {name!r} is {found!r}; the comparison asks for {criterion!r}."
            )
    theirs, ours = ({**POSITIVES, **methods[name].get("options", {})} for name in (baseline, chosen))
    if baseline == "ProbMCL, any label" and theirs["rule"] != "any":
        raise WrongAnswerError(
            f"`record`: {baseline!r} has other positives than its name says.\n"
            '  Hint: give it options={"rule": "any"}.'
        )
    if baseline == "SupCon, threshold" and any(theirs[key] != ours[key] for key in POSITIVES):
        raise WrongAnswerError(
            f"`record`: {baseline!r} and {chosen!r} have different positives.\n"
            "  Hint: give both the same options for them, so that only the mixture differs."
        )
