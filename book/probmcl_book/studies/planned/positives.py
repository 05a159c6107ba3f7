"""Positive sets (C1): thresholds, overlap indices and rules, at two label cardinalities on DigitScenes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Candidate, Study, Trial, Tuning
from probmcl_book.studies.planned.settings import SEEDS, TUNING_SEED, changed
from probmcl_book.studies.planned.worlds import World

ALPHAS = (0.2, 0.34, 0.5, 0.67, 1.0)
TRIED = (0.34, 0.5, 0.67, 1.0)
REFERENCE = "Jaccard 0.5"
RIVALS = ("any", "all", "Jaccard 1", "weighted")  # what C1's thresholds have to beat
MANY, FEW = "up to 6 digits", "up to 2 digits"


def positives_study(base: Recipe, world: World, name: str) -> Study:
    """The study of positive sets, with ProbMCL's other settings at their defaults.

    Dice is left out: it grows with Jaccard, so its positive sets are those of Jaccard at another threshold.
    Two sets of at most two labels overlap by 0, 1/3, 1/2 or 1: there, 0.34 is 0.5 and 0.67 is 1.
    """
    settings = {
        f"Jaccard {alpha:g}": changed(base, f"alpha {alpha:g}", options={"threshold": alpha})
        for alpha in ALPHAS
    }
    settings |= {index: changed(base, index, options={"index": index}) for index in ("overlap", "cosine")}
    settings |= {rule: changed(base, rule, options={"rule": rule}) for rule in ("any", "all", "weighted")}
    group = MANY if isinstance(base.data, DigitsData) else ""
    trials = [Trial(setting, recipe, SEEDS, group) for setting, recipe in settings.items()]
    if isinstance(base.data, DigitsData):
        fewer = replace(base.data, most=2)
        trials += [
            Trial(setting, replace(recipe, data=fewer), SEEDS, FEW)
            for setting, recipe in settings.items()
            if setting not in ("Jaccard 0.34", "Jaccard 0.67")
        ]
    tried = tuple(Candidate({}, {"threshold": alpha}) for alpha in TRIED)
    return Study(
        "positives",
        name,
        "Which positive set teaches most, and does it recover the label graph?",
        tuple(trials),
        reference=REFERENCE,
        comparisons=tuple(product((f"Jaccard {alpha:g}" for alpha in TRIED[:-1] if alpha != 0.5), RIVALS)),
        tuning=Tuning(TUNING_SEED, {"overlap": tried, "cosine": tried}, group),
    )
