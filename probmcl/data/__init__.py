"""Images and labels come in: data sets, views and the loader that joins them.

A data set is images with a label matrix: ``LabelledImages`` in memory, ``ImagesOnDisk`` on disk. The
package brings one of its own, DigitScenes: handwritten digits whose label sets follow a distribution that
``label_distribution`` and ``co_occurrence`` state exactly, and printed letters to pretrain on. What a model
should doubt comes from ``corrupt`` and ``symbol_scenes``. Your own images come in through ``load_npz`` or a
folder with a table; ``prepare_images`` makes large ones small, once.
A view turns an image into what the encoder sees: ``plain_view`` for evaluation, ``TwoViews`` of an
augmentation for a contrastive loss. Vectors, such as the rows of a table, are ``LabelledVectors``; features
of stored views of a frozen encoder are ``LabelledFeatures``.
``make_loader`` joins a data set and a view into batches; where several
processes train together, each loads its ``Share`` of every batch.
"""

from probmcl.data.features import LabelledFeatures, LabelledVectors, plain_feature, two_features
from probmcl.data.labelled import LabelledDataset, LabelledImages, LabelStatistics, checksum, label_statistics
from probmcl.data.loader import ViewLoader, make_loader, suggested_workers
from probmcl.data.packed import ImageFolderLabels, ImagesOnDisk, load_features, load_npz, save_npz
from probmcl.data.prepare import prepare_images
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
from probmcl.data.scenes.corruptions import CORRUPTIONS, STRENGTHS, Corruption, corrupt
from probmcl.data.scenes.digits import digit_boxes, digit_scenes, handwriting_indices
from probmcl.data.scenes.drawing import DIFFICULTIES, Difficulty
from probmcl.data.scenes.letters import letter_images
from probmcl.data.scenes.symbols import SYMBOLS, symbol_scenes
from probmcl.data.scenes.themes import THEMES, Theme, co_occurrence, label_distribution, label_sets
from probmcl.data.share import Share, SharedBatches
from probmcl.data.split import Parts, held_out
from probmcl.data.views import (
    PerImage,
    TwoViews,
    photo_augmentation,
    photo_view,
    plain_view,
    scene_augmentation,
    squish,
    two_photo_views,
)

__all__ = [
    "COCO_CATEGORIES", "CORRUPTIONS", "DIFFICULTIES", "FINDINGS", "SOURCES", "STRENGTHS", "SYMBOLS",
    "THEMES", "Category", "ChestTable", "CocoLabels", "Corruption", "Difficulty", "DownloadRefusedError",
    "ImageFolderLabels", "ImagesOnDisk", "LabelStatistics", "LabelledDataset", "LabelledFeatures",
    "LabelledImages", "LabelledVectors", "Parts", "PerImage", "RemoteFile", "Share", "SharedBatches",
    "Source", "Theme", "TwoViews", "ViewLoader", "check_patients", "checksum", "chestmnist",
    "chestxray14_parts", "co_occurrence", "coco_images", "coco_parts", "corrupt", "digit_boxes",
    "digit_scenes", "download", "fetch", "handwriting_indices", "held_out", "label_distribution",
    "label_sets", "label_statistics", "letter_images", "load_features", "load_npz", "make_loader",
    "photo_augmentation", "photo_view", "plain_feature", "plain_view", "prepare_images", "read_chest_table",
    "read_instances", "save_npz", "scene_augmentation", "squish", "suggested_workers", "symbol_scenes",
    "two_features", "two_photo_views", "unpack",
]  # fmt: skip
