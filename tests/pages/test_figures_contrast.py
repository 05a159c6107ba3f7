import torch
from matplotlib.colors import to_hex

from probmcl.loss import INDICES, positive_set, positive_statistics, positive_weights
from probmcl_book.pages.figures import contrast, positives

LABELS = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]])
NAMES = ["A B", "A", "A", "C"]
ANGLES = torch.tensor([0.0, 30.0, 120.0, 200.0]).deg2rad()
Z = torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1)


def test_nearest_images_marks_the_anchor(drawn) -> None:
    figure = drawn(contrast.nearest_images(torch.zeros(1, 2, 8, 8), [["1", "2"]], torch.zeros(1, 1)))
    assert [axes.get_title("center") for axes in figure.axes] == ["anchor", "overlap 0.00"]


def test_rule_matrices_show_positives_and_the_anchor(drawn) -> None:
    weights = {rule: positive_weights(LABELS, rule) for rule in ("any", "exact")}
    figure = drawn(contrast.rule_matrices(weights, NAMES))
    (image,) = figure.axes[1].get_images()
    cells = torch.as_tensor(image.get_array())
    assert torch.equal(cells, (2 * torch.eye(4) + weights["exact"]).int())


def test_pull_and_push_draws_one_bar_a_row_in_the_order_of_the_cosine(style, drawn) -> None:
    forces = torch.tensor([0.0, -0.5, 0.1, 0.4])
    figure = drawn(contrast.pull_and_push(0.1, Z, torch.tensor([0, 1, 0, 0]), {0.1: forces}))
    bars = figure.axes[1].patches
    assert [round(bar.get_width(), 3) for bar in bars] == [0.4, 0.1, -0.5]  # cosines rise from below
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [style.negative, style.negative, style.positive]


def test_settled_stacks_what_fell_on_one_spot(drawn) -> None:
    z = Z[[0, 0, 2, 2, 0]]
    figure = drawn(contrast.settled({"any": z}, ["A", "A", "AB", "AB", "B"], "AB"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["B\nA", "AB"]
    assert len(figure.axes[0].lines) == 3


def test_indices_against_jaccard_has_a_panel_an_index(drawn) -> None:
    values = torch.tensor([0.0, 0.5, 1.0])
    figure = drawn(positives.indices_against_jaccard(values, dict.fromkeys(INDICES[1:], values)))
    assert [axes.get_title("left") for axes in figure.axes] == list(INDICES[1:])


def test_positive_matrix_counts_the_positives(drawn) -> None:
    figure = drawn(positives.positive_matrix(0.5, {0.5: positive_set(LABELS, threshold=0.5)}, NAMES))
    assert [text.get_text() for text in figure.axes[0].texts] == ["2", "2", "2", "0"]
    assert figure.axes[0].get_title("left") == "1.5 positives per anchor, 1 without any"


def test_a_step_ends_at_its_value(drawn) -> None:
    statistics = positive_statistics(LABELS, [0.5, 1.0])
    figure = drawn(positives.threshold_steps(statistics, statistics))
    (steps,) = figure.axes[0].patches
    values, edges, _ = steps.get_data()
    assert list(edges) == [0, 0.5, 1]  # up to and including 0.5 the pairs with overlap 0.5 count
    assert list(values) == [1.5, 0.5]


def test_alone_by_batch_size_has_a_line_a_threshold(drawn) -> None:
    figure = drawn(positives.alone_by_batch_size([16, 32], {"½": [0.2, 0.1], "1": [0.8, 0.6]}))
    assert [list(line.get_ydata()) for line in figure.axes[0].lines] == [[0.2, 0.1], [0.8, 0.6]]


def test_pull_by_overlap_puts_the_bands_end_to_end(drawn) -> None:
    figure = drawn(positives.pull_by_overlap({"any": [0.2, 0.8]}, ["equal", "less"]))
    assert [(bar.get_x(), bar.get_width()) for bar in figure.axes[0].patches] == [(0, 0.2), (0.2, 0.8)]
