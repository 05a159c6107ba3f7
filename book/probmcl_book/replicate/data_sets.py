"""The images of recipes, read or drawn once."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probmcl_book.records.record import DataIdentity
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.splits import Splits


@dataclass(frozen=True)
class DataSets:
    """The images of recipes that share a folder; it is None where the data set is drawn."""

    folder: Path | None = None
    _known: dict[Any, tuple[Splits, DataIdentity]] = field(default_factory=dict)

    def of(self, recipe: Recipe) -> tuple[Splits, DataIdentity]:
        """The images of a recipe, and their identity."""
        return self._known.get(_cut(recipe)) or self.put(recipe, recipe.splits(self.folder))

    def put(self, recipe: Recipe, splits: Splits) -> tuple[Splits, DataIdentity]:
        """Take images as those of a recipe."""
        self._known[_cut(recipe)] = found = (splits, splits.identity())
        return found


def _cut(recipe: Recipe) -> tuple[Any, ...]:
    return recipe.data, recipe.limit, recipe.train_share
