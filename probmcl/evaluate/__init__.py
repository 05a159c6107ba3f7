"""Weights become evidence: metrics, thresholds from validation, intervals, doubt, label order, costs."""

from probmcl.evaluate.bootstrap import (
    Interval,
    bootstrap_interval,
    bootstrap_values,
    jackknife_interval,
    paired_bootstrap_difference,
    percentile_interval,
    seed_interval,
)
from probmcl.evaluate.cost import multiply_adds, parameter_count
from probmcl.evaluate.gradcam import grad_cam
from probmcl.evaluate.matrix_correlation import MantelTest, mantel_test, rank_correlation
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
from probmcl.evaluate.selective import (
    RiskCoverage,
    area_under_risk_coverage,
    best_area,
    risk_coverage,
    shifted_against_clean,
    wrong_labels,
)
from probmcl.evaluate.thresholds import global_threshold_from_validation, thresholds_from_validation
from probmcl.evaluate.topology import LabelTree, co_occurrence_similarity, label_tree, weight_similarity
from probmcl.evaluate.uncertainty import ensemble_uncertainty, label_entropy, mixture_uncertainty

__all__ = [
    "Decisions", "Interval", "LabelTree", "MantelTest", "Metric", "MultiLabelMetrics",
    "RiskCoverage", "area_under_risk_coverage", "auroc", "average_precision", "best_area",
    "bootstrap_interval", "bootstrap_values", "co_occurrence_similarity",
    "ensemble_uncertainty", "global_threshold_from_validation", "grad_cam", "jackknife_interval",
    "label_entropy", "label_tree", "mantel_test", "mean_auroc", "mean_average_precision",
    "mixture_uncertainty", "multilabel_metrics", "multiply_adds", "paired_bootstrap_difference",
    "parameter_count", "percentile_interval", "rank_correlation", "ridge_probe", "risk_coverage",
    "scored_classes", "seed_interval", "shifted_against_clean", "thresholds_from_validation",
    "weight_similarity", "wrong_labels",
]  # fmt: skip
