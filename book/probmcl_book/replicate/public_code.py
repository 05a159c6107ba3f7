"""A recipe on COCO beside the public code of ASL and of KMCL, line by line.

Read at commit 8c9e0bd of Alibaba-MIIL/ASL (``train.py``, ``src/helper_functions``) and at ed1f3e5 of
mahdihosseini/KMCL (``train.py`` at 224 pixels, ``train_dist.py`` at 448). What the recipe does is read from
the recipe itself.
"""

from torchvision.transforms import v2

from probmcl.data.views import PerImage
from probmcl_book.replicate.datasets import CocoData
from probmcl_book.replicate.recipe import Recipe
from probmcl_book.replicate.views import PhotoViews

STEPS = {
    "Resize": "squish",
    "cutout": "Cutout",
    "RandomErasing": "Cutout",
    "RandomHorizontalFlip": "flip",
    "pillow_randaugment": "RandAugment",
}
CUTOUT = {"asl": "half the side, anywhere, any colour", "book": "a sixteenth to a quarter, inside, black"}
DECAY = "from the first step"


def line_by_line(recipe: Recipe) -> list[list[str]]:
    """Rows: a setting, ASL's code, KMCL's, ours, and why ours is not as KMCL's where it is not.

    >>> from probmcl_book.replicate import RECIPES
    >>> line_by_line(RECIPES["coco-tresnet-l-448"]())[4]
    ['peak learning rate', '0.0001', '0.0004', '0.0004', '']
    """
    views, *_, method = recipe.views, *recipe.methods
    assert isinstance(recipe.data, CocoData)
    assert isinstance(views, PhotoViews)
    asl, own = (one.training for one in recipe.methods if one.criterion == "asl")
    at, large = method.training, views.size == 448
    seen = views.one()
    assert isinstance(seen, PerImage)
    assert isinstance(seen.transform, v2.Compose)
    steps = [getattr(step, "__name__", type(step).__name__) for step in seen.transform.transforms]
    order = ", ".join(STEPS[step] for step in steps if step in STEPS)
    rise = "rises to its decay" if at.ema_warmup else DECAY
    one_cycle = "one cycle, rises for {:g} of the steps"
    adam = {"adam": "Adam, with the decay in the gradient", "adamw": "AdamW, with the decay beside it"}
    pixels = {"unit": "0 to 1", "imagenet": "ImageNet's"}[views.normalisation]
    chosen = f"validation, {recipe.data.validation_share:g} of train2014"
    row = f"{own.learning_rate:g}, {own.batch_size}, {own.epochs}"
    probe = f"ridge on {recipe.probe_images:,} images"
    summed = (128 * 80, at.batch_size * 80, 1e-4 / asl.weight_decay)  # entries of a batch
    return [
        ["views per image", "1", "1", f"{method.views_per_image}", "two, as summaries of the paper say"],
        ["images per step", "128", "128" if large else "64", f"{at.batch_size}", ""],
        ["epochs", "80 planned, 41 run", "80" if large else "40", f"{at.epochs}", ""],
        ["schedule", one_cycle.format(0.2), one_cycle.format(0.2), one_cycle.format(at.warmup), ""],
        ["peak learning rate", "0.0001", "0.0004" if large else "0.0002", f"{at.learning_rate:g}", ""],
        ["optimiser", adam["adam"], adam["adam"], adam[at.optimiser], ""],
        ["weight decay of matrices", "0.0001", "0.0001", f"{at.weight_decay:g}", ""],
        ["... beside ASL, as a mean", *(f"1e-4 / {entries:.0f}" for entries in summed), ""],
        ["average of the weights", f"0.9997 {DECAY}", f"0.9997 {DECAY}", f"{at.ema_decay} {rise}", ""],
        ["augmentation", "squish, Cutout, RandAugment", "squish, Cutout, RandAugment", order, ""],
        ["Cutout", CUTOUT["asl"], CUTOUT["asl"], CUTOUT[views.augmentation], ""],
        ["pixels", "0 to 1", "ImageNet's", pixels, "as the published weights were trained"],
        ["last batch, if smaller", "kept", "left out", "left out", ""],
        ["arithmetic", "float16", "float16", at.precision, "needs no scale; a T4 gets float16"],
        ["epoch chosen on", "val2014", "val2014", chosen, "val2014 is the test set"],
        ["... by mAP of", *["model or average"] * 2, probe, "two stages; end to end: the average"],
        ["a row of ASL's own", "0.0001, 128, 80", "none", row, "to stand beside ASL's numbers (R4)"],
    ]
