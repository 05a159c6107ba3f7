"""An image becomes a feature, a feature becomes a mixture."""

from probmcl.model.encoders import Encoder, FeatureMap, SmallCNN, build_encoder
from probmcl.model.label_graph import LabelGraphHead, label_correlation
from probmcl.model.mixture import GaussianMixture
from probmcl.model.mixture_head import MixtureClassifier, MixtureDensityHead
from probmcl.model.ml_decoder import MLDecoderHead
from probmcl.model.output import HeadOutput
from probmcl.model.projection_head import ProjectionHead

__all__ = [
    "Encoder",
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
    "label_correlation",
]
