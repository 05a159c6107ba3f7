"""An image file becomes a tensor."""

from pathlib import Path

from PIL import Image, ImageOps
from torch import Tensor
from torchvision.transforms.v2.functional import pil_to_tensor

FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000"),
    *("PCX", "PNG", "PPM", "SGI", "TGA", "TIFF", "WEBP"),
)


def read_image(path: str | Path) -> Tensor:
    """Return an image as RGB, uint8 (3, H, W), turned as its camera noted.

    What is transparent shows white behind it. Of an animation, the first picture is taken; CMYK is converted
    without its profile; of 16 bits a colour, the upper 8. The file is in one of ``FORMATS``, whatever its
    ending says; others, such as EPS, run programs. What is no readable image, has more pixels than
    ``PIL.Image.MAX_IMAGE_PIXELS`` allows, or is grey with more than 8 bits, is named in a ValueError.
    """
    known = Image.registered_extensions().values()  # AVIF is not in an older Pillow
    try:
        with Image.open(path, formats=[name for name in FORMATS if name in known]) as image:
            if image.mode.startswith(("I", "F")):  # conversion would cut such values off at 255
                raise ValueError(f"its mode is {image.mode}; convert it to 8 bits a channel")
            turned = ImageOps.exif_transpose(image)
            if "A" in turned.getbands() or "transparency" in turned.info:
                seen = turned.convert("RGBA")
                turned = Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen)
            pixels: Tensor = pil_to_tensor(turned if turned.mode == "RGB" else turned.convert("RGB"))
    except Exception as error:  # decoders raise whatever they stumble over
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise ValueError(
            f"{path}: expected a readable image, got: {str(error) or type(error).__name__}"
        ) from None
    return pixels
