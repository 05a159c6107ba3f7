"""The 80 categories of MS-COCO, with the ids and super-categories of its annotation files."""

from typing import NamedTuple


class Category(NamedTuple):
    """A category of a COCO annotation file.

    >>> COCO_CATEGORIES[11]
    Category(id=13, name='stop sign', supercategory='outdoor')
    """

    id: int
    name: str
    supercategory: str


# In the order of their ids, which have gaps: a category's column is its place in this list, not its id.
_NAMES = {
    "person": "person",
    "vehicle": "bicycle, car, motorcycle, airplane, bus, train, truck, boat",
    "outdoor": "traffic light, fire hydrant, stop sign, parking meter, bench",
    "animal": "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "accessory": "backpack, umbrella, handbag, tie, suitcase",
    "sports": "frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, "
    "surfboard, tennis racket",
    "kitchen": "bottle, wine glass, cup, fork, knife, spoon, bowl",
    "food": "banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake",
    "furniture": "chair, couch, potted plant, bed, dining table, toilet",
    "electronic": "tv, laptop, mouse, remote, keyboard, cell phone",
    "appliance": "microwave, oven, toaster, sink, refrigerator",
    "indoor": "book, clock, vase, scissors, teddy bear, hair drier, toothbrush",
}
_IDS = sorted(set(range(1, 91)) - {12, 26, 29, 30, 45, 66, 68, 69, 71, 83})
_IN_ORDER = [(name, group) for group, names in _NAMES.items() for name in names.split(", ")]

COCO_CATEGORIES = tuple(Category(number, *named) for number, named in zip(_IDS, _IN_ORDER, strict=True))
"""Every category in the order of the ids, which is the order of the label columns."""
