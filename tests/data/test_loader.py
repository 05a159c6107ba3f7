import multiprocessing
import os
import signal
from typing import Any

import pytest
import torch
from PIL import Image
from torch.utils._pytree import tree_leaves
from torch.utils.data import DataLoader

from probmcl import data
from probmcl_book.replicate import RECIPES

AUGMENTED = data.TwoViews(data.scene_augmentation())


@pytest.fixture
def folder(tmp_path) -> data.ImageFolderLabels:
    """Six images of different sizes on disk."""
    rows = ["file,dark,bright"]
    for index in range(6):
        Image.new("L", (10 + index, 12), 40 * index).save(tmp_path / f"{index}.png")
        rows.append(f"{index}.png,{int(index < 3)},{int(index >= 3)}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    return data.ImageFolderLabels(tmp_path, tmp_path / "labels.csv")


def same(batches: list[Any], others: list[Any]) -> bool:
    return len(batches) == len(others) and all(map(torch.equal, tree_leaves(batches), tree_leaves(others)))


def test_a_plain_view_gives_one_tensor_in_order(make_dataset):
    dataset = make_dataset(10)
    images, labels = zip(
        *data.make_loader(dataset, data.plain_view(), 4), strict=True
    )  # no seed without shuffle
    assert [len(batch) for batch in images] == [4, 4, 2]
    assert torch.equal(torch.cat(images), data.plain_view()(dataset.images))
    assert torch.equal(torch.cat(labels), dataset.labels.float())
    assert labels[0].dtype == torch.float32


def test_shuffling_visits_every_image_once(make_dataset):
    dataset = make_dataset(16)
    loader = data.make_loader(dataset, data.plain_view(), 5, shuffle=True, seed=0)
    first, second = ([labels for _, labels in loader] for _ in range(2))
    code = 2.0 ** torch.arange(4)  # image n has the bits of n as labels
    assert torch.equal((torch.cat(first) @ code).sort().values, torch.arange(16.0))
    assert not torch.equal(torch.cat(first), torch.cat(second))


def test_a_batch_in_memory_is_augmented_in_one_call(make_dataset):
    calls = []
    list(data.make_loader(make_dataset(10), lambda x: calls.append(x.shape) or x, 5))
    assert calls == [(5, 1, 8, 8)] * 2


def test_a_seed_repeats_whatever_else_draws(make_dataset):
    first = list(data.make_loader(make_dataset(), AUGMENTED, 4, shuffle=True, seed=7))
    (one, other), labels = first[0]
    assert (one.shape, other.shape, labels.shape) == ((4, 1, 8, 8), (4, 1, 8, 8), (4, 4))
    torch.rand(3)
    assert same(first, list(data.make_loader(make_dataset(), AUGMENTED, 4, shuffle=True, seed=7)))
    assert not same(first, list(data.make_loader(make_dataset(), AUGMENTED, 4, shuffle=True, seed=8)))


def test_the_loader_leaves_global_random_numbers_alone(make_dataset, device):
    dataset = make_dataset().to(device)
    states = [torch.get_rng_state(), *torch.cuda.get_rng_state_all()]
    list(data.make_loader(dataset, AUGMENTED, 4, shuffle=True, seed=0))
    for before, after in zip(states, [torch.get_rng_state(), *torch.cuda.get_rng_state_all()], strict=True):
        assert torch.equal(before, after)


def test_the_generators_state_continues_a_run(make_dataset):
    loader = data.make_loader(make_dataset(), AUGMENTED, 4, shuffle=True, seed=0)
    first = list(loader)
    state = loader.generator.get_state()
    second = list(loader)
    assert not same(first, second)
    resumed = data.make_loader(make_dataset(), AUGMENTED, 4, shuffle=True, seed=0)
    resumed.generator.set_state(state)
    assert same(second, list(resumed))


def test_images_on_disk_are_augmented_one_by_one_and_repeat_with_any_number_of_workers(folder):
    def epochs(workers: int) -> list[Any]:
        view = data.TwoViews(data.photo_augmentation(16))
        loader = data.make_loader(folder, view, 2, shuffle=True, seed=1, workers=workers)
        return [*loader, *loader, *loader]

    batches = epochs(0)
    (first, second), labels = batches[0]
    assert first.shape == second.shape == (2, 3, 16, 16)
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert second.is_contiguous(memory_format=torch.channels_last)
    assert (labels.shape, labels.dtype) == ((2, 2), torch.float32)
    assert same(batches, epochs(0))
    assert same(batches, epochs(2))
    assert not same(batches[:3], batches[3:6])
    (views, labels), *_ = data.make_loader(folder, data.photo_view(16), 6)
    assert views.shape == (6, 3, 16, 16)
    assert torch.equal(labels, folder.labels.float())


PHOTOGRAPHS = {recipe().views for recipe in RECIPES.values() if hasattr(recipe().views, "size")}


@pytest.mark.parametrize("views", sorted(PHOTOGRAPHS, key=repr), ids=repr)
def test_photographs_travel_as_bytes_and_are_normalised_where_they_arrive_to_the_same_digits(folder, views):
    for view in (views.two(), views.plain()):
        here, there = (data.make_loader(folder, view, 4, seed=1, device=device) for device in (None, "cpu"))
        assert there.dataset[1, [0]][0][0].dtype == torch.uint8
        assert same(list(there), list(here))


def test_other_views_arrive_as_they_are(make_dataset):
    loaders = (
        data.make_loader(make_dataset(), AUGMENTED, 4, seed=1, device=device) for device in (None, "cpu")
    )
    assert same(*map(list, loaders))


def test_workers_end_with_their_epoch(folder):
    loader = data.make_loader(folder, data.photo_view(8), 2, workers=2)
    for _ in range(2):
        epoch = iter(loader)
        next(epoch)
        assert len(multiprocessing.active_children()) == 2
        assert len(list(epoch)) == 2
        assert not multiprocessing.active_children()


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker")  # on a machine of two cores
@pytest.mark.parametrize(
    ("batches", "ranks", "expected"),
    [(99, 1, (3, 4)), (7, 1, (3, 2)), (7, 2, (3, 1)), (2, 1, (2, 1)), (0, 1, (1, 1))],
)
def test_batches_made_ahead_have_a_budget_of_bytes(folder, monkeypatch, batches, ranks, expected):
    size = 2 * (3 * 8 * 8 + 4 * 2)  # two images of bytes, with labels of float32
    monkeypatch.setattr("probmcl.data.loader.PREFETCH_BYTES", batches * size)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(ranks))
    loader = data.make_loader(folder, data.photo_view(8), 2, workers=3, device="cpu")
    assert (loader.num_workers, loader.prefetch_factor) == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_can_be_skipped_and_the_others_stay_the_same(folder, workers: int):
    def loader() -> data.ViewLoader:
        return data.make_loader(folder, data.two_photo_views(16), 2, shuffle=True, seed=1, workers=workers)

    whole = loader()
    first, second = list(whole), list(whole)
    going_on = loader()
    going_on.skip(2)
    assert len(going_on) == 3
    assert same(list(going_on), first[2:])
    assert same(list(going_on), second)  # the next epoch is whole again


def test_skipped_images_are_not_decoded(folder, monkeypatch):
    read = []
    decode = data.ImageFolderLabels.__getitem__
    monkeypatch.setattr(
        data.ImageFolderLabels, "__getitem__", lambda self, i: read.append(i) or decode(self, i)
    )
    loader = data.make_loader(folder, data.two_photo_views(16), 2, shuffle=True, seed=1)
    loader.skip(2)
    assert len(list(loader)) == 1
    assert len(read) == 2


class Deadly(data.LabelledImages):
    """A data set whose third image ends the process that reads it."""

    paths = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
    __getitems__ = None

    def __getitem__(self, index: int):
        if index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(index)


def test_a_worker_that_dies_names_the_image_it_read(make_dataset):
    images = make_dataset(4)
    dataset = Deadly(images.images, images.labels, images.classes)
    loader = data.make_loader(dataset, data.plain_view(), 1, shuffle=False, seed=0, workers=1)
    with pytest.raises(RuntimeError, match=r"loader: a worker died .*: c\.jpg"):
        list(loader)


@pytest.mark.parametrize("error", [ConnectionResetError("by peer"), EOFError()], ids=repr)
def test_a_worker_whose_death_is_first_felt_as_a_broken_connection_is_missed(
    make_dataset, monkeypatch, error
):
    felt = iter([error, error, RuntimeError("DataLoader worker (pid 7) is killed"), error])

    def fail() -> None:
        raise next(felt)

    monkeypatch.setattr(DataLoader, "__iter__", lambda self: iter(fail, None))
    with pytest.raises(RuntimeError, match=r"loader: a worker died \(DataLoader worker \(pid 7\)"):
        list(data.make_loader(make_dataset(4), data.plain_view(), 1, shuffle=False, seed=0, workers=1))
    with pytest.raises(type(error)):  # in this process no worker can have died
        list(data.make_loader(make_dataset(4), data.plain_view(), 1, shuffle=False, seed=0))


def test_a_sensible_number_of_workers_leaves_a_core_to_a_model_on_the_cpu(folder, make_dataset, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert data.suggested_workers(make_dataset(), "cpu") == 0
    assert data.suggested_workers(folder, "cuda") == 0  # six images are decoded sooner than a process starts
    monkeypatch.setattr("probmcl.data.loader.FEW", 6)
    assert (data.suggested_workers(folder, "cpu"), data.suggested_workers(folder, "cuda")) == (7, 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")  # ranks that share this machine
    assert (data.suggested_workers(folder, "cpu"), data.suggested_workers(folder, "cuda")) == (1, 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    assert (data.suggested_workers(folder, "cpu"), data.suggested_workers(folder, "cuda")) == (1, 1)


def test_drop_last_leaves_out_the_rest(make_dataset):
    loader = data.make_loader(make_dataset(10), data.plain_view(), 4, shuffle=True, seed=0, drop_last=True)
    assert [len(labels) for _, labels in loader] == [4, 4]
    with pytest.raises(ValueError, match="batch_size: expected at most the 10 images"):
        data.make_loader(make_dataset(10), data.plain_view(), 11, shuffle=True, seed=0, drop_last=True)
