"""The claims of the abstract (C1 to C4), decided by the rules of chapter 12 from the records of studies.

A rule asks for parts, such as a claim in one world. Each part is supported, contradicted or undecided by
intervals over images and seeds that hold together for everything that the rule reads of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch

from probmcl import _check
from probmcl.evaluate import Interval, MantelTest, mantel_test
from probmcl_book.claims.doubt_report import UNFAMILIAR, epistemic_finding
from probmcl_book.claims.findings import (
    CONTRADICTED,
    NOT_RUN,
    SUPPORTED,
    UNDECIDED,
    Finding,
    Part,
    Records,
    decided,
    records_in,
    scope,
)
from probmcl_book.claims.intervals import gain, gain_over_seeds
from probmcl_book.claims.world_labels import labels_record_name, world_labels
from probmcl_book.records.record import Record
from probmcl_book.studies import WORLDS, in_group, mean_of, record_name, study_in
from probmcl_book.studies.differences import corrected_level
from probmcl_book.studies.planned.plans import ALL, MANY_DIGITS, MIXTURE, RIVALS, THRESHOLD, WIDER
from probmcl_book.studies.planned.settings import PROBE, REFERENCE
from probmcl_book.studies.uncertainty_study import NAME as UNCERTAINTY

GRAPH = "classifier graph"  # a metric: rank correlation of a classifier's similarities with the label graph
HEADS = {"Label-graph head": "the graph head", "Transformer head": "the transformer head"}  # of C3, in words

_OTHERS = [world for world in WORLDS if world != "digits"]
COUNTED_LABELS = {record_name("topology", world): labels_record_name(world) for world in _OTHERS}
"""Names of the records that count labels where they are not known exactly, by the study that needs them."""


@dataclass(frozen=True)
class Claim:
    """What a claim says, its rule, and the function that applies it."""

    title: str
    supported: str  #: when a part of it is
    contradicted: str  #: likewise; whatever else comes out is "undecided"
    records: tuple[str, ...]  #: names of the records of studies that it reads
    parts: Callable[[Records], Sequence[Part]]
    change: str  #: what would change a verdict


def positive_sets(records: Records) -> list[Part]:
    """C1, by world: does a threshold beat rules without one, and does its classifier know the label graph?"""
    parts = []
    for world, place in WORLDS.items():
        names = [record_name(study, world) for study in ("positives", "main")]
        known = [records[name] for name in names if name in records]
        whole = len(known) == len(names)
        parts.append(_thresholds(place.title, *known) if whole else Part(place.title, NOT_RUN))
    return parts


def mixture(records: Records) -> list[Part]:
    """C2: does the mixture beat points, by world, and does its variance know the unfamiliar?"""
    parts = []
    for world, place in WORLDS.items():
        name, record = f"the representation of {place.title}", records.get(record_name("mixture", world))
        parts.append(Part(name, NOT_RUN) if record is None else _lead(name, in_group(record), MIXTURE, WIDER))
    doubts = records.get(UNCERTAINTY)
    if doubts is None:
        return [*parts, *(Part(kind, NOT_RUN) for kind in UNFAMILIAR)]
    return [*parts, *epistemic_finding(doubts).parts]


def accuracy(records: Records) -> list[Part]:
    """C3, by kind of head and world: is ProbMCL above it, at no more cost of inference?"""
    parts = []
    for (head, words), (world, place) in product(HEADS.items(), WORLDS.items()):
        name, record = f"{words} on {place.title}", records.get(record_name("main", world))
        if record is None:
            parts.append(Part(name, NOT_RUN))
        elif head in {trial.setting for trial in study_in(record).trials}:
            parts.append(_above_head(name, in_group(record, ALL), head))
    return parts


def topology(records: Records) -> list[Part]:
    """C4, by world: do the classifier's similarities follow the label graph, closer than BCE's and ASL's?"""
    parts = []
    for world, place in WORLDS.items():
        name, counted = record_name("topology", world), records.get(labels_record_name(world))
        ready = name in records and (counted is not None or name not in COUNTED_LABELS)
        title = place.title
        parts.append(_label_graph(title, records[name], counted) if ready else Part(title, NOT_RUN))
    return parts


CLAIMS: dict[str, Claim] = {
    "C1": Claim(
        "label dependencies",
        "one of the thresholds Jaccard 0.34 to 0.67 lies above any, all, exact match (Jaccard 1) and "
        "weighted, and its classifier follows the label graph at least as well as that of BCE in main",
        "the reference, Jaccard 0.5, lies below any or below exact match",
        tuple(record_name(study, world) for study in ("positives", "main") for world in WORLDS),
        positive_sets,
        "It would change with data whose labels depend on each other in another way, or if every positive "
        "set got a temperature of its own.",
    ),
    "C2": Claim(
        "mixture and uncertainty",
        "the mixture lies above points with a wider trunk; its variance between components tells the "
        "unfamiliar from clean scenes better than the classifier's entropy does",
        "it lies below; or the AUROC of the variance is at most one half",
        (*(record_name("mixture", world) for world in WORLDS), UNCERTAINTY),
        mixture,
        "It would change if the mixture beat points with as many parameters, and if its between-component "
        "variance told unfamiliar images better than the entropy does.",
    ),
    "C3": Claim(
        "accuracy at a low cost",
        "with all images, ProbMCL lies above the head at no more multiply-adds per image",
        "it lies below",
        tuple(record_name("main", world) for world in WORLDS),
        accuracy,
        "The halves on COCO and ADP are not run, whatever comes out here. On these worlds it would change "
        "with intervals above 0 for both kinds of head.",
    ),
    "C4": Claim(
        "semantic topology",
        "the Mantel test of ProbMCL's classifier with the label graph has p < 0.05, and its rank correlation "
        "lies above that of BCE and of ASL",
        "the Mantel test does not reject, or the correlation lies below that of BCE",
        tuple(record_name("topology", world) for world in WORLDS),
        topology,
        "It would change with a correlation above that of BCE and of ASL in both worlds; the "
        "super-categories of COCO are not run.",
    ),
}
"""The claims by their rows of the ledger."""


def claim_finding(row: str, folder: Path | None = None) -> Finding:
    """What the records of a folder let us say of a claim, "C1" to "C4"; without a folder, those of the book.

    >>> claim_finding("C1", Path("no records here")).word
    'not run'
    """
    claim = CLAIMS[_check.one_of("row", row, CLAIMS)]
    records = records_in(folder, (*claim.records, *COUNTED_LABELS.values()))
    return Finding(tuple(claim.parts(records)), claim.change)


def best_rival(record: Record) -> str:
    """The setting of a group of "main" with the highest mean validation mAP beside ProbMCL and the start."""
    rivals = [row for row in record.rows if row.seed is None and row.method not in (REFERENCE, PROBE)]
    return max(rivals, key=lambda row: row.metrics["validation mAP"].value).method


def graph_test(record: Record, counted: Record | None, setting: str) -> MantelTest:
    """The Mantel test of a setting's classifier similarities, means over seeds, with the label graph."""
    graph = world_labels(record, counted, group=ALL).similarity
    alike = mean_of(in_group(record, ALL), setting).series["weight similarity"]
    return mantel_test(torch.tensor(alike).view_as(graph), graph, seed=0)


def _less(setting: str, against: str, found: Interval) -> str:
    return f"{setting} less {against} {found:+.3f}"


def _lead(name: str, found: Record, setting: str, against: str) -> Part:
    """The part of a claim that one difference of mAP decides."""
    lead = gain(found, setting, against, corrected_level(1))
    if lead is None:
        return Part(name, NOT_RUN)
    numbers = (_less(setting, against, lead),)
    return Part(name, decided(lead), scope(found, setting, against), numbers, (found.name,))


def _thresholds(name: str, record: Record, main: Record) -> Part:
    """C1 in one world, unless a run that the rule compares is missing."""
    study = study_in(record)
    found = in_group(record, MANY_DIGITS if MANY_DIGITS in {t.group for t in study.trials} else "")
    tried = dict.fromkeys((THRESHOLD, *(first for first, _ in study.comparisons)))
    level = corrected_level(len(tried) * len(RIVALS))
    each = {one: {rival: gain(found, one, rival, level) for rival in RIVALS} for one in tried}
    gains = {one: {r: g for r, g in of.items() if g is not None} for one, of in each.items()}
    gains = {one: of for one, of in gains.items() if len(of) == len(RIVALS)}
    if THRESHOLD not in gains:
        return Part(name, NOT_RUN)
    strongest = {one: min(of, key=lambda rival: of[rival].low) for one, of in gains.items()}
    best = max(gains, key=lambda one: gains[one][strongest[one]].low)
    learned = mean_of(found, best).metrics[GRAPH].value
    plain = mean_of(in_group(main, ALL), "BCE").metrics[GRAPH].value
    word = UNDECIDED
    if gains[best][strongest[best]].low > 0 and learned >= plain:
        word = SUPPORTED
    elif any(gains[THRESHOLD][rival].high < 0 for rival in ("any", "Jaccard 1")):
        word = CONTRADICTED
    pairs = dict.fromkeys([(best, strongest[best]), (THRESHOLD, "any"), (THRESHOLD, "Jaccard 1")])
    numbers = [_less(one, rival, gains[one][rival]) for one, rival in pairs]
    numbers.append(f"rank correlation with the label graph {learned:.2f}, of BCE {plain:.2f}")
    return Part(name, word, scope(found, best), tuple(numbers), (record.name, main.name))


def _above_head(name: str, found: Record, head: str) -> Part:
    """C3 against one head in one world."""
    part = _lead(name, found, REFERENCE, head)
    if part.word == NOT_RUN:
        return part
    ours, theirs = (mean_of(found, one).metrics["multiply-adds"].value for one in (REFERENCE, head))
    word = UNDECIDED if part.word == SUPPORTED and ours > theirs else part.word
    cost = f"{ours / 1e6:.2f} against {theirs / 1e6:.2f} million multiply-adds per image"
    return Part(name, word, part.where, (*part.numbers, cost), part.records)


def _label_graph(name: str, record: Record, counted: Record | None) -> Part:
    """C4 in one world."""
    found, test, level = in_group(record, ALL), graph_test(record, counted, REFERENCE), corrected_level(2)
    leads = {rival: gain_over_seeds(found, REFERENCE, rival, GRAPH, level) for rival in ("BCE", "ASL")}
    word = UNDECIDED
    if test.p_value >= 0.05 or leads["BCE"].high < 0:
        word = CONTRADICTED
    elif all(lead.low > 0 for lead in leads.values()):
        word = SUPPORTED
    own = mean_of(found, REFERENCE).metrics[GRAPH].value
    numbers = [f"rank correlation with the label graph {own:.2f}, Mantel test p = {test.p_value:.4f}"]
    numbers += [_less(REFERENCE, rival, lead) for rival, lead in leads.items()]
    return Part(name, word, scope(found, REFERENCE), tuple(numbers), (record.name,))
