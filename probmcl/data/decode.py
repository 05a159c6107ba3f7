"""An image file becomes a tensor."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor


def read_image(path: str | Path) -> Tensor:
    """Return an image as RGB, uint8 (3, H, W), turned as its camera noted.

    Args:
        path: The file, in any format that Pillow reads.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no readable image, or has more than 8 bits a channel; the message names the file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("L", (6, 4), 7).save(f"{folder}/a.png")
    ...     read_image(f"{folder}/a.png").shape
    torch.Size([3, 4, 6])
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):  # conversion would cut such values off at 255
                raise ValueError(f"{path}: expected 8 bits a channel, got mode {image.mode}")
            turned = ImageOps.exif_transpose(image)
            pixels: Tensor = pil_to_tensor(turned if turned.mode == "RGB" else turned.convert("RGB"))
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError) as error:  # PIL raises SyntaxError for some broken PNG files
        raise ValueError(f"{path}: expected a readable image, got: {error}") from None
    return pixels
