"""What each study changes: tables of settings around a base recipe, most of them one change at a time."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from probmcl_book.replicate.datasets import DigitsData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.studies import Candidate, Study, Trial, Tuning
from probmcl_book.studies.planned import settings as common
from probmcl_book.studies.planned.settings import BEST, PROBE, REFERENCE, SEEDS, TUNING_SEED, alone, changed
from probmcl_book.studies.planned.worlds import World, base_method

FEW, ALL = "10 %", "100 %"  # groups of the main comparison: shares of the training images
MAIN_SEEDS = (0, 1, 2, 3, 4)

TRIED = (0.34, 0.5, 0.67, 1.0)
ALPHAS = (0.2, *TRIED)
THRESHOLD = "Jaccard 0.5"
RIVALS = ("any", "all", "Jaccard 1", "weighted")  # what C1's thresholds have to beat
MANY_DIGITS, FEW_DIGITS = "up to 6 digits", "up to 2 digits"

MIXTURE, WIDER = "Mixture", "points, wider trunk"
NLL_WEIGHT = 0.005
BOUNDED = 0.1  # temperature of similarities in [0, 1], as that of SupCon

PRICED = ("BCE", "SupCon, threshold", REFERENCE)
BATCHES = (0.5, 1, 2, 8)  # multiples of the base recipe's: 32 to 512 on DigitScenes
EPOCHS = (0.5, 2)
LONGER = (1, 2, 4, 8)  # multiples of the base recipe's epochs

READ = ("BCE", "ASL", "SupCon, threshold", REFERENCE)
RANDOM = "Random encoder (linear probe)"
DEFAULT = "Default"

Changes = Mapping[str, dict[str, Any]]  # of ProbMCL, by the names of settings: arguments of changed()


def main_study(base: Recipe, world: World, name: str) -> Study:
    """C1 to C3: every method, with all of the training images and with a tenth of them."""
    compared = common.methods(base)
    whole = {PROBE: alone(base, None)} | {setting: alone(base, one) for setting, one in compared.items()}
    few = {setting: common.with_few_images(recipe) for setting, recipe in whole.items()}
    trials = (*_trials(whole, MAIN_SEEDS, ALL), *_trials(few, MAIN_SEEDS, FEW))
    tuning = Tuning(TUNING_SEED, {n: common.candidates(method) for n, method in compared.items()}, ALL)
    question = "Does ProbMCL classify better than its rivals from the same start, views and number of trials?"
    return Study("main", name, question, trials, reference=REFERENCE, tuning=tuning)


def positives_study(base: Recipe, world: World, name: str) -> Study:
    """C1: thresholds, overlap indices and rules, at two label cardinalities on DigitScenes.

    Dice is left out: its positive sets are those of Jaccard at another threshold. Two sets of at most two
    labels overlap by 0, 1/3, 1/2 or 1: there, 0.34 is 0.5 and 0.67 is 1.
    """
    thresholds = {f"{alpha:g}": {"threshold": alpha} for alpha in ALPHAS}
    settings = {f"Jaccard {n}": changed(base, f"alpha {n}", options=one) for n, one in thresholds.items()}
    settings |= {index: changed(base, index, options={"index": index}) for index in ("overlap", "cosine")}
    settings |= {rule: changed(base, rule, options={"rule": rule}) for rule in ("any", "all", "weighted")}
    group, fewer = "", {}
    if isinstance(base.data, DigitsData):
        group, data = MANY_DIGITS, replace(base.data, most=2)
        other = settings.keys() - {"Jaccard 0.34", "Jaccard 0.67"}
        fewer = {one: replace(recipe, data=data) for one, recipe in settings.items() if one in other}
    tried = tuple(Candidate({}, {"threshold": alpha}) for alpha in TRIED)
    tuning = Tuning(TUNING_SEED, {"overlap": tried, "cosine": tried}, group)
    trials = (*_trials(settings, SEEDS, group), *_trials(fewer, SEEDS, FEW_DIGITS))
    pairs = tuple(product((f"Jaccard {alpha:g}" for alpha in TRIED[:-1] if alpha != 0.5), RIVALS))
    question = "Which positive set teaches most, and does it recover the label graph?"
    return Study("positives", name, question, trials, THRESHOLD, tuning, pairs)


def mixture_study(base: Recipe, world: World, name: str) -> Study:
    """C2: the mixture against points, and its parts one by one.

    Its reference is ProbMCL with a likelihood weight of 0.005: with the default, 0.05, trials ended with one
    component in use, and nothing about components could be learned from that.
    """
    method = base_method(base, "probmcl")
    first, *_, last = method.trunk
    changes: Changes = {
        MIXTURE: {},
        **{
            f"{count} component{'s' * (count > 1)}": {"head": {"components": count}}
            for count in (1, world.classes // 2, 2 * world.classes)
        },
        "Sim / tau": {"options": {"similarity": "expected_likelihood", "temperature": BOUNDED}},
        "log Bhattacharyya": {"options": {"similarity": "log_bhattacharyya"}},
        "Bhattacharyya / tau": {"options": {"similarity": "bhattacharyya", "temperature": BOUNDED}},
        "mean cosine": {"options": {"similarity": "mean_cosine", "temperature": BOUNDED}},
        "target without stop-gradient": {"options": {"stop_gradient": False}},
        "target self": {"options": {"nll_target": "self"}},
        **_values("NLL weight", "nll_weight", (0.0, 0.05, 0.5)),
        **{f"D {width}": {"trunk": (*method.trunk[:-1], width)} for width in (last // 4, 2 * last)},
        "diagonal": {"head": {"covariance": "diagonal"}},
        "affine means": {"head": {"unit_means": False}},
    }
    light = {
        setting: {**change, "options": {"nll_weight": NLL_WEIGHT, **change.get("options", {})}}
        for setting, change in changes.items()
    }
    points = replace(method, name="points", criterion="supcon", options={})
    wider = (2 * first, *method.trunk[1:])  # about the parameters of the mixture's head
    settings = _one_by_one(base, light)
    settings |= {"points": alone(base, points), WIDER: alone(base, replace(points, trunk=wider))}
    question = "Does the mixture improve the representation, and which of its parts?"
    return Study("mixture", name, question, _trials(settings), reference=MIXTURE)


def cost_study(base: Recipe, world: World, name: str) -> Study:
    """C3: accuracy against seconds, over epochs and batches; the rate grows with the root of the batch."""
    trials = []
    for setting in PRICED:
        method = common.methods(base)[setting]
        usual = method.training
        groups = {}
        for factor in BATCHES:
            size, rate = round(factor * usual.batch_size), math.sqrt(factor) * usual.learning_rate
            groups[f"batch {size}"] = method.trained(batch_size=size, learning_rate=rate)
        for factor in EPOCHS:
            epochs = max(1, round(factor * usual.epochs))
            groups[f"{factor:g} times the epochs"] = method.trained(epochs=epochs)
        trials += [Trial(setting, alone(base, one), SEEDS, group) for group, one in groups.items()]
    question = "What does accuracy cost in seconds, and how does it depend on the batch?"
    return Study("cost", name, question, tuple(trials), reference=REFERENCE)


def steps_study(base: Recipe, world: World, name: str) -> Study:
    """C3 by the length of training, until BCE rises no more: nothing is tuned, and no claim is decided.

    BCE *rises no more* at the first length whose double adds less than 0.01 to its mean validation mAP.
    ProbMCL at its best is compared with BCE and SupCon as well.
    """
    compared, trials = common.methods(base), []
    compared[BEST] = common.at_its_best(compared[REFERENCE])
    for factor, setting in product(LONGER, (*PRICED, BEST)):
        longer = compared[setting].trained(epochs=factor * compared[setting].training.epochs)
        trials.append(Trial(setting, alone(base, longer), SEEDS, f"{longer.training.epochs} epochs"))
    question = "Which method is ahead after how many steps?"
    pairs = ((BEST, PRICED[0]), (BEST, PRICED[1]))
    return Study("steps", name, question, tuple(trials), reference=REFERENCE, comparisons=pairs)


def topology_study(base: Recipe, world: World, name: str) -> Study:
    """C4: the label graph in classifiers of the main comparison, whose runs it shares, and a random one."""
    compared = common.methods(base)
    settings = {PROBE: alone(base, None)}
    if base.start is not None:  # else the start is a random encoder itself, or features that are given
        settings[RANDOM] = replace(alone(base, None), start=None)
    settings |= {setting: alone(base, compared[setting]) for setting in READ}
    trials = _trials(settings, MAIN_SEEDS, ALL)
    tuning = Tuning(TUNING_SEED, {setting: common.candidates(compared[setting]) for setting in READ}, ALL)
    question = "Is the similarity of classifier weights that of the labels' co-occurrence?"
    return Study("topology", name, question, trials, reference=REFERENCE, tuning=tuning)


def choices_study(base: Recipe, world: World, name: str) -> Study:
    """Rows of the ledger that are our choice, one value at a time; a setting begins with its row."""
    method = base_method(base, "probmcl")
    *wide, last = method.trunk
    rate = method.training.learning_rate
    changes: Changes = {
        DEFAULT: {},
        "M3 no ReLU": {"head": {"activation": False}},
        "M4 sigma floor 0.01": {"head": {"sigma_floor": 0.01}},
        "M4 sigma floor 0.2": {"head": {"sigma_floor": 0.2}},
        **{f"M6 D {width}": {"trunk": (*wide, width)} for width in (last // 4, 2 * last)},
        "M6 affine means": {"head": {"unit_means": False}},
        **_values("M7 alpha", "threshold", (0.34, 0.67)),
        "M10 log Bhattacharyya": {"options": {"similarity": "log_bhattacharyya"}},
        "M11 target without stop-gradient": {"options": {"stop_gradient": False}},
        **_values("M12 NLL weight", "nll_weight", (0.0, 0.005, 0.5)),
        **_values("M13 tau", "temperature", (0.1, 0.5)),
        **{f"M15 rate x{factor:g}": {"training": {"learning_rate": factor * rate}} for factor in (0.5, 2.0)},
        "M15 EMA 0.99": {"training": {"ema_decay": 0.99}},
    }
    question = "Which of the choices that we had to make matter, and is the default a good one?"
    return Study("choices", name, question, _trials(_one_by_one(base, changes)), reference=DEFAULT)


def _values(words: str, option: str, values: tuple[float, ...]) -> Changes:
    """One argument of the loss at several values."""
    return {f"{words} {value:g}": {"options": {option: value}} for value in values}


def _one_by_one(base: Recipe, changes: Changes) -> dict[str, Recipe]:
    return {setting: changed(base, setting, **change) for setting, change in changes.items()}


def _trials(
    settings: Mapping[str, Recipe], seeds: tuple[int, ...] = SEEDS, group: str = ""
) -> tuple[Trial, ...]:
    return tuple(Trial(setting, recipe, seeds, group) for setting, recipe in settings.items())
