"""Weights become evidence: metrics, thresholds from validation, intervals, a cheap probe."""

from probmcl.evaluate.bootstrap import (
    Interval,
    bootstrap_interval,
    paired_bootstrap_difference,
    seed_interval,
)
from probmcl.evaluate.clusters import clustered_mean
from probmcl.evaluate.gradcam import grad_cam
from probmcl.evaluate.localisation import Localisation, localisation
from probmcl.evaluate.metrics import (
    Decisions,
    Metric,
    MultiLabelMetrics,
    auroc,
    average_precision,
    mean_auroc,
    mean_average_precision,
    multilabel_metrics,
    scored_classes,
)
from probmcl.evaluate.probe import ridge_probe
from probmcl.evaluate.thresholds import global_threshold_from_validation, thresholds_from_validation

__all__ = [
    "Decisions",
    "Interval",
    "Localisation",
    "Metric",
    "MultiLabelMetrics",
    "auroc",
    "average_precision",
    "bootstrap_interval",
    "clustered_mean",
    "global_threshold_from_validation",
    "grad_cam",
    "localisation",
    "mean_auroc",
    "mean_average_precision",
    "multilabel_metrics",
    "paired_bootstrap_difference",
    "ridge_probe",
    "scored_classes",
    "seed_interval",
    "thresholds_from_validation",
]
