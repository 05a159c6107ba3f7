"""What classifiers know of labels that come together (C4): runs of the main comparison, and random ones."""

from __future__ import annotations

from dataclasses import replace

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study, Trial, Tuning
from probmcl_book.studies.planned.main import ALL, SEEDS
from probmcl_book.studies.planned.settings import PROBE, REFERENCE, TUNING_SEED, alone, candidates, methods
from probmcl_book.studies.planned.worlds import World

COMPARED = ("BCE", "ASL", "SupCon, threshold", REFERENCE)
RANDOM = "Random encoder (linear probe)"


def topology_study(base: Recipe, world: World, name: str) -> Study:
    """The study of the label graph in the classifier's weights.

    Its tuning and its runs are those of the main comparison, and are used again where they lie beside it.
    """
    compared = methods(base)
    settings = {PROBE: alone(base, None)}
    if base.start is not None:  # else the start is a random encoder itself, or features that are given
        settings[RANDOM] = replace(alone(base, None), start=None)
    settings |= {setting: alone(base, compared[setting]) for setting in COMPARED}
    tried = {setting: candidates(compared[setting]) for setting in COMPARED}
    return Study(
        "topology",
        name,
        "Is the similarity of classifier weights that of the labels' co-occurrence?",
        tuple(Trial(setting, recipe, SEEDS, ALL) for setting, recipe in settings.items()),
        reference=REFERENCE,
        tuning=Tuning(TUNING_SEED, tried, ALL),
    )
