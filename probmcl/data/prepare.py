"""A folder of photographs is made small once, so that training does not do it again every epoch."""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from PIL import Image
from torch import Tensor
from tqdm import tqdm
from tqdm.contrib.concurrent import thread_map

from probmcl import _check
from probmcl._files import bytes_of, sync_folder, whole_file
from probmcl.data.decode import read_image
from probmcl.data.loader import available_cores
from probmcl.data.packed import ImageFolderLabels
from probmcl.data.views import squish

QUALITY = 95  # of JPEG, with colours in full resolution: less than one grey level from the image, on average
TABLE = "labels.csv"
SETTINGS = "settings.json"


def prepare_images(
    images: str | Path, labels: str | Path, out: str | Path, *, size: int, progress: bool = False
) -> ImageFolderLabels:
    r"""Write squished copies of the images of a table, with a table of the same labels.

    The copies are JPEG files: a few per cent more work for the loader than raw pixels, at an eighth of their
    size. While they are made they stand in ``<out>.part``; called again after an interruption, the function
    makes those that are missing. ``out`` appears when all are there.

    Args:
        images: the folder of the images.
        labels: the CSV file with their names and labels, see ``ImageFolderLabels``.
        out: the folder to make; copies keep their names, and end in ``.jpg``.
        size: height and width of the copies, in pixels; at least what the encoder takes.
        progress: whether to show a progress bar.

    Returns:
        The copies as a data set: ``ImageFolderLabels(out, out / "labels.csv")``.

    Raises:
        FileNotFoundError: If the table or some images are missing.
        FileExistsError: If there is something at ``out``.
        ValueError: If an image cannot be read, a name leads out of the folder, two copies would have the same
            name, or an interrupted run had another table or size.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Image.new("L", (60, 40)).save(f"{folder}/a.png")
    ...     _ = Path(f"{folder}/table.csv").write_text("file,cat\na.png,1\n")
    ...     small = prepare_images(folder, f"{folder}/table.csv", f"{folder}/small", size=32)
    ...     small.names, small[0][0].shape
    (['a.png.jpg'], torch.Size([3, 32, 32]))
    """
    _check.count("size", size)
    source, out = ImageFolderLabels(images, labels), _check.path("out", out)
    if out.exists():
        raise FileExistsError(f"out: expected a folder that is not there yet, got {out}")
    copies = _copy_names(source.names)
    part = out.with_name(f"{out.name}.part")
    _begin(part, source, size)
    pairs = [(old, part / new) for old, new in zip(source.paths, copies, strict=True)]
    # A power cut may leave a name without content.
    missing = [pair for pair in pairs if not bytes_of(pair[1])]
    bar = {"desc": "images", "total": len(copies), "initial": len(copies) - len(missing), "leave": False}
    # On all cores: Pillow and torch let other threads run. The first error ends it.
    threads = {"max_workers": available_cores(), "tqdm_class": tqdm, "disable": not progress}
    thread_map(partial(_copy, squish(size)), missing, **threads, **bar)
    _finish(part, out, copies, source)
    return ImageFolderLabels(out, out / TABLE)


def _copy_names(names: Iterable[str]) -> list[str]:
    """The copies' names, checked."""
    copies: dict[str, str] = {}
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError(f"labels: expected names inside the folder, got {name!r}")
        copy = name if path.suffix.lower() in (".jpg", ".jpeg") else f"{name}.jpg"
        if copy in copies:
            raise ValueError(f"labels: {copies[copy]!r} and {name!r} would both become {copy!r}")
        copies[copy] = name
    return list(copies)


def _begin(part: Path, source: ImageFolderLabels, size: int) -> None:
    """Make the folder of the copies, or check that an interrupted run meant the same."""
    table = hashlib.sha256(repr((source.names, source.classes, source.labels.tolist())).encode()).hexdigest()
    now = json.dumps({"size": size, "quality": QUALITY, "table": table}).encode()
    settings = part / SETTINGS
    if settings.exists() and settings.read_bytes() != now:
        wanted = f"{settings}: expected {now.decode()}"
        raise ValueError(f"{wanted}, got another size or table; delete {part} to begin anew")
    with whole_file(settings) as file:
        file.write(now)


def _copy(shrink: Callable[[Tensor], Tensor], pair: tuple[Path, Path]) -> None:
    old, new = pair
    pixels = shrink(read_image(old)).permute(1, 2, 0).contiguous().numpy()  # (size, size, 3)
    new.parent.mkdir(parents=True, exist_ok=True)
    beside = new.with_name(f"{new.name}.tmp")  # the whole name: a.jpg and a.jpeg are two
    Image.fromarray(pixels).save(beside, "JPEG", quality=QUALITY, subsampling=0)
    os.replace(beside, new)


def _finish(part: Path, out: Path, copies: list[str], source: ImageFolderLabels) -> None:
    """Add the table and give the folder its name."""
    with (part / TABLE).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        split = [[part] for part in source.split] if source.split else [[]] * len(copies)
        rows.writerow(["file", *source.classes, *["split"] * bool(source.split)])
        labels = zip(copies, source.labels.tolist(), split, strict=True)
        rows.writerows([name, *label, *part] for name, label, part in labels)
    (part / SETTINGS).unlink()
    if hasattr(os, "sync"):
        os.sync()  # thousands of files at once, rather than one by one
    os.replace(part, out)
    sync_folder(out.parent)
