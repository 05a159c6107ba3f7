"""Keys of finished runs: images, settings and seeds decide them; prose no longer does."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from probmcl_book.records import Row, load_result
from probmcl_book.records.provenance import provenance
from probmcl_book.replicate import Finished, Recipe, RunFolder, digits_recipe, run_key
from probmcl_book.replicate.folder import start_key
from probmcl_book.replicate.tensor_file import OLDER, OLDER_TENSORS, _digest

# Digests of the keys of all recipes in a record. But for MIRFLICKR, they are as old as keys are. A record of
# another plan has another digest; one of the same plan never has.
RECORDED = json.loads(Path(__file__).with_name("keys.json").read_text("utf-8"))
FEATURES = load_result("mirflickr14_features")
RECIPE = Recipe.from_dict(FEATURES.recipe)
IMAGES = FEATURES.data.checksum
OLD_KEY = "ac07e898b84263139fc2"  # of RECIPE on IMAGES with seed 0, when its prose was part of the key


def plain_recipes(tree: Any) -> Iterator[dict[str, Any]]:
    """The recipes in a record's, be it one, a study's or one among other settings."""
    if isinstance(tree, dict) and "methods" in tree:
        yield tree
    elif isinstance(tree, dict | list):
        for entry in tree.values() if isinstance(tree, dict) else tree:
            yield from plain_recipes(entry)


def find(folder: RunFolder, key: str) -> Finished | None:
    return folder.find(key, whole=False)


def finished(folder: RunFolder) -> Finished:
    scores = torch.arange(6.0).reshape(3, 2)
    row, linear = Row("All", 0, {}, seconds=1.0, image_views=6), {"weight": scores, "bias": scores[0]}
    about = (RECIPE, 0, FEATURES.data, ("sea", "sky"), False, row)
    run = Finished(*about, scores, scores, scores[0], linear, *provenance(), seconds=1.0)
    folder.keep(run, "All")
    return run


def write_old(folder: Path, change: Callable[[dict[str, Any]], None] = lambda about: None) -> Path:
    """A run as studies wrote it when its prose was part of the key: flat, and with the key inside."""
    folder.mkdir(parents=True)
    path, scores = folder / f"all-seed-0-{OLD_KEY}.safetensors", torch.arange(6.0).reshape(3, 2)
    tensors = dict(zip(OLDER_TENSORS, (scores, scores + 1, scores + 2, scores[0] + 3), strict=True))
    code, hardware = map(asdict, provenance())
    row = asdict(Row("All", 0, {}, seconds=1.0, image_views=6))
    about = {"seed": 0, "data": IMAGES, "tuning": False, "seconds": 1.0, "key": OLD_KEY, "row": row}
    about |= {"code": code, "hardware": hardware, "recipe": RECIPE.to_dict()}
    about["recipe"]["data"] |= about["recipe"]["data"].pop("origin")
    change(about)
    text = json.dumps(about)
    header = {"format": OLDER, "run": text, "digest": _digest(text, tensors, OLDER_TENSORS)}
    path.write_bytes(save(tensors, header))
    return path


@pytest.mark.parametrize("name", RECORDED)
def test_the_keys_of_recorded_runs_stay(name: str) -> None:
    record = load_result(name)
    recipes = map(Recipe.from_dict, plain_recipes(record.recipe))
    runs = [(recipe, *run) for recipe in recipes for run in ((0, False), (1, True))]
    keys = [run_key(recipe, seed, record.data.checksum, tuning=tuning) for recipe, seed, tuning in runs]
    assert hashlib.sha256("\n".join(keys).encode()).hexdigest()[:20] == RECORDED[name]


def kept(plain: Any, again: Any) -> bool:
    """Whether all of a plain form is in another that may hold more: a number of 1 as 1, not as 1.0."""
    if isinstance(plain, dict):
        return all(name in again and kept(value, again[name]) for name, value in plain.items())
    if isinstance(plain, list):
        return len(plain) == len(again) and all(map(kept, plain, again))
    return type(plain) is type(again) and plain == again


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_recipe_is_written_as_it_stands(name: str) -> None:
    for plain in plain_recipes(load_result(name).recipe):
        data = dict(plain["data"])
        if "access" in data:  # in older records the texts stand in the place of the origin
            data = {"kind": data.pop("kind"), "origin": data}
        assert kept({**plain, "data": data}, Recipe.from_dict(plain).to_dict())


def test_a_run_is_found_whatever_words_describe_it(tmp_path) -> None:
    folder = RunFolder(tmp_path / "one")
    run = finished(folder)
    found = find(folder, run.key)
    assert found is not None
    assert (found.data, found.classes, found.row, found.recipe) == (run.data, run.classes, run.row, RECIPE)
    assert torch.equal(found.weight, run.weight)
    assert folder.find(run.key, whole=True) is None  # its networks were not kept
    methods = tuple(replace(method, name=f"{method.name}!") for method in RECIPE.methods)
    origin = replace(RECIPE.data.origin, name="x", split="x", access="x", source="x")
    for same in (
        replace(RECIPE, data=replace(RECIPE.data, origin=origin)),
        replace(RECIPE, name="x", methods=methods),
    ):
        assert same != RECIPE
        assert find(folder, run_key(same, 0, IMAGES)) is not None
    for other in (
        (RECIPE, 0, "sha256:" + "0" * 64),
        (RECIPE, 1, IMAGES),
        (replace(RECIPE, limit=9), 0, IMAGES),
    ):
        assert find(folder, run_key(*other)) is None
    assert find(folder, run_key(RECIPE, 0, IMAGES, tuning=True)) is None


def test_a_start_is_found_whatever_its_recipe_is_named() -> None:
    recipe = digits_recipe()
    renamed = replace(recipe, name="x", methods=(replace(recipe.methods[0], name="x"),))
    assert start_key(renamed, 0) == start_key(recipe, 0) != start_key(recipe, 1)


@pytest.mark.parametrize("place", ["one", "beside"])
def test_a_run_that_was_finished_under_an_old_key_is_found(tmp_path, place: str) -> None:
    folder, key = RunFolder(tmp_path / "one"), run_key(RECIPE, 0, IMAGES)
    assert key != OLD_KEY
    path = write_old(tmp_path / place)
    found = find(folder, key)
    assert found is not None
    assert (found.recipe, found.key) == (RECIPE, key)
    scores = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(found.test_scores, scores + 1)
    assert torch.equal(found.weight, scores + 2)
    assert find(folder, run_key(RECIPE, 1, IMAGES)) is None
    with pytest.raises(ValueError, match=f"{path.name} holds another run than its name says"):
        find(folder, OLD_KEY)


def test_a_file_of_another_version_is_passed_over(tmp_path) -> None:
    write_old(tmp_path / "one", lambda about: about["recipe"].update(surprise=1))
    assert find(RunFolder(tmp_path / "one"), run_key(RECIPE, 0, IMAGES)) is None


@pytest.mark.parametrize(("last", "message"), [(b"", "is torn"), (b"1234", "is damaged")])
def test_a_damaged_file_under_an_old_key_is_named(tmp_path, last: bytes, message: str) -> None:
    path = write_old(tmp_path / "one")
    path.write_bytes(path.read_bytes()[:-4] + last)
    with pytest.raises(ValueError, match=f"{path.name} {message}"):
        find(RunFolder(tmp_path / "one"), run_key(RECIPE, 0, IMAGES))
