"""The failure museum: defects that public code has had, as small cases with a wrong and a right number."""

from dataclasses import dataclass

from probmcl import _check
from probmcl_book.pages.museum import exhibits
from probmcl_book.pages.museum.exhibits import Case, Numbers
from probmcl_book.pages.tables import table


@dataclass(frozen=True)
class Exhibit:
    """One defect."""

    title: str  # what went wrong, in a few words
    seen: str  # project and year
    quantity: str  # what the numbers are
    case: Case  # gives the wrong numbers and the right ones
    test: str  # ``path::name`` of the test that keeps the package from it


EXHIBITS = {
    "jaccard": Exhibit("The weight inside the logarithm", "KMCL, 2023",
        "share by which the weight turns the gradient", exhibits.jaccard,
        "tests/loss/test_kmcl.py::TestCorrections::test_the_jaccard_weight_stands_outside_the_logarithm"),
    "coefficient": Exhibit("A coefficient to the power of D", "KMCL, 2023",
        "Bhattacharyya coefficient, D = 128", exhibits.coefficient,
        "tests/loss/test_kmcl.py::TestCorrections"
        "::test_an_isotropic_kernel_written_as_a_diagonal_one_is_the_same"),
    "far positive": Exhibit("The logarithm of a softmax", "MulSupCon, 2024", "loss of a batch, nats",
        exhibits.far_positive, "tests/loss/test_contrastive.py::TestGradients::test_extreme_logits"),
    "lonely anchor": Exhibit("A mean over no positives", "MulSupCon, 2024", "loss of a batch, nats",
        exhibits.lonely_anchor, "tests/loss/test_contrastive.py::test_no_positive_at_all"),
    "lonely anchors": Exhibit("Zeros in the mean", "SupContrast, 2020", "loss of a batch, nats",
        exhibits.lonely_anchors,
        "tests/loss/test_contrastive.py::TestOtherImplementations"
        "::test_supcontrast_and_pytorch_metric_learning_average_differently"),
    "double loop": Exhibit("One pair at a time", "MultiSupContrast, 2022", "operations for 32 rows; for 64",
        exhibits.double_loop,
        "tests/loss/test_overlap.py::TestAgainstOracle::test_two_matrices_of_many_classes"),
    "label-less rows": Exhibit("Nothing divided by nothing", "MultiSupContrast, 2022",
        "Jaccard index of two rows without labels", exhibits.label_less_rows,
        "tests/loss/test_overlap.py::TestAgainstOracle::test_overlap_of_every_pair_of_small_sets"),
    "linear space": Exhibit("Densities multiplied as they are", "a public mixture density network",
        "NLL in nats, D = 32; 64; 128", exhibits.linear_space,
        "tests/loss/test_likelihood.py::test_finite_where_a_density_over_or_underflows"),
    "mixed components": Exhibit("Components mixed across dimensions", "a public mixture density network",
        "NLL in nats, between two components", exhibits.mixed_components,
        "tests/model/test_mixture.py::TestDensity::test_log_prob_agrees_with_oracle"),
    "thresholds": Exhibit("Thresholds from the test images", "MulSupCon, 2024", "CF1 of random scores",
        exhibits.thresholds_from_test,
        "tests/evaluate/test_thresholds.py::test_the_caller_must_say_that_the_data_is_validation"),
    "best epoch": Exhibit("The best epoch on the test images", "KMCL, 2023", "test mAP of the chosen epoch",
        exhibits.best_epoch,
        "tests/replicate/test_run.py::test_the_best_baseline_is_chosen_on_validation_among_the_rivals"),
    "fixed threshold": Exhibit("One threshold for everything", "KMCL, 2023",
        "CF1 of calibrated probabilities", exhibits.fixed_threshold,
        "tests/evaluate/test_thresholds.py::test_each_class_gets_the_highest_threshold_of_the_best_f1"),
    "ties": Exhibit("The order of ties", "ASL, 2021", "average precision of the same rows in two orders",
        exhibits.order_of_ties,
        "tests/evaluate/test_metrics.py::test_tied_scores_are_one_point_whatever_the_order_of_rows"),
    "gradients": Exhibit("Gradients switched back on", "ASL, 2021",
        "gradients are on inside no_grad (1: yes)", exhibits.gradients_back_on,
        "tests/loss/test_asymmetric.py::TestRobustness::test_works_under_no_grad_and_leaves_it_so"),
    "a tenth": Exhibit("A tenth of the data", "KMCL, 2023", "images that a loader gives; classes among them",
        exhibits.a_tenth, "tests/data/test_loader.py::test_shuffling_visits_every_image_once"),
    "GPU": Exhibit("Only with a GPU", "KMCL, 2023", "a batch on the CPU can be computed (1: yes)",
        exhibits.without_a_gpu, "tests/loss/test_devices.py::test_functions_of_logits_and_labels"),
}  # fmt: skip
"""The exhibits by their short names, in the order of the chapter."""


def visit(name: str) -> None:
    """Run one exhibit and show its numbers.

    >>> visit("ladder")
    Traceback (most recent call last):
    ...
    ValueError: name: expected one of jaccard, coefficient, ... got 'ladder'
    """
    exhibit = EXHIBITS[_check.one_of("name", name, EXHIBITS)]
    given, right = exhibit.case()
    file, *_, name_of_test = exhibit.test.split("::")
    table(
        [["the defect", _text(given)], ["the package", _text(right)]],
        ["", exhibit.quantity],
        caption=f"{exhibit.title}. Seen in {exhibit.seen}. Our test: {name_of_test} in {file}.",
    )


def catalogue() -> None:
    """Run all exhibits and show their numbers in one table."""
    rows = []
    for exhibit in EXHIBITS.values():
        given, right = map(_text, exhibit.case())
        rows.append([exhibit.title, exhibit.seen, exhibit.quantity, given, right])
    columns = ["exhibit", "seen in", "quantity", "defect", "package"]
    table(rows, columns, caption="All exhibits, computed on this page.")


def _text(numbers: Numbers) -> str:
    return "; ".join(f"{number:.4g}" if abs(number) < 1000 else f"{number:,.0f}" for number in numbers)
