"""All of it, arranged and written down."""

from probmcl.experiment.checkpoints import RunCheckpoints
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
from probmcl.experiment.methods import Splits, Trained, pretrain, probe_start, train_method
from probmcl.experiment.provenance import Code, Hardware, command_line
from probmcl.experiment.recipe import Method, Recipe, digits_random_recipe, digits_recipe, smaller
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
from probmcl.experiment.run import best_baseline, run_experiment, run_methods
from probmcl.experiment.statistics import LABEL_SOURCES, LabelSource, label_record, read_label_matrix

__all__ = [
    "LABEL_SOURCES",
    "LEDGER_KINDS",
    "LEDGER_ROWS",
    "LEDGER_STATUSES",
    "LEDGER_TAGS",
    "Code",
    "DataIdentity",
    "Difference",
    "Hardware",
    "LabelSource",
    "LedgerEntry",
    "Method",
    "Published",
    "Recipe",
    "Record",
    "Row",
    "RunCheckpoints",
    "Splits",
    "Trained",
    "best_baseline",
    "check_ledger",
    "command_line",
    "comparison_table",
    "digits_random_recipe",
    "digits_recipe",
    "entry_record",
    "has_test",
    "label_record",
    "ledger_summary",
    "load_result",
    "pretrain",
    "probe_start",
    "read_label_matrix",
    "read_ledger",
    "read_record",
    "results_path",
    "run_experiment",
    "run_methods",
    "smaller",
    "train_method",
    "verdict",
    "write_record",
]
