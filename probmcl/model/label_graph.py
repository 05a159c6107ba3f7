"""A label-graph head in the manner of ML-GCN: classifiers are made from a graph of labels.

Z.-M. Chen et al., "Multi-label image recognition with graph convolutional networks", CVPR 2019. It stands
beside ProbMCL because of claims C1 and C3, which are about label dependencies and graph-based methods.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from probmcl import _check
from probmcl.model.trunk import check_features


def label_correlation(labels: Tensor, *, threshold: float = 0.4, reweighting: float = 0.2) -> Tensor:
    """The matrix through which labels hear of each other, from the labels of training images (ML-GCN, 3.4).

    A_ij = [P(label j given label i) >= tau] for i != j. Label i keeps 1 - p of itself and shares p among its
    neighbours: A'_ij = p / sum_j A_ij. The result is D^{-1/2} A' D^{-1/2} with D the row sums of A'.

    The authors' code divides by the sums of columns and transposes at the end; this is the formula of their
    paper.

    Args:
        labels: labels of the training images, ``(N, K)``.
        threshold: tau, in (0, 1].
        reweighting: p, in [0, 1); small keeps the labels apart.

    Returns:
        ``(K, K)``, non-negative; the row of a label without neighbours holds 1 on the diagonal alone.

    Raises:
        ValueError: if labels are not zeros and ones, or a number is out of range.

    >>> label_correlation(torch.tensor([[1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 1, 0]]))
    tensor([[0.8000, 0.2236, 0.0000],
            [0.0000, 1.0000, 0.0000],
            [0.0000, 0.2236, 0.8000]])
    """
    _check.number("threshold", threshold, low=0.0, high=1.0, above=True)
    _check.number("reweighting", reweighting, low=0.0, high=1.0, below=True)
    present = _check.labels("labels", labels).double()
    together = present.T @ present  # (K, K): images that carry i and j
    given = together / together.diagonal().clamp(min=1).unsqueeze(1)  # P(j given i)
    neighbours = (given >= threshold).double().fill_diagonal_(0)
    shared = reweighting * neighbours / neighbours.sum(1, keepdim=True).clamp(min=1)
    weights = shared + (1 - reweighting) * torch.eye(len(shared), device=labels.device)
    scale = weights.sum(1).rsqrt()
    return (scale.unsqueeze(1) * weights * scale).to(torch.promote_types(torch.float32, labels.dtype))


class LabelGraphHead(nn.Module):
    """Two graph convolutions turn label embeddings into one linear classifier per label.

    With X the labels' embeddings and A the correlation matrix, the classifiers are the rows of
    A LeakyReLU(A X W_1) W_2, and a logit is the dot product of a classifier with the image's feature.
    ML-GCN takes X from GloVe word vectors, which have to be downloaded. Here X is one-hot, so that the rows
    of W_1 are the embeddings and are learned.

    Args:
        in_dim: size F of the feature.
        labels: labels of the training images, ``(N, K)``.
        hidden: width between the convolutions; 1024 is ML-GCN's.
        threshold: tau of :func:`label_correlation`.
        reweighting: p of :func:`label_correlation`.

    Raises:
        ValueError: as :func:`label_correlation`, or for a size below one.

    >>> head = LabelGraphHead(128, torch.eye(10), hidden=32)
    >>> head(torch.randn(4, 128)).shape
    torch.Size([4, 10])
    """

    correlation: Tensor

    def __init__(
        self,
        in_dim: int,
        labels: Tensor,
        *,
        hidden: int = 1024,
        threshold: float = 0.4,
        reweighting: float = 0.2,
    ) -> None:
        super().__init__()
        correlation = label_correlation(labels, threshold=threshold, reweighting=reweighting)
        self.register_buffer("correlation", correlation.to(torch.get_default_dtype()))
        sizes = len(correlation), _check.count("hidden", hidden), _check.count("in_dim", in_dim)
        self.embeddings = nn.Parameter(nn.init.xavier_uniform_(torch.empty(sizes[0], sizes[1])))  # W_1
        self.mixing = nn.Parameter(nn.init.xavier_uniform_(torch.empty(sizes[1], sizes[2])))  # W_2

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, F)`` to logits ``(N, K)``.

        Raises:
            ValueError: if the features are NaN, infinite or of another size than the head was built for.
        """
        features = check_features(features, self.mixing.shape[1], self.mixing)
        return functional.linear(features, self.classifiers())

    def classifiers(self) -> Tensor:
        """The generated classifiers, ``(K, F)``."""
        heard = functional.leaky_relu(self.correlation @ self.embeddings, 0.2)  # (K, hidden)
        return self.correlation @ heard @ self.mixing

    def linear(self) -> nn.Linear:
        """The trained head as the linear layer that it is: the graph is needed while training only.

        >>> head, features = LabelGraphHead(8, torch.eye(3), hidden=4), torch.randn(2, 8)
        >>> torch.allclose(head.linear()(features), head(features))
        True
        """
        weight = self.classifiers().detach()
        layer = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.device)
        with torch.no_grad():
            layer.weight.copy_(weight)
            layer.bias.zero_()  # ML-GCN has none
        return layer
