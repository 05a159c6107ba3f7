"""DigitScenes: handwriting and printed letters on a canvas, with labels of a known distribution."""

from probmcl.data.scenes.corruptions import CORRUPTIONS, STRENGTHS, Corruption, corrupt
from probmcl.data.scenes.digits import digit_boxes, digit_scenes, handwriting_indices
from probmcl.data.scenes.drawing import DIFFICULTIES, Difficulty
from probmcl.data.scenes.letters import letter_images
from probmcl.data.scenes.symbols import SYMBOLS, symbol_scenes
from probmcl.data.scenes.themes import THEMES, Theme, co_occurrence, label_distribution, label_sets

__all__ = [
    "CORRUPTIONS",
    "DIFFICULTIES",
    "STRENGTHS",
    "SYMBOLS",
    "THEMES",
    "Corruption",
    "Difficulty",
    "Theme",
    "co_occurrence",
    "corrupt",
    "digit_boxes",
    "digit_scenes",
    "handwriting_indices",
    "label_distribution",
    "label_sets",
    "letter_images",
    "symbol_scenes",
]
