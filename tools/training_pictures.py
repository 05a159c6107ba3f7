"""Make ``training.js``, how features of test scenes move: ``python tools/training_pictures.py``, minutes.

Three methods train from one start, by the recipe of chapter 10 with a third of its images, seed 0. Every few
steps the first 200 test scenes are looked at. Features lose their length, as in the head, and are put on
two axes, the main ones of a method's last features.
"""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import replace
from typing import Any

import torch
from pictures import in_bits, write
from torch import Tensor, nn
from torch.nn.functional import normalize

from probmcl.data import digit_scenes, plain_view
from probmcl.loss import overlap
from probmcl.model import Encoder
from probmcl.train import contrastive_stage, seeded
from probmcl_book.replicate import digits_recipe, pretrain
from probmcl_book.replicate.parts import contrastive_parts
from probmcl_book.replicate.recipe import Method
from probmcl_book.replicate.recipes.digits import smaller
from probmcl_book.replicate.views import training_loader
from probmcl_book.studies.planned.settings import at_its_best

SEED, EVERY, SCENES = 0, 8, digit_scenes("test", 200)
BASE = smaller(digits_recipe(), images=2000, epochs=8)  # also of letters, before them
*_, SUPCON, FIRST = BASE.methods
CURED = replace(at_its_best(FIRST), name="ProbMCL, cured")
RECIPE = replace(BASE, methods=(SUPCON, FIRST, CURED))
STEPS = SUPCON.training.epochs * (2000 // SUPCON.training.batch_size)
Look = tuple[Tensor, Tensor | None]
"""Features (N, F), and the weights (N, K) of mixtures, where there are any."""


@torch.no_grad()
def look(encoder: nn.Module, head: nn.Module) -> Look:
    """What copies of encoder and head make of the scenes."""
    with torch.autocast("cpu", enabled=False):
        features = encoder.eval()(plain_view()(SCENES.images))
        mixture = head.eval()(features).mixture
    return features, None if mixture is None else mixture.log_weights.exp()


def looks(method: Method, start: Encoder) -> list[Look]:
    """Train the first stage of a method from a copy of ``start``, and look every few steps and at the end."""
    encoder, seen, steps = deepcopy(start), [], itertools.count()
    with seeded(SEED):
        head, criterion = contrastive_parts(method, encoder.feature_dim, len(SCENES.classes))

    def step(module: nn.Module, *_: object) -> None:
        if module.training and next(steps) % EVERY == 0:
            seen.append(look(deepcopy(encoder), deepcopy(head)))

    head.register_forward_hook(step)
    size = method.training.batch_size
    batches = training_loader(RECIPE.splits().train, RECIPE.views, size, seed=SEED, device="cpu")
    contrastive_stage(encoder, head, batches, criterion, method.training, seed=SEED)
    return [*seen, look(encoder, head)]


def described(name: str, seen: list[Look]) -> dict[str, Any]:
    """Places (T, N, 2), mixture weights (T, N, K), and the overlap of five nearest scenes' labels (T,)."""
    features = normalize(torch.stack([one for one, _ in seen]), dim=-1)  # (T, N, F)
    centred = features - features[-1].mean(0)
    axes = torch.linalg.svd(centred[-1], full_matrices=False).Vh[:2]
    axes = axes * axes.sum(1, keepdim=True).sign()  # else their signs would be chance
    found: dict[str, Any] = in_bits(f"{name}.places", (centred @ axes.T).view(1, -1), torch.int16)
    own = normalize(features - features.mean(1, keepdim=True), dim=-1)
    nearest = (own @ own.mT - 3 * torch.eye(len(SCENES))).topk(5).indices  # (T, N, 5)
    shared = overlap(SCENES.labels).expand(len(seen), -1, -1).gather(2, nearest)
    found[f"{name}.overlap"] = shared.mean((1, 2))
    weights = [255 * one for _, one in seen if one is not None]
    return found | ({f"{name}.weights": torch.stack(weights).round().to(torch.uint8)} if weights else {})


def write_looks(all_looks: dict[str, list[Look]]) -> None:
    """Write what was seen of every method."""
    values = {key: value for name, seen in all_looks.items() for key, value in described(name, seen).items()}
    write("training", steps=[*range(0, STEPS, EVERY), STEPS], recipe=RECIPE.to_dict(), **values)


if __name__ == "__main__":
    start = pretrain(RECIPE, seed=SEED)
    names = zip(("supcon", "first", "cured"), RECIPE.methods, strict=True)
    write_looks({name: looks(method, start) for name, method in names})
