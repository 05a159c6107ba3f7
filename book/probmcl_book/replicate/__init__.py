"""A recipe becomes trained methods and a record: data, starts, methods, runs, checkpoints, exports."""

from probmcl_book.replicate.data_sets import DataSets
from probmcl_book.replicate.datasets import (
    ChestData,
    CocoData,
    DigitsData,
    FeatureData,
    FolderData,
    PackedData,
)
from probmcl_book.replicate.estimate import Estimate, estimate, sized_splits
from probmcl_book.replicate.export import export_run, load_export
from probmcl_book.replicate.fakes.miniature import write_chest_miniature, write_coco_miniature
from probmcl_book.replicate.finished import Finished, run_key
from probmcl_book.replicate.folder import RunFolder
from probmcl_book.replicate.methods import Trained, train_method
from probmcl_book.replicate.origin import Origin, read_origin, write_origin
from probmcl_book.replicate.recipe import LettersStart, Method, PretrainedStart, Recipe
from probmcl_book.replicate.recipes import RECIPES, digits_recipe, miniature, own_recipe, shortened, smaller
from probmcl_book.replicate.run import Runs, best_baseline, run_experiment, run_methods
from probmcl_book.replicate.runner import Runner, Task
from probmcl_book.replicate.shipped import shipped_run
from probmcl_book.replicate.splits import Splits
from probmcl_book.replicate.starts import pretrain, weights_file
from probmcl_book.replicate.views import FeatureViews, PhotoViews, SceneViews

__all__ = [
    "RECIPES", "ChestData", "CocoData", "DataSets", "DigitsData", "Estimate", "FeatureData", "FeatureViews",
    "Finished", "FolderData", "LettersStart", "Method", "Origin", "PackedData", "PhotoViews",
    "PretrainedStart", "Recipe", "RunFolder", "Runner", "Runs", "SceneViews", "Splits", "Task", "Trained",
    "best_baseline", "digits_recipe", "estimate", "export_run", "load_export", "miniature", "own_recipe",
    "pretrain", "read_origin", "run_experiment", "run_key", "run_methods", "shipped_run", "shortened",
    "sized_splits", "smaller", "train_method", "weights_file", "write_chest_miniature",
    "write_coco_miniature", "write_origin",
]  # fmt: skip
