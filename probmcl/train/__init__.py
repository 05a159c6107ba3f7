"""Numbers become weights.

Every training function takes its arguments in one order: the modules to train, the data, the loss, the
settings; then by name ``seed``, ``watch`` and what :func:`fit` describes: ``device``, ``checkpoint``,
``checkpoint_steps`` and ``progress``. What the user froze stays as it was.
"""

from probmcl.data.seeded import seeded
from probmcl.train.checkpoint import check_same_run, latest_checkpoint, load_checkpoint, save_checkpoint
from probmcl.train.classification_stage import Criterion, end_to_end, linear_probe
from probmcl.train.contrastive_stage import contrastive_stage
from probmcl.train.distributed import broadcast, is_first, process_group, this_share
from probmcl.train.gathering import AcrossRanks, gather_rows
from probmcl.train.history import EpochLog, History
from probmcl.train.loop import Options, Watch, fit, parameter_groups
from probmcl.train.predict import predict
from probmcl.train.settings import TrainingSettings
from probmcl.train.stages import TwoStages, device_loader, probe_encoder, two_stages

__all__ = [
    "AcrossRanks", "Criterion", "EpochLog", "History", "Options", "TrainingSettings", "TwoStages",
    "Watch", "broadcast", "check_same_run", "contrastive_stage", "device_loader", "end_to_end", "fit",
    "gather_rows", "is_first", "latest_checkpoint", "linear_probe", "load_checkpoint", "parameter_groups",
    "predict", "probe_encoder", "process_group", "save_checkpoint", "seeded", "this_share", "two_stages",
]  # fmt: skip
