"""ChestMNIST: ChestX-ray14 in small, as MedMNIST packs it. Not for clinical use.

J. Yang et al., "MedMNIST v2", Scientific Data 10:41, 2023. The package ``medmnist`` is not needed: the file
is a plain npz, and its address and MD5 are in ``sources.toml``.

What the labels mean is often misread. There are 14 columns, not 14 classes to choose from: each says whether
the finding was mined from the report, several may be 1, and a row of zeros, more than half of them, says that
none was. ``pleural`` of MedMNIST's list is Pleural_Thickening. The parts are as large as those of CheXNet's
random split by patient (78,468/11,219/22,433), not those of NIH's official one (25,596 films test).
"""

from pathlib import Path

import torch

from probmcl import _check
from probmcl.data.labelled import LabelledImages
from probmcl.data.packed import read_array
from probmcl.data.public.chestxray14 import FINDINGS

PARTS = {"train": "train", "validation": "val", "test": "test"}
PIXELS = ("28", "64", "128", "224")


def chestmnist(root: str | Path, part: str, *, pixels: int = 28) -> LabelledImages:
    """Return one part of ChestMNIST, in memory.

    Args:
        root: The folder that holds ``chestmnist.npz`` (28 pixels) or ``chestmnist_64.npz`` and so on.
        part: ``"train"``, ``"validation"`` or ``"test"``.
        pixels: 28, 64, 128 or 224. The training part of 224 takes 3.9 GB of memory.

    Returns:
        Images uint8 (N, 1, pixels, pixels), labels (N, 14), classes as in ``FINDINGS``.

    Raises:
        FileNotFoundError: If there is no such file; ``sources fetch chestmnist-28`` brings it.
        ValueError: If the file is damaged or holds something else.

    >>> chestmnist("no/such/folder", "test", pixels=64)
    Traceback (most recent call last):
    ...
    FileNotFoundError: [Errno 2] No such file or directory: '...chestmnist_64.npz'
    """
    _check.one_of("part", part, PARTS)
    _check.one_of("pixels", str(pixels), PIXELS)
    path = _check.path("root", root) / ("chestmnist.npz" if pixels == 28 else f"chestmnist_{pixels}.npz")
    keys = [f"{PARTS[part]}_images", f"{PARTS[part]}_labels"]
    images, labels = (read_array(path, key, keys) for key in keys)
    if images.shape[1:] != (pixels, pixels) or labels.shape[1:] != (len(FINDINGS),):
        raise ValueError(
            f"{path}: expected images (N, {pixels}, {pixels}) and labels (N, {len(FINDINGS)}), got "
            f"{images.shape} and {labels.shape}"
        )
    return LabelledImages(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels), FINDINGS)
