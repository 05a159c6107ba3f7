"""Public data sets: where they are, how they come here, and how their files become images and labels."""

from probmcl.data.public.chestmnist import chestmnist
from probmcl.data.public.chestxray14 import (
    FINDINGS,
    ChestTable,
    check_patients,
    chestxray14_parts,
    read_chest_table,
)
from probmcl.data.public.coco import CocoLabels, coco_images, coco_parts, read_instances
from probmcl.data.public.coco_categories import COCO_CATEGORIES, Category
from probmcl.data.public.download import DownloadRefusedError, download
from probmcl.data.public.fetch import fetch
from probmcl.data.public.sources import SOURCES, RemoteFile, Source
from probmcl.data.public.unpack import unpack

__all__ = [
    "COCO_CATEGORIES",
    "FINDINGS",
    "SOURCES",
    "Category",
    "ChestTable",
    "CocoLabels",
    "DownloadRefusedError",
    "RemoteFile",
    "Source",
    "check_patients",
    "chestmnist",
    "chestxray14_parts",
    "coco_images",
    "coco_parts",
    "download",
    "fetch",
    "read_chest_table",
    "read_instances",
    "unpack",
]
