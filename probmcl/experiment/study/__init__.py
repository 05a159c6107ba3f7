"""Many runs, planned together: tuned alike, resumable, summed up in one record."""

from probmcl.experiment.study.design import Candidate, Study, Trial, Tuning
from probmcl.experiment.study.differences import OVER_SEEDS
from probmcl.experiment.study.finished import Finished, read_finished, run_key, write_finished
from probmcl.experiment.study.folder import StudyFolder
from probmcl.experiment.study.measures import MEASURES, Measure
from probmcl.experiment.study.reading import (
    difference_of,
    in_group,
    mean_of,
    recorded_runs,
    study_in,
)
from probmcl.experiment.study.runner import Images, Repeat, StudyRuns, repeat_runs, run_study
from probmcl.experiment.study.summary import record_name, summarise

__all__ = [
    "MEASURES",
    "OVER_SEEDS",
    "Candidate",
    "Finished",
    "Images",
    "Measure",
    "Repeat",
    "Study",
    "StudyFolder",
    "StudyRuns",
    "Trial",
    "Tuning",
    "difference_of",
    "in_group",
    "mean_of",
    "read_finished",
    "record_name",
    "recorded_runs",
    "repeat_runs",
    "run_key",
    "run_study",
    "study_in",
    "summarise",
    "write_finished",
]
