"""ProbMCL in sixty lines of PyTorch: positive set, head, log kernel, loss, loop.

Nothing here is imported from the package; a test holds values and gradients equal
to the package's. Copy it. ``python book/sixty_lines.py`` trains on small drawn
scenes for half a minute. The method is that of Sajedi et al., ICASSP 2024, as the
book reads it: a chapter goes through it; the ledger says what is our choice.
"""

import math

import torch
from torch import nn
from torch.nn.functional import elu, log_softmax, normalize


def positive_mask(labels, alpha=0.5):
    """Who is positive for whom: Jaccard overlap >= alpha, never the row itself."""
    y = labels.double()  # (N, K)
    shared = y @ y.T  # (N, N): labels in common
    union = y.sum(1)[:, None] + y.sum(1) - shared
    jaccard = torch.where(union > 0, shared / union, 1.0)  # label-less rows match
    return (jaccard >= alpha).fill_diagonal_(False)


class MixtureHead(nn.Module):
    """A feature becomes a unit embedding and a mixture, one component per class."""

    def __init__(self, features, classes, hidden=256, dimensions=16):
        super().__init__()
        first, last = nn.Linear(features, hidden), nn.Linear(hidden, dimensions)
        self.trunk = nn.Sequential(first, nn.ReLU(), last)
        self.mu = nn.Linear(dimensions, classes * dimensions)
        self.sigma = nn.Linear(dimensions, classes)
        self.pi = nn.Linear(dimensions, classes)

    def forward(self, h):
        """Map features (N, F) to z (N, D), log weights, means and sigmas."""
        t = self.trunk(normalize(h, dim=-1) * math.sqrt(h.shape[-1]))  # (N, D)
        means = self.mu(t).unflatten(-1, (-1, t.shape[-1]))  # (N, K, D)
        sigmas = elu(self.sigma(t)) + 1.05  # (N, K): never below a floor of 0.05
        log_pi = log_softmax(self.pi(t), dim=-1)  # (N, K)
        return normalize(t, dim=-1), log_pi, normalize(means, dim=-1), sigmas


def log_kernel(p, q):
    """Log of the integral of p_i(z) q_j(z) over z, for all pairs: (N, M)."""

    def pairs(a, b):
        return a[:, None, :, None] + b[None, :, None, :]  # (N, M, K, L)

    (log_pi, mu, sigma), (log_rho, nu, tau) = p, q
    variance = pairs(sigma**2, tau**2)
    squared = pairs(mu.square().sum(-1), nu.square().sum(-1))
    squared = squared - 2 * torch.einsum("nkd,mld->nmkl", mu, nu)
    log_density = squared / variance + mu.shape[-1] * (2 * math.pi * variance).log()
    return (pairs(log_pi, log_rho) - 0.5 * log_density).logsumexp((-2, -1))


def contrastive_term(mixture, labels, tau):
    """L_PCL: per anchor, the mean -log softmax(log Sim / tau) of its positives."""
    kernel = log_kernel(mixture, mixture)  # (2N, 2N)
    own = kernel.diagonal()
    logits = (kernel - 0.5 * (own[:, None] + own)) / tau
    itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    others = logits.masked_fill(itself, -torch.inf)
    log_p = logits - others.logsumexp(1, keepdim=True)
    mask = positive_mask(labels)
    count = mask.sum(1)
    per_anchor = -log_p.masked_fill(~mask, 0.0).sum(1) / count.clamp(min=1)
    return per_anchor[count > 0].mean()  # an anchor without positives is left out


def likelihood_term(z, mixture):
    """L_NLL: how well a row's mixture explains the other view's embedding."""
    log_pi, means, sigmas = mixture
    target = z.roll(len(z) // 2, 0).detach()  # the mixture moves, not its target
    squared = (target[:, None] - means).square().sum(-1) / sigmas**2  # (2N, K)
    log_density = -0.5 * (squared + z.shape[1] * (2 * math.pi * sigmas**2).log())
    return -(log_pi + log_density).logsumexp(1).mean() / z.shape[1]


def probmcl_loss(output, labels, tau=0.25, weight=0.05):
    """L_PCL + weight * L_NLL; rows i and i + N are views of image i."""
    z, *mixture = output
    contrastive = contrastive_term(mixture, labels.repeat(2, 1), tau)
    return contrastive + weight * likelihood_term(z, mixture)


def train(encoder, head, images, labels, augment, steps):
    """The contrastive stage. A classifier on the frozen encoder comes later."""
    weights = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=2e-3)
    for _ in range(steps):
        rows = torch.randperm(len(images))[:64]
        views = torch.cat([augment(images[rows]), augment(images[rows])])
        loss = probmcl_loss(head(encoder(views)), labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


# The method ends here; what follows draws images to try it on.


def scenes(images, seed, part):
    """One to three handwritten digits on a canvas, and which of ten are there."""
    from sklearn.datasets import load_digits

    digits, classes = map(torch.as_tensor, load_digits(return_X_y=True))
    digits, classes = digits[part].view(-1, 8, 8).float() / 16, classes[part]
    generator = torch.Generator().manual_seed(seed)
    canvas, labels = torch.zeros(images, 1, 24, 24), torch.zeros(images, 10)
    for image in range(images):
        for _ in range(int(torch.randint(1, 4, (), generator=generator))):
            digit = int(torch.randint(len(digits), (), generator=generator))
            y, x = torch.randint(17, (2,), generator=generator).tolist()
            place = canvas[image, 0, y : y + 8, x : x + 8]
            place.copy_(torch.maximum(place, digits[digit]))
            labels[image, classes[digit]] = 1
    return canvas, labels


def shifted(images):
    """A view: every image moved by up to two pixels, and a little noise."""
    down, right = torch.randint(-2, 3, (2, len(images), 1, 1))
    rows, columns = torch.arange(24)[:, None] - down, torch.arange(24) - right
    which = torch.arange(len(images))[:, None, None]
    moved = images[which, 0, rows % 24, columns % 24]
    return (moved + 0.1 * torch.randn_like(moved)).unsqueeze(1)


def small_encoder():
    """Three convolutions and a maximum over places: a feature of 64 numbers."""

    def block(channels, features):
        layer = nn.Conv2d(channels, features, 3, padding=1)
        return layer, nn.BatchNorm2d(features), nn.ReLU()

    first, second, third = block(1, 32), block(32, 64), block(64, 64)
    halve, pool = nn.MaxPool2d(2), nn.AdaptiveMaxPool2d(1)
    return nn.Sequential(*first, halve, *second, halve, *third, pool, nn.Flatten())


def probe(encoder, known, asked):
    """Mean average precision of a ridge classifier on the frozen features."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import average_precision_score

    with torch.no_grad():
        features = [encoder.eval()(images).numpy() for images, _ in (known, asked)]
    classifier = Ridge(alpha=1.0).fit(features[0], known[1].numpy())
    scores = classifier.predict(features[1])
    return float(average_precision_score(asked[1].numpy(), scores))


if __name__ == "__main__":
    torch.manual_seed(0)
    known = scenes(2000, seed=0, part=slice(0, 1200))
    asked = scenes(1000, seed=1, part=slice(1200, None))  # other handwriting
    encoder, head = small_encoder(), MixtureHead(64, classes=10)
    before = probe(encoder, known, asked)
    train(encoder.train(), head, *known, shifted, steps=150)
    after = probe(encoder, known, asked)
    print(f"mAP of a linear probe: {before:.3f} untrained, {after:.3f} trained")
