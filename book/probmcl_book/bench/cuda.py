"""The loss at COCO's size on a GPU, beside a training step of the encoder that it belongs to."""

import statistics
import time

import timm
import torch
from torch import nn

from probmcl.loss import ProbMCLLoss
from probmcl.model import MixtureDensityHead
from probmcl_book.bench.workloads import Pass, Sizes, draw_labels, probmcl


def coco_loss(sizes: Sizes) -> Pass:
    """The ProbMCL loss on the GPU, waited for."""
    run = probmcl(sizes, "cuda")

    def waited() -> None:
        run()
        torch.cuda.synchronize()

    return waited


def encoder_figures(sizes: Sizes) -> dict[str, float]:
    """A step of TResNet-L with random weights under bfloat16: its time, and the largest batch that fits.

    The batch is doubled until memory runs out; the step is timed at the largest one, forward and backward
    with the whole loss.
    """
    encoder = timm.create_model("tresnet_l", pretrained=False, num_classes=0)
    features = int(encoder.num_features)  # type: ignore[arg-type]
    head = MixtureDensityHead(features, sizes["K"], trunk=(2048, sizes["D"]))
    model = nn.Sequential(encoder, head).cuda().to(memory_format=torch.channels_last)
    rows, found = 16, {}
    while rows <= 4096:
        try:
            seconds = _step_seconds(model, rows, sizes)
        except torch.cuda.OutOfMemoryError:
            break
        found = {"largest_batch_rows": float(rows), "encoder_step_seconds": seconds}
        rows *= 2
    return found


def _step_seconds(model: nn.Module, rows: int, sizes: Sizes) -> float:
    images = torch.randn(rows, 3, sizes["image"], sizes["image"], device="cuda")
    images = images.to(memory_format=torch.channels_last)
    labels, criterion = draw_labels(rows // 2, sizes["K"]).cuda(), ProbMCLLoss()
    laps = []
    for _ in range(4):
        torch.cuda.synchronize()
        start = time.perf_counter()
        with torch.autocast("cuda", dtype=torch.bfloat16):
            loss = criterion(model(images), labels)
        loss.backward()
        model.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        laps.append(time.perf_counter() - start)
    return statistics.median(laps[1:])
