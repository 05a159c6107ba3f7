"""Images and labels come in: data sets, views and the loader that joins them.

A data set is images with a label matrix: ``LabelledImages`` in memory, ``ImageFolderLabels`` on disk. The
package brings one of its own, DigitScenes: handwritten digits whose label sets follow a distribution that
``label_distribution`` and ``co_occurrence`` state exactly, and printed letters to pretrain on. Your own
images come in through ``load_npz`` or a folder with a table. A view turns an image into what the encoder
sees: ``plain_view`` for evaluation, ``TwoViews`` of an augmentation for a contrastive loss. ``make_loader``
joins a data set and a view into batches; where several processes train together, each loads its ``Share`` of
every batch.
"""

from probmcl.data.digits import digit_scenes, handwriting_indices
from probmcl.data.labelled import (
    LabelledDataset,
    LabelledImages,
    LabelStatistics,
    checksum,
    label_statistics,
)
from probmcl.data.letters import letter_images
from probmcl.data.loader import ViewLoader, make_loader, suggested_workers
from probmcl.data.packed import ImageFolderLabels, load_npz, save_npz
from probmcl.data.scenes import DIFFICULTIES, Difficulty
from probmcl.data.share import Share, SharedBatches
from probmcl.data.themes import THEMES, Theme, co_occurrence, label_distribution, label_sets
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
    "DIFFICULTIES",
    "THEMES",
    "Difficulty",
    "ImageFolderLabels",
    "LabelStatistics",
    "LabelledDataset",
    "LabelledImages",
    "PerImage",
    "Share",
    "SharedBatches",
    "Theme",
    "TwoViews",
    "ViewLoader",
    "checksum",
    "co_occurrence",
    "digit_scenes",
    "handwriting_indices",
    "label_distribution",
    "label_sets",
    "label_statistics",
    "letter_images",
    "load_npz",
    "make_loader",
    "photo_augmentation",
    "photo_view",
    "plain_view",
    "save_npz",
    "scene_augmentation",
    "squish",
    "suggested_workers",
    "two_photo_views",
]
