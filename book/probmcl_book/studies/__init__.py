"""Many runs, planned together: tuned alike, resumable, summed up in one record."""

from probmcl_book.studies.design import Candidate, Study, Trial, Tuning
from probmcl_book.studies.doubt_rows import doubt_rows
from probmcl_book.studies.doubts import Doubts, ask
from probmcl_book.studies.looks import Looks, digit_looks, heat_of, looks_record, scene_boxes
from probmcl_book.studies.planned import EVERY_WORLD, PLANNED, STUDIES, WORLDS, World, planned_study
from probmcl_book.studies.reading import difference_of, in_group, mean_of, recorded_runs, study_in
from probmcl_book.studies.runner import StudyRuns, repeat_runs, run_study
from probmcl_book.studies.statistics import LABEL_SOURCES, label_record, read_label_matrix
from probmcl_book.studies.summary import record_name, summarise
from probmcl_book.studies.uncertainty_study import (
    Asked,
    ask_about_shifts,
    run_uncertainty,
    scarcer,
    shifted_scenes,
    uncertainty_recipe,
)

__all__ = [
    "EVERY_WORLD", "LABEL_SOURCES", "PLANNED", "STUDIES", "WORLDS", "Asked", "Candidate", "Doubts", "Looks",
    "Study", "StudyRuns", "Trial", "Tuning", "World", "ask", "ask_about_shifts", "difference_of",
    "digit_looks", "doubt_rows", "heat_of", "in_group", "label_record", "looks_record", "mean_of",
    "planned_study", "read_label_matrix", "record_name", "recorded_runs", "repeat_runs", "run_study",
    "run_uncertainty", "scarcer", "scene_boxes", "shifted_scenes", "study_in", "summarise",
    "uncertainty_recipe",
]  # fmt: skip
