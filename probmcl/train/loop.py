"""The one training loop: contrastive stage, linear probe and baselines all run through it."""

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, TypedDict

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from tqdm import tqdm

from probmcl import _check
from probmcl._modes import evaluating, training
from probmcl.data.seeded import seeded
from probmcl.loss import LossParts
from probmcl.train.batches import Batches, Loader, batch_size, checked_loader
from probmcl.train.checkpoint import check_same_run, latest_checkpoint, save_checkpoint, writing
from probmcl.train.distributed import all_reduce_means, broadcast, broadcast_object, replicate, shared_batches
from probmcl.train.history import EpochLog, EpochMeter, History
from probmcl.train.identity import criterion_identity, shapes
from probmcl.train.settings import TrainingSettings, stated

Step = Callable[[nn.Module, Any], LossParts]
"""Turns the model and a batch into a loss."""

Watch = Callable[[nn.Module], float]
"""Scores the model on validation images after an epoch; higher is better."""


class Options(TypedDict, total=False):
    """What every training function hands on to :func:`fit`, where it is described."""

    device: torch.device | str
    checkpoint: str | Path | None
    checkpoint_steps: int | None
    progress: str | None


def fit(
    model: nn.Module,
    loader: Loader,
    step: Step,
    settings: TrainingSettings,
    *,
    seed: int,
    watch: Watch | None = None,
    criterion: Callable[..., Any] | None = None,
    identity: Mapping[str, str] | None = None,
    device: torch.device | str = "cpu",
    checkpoint: str | Path | None = None,
    checkpoint_steps: int | None = None,
    progress: str | None = None,
) -> History:
    """Train ``model`` in place, to the weights of the best watched epoch, and return the history.

    What the user froze stays as it was: parameters that need no gradient; whole parts of such parameters,
    with their running statistics and without their dropout; and single layers that are in evaluation mode
    while the module around them is not. Afterwards every module is in the mode that it had before.

    Over several ranks, rank 0's watched metric decides for all, losses in the history are those of the joined
    batches, and rank 0 alone writes and reads the checkpoint. (From three ranks on, an interrupted run may
    differ in the last bits: the order of sums over ranks changes after a process's first step.)

    Args:
        model: the module to train; it is moved to ``device``.
        loader: the batches of an epoch. If it gives each rank its share of them, the ranks train one model.
        step: computes the loss of a batch.
        settings: optimiser, schedule and precision.
        seed: seeds everything random in the loop. The same seed on the same CPU, with a loader made anew,
            gives the same weights, bit by bit; the shuffle of a loader that was used before has moved on.
        watch: validation metric after every epoch, of the model in evaluation mode; without one the last
            epoch is kept. With a moving average of the weights, it is the average that is watched and kept.
        criterion: the loss inside ``step``, by which a checkpoint knows its run: a function's name, or a
            module's class and public settings. A module is moved to ``device``; checkpoints hold its buffers.
        identity: what else a checkpoint knows its run by, such as the checksum of the training data.
        device: where to train.
        checkpoint: a file written after every epoch; if it exists, training goes on from it, and on the same
            CPU ends with the weights of a run that was never interrupted, bit by bit. The one before it is
            kept beside it, and serves if the newest is damaged.
        checkpoint_steps: write it after every so many steps of an epoch as well. Going on in the middle of an
            epoch skips the batches it has seen; a loader of ``make_loader`` does so without their images.
        progress: text beside a progress bar; None for no bar.

    Raises:
        ValueError: if the loader has no batch or another batch size than the settings, all of the model is
            frozen, the criterion has weights to train, the loss is no scalar, ``watch`` gives NaN, or the
            checkpoint is torn, foreign or of another run; the message says what differs.
        FloatingPointError: if loss or weights are not finite where a checkpoint or an epoch would end; the
            checkpoint is then the last finite one.
        BlockingIOError: if another process writes the checkpoint.
    """
    _check_training(model, loader, settings)
    for name, function in {"step": step, "watch": watch, "criterion": criterion}.items():
        if function is not None or name == "step":
            _check.function(name, function)
    if checkpoint is not None:
        checkpoint = _check.path("checkpoint", checkpoint)
    if checkpoint_steps is not None:
        _check.count("checkpoint_steps", checkpoint_steps)
    device = _check.device(device)
    model.to(device).to(memory_format=torch.channels_last)  # filters and images: convolutions prefer it
    run = _Run(model, loader, settings, device)
    if isinstance(criterion, nn.Module):
        if any(weight.requires_grad for weight in criterion.parameters()):
            kind = type(criterion).__name__  # the optimiser has the model's weights alone
            raise ValueError(f"criterion: expected one without weights to train, got {kind} with some")
        run.criterion = criterion.to(device)
    with seeded(seed), training(model), writing(checkpoint):
        if checkpoint is not None:
            loss = {} if criterion is None else criterion_identity(criterion)
            run.checkpoint_to(checkpoint, checkpoint_steps, seed=seed, criterion=loss, **(identity or {}))
        for epoch in range(len(run.history.epochs) + 1, settings.epochs + 1):
            run.keep(run.epoch(epoch, step, watch, progress))
            run.save()
    model.load_state_dict(run.best)
    return run.history


def _check_training(model: nn.Module, loader: Loader, settings: TrainingSettings) -> None:
    """Raise unless there is something to train, with batches of the right size."""
    _check.instance("settings", settings, TrainingSettings)
    if batch_size(checked_loader(loader)) not in (None, settings.batch_size):
        expected = f"the batch size of the loader ({batch_size(loader)})"
        raise ValueError(f"settings.batch_size: expected {expected}, got {settings.batch_size}")
    if not any(weight.requires_grad for weight in _check.instance("model", model, nn.Module).parameters()):
        raise ValueError("model: expected at least one weight to train, got none that needs a gradient")


class _Run:
    """The moving parts of a training run, so that they can be saved and loaded together."""

    def __init__(
        self, model: nn.Module, loader: Loader, settings: TrainingSettings, device: torch.device
    ) -> None:
        self.model, self.settings, self.device = model, settings, device
        self.batches, shared = Batches(loader, device), shared_batches(loader)
        self.ranks = 1 if shared is None else shared.share.ranks
        self.replica = model if shared is None else replicate(model, device)  # what a step calls
        kind = torch.optim.Adam if settings.optimiser == "adam" else torch.optim.AdamW
        self.optimiser = kind(parameter_groups(model, settings.weight_decay), lr=1e-8)
        self.schedule = _one_cycle(self.optimiser, settings, steps=len(loader) * settings.epochs)
        self.arithmetic = settings.arithmetic(device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.arithmetic == "float16")
        decay = settings.ema_decay
        self.ema = None if decay is None else ModelEmaV3(model, decay, use_warmup=settings.ema_warmup)
        self.history = History()
        self.best: dict[str, Tensor] = deepcopy(model.state_dict())
        self.meter: EpochMeter | None = None  # of the epoch in work
        self.criterion: nn.Module | None = None
        self.checkpoint: Path | None = None
        self.checkpoint_steps: int | None = None
        self.identity: dict[str, Any] = {}

    @property
    def kept_model(self) -> nn.Module:
        """The weights that are watched and kept: the moving average if there is one."""
        return self.model if self.ema is None else self.ema.module

    def epoch(self, number: int, step: Step, watch: Watch | None, progress: str | None) -> EpochLog:
        """Train for one epoch, or for the rest of one, and score it."""
        interrupted = self.meter is not None
        meter = self.meter = self.meter or EpochMeter()
        batches = self.batches.epoch_from(meter.steps) if interrupted else self.batches.epoch()
        title = f"{progress} {number}/{self.settings.epochs}, {self.arithmetic}"
        shown: dict[str, Any] = {"initial": meter.steps, "disable": progress is None, "leave": False}
        bar = tqdm(meter.waiting(batches), title, len(self.batches.loader), **shown)
        for batch in bar:
            parts = self.step(step, batch)
            meter.add(parts, views=sum(map(len, tree_leaves(batch[0]))))
            if meter.steps % 10 == 0 and not bar.disable:
                losses = {name: f"{value.item():.3f}" for name, value in parts.parts.items()}
                speed = {"views/s": f"{meter.views / meter.seconds:,.0f}"}
                bar.set_postfix(losses | speed | {"waiting for data": f"{meter.waited / meter.seconds:.0%}"})
            if self.checkpoint_steps is not None and meter.steps % self.checkpoint_steps == 0:
                self.save()
        log = self.log(number, meter, watch)
        self.meter = None
        return log

    def log(self, number: int, meter: EpochMeter, watch: Watch | None) -> EpochLog:
        """Close an epoch."""
        if self.ranks > 1:
            self.join(meter)
            broadcast(self.model, self.kept_model)
        loss = self.finite_loss(meter)  # reading waits for the device, so the clock below is honest
        seconds = meter.seconds
        with evaluating(self.kept_model):
            watched = None if watch is None else float(watch(self.kept_model))  # NumPy's is not plain
        watched = broadcast_object(watched) if self.ranks > 1 else watched
        if watched is not None and math.isnan(watched):  # no later epoch would be better
            raise ValueError(f"watch: expected a number after epoch {number}, got NaN")
        parts, diagnostics = meter.read("parts"), meter.read("diagnostics")
        learning_rate = float(self.schedule.get_last_lr()[0])
        speed, data_share = meter.views * self.ranks / seconds, meter.waited / seconds
        return EpochLog(number, loss, parts, diagnostics, learning_rate, seconds, speed, data_share, watched)

    def finite_loss(self, meter: EpochMeter) -> float:
        """The mean loss of the epoch so far; an error before anything that is not finite is kept."""
        loss = meter.read("loss")[""]
        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        if math.isfinite(loss) and all(weight.isfinite().all() for weight in weights):
            return loss
        what = "left NaN in weights," if math.isfinite(loss) else "is"
        said = f"the loss of epoch {len(self.history.epochs) + 1} {what} {loss} after {meter.steps} steps"
        if self.checkpoint is not None and self.checkpoint.exists():
            said += f"; {self.checkpoint} is of before, the same call goes on there"
        raise FloatingPointError(f"{said}; its parts: {meter.read('parts')}")

    def join(self, meter: EpochMeter) -> None:
        """Give every rank the mean over the ranks of what their meters hold."""
        views = torch.tensor(float(meter.views), device=self.device)
        meter.sums = all_reduce_means({**meter.sums, ("views", ""): views})
        meter.views = meter.sums.pop(("views", "")).item()

    def step(self, step: Step, batch: Any) -> LossParts:
        """One step of the optimiser."""
        with self.settings.autocast(self.device):
            parts = _check.instance("step", step(self.replica, to_device(batch, self.device)), LossParts)
        if parts.total.dim():
            shape = tuple(parts.total.shape)
            raise ValueError(f"criterion: expected a mean, which is one number, got a loss of shape {shape}")
        self.optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(parts.total).backward()  # type: ignore[no-untyped-call]
        scale = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.scaler.get_scale() >= scale:  # otherwise the step overflowed in float16 and was left out
            self.schedule.step()
        if self.ema is not None:
            self.ema.update(self.model, step=self.schedule.last_epoch if self.settings.ema_warmup else None)
        return parts

    def keep(self, log: EpochLog) -> None:
        """Log an epoch, and keep its weights if it is the best so far (the last one, if none is watched)."""
        best = [seen.watched for seen in self.history.epochs if seen.watched is not None]
        if log.watched is None or not best or log.watched > max(best):
            self.best = deepcopy(self.kept_model.state_dict())
            self.history.best_epoch = log.epoch
        self.history.epochs.append(log)

    @property
    def _parts(self) -> dict[str, Any]:
        """What has a ``state_dict``."""
        parts: dict[str, Any] = {"model": self.model, "optimiser": self.optimiser, "schedule": self.schedule}
        parts |= {"scaler": self.scaler, "criterion": self.criterion, "ema": self.ema and self.ema.module}
        return {name: part for name, part in parts.items() if part is not None}

    def state(self) -> dict[str, Any]:
        """Everything that the next step depends on."""
        return {name: part.state_dict() for name, part in self._parts.items()} | {
            "best": self.best,
            "history": self.history.state(),
            "epoch": None if self.meter is None else self.meter.state(),
            "begin": self.batches.begin,
            **self.batches.random(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self.best = state["best"]
        self.history = History.from_state(state["history"])
        self.batches.begin = state["begin"]
        self.batches.set_random(state)
        if state["epoch"] is not None:
            self.meter = EpochMeter.from_state(state["epoch"], self.device)

    def checkpoint_to(self, path: Path, every: int | None, **known_by: Any) -> None:
        """Go on from the checkpoint at ``path`` if there is one, and write there from now on."""
        self.checkpoint, self.checkpoint_steps = path, every
        settings, model = stated(self.settings), shapes(self.model)
        self.identity = {**known_by, "steps": len(self.batches.loader), "settings": settings, "model": model}
        if self.device.type == "cuda":
            self.identity["arithmetic"] = self.arithmetic
        saved = latest_checkpoint(path)
        if saved is not None:
            check_same_run(path, saved["run"], self.identity)
            self.load(saved)

    def save(self) -> None:
        """Write a checkpoint, if the run has one."""
        if self.checkpoint is None:
            return
        if self.meter is not None:
            if self.ranks > 1:
                self.join(self.meter)  # all ranks will go on from what rank 0 writes
            self.finite_loss(self.meter)
        save_checkpoint(self.checkpoint, self.state() | {"run": self.identity})


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Trainable parameters in two groups: matrices and filters decay, biases and normalisation do not (M15).

    >>> groups = parameter_groups(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)), 0.1)
    >>> [(len(group["params"]), group["weight_decay"]) for group in groups]
    [(1, 0.1), (3, 0.0)]
    """
    _check.number("weight_decay", weight_decay, low=0.0)
    weights = _check.instance("model", model, nn.Module).parameters()
    trainable = [parameter for parameter in weights if parameter.requires_grad]
    wide, narrow = ([p for p in trainable if (p.dim() > 1) is wanted] for wanted in (True, False))
    return [{"params": wide, "weight_decay": weight_decay}, {"params": narrow, "weight_decay": 0.0}]


def _one_cycle(
    optimiser: torch.optim.Optimizer, settings: TrainingSettings, *, steps: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """The schedule of the settings; a single step is at the peak."""
    # A rise of exactly one step has no length, and PyTorch divides by it.
    rise = 1.5 / steps if math.isclose(settings.warmup * steps, 1) else settings.warmup
    rise, begin = (rise, 25.0) if steps > 1 else (0.75, 1.0)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, settings.learning_rate, total_steps=max(steps, 2), pct_start=rise, div_factor=begin
    )


def watching(watch: Watch | None, part: Callable[[Any], nn.Module]) -> Watch | None:
    """Watch a part of the model, or what is made of it."""
    if watch is None:
        return None
    _check.function("watch", watch)
    return lambda model: watch(part(model))


def to_device(batch: Any, device: torch.device) -> Any:
    """Move the tensors of a nested batch; images come with their channels last."""
    if isinstance(batch, Tensor):
        layout = torch.channels_last if batch.dim() == 4 else torch.preserve_format
        return batch.to(device, non_blocking=True, memory_format=layout)
    if not isinstance(batch, tuple | list) or not batch:
        raise TypeError(f"loader: expected batches of tensors, got {batch!r:.80}")
    return tuple(to_device(part, device) for part in batch)
