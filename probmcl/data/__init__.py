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

from probmcl.data import public, scenes
from probmcl.data.features import LabelledFeatures, LabelledVectors, plain_feature, two_features
from probmcl.data.labelled import LabelledDataset, LabelledImages, LabelStatistics, checksum, label_statistics
from probmcl.data.loader import ViewLoader, make_loader, suggested_workers
from probmcl.data.packed import ImageFolderLabels, ImagesOnDisk, load_features, load_npz, save_npz
from probmcl.data.prepare import prepare_images
from probmcl.data.public import *  # noqa: F403 (all that it offers)
from probmcl.data.scenes import *  # noqa: F403 (all that it offers)
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
    "ImageFolderLabels", "ImagesOnDisk", "LabelStatistics", "LabelledDataset", "LabelledFeatures",
    "LabelledImages", "LabelledVectors", "Parts", "PerImage", "Share", "SharedBatches", "TwoViews",
    "ViewLoader", "checksum", "held_out", "label_statistics", "load_features", "load_npz", "make_loader",
    "photo_augmentation", "photo_view", "plain_feature", "plain_view", "prepare_images", "save_npz",
    "scene_augmentation", "squish", "suggested_workers", "two_features", "two_photo_views",
]  # fmt: skip
__all__ += public.__all__
__all__ += scenes.__all__
