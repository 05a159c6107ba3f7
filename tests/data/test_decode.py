"""Images as people have them: each is read as it looks, or refused with its file."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from probmcl.data import ImagesOnDisk, TwoViews, make_loader, photo_view, plain_view
from probmcl.data.decode import read_image
from probmcl.data.seeded import Batch
from probmcl.data.views import View


def png(
    folder: Path,
    *chunks: tuple[bytes, bytes],
    width: int = 1,
    kind: tuple[int, int] = (8, 0),  # bits and colours; grey of eight
    row: bytes = b"\0\7",
) -> Path:
    """An image of one row, with chunks between its heading and its pixels."""
    heading = struct.pack(">IIBBBBB", width, 1, *kind, 0, 0, 0)
    parts = [(b"IHDR", heading), *chunks, (b"IDAT", zlib.compress(row))]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in [*parts, (b"IEND", b"")]
    )
    return written(folder, b"\x89PNG\r\n\x1a\n" + body)


def saved(folder: Path, image: Image.Image, name: str = "a.png") -> Path:
    image.save(folder / name)
    return folder / name


def cut(folder: Path) -> Path:
    content = saved(folder, Image.effect_noise((64, 64), 50)).read_bytes()
    return written(folder, content[: len(content) // 2])


def written(folder: Path, content: bytes) -> Path:
    path = folder / "a.png"
    path.write_bytes(content)
    return path


LARGE = zlib.compress(bytes(PngImagePlugin.MAX_TEXT_CHUNK + 1))
BROKEN: dict[str, Callable[[Path], Path]] = {
    "large text": lambda folder: png(folder, (b"zTXt", b"Comment\0\0" + LARGE)),
    "large colour profile": lambda folder: png(folder, (b"iCCP", b"icc\0\0" + LARGE)),
    "bomb": lambda folder: png(folder, width=2**31 - 1),
    "large bomb": lambda folder: png(folder, width=100_000_000),  # a warning, but for these tests
    "wrong heading": lambda folder: png(folder, width=9),
    "sixteen bits": lambda folder: saved(folder, Image.fromarray(np.full((4, 4), 5000, np.uint16))),
    "floats": lambda folder: saved(folder, Image.new("F", (4, 4)), "a.png.tiff").rename(folder / "a.png"),
    "EPS": lambda folder: saved(folder, Image.new("RGB", (4, 4)), "a.eps").rename(folder / "a.png"),
    "32 bits": lambda folder: saved(folder, Image.new("I", (4, 4)), "a.tiff").rename(folder / "a.png"),
    "no pixels": lambda folder: written(folder, b"P6 0 0 255\n"),
    "cut off": cut,
    "nothing": lambda folder: written(folder, b""),
    "text": lambda folder: written(folder, b"<html>Please log in</html>"),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_a_broken_image_is_named(tmp_path, make: Callable[[Path], Path]):
    path = make(tmp_path)
    got = "cannot identify" if path.read_bytes()[:2] == b"%!" else ""  # not even where Ghostscript is
    with pytest.raises(ValueError, match=rf"^{path}: expected a readable image, got: {got}.+$"):
        read_image(path)


def loaded(paths: list[Path], view: View, workers: int) -> Batch:
    dataset = ImagesOnDisk(paths, torch.ones(len(paths), 1), ["a"])
    return next(iter(make_loader(dataset, view, len(paths), shuffle=False, seed=0, workers=workers)))


def test_a_broken_image_is_named_by_a_worker_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=rf"^{tmp_path}/a\.png: expected a readable image, got: .+$"):
        loaded([cut(tmp_path)], plain_view(), workers=1)


WHITE, RED = (255, 255, 255), (255, 0, 0)


@pytest.mark.parametrize(
    ("mode", "colour", "seen"),
    [
        ("1", 1, WHITE),
        ("L", 7, (7, 7, 7)),
        ("RGB", RED, RED),
        ("CMYK", (0, 255, 255, 0), RED),
        ("LA", (7, 255), (7, 7, 7)),
        ("LA", (7, 0), WHITE),
        ("RGBA", (255, 0, 0, 255), RED),
        ("RGBA", (255, 0, 0, 0), WHITE),
        ("RGBA", (0, 0, 255, 0), WHITE),  # as the one before: a hidden colour is none
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),
    ],
)
def test_an_image_is_read_as_it_looks_on_white(tmp_path, mode: str, colour: object, seen: tuple[int, ...]):
    path = saved(tmp_path, Image.new(mode, (6, 4), colour), "a.tiff")  # the ending says nothing
    found = read_image(path.rename(tmp_path / "a.jpg")).permute(1, 2, 0)
    assert found.unique(dim=1).tolist() == [[[*seen]]] * 4


def test_a_transparent_colour_of_a_palette_or_of_grey_is_white(tmp_path):
    palette = Image.new("P", (2, 1))
    palette.putpalette([*RED, 0, 0, 255])
    palette.putpixel((1, 0), 1)
    for name, image, first in (("p", palette, 1), ("grey", Image.new("L", (2, 1), 9), 9)):
        image.save(tmp_path / f"{name}.png", transparency=first)
    assert read_image(tmp_path / "p.png")[:, 0].T.tolist() == [[*RED], [*WHITE]]
    assert read_image(tmp_path / "grey.png")[:, 0].T.tolist() == [[*WHITE]] * 2


def test_of_sixteen_bits_a_colour_the_upper_eight_are_read(tmp_path):
    path = png(tmp_path, kind=(16, 2), row=b"\0" + struct.pack(">HHH", 0x1234, 0x5678, 0x9ABC))
    assert read_image(path)[:, 0, 0].tolist() == [0x12, 0x56, 0x9A]


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.tiff", "a.png"])
def test_of_several_pictures_the_first_is_read(tmp_path, name: str):
    first, other = Image.new("RGB", (4, 3), RED), Image.new("RGB", (4, 3), "blue")
    lossless = {"lossless": True} if name == "a.webp" else {}
    first.save(tmp_path / name, save_all=True, append_images=[other], **lossless)
    assert read_image(tmp_path / name)[:, 0, 0].tolist() == [*RED]


def test_an_image_is_turned_as_its_camera_noted_and_an_unknown_note_is_left(tmp_path):
    for turn, shape in ((6, (3, 4, 3)), (99, (3, 3, 4))):
        exif = Image.Exif()
        exif[0x112] = turn
        Image.new("RGB", (4, 3)).save(tmp_path / "a.jpg", exif=exif)
        assert read_image(tmp_path / "a.jpg").shape == shape


@pytest.mark.parametrize("workers", [0, 1])
def test_images_of_two_sizes_are_named_where_the_view_leaves_them(tmp_path, workers: int):
    paths = [saved(tmp_path, Image.new("L", (width, 4)), f"{width}.png") for width in (6, 5, 9)]
    message = r"^view: .* such as photo_view\(size\) makes, got 6 x 4 pixels of .*6\.png and 5 x 4 .*5\.png$"
    with pytest.raises(ValueError, match=message):
        loaded(paths, [plain_view(), TwoViews(plain_view())][workers], workers)
    assert loaded(paths, photo_view(8), 0)[0].shape == (3, 3, 8, 8)
