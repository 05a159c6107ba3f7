"""Figures of chapter 11: they draw in both styles, and draw what they are given."""

from probmcl_book.pages.figures import scale


def test_growth_draws_one_line_a_way(drawn, line) -> None:
    (axes,) = drawn(scale.growth([64, 128], {"dense": [1.0, 4.0], "tiled": [1.0, 2.0]})).axes
    assert line(axes, label="dense") == ([64, 128], [1.0, 4.0])
    assert line(axes, label="tiled") == ([64, 128], [1.0, 2.0])
    assert [label.get_text() for label in axes.get_xticklabels()] == ["64", "128"]


def test_ratios_leave_out_what_was_not_measured(drawn) -> None:
    kinds = {"faster": [10.0, 0.8], "smaller": [200.0, None]}
    (axes,) = drawn(scale.ratios(["a", "b"], kinds, label="times")).axes
    assert sorted(round(bar.get_width() + bar.get_x(), 6) for bar in axes.patches) == [0.8, 10.0, 200.0]
    assert [text.get_text() for text in axes.texts] == ["10", "0.8", "200"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
