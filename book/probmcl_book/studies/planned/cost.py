"""Cost (C3): accuracy against seconds, over epochs and batch sizes, at scaled learning rates."""

from __future__ import annotations

import math

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study, Trial
from probmcl_book.studies.planned.settings import REFERENCE, SEEDS, alone, methods
from probmcl_book.studies.planned.worlds import World

COMPARED = ("BCE", "SupCon, threshold", REFERENCE)
BATCHES = (0.5, 1, 2, 8)  # multiples of the base recipe's: 32 to 512 on DigitScenes
EPOCHS = (0.5, 2)


def cost_study(base: Recipe, world: World, name: str) -> Study:
    """The study of cost.

    The learning rate grows with the square root of the batch size, a common rule for Adam; nothing is tuned.
    """
    trials = []
    for setting in COMPARED:
        method = methods(base)[setting]
        for factor in BATCHES:
            size = round(factor * method.training.batch_size)
            rate = math.sqrt(factor) * method.training.learning_rate
            changed = method.trained(batch_size=size, learning_rate=rate)
            trials.append(Trial(setting, alone(base, changed), SEEDS, f"batch {size}"))
        for factor in EPOCHS:
            epochs = max(1, round(factor * method.training.epochs))
            longer = alone(base, method.trained(epochs=epochs))
            trials.append(Trial(setting, longer, SEEDS, f"{factor:g} times the epochs"))
    return Study(
        "cost",
        name,
        "What does accuracy cost in seconds, and how does it depend on the batch?",
        tuple(trials),
        reference=REFERENCE,
    )
