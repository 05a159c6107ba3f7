import pytest
import torch

from probmcl.evaluate import Interval
from probmcl_book.pages.figures import digits, scale


def test_a_method_has_one_look_in_all_panels_and_the_legend_has_it_once(style, drawn) -> None:
    panels = {
        "letters": {"BCE": [[0.1, 0.2], [0.3, 0.4]], "ASL": [[0.5]]},
        "random": {"ASL": [[0.6]], "ProbMCL": [[0.7]]},
    }
    figure = drawn(digits.curves_by_epoch(panels, name="mAP"))
    left, right = (axes.get_lines() for axes in figure.axes)
    assert [list(line.get_ydata()) for line in left] == [[0.1, 0.2], [0.3, 0.4], [0.5]]
    assert left[0].get_color() == left[1].get_color() != left[2].get_color() == right[0].get_color()
    assert right[1].get_color() == style.accent
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["BCE", "ASL", "ProbMCL"]


def test_intervals_stand_at_their_values_with_a_line_at_the_reference(style, drawn, line) -> None:
    found = {"BCE": Interval(0.8, 0.7, 0.9, 0.95, "t"), "ProbMCL": Interval(0.6, 0.5, 0.7, 0.95, "t")}
    (axes,) = drawn(digits.intervals_by_method(found, reference="BCE")).axes
    assert line(axes, linestyle=":")[0] == [0.8, 0.8]
    looks = {"D": {"color": style.accent}, "o": {"color": style.categorical[0]}}
    assert [line(axes, marker=marker, **look)[0] for marker, look in looks.items()] == [[0.6], [0.8]]
    assert [line(axes, marker="None", **look)[0] for look in looks.values()] == [[0.5, 0.7], [0.7, 0.9]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ProbMCL", "BCE"]


def test_precision_is_drawn_over_frequency(drawn, line) -> None:
    (axes,) = drawn(digits.precision_by_frequency(torch.tensor([0.3, 0.1]), {"A": [0.9, 0.4]})).axes
    assert line(axes, label="A") == (pytest.approx([0.3, 0.1]), pytest.approx([0.9, 0.4]))
    assert [text.get_text() for text in axes.texts] == ["0", "1"]


def test_growth_draws_one_line_a_way(drawn, line) -> None:
    (axes,) = drawn(scale.growth([64, 128], {"dense": [1.0, 4.0], "tiled": [1.0, 2.0]})).axes
    assert line(axes, label="dense") == ([64, 128], [1.0, 4.0])
    assert line(axes, label="tiled") == ([64, 128], [1.0, 2.0])


def test_ratios_leave_out_what_was_not_measured(drawn) -> None:
    kinds = {"faster": [10.0, 0.8], "smaller": [200.0, None]}
    (axes,) = drawn(scale.ratios(["a", "b"], kinds, label="times")).axes
    assert sorted(round(bar.get_width() + bar.get_x(), 6) for bar in axes.patches) == [0.8, 10.0, 200.0]
    assert [text.get_text() for text in axes.texts] == ["10", "0.8", "200"]
