"""An image becomes a feature, a feature becomes a mixture."""

from probmcl.model.encoders import (
    Encoder,
    FeatureMap,
    FeatureMLP,
    SmallCNN,
    build_encoder,
    check_weights,
    published_weights,
)
from probmcl.model.label_graph import LabelGraphHead, label_correlation
from probmcl.model.mixture import GaussianMixture
from probmcl.model.mixture_head import MixtureClassifier, MixtureDensityHead
from probmcl.model.ml_decoder import MLDecoderHead
from probmcl.model.output import HeadOutput
from probmcl.model.projection_head import ProjectionHead

__all__ = [
    "Encoder",
    "FeatureMLP",
    "FeatureMap",
    "GaussianMixture",
    "HeadOutput",
    "LabelGraphHead",
    "MLDecoderHead",
    "MixtureClassifier",
    "MixtureDensityHead",
    "ProjectionHead",
    "SmallCNN",
    "build_encoder",
    "check_weights",
    "label_correlation",
    "published_weights",
]
