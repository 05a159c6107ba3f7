import pytest
import torch

from probmcl.loss import positive_set, two_view_labels
from probmcl_book.pages.figures.method import example, main, method_overview


def test_the_example_shows_one_pair_of_positives_and_a_stranger() -> None:
    views, labels, mixture = example()
    assert views.shape == (6, 32, 32)
    assert len(mixture) == 6
    positives = positive_set(labels, threshold=0.5)
    assert positives[0, 1]
    assert not torch.equal(labels[0], labels[1])
    assert not positives[2].any()


@pytest.mark.usefixtures("style")
@pytest.mark.parametrize("tall", [False, True])
def test_the_matrix_of_positives_is_the_package_s(tall: bool) -> None:
    views, labels, mixture = example()
    shown = method_overview(views, labels, mixture, tall=tall).axes[-1].get_images()[0].get_array()
    assert torch.equal(torch.as_tensor(shown.data).bool(), positive_set(two_view_labels(labels)[0]))


def test_the_files_of_the_front_page_are_written(tmp_path) -> None:
    main(str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"method-{theme}{shape}.png" for theme in ("light", "dark") for shape in ("", "-tall")}
