"""Kill a small training at seeded moments, start it again, compare the weights; test_resume runs this.

One interpreter imports torch and forks a process for each start. A moment is a step, a validation, or a call
that writes a checkpoint to the disk: the process dies at the beginning of the one whose turn it is.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from probmcl.data import LabelledImages, TwoViews, make_loader, scene_augmentation
from probmcl.loss import CrossBatchQueue, LossParts
from probmcl.train import TrainingSettings, fit

SETTINGS = TrainingSettings(epochs=3, batch_size=8, learning_rate=0.05, ema_decay=0.9)
IMAGES, CHECKPOINT_STEPS = 40, 3  # five steps an epoch: checkpoints in its middle and at its end


class Remembering(nn.Module):
    """A criterion with a queue, on which later losses depend; it fills in the second epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = CrossBatchQueue(60, ["outputs"])

    def forward(self, outputs: Tensor, labels: Tensor) -> LossParts:
        seen = self.queue.outputs.mean(0) if len(self.queue) else 0
        loss = (outputs - labels - 0.1 * seen).pow(2).mean()
        self.queue.add(labels, outputs=outputs)
        return LossParts(loss, {"square": loss.detach()})


class Countdown:
    """Count moments; at the one given, die as a machine dies that loses its power."""

    def __init__(self, last: int | None = None) -> None:
        self.count, self.last = 0, last

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counted


def train(checkpoint: Path, last: int | None, told: Connection) -> None:
    """Train from the checkpoint or the beginning, and tell how many moments there were, and the weights."""
    moments = Countdown(last)
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (IMAGES, 1, 8, 8), generator=generator, dtype=torch.uint8)
    labels = torch.randint(2, (IMAGES, 4), generator=generator)
    data = LabelledImages(images, labels, ["a", "b", "c", "d"])
    loader = make_loader(data, TwoViews(scene_augmentation()), 8, shuffle=True, seed=3)
    torch.manual_seed(2)
    model = nn.Sequential(
        *(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.BatchNorm2d(4).requires_grad_(False)),  # the last: frozen
        *(nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 4)),
    )
    torch.manual_seed(os.getpid())  # whatever happened in between
    criterion = Remembering()

    def step(model: nn.Module, batch: Any) -> LossParts:
        (first, second), labels = batch
        return criterion(model(first + 0.1 * torch.rand_like(first)) + model(second), labels)

    def watch(model: nn.Module) -> float:
        return float(torch.rand(()))  # chance decides which epoch is kept, and must be the same chance

    os.fsync, os.replace, os.fstat = (moments.before(call) for call in (os.fsync, os.replace, os.fstat))
    saved = {"checkpoint": checkpoint, "checkpoint_steps": CHECKPOINT_STEPS}
    watched = {"criterion": criterion, "watch": moments.before(watch)}
    fit(model, loader, moments.before(step), SETTINGS, seed=0, **watched, **saved)
    told.send((moments.count, torch.cat([value.flatten() for value in model.state_dict().values()]).tolist()))


def forked(checkpoint: Path, last: int | None = None) -> tuple[bool, int, list[float]]:
    """Train in a process of its own: whether it was killed; if not, its moments and weights."""
    processes = multiprocessing.get_context("fork")
    heard, told = processes.Pipe(duplex=False)
    child = processes.Process(target=train, args=(checkpoint, last, told))
    child.start()
    child.join()
    killed = child.exitcode == -signal.SIGKILL
    return (killed, 0, []) if killed else (killed, *heard.recv())


def main(folder: Path, kills: int, seed: int) -> None:
    """Print as JSON, for each kill, whether the process died and whether the weights came out the same."""
    torch.set_num_threads(1)
    _, moments, weights = forked(folder / "whole" / "last.pt")
    results = []
    for last in random.Random(seed).sample(range(1, moments + 1), kills):
        checkpoint = folder / f"killed-{last}" / "last.pt"
        killed = forked(checkpoint, last)[0]
        again = forked(checkpoint, 2 + last % 7)[0]  # soon after it went on
        _, rest, finished = forked(checkpoint)
        result = {"moment": last, "killed": killed, "killed again": again, "same": finished == weights}
        result |= {"fewer steps": rest < moments}
        results.append(result | {"files": sorted(path.name for path in checkpoint.parent.iterdir())})
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
