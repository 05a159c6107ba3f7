"""Make the data of the pages that show scenes: ``python tools/pictures.py``, seconds.

``scenes.js`` holds the first 200 test scenes, ``weights.js`` the trained run that ships with the book: its
layers in eight bits, with a scale for each row, and its features of the scenes in sixteen.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from probmcl.data import digit_scenes, plain_view
from probmcl_book.replicate import shipped_run

FOLDER = Path(__file__).parents[1] / "book" / "_static" / "playgrounds" / "recorded"


def write(name: str, **values: Any) -> None:
    """Write ``<name>.js``: tensors as bytes, which ``tensors.js`` reads, and plain values."""

    def plain(value: Tensor) -> dict[str, Any]:
        array = np.ascontiguousarray(value.numpy())
        return {"type": str(array.dtype), "shape": array.shape, "bytes": b64encode(array).decode()}

    text = json.dumps(values, indent=0, default=plain)
    script = f"// made by tools/pictures.py\n(window.probmcl ??= {{}}).{name} = {text};\n"
    (FOLDER / f"{name}.js").write_text(script, encoding="utf-8")


def read(name: str) -> dict[str, Any]:
    """Read what :func:`write` wrote."""

    def tensor(value: dict[str, Any]) -> Any:
        if "bytes" not in value:
            return value
        return torch.tensor(np.frombuffer(b64decode(value["bytes"]), value["type"])).view(value["shape"])

    text = (FOLDER / f"{name}.js").read_text(encoding="utf-8").partition(" = ")[2]
    return json.loads(text.rstrip(";\n"), object_hook=tensor)


def in_bits(name: str, values: Tensor, kind: torch.dtype) -> dict[str, Tensor]:
    """Rows as whole numbers of a kind, and the scale of each row that these are multiplied by."""
    scale = values.flatten(1).abs().amax(1) / torch.iinfo(kind).max
    return {
        name: (values.flatten(1) / scale[:, None]).round().to(kind).view(values.shape),
        f"{name}.scale": scale,
    }


@torch.no_grad()
def network(weights: dict[str, Any]) -> nn.ModuleDict:
    """Encoder, head and classifier that ship with the book, with the rounded layers of the page."""
    run = shipped_run().whole()
    parts = nn.ModuleDict({"encoder": run.encoder, "head": run.head, "classifier": run.classifier})
    for name, value in parts.state_dict().items():
        if f"{name}.scale" in weights:
            value.copy_((weights[name].flatten(1) * weights[f"{name}.scale"][:, None]).view_as(value))
    return parts


@torch.no_grad()
def contents() -> dict[str, dict[str, Any]]:
    """What both files hold."""
    scenes, thresholds = digit_scenes("test", 200), shipped_run().thresholds.sigmoid()
    weights: dict[str, Any] = {"thresholds": thresholds, "floor": network({})["head"].sigma_floor}
    for name, value in ((name, value) for name, value in network({}).state_dict().items() if value.dim()):
        weights |= in_bits(name, value, torch.int8) if value.dim() > 1 else {name: value}
    features = network(weights)["encoder"](plain_view()(scenes.images))
    weights |= in_bits("features", features, torch.uint16)
    return {
        "scenes": {"pixels": scenes.images.flatten(1), "labels": scenes.labels.to(torch.uint8)},
        "weights": weights,
    }


if __name__ == "__main__":
    for file, values in contents().items():
        write(file, **values)
