"""DigitScenes: handwriting and printed letters on a canvas, with labels of a known distribution."""
