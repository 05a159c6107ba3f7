"""Cost (C3): accuracy against seconds, over epochs and batch sizes, at scaled learning rates."""

from __future__ import annotations

import math
from dataclasses import replace

from probmcl_book.replicate.recipe import Method, Recipe
from probmcl_book.studies import Study, Trial
from probmcl_book.studies.planned.settings import REFERENCE, SEEDS, alone, methods
from probmcl_book.studies.planned.worlds import World

COMPARED = ("BCE", "SupCon, threshold", REFERENCE)
BATCHES = (0.5, 1, 2, 8)  # multiples of the base recipe's: 32 to 512 on DigitScenes
EPOCHS = (0.5, 2)


def cost_study(base: Recipe, world: World, name: str) -> Study:
    """The study of cost.

    The learning rate grows with the square root of the batch size, a common rule for Adam; nothing is tuned.

    Example:
        >>> from probmcl_book.studies.planned.worlds import WORLDS
        >>> len(cost_study(WORLDS["digits"].base(), WORLDS["digits"], "digits"))
        54
    """
    trials = []
    for setting in COMPARED:
        method = methods(base)[setting]
        for factor in BATCHES:
            changed = _with_batch(method, factor)
            group = f"batch {changed.training.batch_size}"
            trials.append(Trial(setting, alone(base, changed), SEEDS, group))
        for factor in EPOCHS:
            epochs = max(1, round(factor * method.training.epochs))
            changed = replace(method, training=replace(method.training, epochs=epochs))
            trials.append(Trial(setting, alone(base, changed), SEEDS, f"{factor:g} times the epochs"))
    return Study(
        "cost",
        name,
        "What does accuracy cost in seconds, and how does it depend on the batch?",
        tuple(trials),
        reference=REFERENCE,
    )


def _with_batch(method: Method, factor: float) -> Method:
    training = method.training
    size, rate = round(factor * training.batch_size), math.sqrt(factor) * training.learning_rate
    return replace(method, training=replace(training, batch_size=size, learning_rate=rate))
