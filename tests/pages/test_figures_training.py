"""Figures of chapters 8 and 9: they draw in both styles, for small data, and draw what they are given."""

from collections.abc import Callable

import pytest
import torch
from matplotlib.figure import Figure

from probmcl.train import EpochLog, History
from probmcl_book.pages.figures import classification, training

Draw = Callable[[Figure], Figure]

P = torch.tensor([0.1, 0.5, 0.9])


def history(watched: list[float]) -> History:
    logs = [
        EpochLog(
            i + 1, 2.0, {"contrastive": 2.0 - i}, {"effective_rank": 1.0 + i}, 0.1, 1.0, 100.0, 0.2, value
        )
        for i, value in enumerate(watched)
    ]
    return History(logs, best_epoch=1)


def test_step_times_stacks_the_parts_in_their_order(drawn: Draw) -> None:
    seconds = {"SupCon": {"views": 0.001, "encoder": 0.002}, "ProbMCL": {"views": 0.003, "encoder": 0.004}}
    bars = drawn(training.step_times(seconds)).axes[0].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([1, 3, 2, 4])
    assert [bar.get_x() for bar in bars] == pytest.approx([0, 0, 1, 3])


def test_schedules_draw_rate_and_decay(drawn: Draw) -> None:
    left, right = drawn(training.schedules([0.1, 0.2, 0.0], [0.0, 0.4, 0.5], 0.9)).axes
    assert list(left.lines[0].get_ydata()) == [0.1, 0.2, 0.0]
    assert list(right.lines[0].get_ydata()) == [0.0, 0.4, 0.5]
    assert set(right.lines[1].get_ydata()) == {0.9}


def test_precision_errors_draw_one_named_line_a_format(drawn: Draw) -> None:
    axes = drawn(training.precision_errors([0.1, 1.0], {"a": [1.0, 0.1], "b": [0.1, 0.01]})).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[1:]] == [[1.0, 0.1], [0.1, 0.01]]
    assert {"a", "b"} <= {text.get_text() for text in axes.texts}


@pytest.mark.parametrize("epochs", [1, 3])
def test_stage_logs_put_the_start_at_epoch_zero(drawn: Draw, epochs: int) -> None:
    watched = [0.5, 0.6, 0.7][:epochs]
    loss, rank, metric = drawn(training.stage_logs({"letters": history(watched)}, {"letters": 0.4})).axes
    assert list(metric.lines[0].get_xdata()) == list(range(epochs + 1))
    assert list(metric.lines[0].get_ydata()) == [0.4, *watched]
    assert list(loss.lines[0].get_xdata()) == list(range(1, epochs + 1))
    assert list(rank.lines[0].get_ydata()) == [1.0, 2.0, 3.0][:epochs]


def test_feature_by_mode_draws_every_image_in_every_panel(drawn: Draw) -> None:
    figure = drawn(classification.feature_by_mode(P, {"random": P + 1, "sorted": 2 * P}))
    assert [axes.get_title("left") for axes in figure.axes] == ["random", "sorted"]
    points = figure.axes[1].lines[1]
    assert list(points.get_ydata()) == pytest.approx((2 * P).tolist())


def test_loss_shapes_and_absent_label_draw_value_and_gradient(drawn: Draw) -> None:
    curves = {"cross-entropy": (2 * P, P), "asymmetric": (P, P / 2)}
    left, right = drawn(classification.loss_shapes(P, curves)).axes
    assert list(left.lines[1].get_ydata()) == pytest.approx(P.tolist())
    assert list(right.lines[0].get_ydata()) == pytest.approx(P.tolist())
    frame = drawn(classification.absent_label(4.0, P, {4.0: (P, P / 2)}, (2 * P, P)))
    assert list(frame.axes[1].lines[1].get_ydata()) == pytest.approx((P / 2).tolist())


def test_probability_histograms_draw_each_classifier_with_its_thresholds(drawn: Draw) -> None:
    labels = torch.tensor([[1, 0], [0, 1], [1, 0]])
    probabilities = {"one": torch.rand(3, 2), "two": torch.rand(3, 2)}
    thresholds = {"one": torch.tensor([0.2, 0.3]), "two": torch.tensor([0.6, 0.7])}
    figure = drawn(classification.probability_histograms(probabilities, labels, thresholds))
    ticks = figure.axes[1].lines[1]
    assert list(ticks.get_xdata()) == pytest.approx([0.6, 0.7])
