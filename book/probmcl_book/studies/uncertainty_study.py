"""The study of uncertainty on DigitScenes (C2): what do the mixture's variances know that others do not?

Five models, trained on scenes without one theme, look at test scenes, the same corrupted, symbols that nobody
has seen, and the held-out theme. The seeds of the rows are the first three; all five are the ensemble. A
quarter of the images, seen four times as often, trains them again: doubt from too little data should grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch

from probmcl.data import CORRUPTIONS, STRENGTHS, LabelledImages, corrupt, digit_scenes, symbol_scenes
from probmcl_book.records.making import Making
from probmcl_book.records.provenance import provenance
from probmcl_book.records.record import Record, check_seeds
from probmcl_book.replicate.data_sets import DataSets
from probmcl_book.replicate.methods import Trained
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.recipes import digits_recipe, smaller
from probmcl_book.replicate.recipes.digits import digits_of
from probmcl_book.replicate.runner import Runner, Task
from probmcl_book.replicate.splits import Splits
from probmcl_book.studies.doubt_rows import doubt_differences, doubt_rows
from probmcl_book.studies.doubts import Doubts, ask

SYMBOLS_KIND, THEME_KIND = "unseen symbols", "held-out theme"
SCARCITY = 4
# Seeds: trials looked at scenes of seed 0 and at models 0 to 4, so the study asks others (chapter 14).
SCENES, MODELS = 1, (5, 6, 7)

NAME = "study_uncertainty_digits"


def uncertainty_recipe(*, images: int = 2400, epochs: int = 6) -> Recipe:
    """ProbMCL on easy scenes without the theme of squares, so that about half of the images hold an error.

    The digits of the squares (0, 1, 4, 9) all stand in other themes too: what is new in the theme that is
    held out is their company, not their shape.

    >>> uncertainty_recipe().data.themes
    ('primes', 'powers of two', 'odd', 'even')
    """
    whole = digits_recipe()
    probmcl = whole.methods[-1]
    data = replace(digits_of(whole), difficulty="easy", held_out_theme="squares", seed=SCENES)
    return smaller(replace(whole, name=NAME, data=data, methods=(probmcl,)), images=images, epochs=epochs)


def scarcer(recipe: Recipe) -> Recipe:
    """The same steps on fewer training images, in as many more epochs.

    >>> found = scarcer(uncertainty_recipe())
    >>> found.data.train, found.methods[0].training.epochs
    (600, 24)
    """
    data = digits_of(recipe)
    methods = tuple(one.trained(epochs=SCARCITY * one.training.epochs) for one in recipe.methods)
    return replace(recipe, data=replace(data, train=data.train // SCARCITY), methods=methods)


def shifted_scenes(recipe: Recipe, splits: Splits) -> dict[str, LabelledImages]:
    """As many images of each kind as test scenes: unseen symbols, the held-out theme, corruptions."""
    data, test = digits_of(recipe), splits.test
    assert isinstance(test, LabelledImages)  # as DigitsData draws them
    assert data.held_out_theme is not None
    size, seed = len(test), data.seed
    unseen = symbol_scenes(size, seed=seed, difficulty=data.difficulty, themes=data.themes)
    # Another seed than the test scenes': the first glyphs of both would be drawn alike.
    theme = digit_scenes(
        "test", size, seed=seed + 1, difficulty=data.difficulty, themes=[data.held_out_theme]
    )
    found = {SYMBOLS_KIND: unseen, THEME_KIND: theme}
    for name, strength in product(CORRUPTIONS, STRENGTHS):
        worse = corrupt(test.images, name, strength, seed=seed)
        found[f"{name} {strength}"] = LabelledImages(worse, test.labels, test.classes)
    return found


@dataclass(frozen=True)
class Asked:
    """Trained models, their doubts about the test scenes, and about every kind of shifted scenes."""

    trained: Sequence[Trained]
    clean: Doubts
    shifted: dict[str, Doubts]


def ask_about_shifts(
    trained: Sequence[Trained], recipe: Recipe, splits: Splits, *, device: torch.device | str = "cpu"
) -> Asked:
    """Ask models about the test scenes and about every kind of :func:`shifted_scenes`."""

    def doubts(images: LabelledImages) -> Doubts:
        return ask(trained, images, splits.validation.labels, recipe.views, device=device)

    assert isinstance(splits.test, LabelledImages)
    shifted = {kind: doubts(images) for kind, images in shifted_scenes(recipe, splits).items()}
    return Asked(trained, doubts(splits.test), shifted)


def run_uncertainty(
    recipe: Recipe | None = None,
    seeds: Sequence[int] = MODELS,
    *,
    members: int = 5,
    command: str = "python -m probmcl uncertainty",
    device: torch.device | str = "cpu",
    progress: bool = False,
    resamples: int = 1000,
) -> Record:
    """Train the models, ask them, and write down which doubts were worth something.

    Each seed gives rows of its own; the other ``members`` of the ensemble get the next seeds. Differences
    take four times as many ``resamples``: their intervals are corrected and reach far into the tails.
    """
    if len(seeds) < 2 or members < len(seeds):
        raise ValueError(f"seeds: expected 2 to {members} (members), got {len(seeds)}")
    check_seeds(seeds)
    torch.set_flush_denormal(True)  # exponentials of very negative logits slow a CPU down otherwise
    making = Making(command, provenance(device))
    recipe = uncertainty_recipe() if recipe is None else recipe
    after, few = max(seeds) + 1, scarcer(recipe)
    all_seeds = [*seeds, *range(after, after + members - len(seeds))]
    runner = Runner(DataSets(), device=device, progress=progress)
    kinds = (("all images", recipe), ("few", few))
    tasks = [Task(name, one, seed) for seed in all_seeds for name, one in kinds]
    models = [run.whole() for run in runner.each(tasks) if run is not None]
    full_models, few_models = models[::2], models[1::2]
    splits, identity = runner.data.of(recipe)
    asked = ask_about_shifts(full_models, recipe, splits, device=device)
    assert isinstance(splits.test, LabelledImages)
    scarce = ask(few_models, splits.test, splits.validation.labels, recipe.views, device=device)
    labels = splits.test.labels
    rows = doubt_rows(full_models, asked.clean, asked.shifted, scarce, labels, seeds, resamples)
    differences = doubt_differences(asked.clean, asked.shifted, labels, len(seeds), 4 * resamples)
    return making.record(
        recipe.name,
        "study",
        recipe={"recipe": recipe.to_dict(), "members": all_seeds, "scarcity": SCARCITY},
        seeds=tuple(seeds),
        data=identity,
        rows=rows,
        differences=differences,
        notes=_notes(recipe, len(differences), members),
    )


def _notes(recipe: Recipe, comparisons: int, members: int) -> list[str]:
    data = digits_of(recipe)
    return [
        f"The theme held out is {data.held_out_theme}.",
        f"Intervals of differences are corrected for {comparisons} comparisons (Bonferroni).",
        f"The ensemble is one of {members} models; it has no spread over seeds.",
        f"Letters were seen when the start was pretrained, so the unseen symbols are Greek letters; "
        f"rows 'growth' compare {data.train // SCARCITY} training scenes with {data.train}.",
    ]
