"""The main comparison (C1 to C3): every method, with a tenth of the training images and with all of them."""

from __future__ import annotations

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study, Trial, Tuning
from probmcl_book.studies.planned.settings import (
    PROBE,
    REFERENCE,
    TUNING_SEED,
    alone,
    candidates,
    methods,
    with_few_images,
)
from probmcl_book.studies.planned.worlds import World

FEW, ALL = "10 %", "100 %"
SEEDS = (0, 1, 2, 3, 4)


def main_study(base: Recipe, world: World, name: str) -> Study:
    """The study of the main comparison."""
    compared = methods(base)
    settings = {PROBE: alone(base, None)} | {n: alone(base, method) for n, method in compared.items()}
    trials = [Trial(setting, recipe, SEEDS, ALL) for setting, recipe in settings.items()]
    trials += [Trial(setting, with_few_images(recipe), SEEDS, FEW) for setting, recipe in settings.items()]
    return Study(
        "main",
        name,
        "Does ProbMCL classify better than its rivals from the same start, views and number of trials?",
        tuple(trials),
        reference=REFERENCE,
        tuning=Tuning(TUNING_SEED, {n: candidates(method) for n, method in compared.items()}, ALL),
    )
