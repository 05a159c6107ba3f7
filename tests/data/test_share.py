"""Shares of a batch: together the ranks load what one process loads, each image once."""

import pytest
import torch

from probmcl.data import Share, TwoViews, make_loader, plain_view, scene_augmentation


def shared(dataset, view, ranks, **options):
    arguments = {"shuffle": True, "seed": 0, **options}
    return [make_loader(dataset, view, 6, share=Share(rank, ranks), **arguments) for rank in range(ranks)]


@pytest.mark.parametrize(
    ("ranks", "drop_last", "workers"),
    [(1, False, 0), (2, False, 0), (3, True, 0), (4, False, 0), (4, True, 0), (2, False, 1)],
)
def test_ranks_load_the_batches_of_one_process_in_every_epoch(make_dataset, ranks, drop_last, workers):
    dataset = make_dataset(16)
    options = {"drop_last": drop_last, "workers": workers}
    alone = make_loader(dataset, plain_view(), 6, shuffle=True, seed=0, **options)
    loaders = shared(dataset, plain_view(), ranks, **options)
    for _ in range(2):
        expected = [images for images, _ in alone]
        found = [torch.cat([images for images, _ in step]) for step in zip(*loaders, strict=True)]
        assert len(found) == len(loaders[0]) == len(alone)
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert all(torch.equal(loader.generator.get_state(), alone.generator.get_state()) for loader in loaders)


@pytest.mark.parametrize("workers", [0, 1])
def test_views_differ_between_ranks_and_repeat_under_a_seed(make_dataset, workers):
    dataset = make_dataset(1).subset([0] * 6)  # the same image everywhere
    view = TwoViews(scene_augmentation())
    for _ in range(2):
        first, second = ([b[0][0] for b in loader] for loader in shared(dataset, view, 2, workers=workers))
        again, _ = ([b[0][0] for b in loader] for loader in shared(dataset, view, 2, workers=workers))
        assert torch.equal(torch.cat(first), torch.cat(again))
        assert not torch.equal(torch.cat(first), torch.cat(second))


@pytest.mark.parametrize("images", [5, 13, 14, 18])
def test_evaluation_sees_every_image_once_even_if_a_rank_has_none_of_the_last_batch(make_dataset, images):
    dataset = make_dataset(images)
    loaders = shared(dataset, plain_view(), 4, shuffle=False)
    assert [len(list(loader)) for loader in loaders] == [len(loader) for loader in loaders]
    order = torch.tensor([i for loader in loaders for batch in loader.sampler.batches for i in batch])
    assert torch.equal(order.sort().values, torch.arange(images))
    found = torch.cat([images for loader in loaders for images, _ in loader])
    assert torch.equal(found, plain_view()(dataset.images[order]))


@pytest.mark.parametrize(("images", "options"), [(14, {}), (3, {}), (3, {"shuffle": False})])
def test_a_rank_without_an_image_is_named(make_dataset, images, options):
    with pytest.raises(ValueError, match="share: expected at least one image for each of the 4 ranks"):
        shared(make_dataset(images), plain_view(), 4, **options)
