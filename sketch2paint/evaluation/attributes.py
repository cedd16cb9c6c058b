"""What a picture's look is to people, by formulas, against the look of the same drawing's."""

from __future__ import annotations

import numpy as np

from sketch2paint.images.look import NAMES, areas_of, look, warmth

# Spread of each over the training pictures that `images.look` was measured on.
SPREADS = {"warmth": 27.0, "lightness": 15.3, "vividness": 22.9, "contrast": 7.38, "hues": 0.707}
ATTRIBUTES = tuple(SPREADS)
HELD = 4  # of them, the first ones, are what a direction is to leave alone
_SPREADS = np.array([*SPREADS.values()])


class Canvas:
    """A drawing in the colours that it has without a style, against which others are measured.

    Args:
        picture: Picture (S, S, 3), uint8.
    """

    def __init__(self, picture: np.ndarray) -> None:
        self.picture, self.areas = picture, areas_of(picture)
        self.own = _attributes(look(picture, self.areas))

    @property
    def is_blank(self) -> bool:
        """Whether nothing is painted, so that nothing can be compared."""
        return bool(np.isnan(self.own).any())

    def moved(self, picture: np.ndarray) -> np.ndarray:
        """How far the attributes of another picture of the drawing are off, in SPREADS, (5,)."""
        return (_attributes(look(picture, self.areas)) - self.own) / _SPREADS


def _attributes(numbers: np.ndarray) -> np.ndarray:
    """Warmth of the mean colour, mean L, mean chroma, spread of L, number of hues, (5,)."""
    names = ("mean_L", "mean_chroma", "spread_L", "hue_count")
    return np.array([warmth(numbers), *(numbers[NAMES.index(name)] for name in names)])
