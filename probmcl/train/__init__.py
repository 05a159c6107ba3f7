"""Numbers become weights."""

from probmcl.train.checkpoint import (
    check_same_run,
    latest_checkpoint,
    load_checkpoint,
    previous_checkpoint,
    save_checkpoint,
)
from probmcl.train.classification_stage import Criterion, end_to_end, linear_probe
from probmcl.train.contrastive_stage import contrastive_stage
from probmcl.train.distributed import is_first, launcher, process_group, same_everywhere, this_share
from probmcl.train.gathering import AcrossRanks, gather_rows
from probmcl.train.history import EpochLog, History
from probmcl.train.loop import Watch, fit, parameter_groups
from probmcl.train.predict import predict
from probmcl.train.seeding import seeded
from probmcl.train.settings import TrainingSettings

__all__ = [
    "AcrossRanks",
    "Criterion",
    "EpochLog",
    "History",
    "TrainingSettings",
    "Watch",
    "check_same_run",
    "contrastive_stage",
    "end_to_end",
    "fit",
    "gather_rows",
    "is_first",
    "latest_checkpoint",
    "launcher",
    "linear_probe",
    "load_checkpoint",
    "parameter_groups",
    "predict",
    "previous_checkpoint",
    "process_group",
    "same_everywhere",
    "save_checkpoint",
    "seeded",
    "this_share",
]
