"""Keep the features of a recipe's images: ``python tools/feature_views.py RECIPE DIR OUT [--weights FILE]``.

The encoder of the recipe, with its published weights or those of FILE, sees every image in DIR plain, and
the training images ``--views`` times augmented as well, as the recipe augments them. OUT gets ``train.npz``,
``validation.npz`` and ``test.npz`` for ``FeatureData``: features float16 (N, 1 + views, F), the plain one
first; of validation and test images it is the only one.

``mirflickr14-mobilenetv2-128`` gives what ``mirflickr14-features`` trains on, in some
minutes of one core. ``coco18-lite0-128`` with ``--views 4 --bfloat16`` gives what
``coco18-features`` trains on.
"""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from probmcl.data import LabelledFeatures, make_loader, save_npz
from probmcl.data.views import View
from probmcl_book.replicate import RECIPES, pretrain, weights_file
from probmcl_book.replicate.splits import Images

BATCH = 64
CHUNK = 16  # images that the encoder sees at once: on a CPU, what they become stays in its cache


def main(
    name: str,
    folder: Path,
    out: Path,
    *,
    weights: Path | None = None,
    views: int = 8,
    bfloat16: bool = False,
) -> None:
    """Write the three files."""
    recipe = RECIPES[name]()
    if weights is not None:
        recipe = replace(recipe, start=weights_file(weights))
    encoder = pretrain(recipe, seed=0, weights=weights).eval().to(memory_format=torch.channels_last)
    encoder = encoder.bfloat16() if bfloat16 else encoder
    splits = recipe.splits(folder)
    for part, images in (("validation", splits.validation), ("test", splits.test), ("train", splits.train)):
        found = features(encoder, recipe.views.plain(), images, seed=0)
        for pair in range(views // 2 if part == "train" else 0):
            found += features(encoder, recipe.views.two(), images, seed=pair)
        save_npz(
            LabelledFeatures(torch.stack(found, dim=1), images.labels, images.classes), out / f"{part}.npz"
        )
        print(f"{part}: {len(images)} images, {len(found)} views each", flush=True)


@torch.inference_mode()
def features(encoder: nn.Module, view: View, images: Images, *, seed: int) -> list[Tensor]:
    """Return the features of all images, float16 (N, F), for each of the views that ``view`` gives.

    Args:
        encoder: images to features.
        view: one view, or two.
        images: the images.
        seed: seeds the views.
    """
    batches = []
    for seen, _ in tqdm(make_loader(images, view, BATCH, shuffle=False, seed=seed), leave=False):
        each = (seen,) if isinstance(seen, Tensor) else seen
        batches.append([_feature(encoder, part) for part in each])
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def _feature(encoder: nn.Module, images: Tensor) -> Tensor:
    wanted = images.to(next(encoder.parameters()).dtype, memory_format=torch.channels_last)
    return torch.cat([encoder(chunk).half() for chunk in torch.split(wanted, CHUNK)])


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(RECIPES), metavar="RECIPE")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="in place of the published weights")
    parser.add_argument("--views", type=int, default=8, help="augmented views, an even number; 8")
    parser.add_argument("--bfloat16", action="store_true", help="run the encoder in bfloat16")
    main(**vars(parser.parse_args()))
