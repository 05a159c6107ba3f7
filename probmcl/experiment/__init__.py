"""All of it, arranged and written down."""

from probmcl.experiment.checkpoints import RunCheckpoints
from probmcl.experiment.datasets import (
    Benchmark,
    ChestData,
    ChestMnistData,
    CocoData,
    DigitsData,
    FeatureData,
    PackedData,
)
from probmcl.experiment.estimate import Estimate, estimate, sized_splits
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
from probmcl.experiment.looks import Looks, digit_looks, heat_of, looks_record, scene_boxes
from probmcl.experiment.methods import Trained, probe_start, train_method
from probmcl.experiment.parts import logits_model
from probmcl.experiment.provenance import Code, Hardware, command_line
from probmcl.experiment.published import Standing, published_table, standings
from probmcl.experiment.recipe import LettersStart, Method, PretrainedStart, Recipe
from probmcl.experiment.recipes import (
    RECIPES,
    digits_random_recipe,
    digits_recipe,
    miniature,
    shortened,
    smaller,
)
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
from probmcl.experiment.studies import STUDIES, WORLDS, World, planned_study
from probmcl.experiment.study import (
    OVER_SEEDS,
    Candidate,
    Finished,
    Images,
    Study,
    StudyRuns,
    Trial,
    Tuning,
    record_name,
    repeat_runs,
    run_study,
    summarise,
)
from probmcl.experiment.views import FeatureViews, PhotoViews, SceneViews

__all__ = [
    "LABEL_SOURCES",
    "LEDGER_KINDS",
    "LEDGER_ROWS",
    "LEDGER_STATUSES",
    "LEDGER_TAGS",
    "OVER_SEEDS",
    "RECIPES",
    "STUDIES",
    "WORLDS",
    "Benchmark",
    "Candidate",
    "ChestData",
    "ChestMnistData",
    "CocoData",
    "Code",
    "DataIdentity",
    "Difference",
    "DigitsData",
    "Estimate",
    "Exported",
    "FeatureData",
    "FeatureViews",
    "Finished",
    "Hardware",
    "Images",
    "LabelSource",
    "LedgerEntry",
    "LettersStart",
    "Looks",
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
    "Study",
    "StudyRuns",
    "Trained",
    "Trial",
    "Tuning",
    "World",
    "best_baseline",
    "check_ledger",
    "command_line",
    "comparison_table",
    "digit_looks",
    "digits_random_recipe",
    "digits_recipe",
    "entry_record",
    "estimate",
    "export_run",
    "has_test",
    "heat_of",
    "label_record",
    "ledger_summary",
    "load_export",
    "load_result",
    "logits_model",
    "looks_record",
    "miniature",
    "planned_study",
    "pretrain",
    "probe_start",
    "published_table",
    "read_label_matrix",
    "read_ledger",
    "read_record",
    "record_name",
    "repeat_runs",
    "results_path",
    "run_experiment",
    "run_methods",
    "run_study",
    "scene_boxes",
    "shortened",
    "sized_splits",
    "smaller",
    "standings",
    "summarise",
    "train_method",
    "verdict",
    "weights_file",
    "write_record",
]
