"""What ``test_distributed.py`` runs in several processes: ``python work_on_ranks.py RANK FOLDER``.

Starting a process costs seconds of imports, so the same four are one rank of 1, 2, 3 and 4 after each other.
Results go to ``FOLDER/RANK.pt``; those of one process that knows no ranks are under ``"alone"``.
"""

import itertools
import sys
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from probmcl.data import LabelledImages, make_loader
from probmcl.loss import LossParts, MulSupConLoss, ProbMCLLoss, SupConLoss
from probmcl.model import HeadOutput, MixtureDensityHead, ProjectionHead
from probmcl.train import AcrossRanks, TrainingSettings, contrastive_stage, end_to_end, gather_rows, predict
from probmcl.train.distributed import all_reduce, replicate, this_share

WORLDS = (1, 2, 3, 4)
SIZES = {1: (8,), 2: (5, 3), 3: (4, 3, 1), 4: (1, 4, 1, 2)}
"""Images of each rank in the first four batches."""
CRITERIA = {
    "supcon": SupConLoss(empty="drop"),
    "supcon-zero": SupConLoss("weighted", empty="drop", no_positives="zero"),
    "mulsupcon": MulSupConLoss(),
    "probmcl": ProbMCLLoss(empty="drop"),
    "probmcl-moving-target": ProbMCLLoss(empty="match", stop_gradient=False, nll_weight=0.7),
    "probmcl-queue": ProbMCLLoss(queue=20),
}
BATCHES = ("uneven", "rank without positives")
STAGES = ("contrastive", "end to end", "batch norm")
SETTINGS = TrainingSettings(epochs=3, batch_size=6, learning_rate=0.05, ema_decay=0.5)


def batch(kind: str, dtype: torch.dtype) -> tuple[tuple[Tensor, Tensor], Tensor, tuple[int, ...]]:
    """Two views, labels, and how many images each rank has."""
    sizes = SIZES[this_share().ranks]
    generator = torch.Generator().manual_seed(0)
    views = torch.randn(2, 8, 6, generator=generator, dtype=torch.float64).to(dtype)
    labels = (torch.rand(8, 4, generator=generator) < 0.4).float()
    if kind == "rank without positives" and len(sizes) > 1:
        labels[sizes[0] : sizes[0] + sizes[1]] = 0
    return (views[0], views[1]), labels, sizes


def network(kind: str) -> nn.Module:
    """An encoder without batch statistics, and a head."""
    torch.manual_seed(1)
    head = MixtureDensityHead(12, 3, trunk=(16, 8)) if "probmcl" in kind else ProjectionHead(12, (16, 8))
    return nn.Sequential(nn.Linear(6, 12), nn.Tanh(), head)


def loss_and_gradient(criterion: str, kind: str, precision: str) -> dict[str, Tensor]:
    """The loss of this group of ranks, and that of one process on the joined batch."""
    dtype = getattr(torch, precision)
    views, labels, sizes = batch(kind, dtype)
    whole = network(criterion).to(dtype)
    expected = second_score(CRITERIA[criterion], whole(torch.cat(views)), labels)
    expected.total.backward()

    share = this_share()
    first = sum(sizes[: share.rank])
    mine = slice(first, first + sizes[share.rank])
    model = network(criterion).to(dtype)
    replica = replicate(model, torch.device("cpu"))
    output = replica(torch.cat([view[mine] for view in views]))
    found = second_score(AcrossRanks(CRITERIA[criterion]), output, labels[mine])
    found.total.backward()
    contrastive = found.parts["contrastive"]
    return {
        "expected loss": expected.total.detach(),
        "expected part": expected.parts["contrastive"],
        "expected gradient": gradient(whole),
        "loss": all_reduce(found.total) / share.ranks,
        "part": all_reduce(contrastive) / share.ranks,
        "gradient": gradient(model),
    }


def second_score(criterion: nn.Module, output: HeadOutput, labels: Tensor) -> LossParts:
    """A batch scored for the second time: a queue then holds rows of the first."""
    criterion = deepcopy(criterion)
    with torch.no_grad():
        criterion(output, labels)
    return criterion.in_parts(output, labels)


def gradient(model: nn.Module) -> Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def weights(model: nn.Module) -> Tensor:
    return torch.cat([value.detach().flatten().double() for value in model.state_dict().values()])


def images(count: int) -> LabelledImages:
    generator = torch.Generator().manual_seed(2)
    pixels = torch.randint(256, (count, 1, 4, 4), generator=generator, dtype=torch.uint8)
    labels = (torch.rand(count, 3, generator=generator) < 0.5).to(torch.uint8)
    return LabelledImages(pixels, labels, ("a", "b", "c"))


def flipped(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Two views without chance, so that ranks and one process see the same."""
    return pixels / 255, pixels.flip(-1) / 255


class StopError(Exception):
    pass


class Watch:
    """A metric on which the ranks do not agree: rank 0 likes the second epoch best, the others the first."""

    def __init__(self, first: int = 1) -> None:
        scores = [0.1, 0.9, 0.5] if this_share().rank == 0 else [0.9, 0.1, 0.5]
        self.scores = iter(scores[first - 1 :])

    def __call__(self, model: nn.Module) -> float:
        return next(self.scores)


class Cut(ProbMCLLoss):
    """The objective, until the power goes in the middle of the second epoch."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def in_parts(self, *arguments: Any) -> Any:
        if not self._left:
            raise StopError
        self._left -= 1
        return super().in_parts(*arguments)


def train(kind: str, watch: Watch, checkpoint: Path, steps: int = 12) -> dict[str, Any]:
    """A whole stage on 22 images in batches of 6: the last one has 4."""
    share = this_share()
    loader = make_loader(images(22), flipped, 6, shuffle=True, seed=3, share=share)
    torch.manual_seed(4 + share.rank)  # replicas begin with rank 0's weights
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 12))
    if kind == "batch norm":
        encoder.append(nn.BatchNorm1d(12))
    options: Any = {"seed": 0, "watch": watch, "checkpoint": checkpoint}
    if kind == "end to end":
        model = encoder.append(nn.Linear(12, 3))
        bce = functional.binary_cross_entropy_with_logits
        history = end_to_end(model, loader, bce, SETTINGS, **options)
    else:
        head = MixtureDensityHead(12, 3, trunk=(16, 8))
        history = contrastive_stage(
            encoder, head, loader, Cut(steps), SETTINGS, checkpoint_steps=2, **options
        )
        model = nn.Sequential(encoder, head)
    return {
        "weights": weights(model),
        "losses": history.curve("loss"),
        "watched": history.curve("watched"),
        "best epoch": history.best_epoch,
        "wrote": checkpoint.exists(),
    }


def predictions() -> tuple[Tensor, Tensor]:
    """11 images in batches of 4: of the last three, one of four ranks has none."""
    torch.manual_seed(5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    loader = make_loader(
        images(11), lambda pixels: pixels / 255, 4, shuffle=False, seed=0, share=this_share()
    )
    outputs, labels = predict(model, loader)
    return outputs.detach(), labels


def work(folder: Path) -> dict[Any, Any]:
    """Everything that one rank, or one process alone, has to show."""
    share = this_share()
    alone = "" if dist.is_initialized() else " alone"
    results: dict[Any, Any] = {"predictions": predictions()}
    for kind in STAGES:
        own_file = folder / f"{kind} {share.rank} of {share.ranks}{alone}.pt"
        results[kind] = train(kind, Watch(), own_file)
    common_file = folder / f"resumed, {share.ranks} ranks{alone}.pt"
    with suppress(StopError):
        train("contrastive", Watch(), common_file, steps=7)  # the last file is of step 6, in the second epoch
    results["resumed"] = train("contrastive", Watch(first=2), common_file)
    if dist.is_initialized():  # ranks of a group
        rows, flags = torch.ones(2, 3), torch.ones(2, 1, dtype=torch.bool)
        results["kinds"] = [joined.dtype for joined in gather_rows([rows, flags])[0]]
        for case in itertools.product(CRITERIA, BATCHES, ("float64", "float32")):
            results[case] = loss_and_gradient(*case)
    return results


def main(rank: int, folder: Path) -> None:
    results: dict[Any, Any] = {"alone": work(folder)} if rank == 0 else {}
    for ranks in WORLDS:
        if rank < ranks:
            meeting = dist.FileStore(str(folder / f"meeting-of-{ranks}"), ranks)
            dist.init_process_group("gloo", store=meeting, rank=rank, world_size=ranks)
            results[ranks] = work(folder)
            dist.barrier()  # nobody leaves while another still reads
            dist.destroy_process_group()
    torch.save(results, folder / f"{rank}.pt")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
