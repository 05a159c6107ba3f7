"""All of it, arranged and written down."""

from probmcl.experiment.checkpoints import RunCheckpoints
from probmcl.experiment.datasets import (
    Benchmark,
    ChestData,
    ChestMnistData,
    CocoData,
    DigitsData,
    PackedData,
)
from probmcl.experiment.doubt_report import epistemic_verdict
from probmcl.experiment.doubt_rows import doubt_differences, doubt_rows
from probmcl.experiment.doubts import Doubts, ask
from probmcl.experiment.estimate import Estimate, estimate
from probmcl.experiment.export import Exported, export_run, load_export
from probmcl.experiment.ledger import (
    LEDGER_KINDS,
    LEDGER_ROWS,
    LEDGER_STATUSES,
    LEDGER_TAGS,
    LedgerEntry,
    Published,
    ledger_summary,
    read_ledger,
)
from probmcl.experiment.ledger_check import check_ledger, entry_record, has_test
from probmcl.experiment.methods import Trained, probe_start, train_method
from probmcl.experiment.parts import logits_model
from probmcl.experiment.provenance import Code, Hardware, command_line
from probmcl.experiment.published import Standing, published_table, standings
from probmcl.experiment.recipe import LettersStart, Method, PretrainedStart, Recipe
from probmcl.experiment.recipes import RECIPES, digits_random_recipe, digits_recipe, shortened, smaller
from probmcl.experiment.record import (
    DataIdentity,
    Difference,
    Record,
    Row,
    load_result,
    read_record,
    results_path,
    write_record,
)
from probmcl.experiment.report import comparison_table, verdict
from probmcl.experiment.run import Runs, best_baseline, run_experiment, run_methods
from probmcl.experiment.splits import Splits
from probmcl.experiment.starts import pretrain, weights_file
from probmcl.experiment.statistics import LABEL_SOURCES, LabelSource, label_record, read_label_matrix
from probmcl.experiment.uncertainty_study import (
    Asked,
    ask_about_shifts,
    run_uncertainty,
    scarcer,
    shifted_scenes,
    uncertainty_recipe,
)
from probmcl.experiment.views import PhotoViews, SceneViews

__all__ = [
    "LABEL_SOURCES",
    "LEDGER_KINDS",
    "LEDGER_ROWS",
    "LEDGER_STATUSES",
    "LEDGER_TAGS",
    "RECIPES",
    "Asked",
    "Benchmark",
    "ChestData",
    "ChestMnistData",
    "CocoData",
    "Code",
    "DataIdentity",
    "Difference",
    "DigitsData",
    "Doubts",
    "Estimate",
    "Exported",
    "Hardware",
    "LabelSource",
    "LedgerEntry",
    "LettersStart",
    "Method",
    "PackedData",
    "PhotoViews",
    "PretrainedStart",
    "Published",
    "Recipe",
    "Record",
    "Row",
    "RunCheckpoints",
    "Runs",
    "SceneViews",
    "Splits",
    "Standing",
    "Trained",
    "ask",
    "ask_about_shifts",
    "best_baseline",
    "check_ledger",
    "command_line",
    "comparison_table",
    "digits_random_recipe",
    "digits_recipe",
    "doubt_differences",
    "doubt_rows",
    "entry_record",
    "epistemic_verdict",
    "estimate",
    "export_run",
    "has_test",
    "label_record",
    "ledger_summary",
    "load_export",
    "load_result",
    "logits_model",
    "pretrain",
    "probe_start",
    "published_table",
    "read_label_matrix",
    "read_ledger",
    "read_record",
    "results_path",
    "run_experiment",
    "run_methods",
    "run_uncertainty",
    "scarcer",
    "shifted_scenes",
    "shortened",
    "smaller",
    "standings",
    "train_method",
    "uncertainty_recipe",
    "verdict",
    "weights_file",
    "write_record",
]
