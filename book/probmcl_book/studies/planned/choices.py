"""The open choices: one factor at a time around the default, for rows of the ledger that are our choice."""

from __future__ import annotations

from typing import Any

from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Study, Trial
from probmcl_book.studies.planned.settings import SEEDS, changed
from probmcl_book.studies.planned.worlds import World, base_method

REFERENCE = "Default"


def choices_study(base: Recipe, world: World, name: str) -> Study:
    """The study of the open choices; a setting is named by its row of the ledger and its value."""
    method = base_method(base, "probmcl")
    *wide, last = method.trunk
    rate = method.training.learning_rate
    changes: dict[str, dict[str, Any]] = {
        REFERENCE: {},
        "M3 no ReLU": {"head": {"activation": False}},
        "M4 sigma floor 0.01": {"head": {"sigma_floor": 0.01}},
        "M4 sigma floor 0.2": {"head": {"sigma_floor": 0.2}},
        **{f"M6 D {width}": {"trunk": (*wide, width)} for width in (last // 4, 2 * last)},
        "M6 affine means": {"head": {"unit_means": False}},
        **{f"M7 alpha {alpha:g}": {"options": {"threshold": alpha}} for alpha in (0.34, 0.67)},
        "M10 log Bhattacharyya": {"options": {"similarity": "log_bhattacharyya"}},
        "M11 target without stop-gradient": {"options": {"stop_gradient": False}},
        **{f"M12 NLL weight {weight:g}": {"options": {"nll_weight": weight}} for weight in (0.0, 0.005, 0.5)},
        **{f"M13 tau {tau:g}": {"options": {"temperature": tau}} for tau in (0.1, 0.5)},
        **{f"M15 rate x{factor:g}": {"training": {"learning_rate": factor * rate}} for factor in (0.5, 2.0)},
        "M15 EMA 0.99": {"training": {"ema_decay": 0.99}},
    }
    return Study(
        "choices",
        name,
        "Which of the choices that we had to make matter, and is the default a good one?",
        tuple(Trial(setting, changed(base, setting, **change), SEEDS) for setting, change in changes.items()),
        reference=REFERENCE,
    )
