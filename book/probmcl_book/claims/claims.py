"""The claims of the abstract (C1 to C4), decided by the rules of chapter 12 from the records of studies.

The rules were written before the first run. Each function returns None as long as nothing of what it needs
is recorded, and a verdict in the scope of what is recorded otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from probmcl import _check
from probmcl.evaluate import Interval, MantelTest, mantel_test
from probmcl_book.claims.doubt_report import epistemic_finding
from probmcl_book.claims.findings import (
    NOT_REPRODUCED,
    PARTLY,
    REPRODUCED,
    Finding,
    Records,
    decided,
    joined,
    records_in,
    scope,
)
from probmcl_book.claims.world_labels import labels_record_name, world_labels
from probmcl_book.records.record import Difference, Record
from probmcl_book.records.report import verdict
from probmcl_book.studies import difference_of, in_group, mean_of, record_name, study_in
from probmcl_book.studies.planned import WORLDS
from probmcl_book.studies.planned.main import ALL
from probmcl_book.studies.planned.mixture import REFERENCE as MIXTURE
from probmcl_book.studies.planned.mixture import WIDER
from probmcl_book.studies.planned.positives import MANY, RIVALS
from probmcl_book.studies.planned.positives import REFERENCE as THRESHOLD
from probmcl_book.studies.planned.settings import PROBE, REFERENCE
from probmcl_book.studies.uncertainty_study import NAME as UNCERTAINTY

GRAPH = "classifier graph"
"""The metric of a run: rank correlation of its classifier's similarities with the label graph."""


def label_dependencies(records: Records) -> Finding | None:
    """C1: does a threshold of enough shared labels beat other positive sets, and know the label graph?"""
    return _by_world(
        records,
        "positives",
        lambda world, record: _thresholds(record, records.get(record_name("main", world))),
        "It would change with data whose labels depend on each other in another way, or if every positive "
        "set got a temperature of its own.",
        [f"main in {world}" for world in WORLDS if record_name("main", world) not in records],
    )


def representation(records: Records) -> Finding | None:
    """C2, first half: does the mixture beat points at about equal parameters?"""
    change = "It would change with an interval that leaves out 0 on the other side."
    return _by_world(records, "mixture", _against_points, change)


def epistemic(records: Records) -> Finding | None:
    """C2, second half: does the variance between components know the unfamiliar better than entropy does?"""
    record = records.get(UNCERTAINTY)
    return None if record is None else epistemic_finding(record)


def mixture(records: Records) -> Finding | None:
    """C2: both halves together."""
    halves = {"the representation": representation(records), "epistemic uncertainty": epistemic(records)}
    change = (
        "It would change if the mixture beat points with as many parameters in both worlds, and if its "
        "between-component variance told unfamiliar images better than the entropy does."
    )
    missing = [name for name, half in halves.items() if half is None]
    return joined([half for half in halves.values() if half is not None], change, missing=missing)


def accuracy(records: Records) -> Finding | None:
    """C3: is ProbMCL above the best rival, at no more cost of inference?"""
    change = (
        "The halves on COCO and ADP are not run, whatever comes out here. On these two worlds it would "
        "change with an interval above 0 in both."
    )
    return _by_world(records, "main", _against_best, change)


def topology(records: Records) -> Finding | None:
    """C4: do the classifier's similarities follow the label graph, and closer than those of BCE and ASL?"""
    change = (
        "It would change with a correlation above that of BCE and of ASL in both worlds; the "
        "super-categories of COCO are not run."
    )
    counted = {world: records.get(labels_record_name(world)) for world in WORLDS}
    return _by_world(records, "topology", lambda world, record: _label_graph(record, counted[world]), change)


def best_rival(record: Record) -> str:
    """The setting with the highest mean validation mAP beside ProbMCL and the start; test is not asked.

    ``record`` is one group of the study "main", from :func:`~probmcl_book.studies.in_group`.
    """
    rivals = [row for row in record.rows if row.seed is None and row.method not in (REFERENCE, PROBE)]
    return max(rivals, key=lambda row: row.metrics["validation mAP"].value).method


def graph_test(record: Record, counted: Record | None, setting: str, group: str = ALL) -> MantelTest:
    """The Mantel test of a setting's classifier with the label graph; its similarities are means over seeds.

    ``counted`` is the record that counts the world's labels, see :func:`~probmcl_book.claims.world_labels`.
    """
    graph = world_labels(record, counted, group=group).similarity
    alike = mean_of(in_group(record, group), setting).series["weight similarity"]
    return mantel_test(torch.tensor(alike).view_as(graph), graph, seed=0)


CLAIMS: dict[str, Callable[[Records], Finding | None]] = {
    "C1": label_dependencies,
    "C2": mixture,
    "C3": accuracy,
    "C4": topology,
}
"""What decides each claim, by its row of the ledger."""

CLAIM_RECORDS: dict[str, tuple[str, ...]] = {
    "C1": tuple(record_name(study, world) for study in ("positives", "main") for world in WORLDS),
    "C2": (*(record_name("mixture", world) for world in WORLDS), UNCERTAINTY),
    "C3": tuple(record_name("main", world) for world in WORLDS),
    "C4": tuple(record_name("topology", world) for world in WORLDS),
}
"""Names of the records of studies that decide each claim."""

COUNTED_LABELS = {
    record_name("topology", world): labels_record_name(world) for world in WORLDS if world != "digits"
}
"""Names of the records that count labels where they are not known exactly, by the study that needs them."""


def claim_finding(row: str, folder: Path | None = None) -> Finding | None:
    """What the records of a folder let us say of a claim; None while nothing of it is recorded.

    ``row`` is "C1" to "C4"; without a folder it is that of the book, wherever the package runs.

    >>> print(claim_finding("C1", Path("no records here")))
    None
    """
    names = (*CLAIM_RECORDS[_check.one_of("row", row, CLAIMS)], *COUNTED_LABELS.values())
    return CLAIMS[row](records_in(folder, names))


def _by_world(
    records: Records,
    study: str,
    find: Callable[[str, Record], Finding | str],
    change: str,
    missing: Sequence[str] = (),
) -> Finding | None:
    """What a study lets us say in each world, joined; where it is nothing, ``find`` names what is missing."""
    each = {}
    for world in WORLDS:
        record = records.get(record_name(study, world))
        each[world] = study if record is None else find(world, record)
    without = [f"{found} in {world}" for world, found in each.items() if isinstance(found, str)]
    findings = [found for found in each.values() if isinstance(found, Finding)]
    return joined(findings, change, missing=[*without, *missing])


def _compared(record: Record, setting: str, against: str, name: str = "") -> str:
    """A difference in one group of a study with both of its intervals, and its scope."""
    gain = difference_of(record, setting, against)
    assert gain is not None
    words = verdict(Difference(name or setting, f'"{against}"', "mAP", gain))
    seeds = difference_of(record, setting, against, "mAP over seeds")
    over_seeds = f" Over seeds it is {seeds:+.3f}." if seeds is not None else ""
    return f"{scope(record, setting, against)}: {words}{over_seeds}"


def _against_points(_: str, record: Record) -> Finding | str:
    """The first half of C2 in one world, unless the record does not compare the two."""
    found = in_group(record)
    interval = difference_of(found, MIXTURE, WIDER)
    if interval is None:
        return "mixture"
    words = _compared(found, MIXTURE, WIDER, "the mixture")
    return Finding(decided(interval), words, "", (record.name,))


def _thresholds(record: Record, main: Record | None) -> Finding | str:
    """C1 in one world, unless a run that the rule compares is missing."""
    groups = {trial.group for trial in study_in(record).trials}
    found = in_group(record, MANY if MANY in groups else "")
    gains: dict[str, dict[str, Interval]] = {}
    for setting in dict.fromkeys((THRESHOLD, *(first for first, _ in study_in(record).comparisons))):
        each = {rival: difference_of(found, setting, rival) for rival in RIVALS}
        known = {rival: gain for rival, gain in each.items() if gain is not None}
        if len(known) == len(RIVALS):
            gains[setting] = known
    if THRESHOLD not in gains:
        return "positives"
    weakest = {setting: min(known, key=lambda rival: known[rival].low) for setting, known in gains.items()}
    best = max(gains, key=lambda setting: gains[setting][weakest[setting]].low)
    gain = gains[best][weakest[best]]
    learned = mean_of(found, best).metrics[GRAPH]
    plain = None if main is None else mean_of(in_group(main, ALL), "BCE").metrics[GRAPH]
    status = PARTLY
    if gain.low > 0 and plain is not None and learned.value >= plain.value:
        status = REPRODUCED
    elif any(gains[THRESHOLD][rival].high < 0 for rival in ("any", "Jaccard 1")):
        status = NOT_REPRODUCED
    words = f"{_compared(found, best, weakest[best])} This is its strongest rival among positive sets."
    graph = f"The rank correlation of its classifier with the label graph is {learned:.2f}"
    graph += f", that of BCE {plain:.2f}." if plain is not None else "; that of BCE is not recorded."
    names = (record.name, *([] if main is None else [main.name]))
    return Finding(status, f"{words} {graph}", "", names)


def _against_best(_: str, record: Record) -> Finding | str:
    """C3 in one world, unless ProbMCL was not run with all images."""
    found = in_group(record, ALL)
    rival = best_rival(found)
    gain = difference_of(found, REFERENCE, rival)
    if gain is None:
        return "main"
    ours, theirs = (mean_of(found, name).metrics.get("multiply-adds") for name in (REFERENCE, rival))
    cheap = ours is not None and theirs is not None and ours.value <= theirs.value
    status = decided(gain)
    sentence = f"{_compared(found, REFERENCE, rival)} This is the rival with the best validation mAP."
    if ours is not None and theirs is not None:
        sentence += (
            f" An image costs {ours.value / 1e6:.2f} against {theirs.value / 1e6:.2f} million multiply-adds."
        )
    return Finding(PARTLY if status == REPRODUCED and not cheap else status, sentence, "", (record.name,))


def _label_graph(record: Record, counted: Record | None) -> Finding | str:
    """C4 in one world, unless its labels are not counted."""
    if record.name in COUNTED_LABELS and counted is None:
        return "label statistics"
    found = in_group(record, ALL)
    test = graph_test(record, counted, REFERENCE)
    gains = {name: difference_of(found, REFERENCE, name, f"{GRAPH} over seeds") for name in ("BCE", "ASL")}
    status = PARTLY
    if test.p_value < 0.05 and all(gain is not None and gain.low > 0 for gain in gains.values()):
        status = REPRODUCED
    elif test.p_value >= 0.05 or (gains["BCE"] is not None and gains["BCE"].high < 0):
        status = NOT_REPRODUCED
    own = mean_of(found, REFERENCE).metrics[GRAPH]
    against = ", ".join(
        f"{name} {'not known' if gain is None else format(gain, '+.2f')}" for name, gain in gains.items()
    )
    return Finding(
        status,
        f"{scope(found, REFERENCE)}: ProbMCL's classifier has rank correlation {own:.2f} with the label "
        f"graph (Mantel test p = {test.p_value:.4f}). Differences over seeds: {against}.",
        "",
        (record.name,),
    )
