"""Methods and a recipe on DigitScenes that train in a second."""

from dataclasses import replace
from typing import Any

from probmcl.train import TrainingSettings
from probmcl_book.replicate import DigitsData, LettersStart, Method, Recipe

TINY = TrainingSettings(epochs=1, batch_size=16, learning_rate=1e-3)
TRUNK = (16, 8)
BCE = Method("BCE", "bce", TINY)
PROBMCL = Method("ProbMCL", "probmcl", TINY, TRUNK)
SCENES = DigitsData(train=48, validation=48, test=48, difficulty="easy")
FEW = {"components": 3, "sigma_floor": 0.1}
OF_EVERY_CRITERION = (
    BCE,
    Method("ASL", "asl", TINY, options={"gamma_negative": 2.0}),
    Method("ML-Decoder", "ml-decoder", TINY, head={"width": 16, "heads": 2, "hidden": 16}),
    Method("Label graph", "label-graph", TINY, head={"hidden": 16, "threshold": 0.1}),
    Method("KMCL", "kmcl", TINY, TRUNK, {"temperature": 0.3}, {"covariance": "diagonal"}),
    Method("SupCon, weighted", "supcon", TINY, TRUNK, {"rule": "weighted"}),
    Method("MulSupCon", "mulsupcon", TINY, TRUNK, head={"activation": False}),
    replace(PROBMCL, name="ProbMCL, 3", options={"queue": 16}, head=FEW, chunk=8),
)


def tiny_recipe(*methods: Method, **changes: Any) -> Recipe:
    return replace(Recipe("tiny", SCENES, LettersStart(32, TINY), "small-cnn", methods, TINY), **changes)
