"""Killed, torn, foreign, changed, full: what a run does with its checkpoints when something went wrong."""

import errno
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl.data import digit_scenes, make_loader, scene_augmentation
from probmcl.loss import AsymmetricLoss, LossParts, ProbMCLLoss, SupConLoss
from probmcl.train import TrainingSettings, end_to_end, fit, linear_probe, load_checkpoint
from probmcl.train.batches import Batches

SETTINGS = TrainingSettings(epochs=2, batch_size=4, learning_rate=0.05)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are of POSIX systems")
def test_a_run_killed_at_any_moment_ends_with_the_same_weights_bit_by_bit(tmp_path: Path) -> None:
    program = Path(__file__).with_name("killed_training.py")
    ran = subprocess.run(
        [sys.executable, "-W", "error", program, tmp_path, "5", "0"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    kills = json.loads(ran.stdout)
    assert len(kills) == 5
    for kill in kills:
        assert kill["killed"], kill
        assert kill["same"], kill
        assert kill["files"] == ["last.previous.pt", "last.pt"], kill
    assert any(kill["killed again"] for kill in kills)
    assert any(kill["fewer steps"] for kill in kills)  # otherwise nothing was resumed


def step(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
    inputs, targets = batch
    loss = (model(inputs) - targets).pow(2).mean()
    return LossParts(loss, {"square": loss.detach()})


def train(path: Path, **changed: Any) -> Tensor:
    """Train a small model with a checkpoint at ``path``; its weights."""
    torch.manual_seed(1)
    model = nn.Linear(3, changed.pop("outputs", 2))
    generator = torch.Generator().manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.randn(16, 3, generator=generator), torch.zeros(16, 1))
    loader = torch.utils.data.DataLoader(data, 4, shuffle=True, generator=generator)
    settings = replace(SETTINGS, **changed.pop("settings", {}))
    arguments = {"step": step, "seed": 0, "checkpoint": path, "checkpoint_steps": 3, **changed}
    fit(model, loader=loader, settings=settings, **arguments)
    return model.weight.detach()


class PowerCutError(Exception):
    pass


def stopping_after(steps: int) -> Any:
    """A step that fails after some steps."""
    left = iter(range(steps))

    def stopping(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
        if next(left, None) is None:
            raise PowerCutError
        return step(model, batch)

    return stopping


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """Checkpoints after steps 3 and 4 of the first epoch and 3 of the second; the last two are kept."""
    path = tmp_path / "last.pt"
    with pytest.raises(PowerCutError):
        train(path, step=stopping_after(7))
    return path


def cut(content: bytes, seed: int) -> bytes:
    return content[: random.Random(seed).randrange(len(content))]


def two_bytes_changed(content: bytes, seed: int) -> bytes:
    """Other weights, which torch reads without a word."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        weights = parts.read("archive/data/0")
    first, changed = content.index(weights), bytearray(content)
    for place in random.Random(seed).sample(range(len(weights)), 2):
        changed[first + place] ^= 1
    return bytes(changed)


@pytest.mark.parametrize("damage", [cut, two_bytes_changed])
@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(interrupted, damage: Any, seed: int) -> None:
    previous = interrupted.with_name("last.previous.pt")
    whole = previous.read_bytes()
    interrupted.write_bytes(damage(interrupted.read_bytes(), seed))
    with pytest.raises(PowerCutError), pytest.warns(match=r"last\.pt is torn.*from .*last\.previous\.pt"):
        train(interrupted, step=stopping_after(3))  # saves once: that pushes nothing whole out
    assert previous.read_bytes() == whole
    assert torch.equal(train(interrupted), train(interrupted.with_name("whole.pt")))
    for path in (interrupted, previous):
        path.write_bytes(damage(path.read_bytes(), seed))
    with pytest.raises(ValueError, match=r"last\.previous\.pt is torn"):
        train(interrupted)


@pytest.mark.parametrize("kind", ["loss", "weights"])
@pytest.mark.parametrize("bad", [5, 7])  # the next step is saved; an epoch ends
def test_what_is_not_finite_is_not_saved_and_the_same_call_goes_on(tmp_path, kind: str, bad: int) -> None:
    path, steps = tmp_path / "last.pt", count(0)

    def once(model: nn.Module, batch: tuple[Tensor, Tensor]) -> LossParts:
        found = step(model, batch)
        if next(steps) == bad:
            if kind == "loss":
                return LossParts(found.total * float("nan"), found.parts)
            model.weight.register_hook(lambda gradient: gradient * float("nan"))
        return found

    with pytest.raises(FloatingPointError, match=r"epoch 2 .*last\.pt is of before, the same call goes on"):
        train(path, step=once, checkpoint_steps=2)
    assert all(value.isfinite().all() for value in load_checkpoint(path)["model"].values())
    assert torch.equal(train(path, checkpoint_steps=2), train(tmp_path / "whole.pt"))


def test_a_kill_between_two_renames_loses_nothing(interrupted: Path) -> None:
    assert load_checkpoint(interrupted)["epoch"]["steps"] == 3
    torch.manual_seed(99)  # whatever happened in between
    os.replace(interrupted, interrupted.with_name("last.new.pt"))  # the old one has its new name already
    assert load_checkpoint(interrupted.with_name("last.previous.pt"))["epoch"] is None
    resumed = train(interrupted, step=stopping_after(1))  # as many steps as the newest leaves
    assert torch.equal(resumed, train(interrupted.with_name("whole.pt")))


def test_a_checkpoint_has_one_writer_and_leftovers_of_killed_ones_are_swept(interrupted: Path) -> None:
    left, lock = (interrupted.with_name(name) for name in (".last.new.pt.1.tmp", "last.pt.lock"))
    lock.write_text("process 1 on a machine that lost its power")
    program = "import sys\nfrom probmcl._files import one_writer\n"
    program += "with one_writer(sys.argv[1]): print(flush=True), input()"
    command = [sys.executable, "-c", program, lock]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        left.touch()
        with pytest.raises(BlockingIOError, match=rf"process {other.pid} on .* writes there"):
            train(interrupted)
        assert left.exists()
        other.kill()
    train(interrupted)
    assert sorted(path.name for path in interrupted.parent.iterdir()) == ["last.previous.pt", "last.pt"]


@pytest.mark.parametrize(
    ("criterion", "changed", "message"),
    [
        (None, {"seed": 1}, r"seed: 0 there, 1 here"),
        (None, {"settings": {"learning_rate": 0.1}}, r"settings\.learning_rate: 0\.05 there, 0\.1 here"),
        (None, {"settings": {"epochs": 3}}, r"settings\.epochs: 2 there, 3 here"),
        (None, {"outputs": 5}, r"model\.weight: \[2, 3\] there, \[5, 3\] here; model\.bias: \[2\] .* \[5\] "),
        (
            None,
            {"criterion": nn.BatchNorm1d(2, affine=False)},
            r"criterion\.running_mean: none .* \[2\] here",
        ),
        (None, {"criterion": SupConLoss()}, r"criterion\.name: none there, SupConLoss here"),
        (SupConLoss(), {"criterion": ProbMCLLoss()}, r"criterion\.name: SupConLoss there, ProbMCLLoss here"),
        (SupConLoss(), {"criterion": SupConLoss(temperature=5.0)}, r"criterion\.temperature: 0\.1 .* 5\.0"),
        (
            SupConLoss(),
            {"criterion": SupConLoss("any")},
            r"criterion\.positives\.rule: threshold .* any here",
        ),
    ],
)
def test_a_checkpoint_of_another_run_names_what_differs(criterion, changed, message: str, tmp_path) -> None:
    train(path := tmp_path / "last.pt", criterion=criterion)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=rf"last\.pt is a checkpoint of another run \(.*{message}"):
        train(path, **changed)
    assert path.read_bytes() == before


def test_the_classification_stages_know_their_loss_and_their_data(tmp_path: Path) -> None:
    features, labels = torch.randn(8, 3), torch.eye(2).repeat(4, 1)
    bce = functional.binary_cross_entropy_with_logits

    def probe(features: Tensor, labels: Tensor, criterion: Any) -> None:
        linear_probe(features, labels, criterion, SETTINGS, seed=0, checkpoint=tmp_path / "probe.pt")

    def joint(criterion: Any) -> None:
        batches, path = [(features, labels)], tmp_path / "joint.pt"
        end_to_end(nn.Linear(3, 2), batches, criterion, SETTINGS, seed=0, checkpoint=path)

    probe(features, labels, bce)
    probe(features, labels, bce)
    with pytest.raises(ValueError, match=r"\(features: sha256:\w+ there, sha256:\w+ here\)"):
        probe(features + 1, labels, bce)
    with pytest.raises(ValueError, match=r"\(labels: sha256"):
        probe(features, 1 - labels, bce)
    joint(bce)
    for stage in (joint, lambda criterion: probe(features, labels, criterion)):
        with pytest.raises(ValueError, match=r"binary_cross_entropy_with_logits there, AsymmetricLoss here"):
            stage(AsymmetricLoss())


def test_a_foreign_file_is_an_error_and_stays_as_it_is(interrupted: Path) -> None:
    torch.save({"weights": torch.zeros(2)}, interrupted)
    before = interrupted.read_bytes()
    with pytest.raises(ValueError, match=r"last\.pt is not a checkpoint of this package"):
        train(interrupted)
    assert interrupted.read_bytes() == before
    with pytest.raises(FileNotFoundError):
        load_checkpoint(interrupted.with_name("absent.pt"))


def test_a_full_disk_is_named_and_the_checkpoint_before_it_stays(interrupted: Path, monkeypatch) -> None:
    files = {path.name: path.read_bytes() for path in interrupted.parent.iterdir()}

    class FullDisk(io.BytesIO):
        def write(self, content: bytes) -> int:
            if self.tell() > 1500:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(content)

    monkeypatch.setattr("probmcl.train.checkpoint.whole_file", lambda path: FullDisk())
    with pytest.raises(OSError, match=r"No space left on device"):
        train(interrupted)
    assert {path.name: path.read_bytes() for path in interrupted.parent.iterdir()} == files


def test_going_on_does_not_make_the_views_of_batches_already_seen() -> None:
    made, augment = [], scene_augmentation()
    scenes, view = digit_scenes("train", 20), lambda images: made.append(len(images)) or augment(images)
    batches = Batches(make_loader(scenes, view, 4, shuffle=True, seed=0), torch.device("cpu"))
    whole = list(batches.epoch())
    made.clear()
    rest = list(batches.epoch_from(3))
    assert made == [4, 4]
    assert all(map(torch.equal, chain(*rest), chain(*whole[3:])))
