"""256 answers to choose from: two words each, none part of another, none likely by itself."""

from typing import Final

_FIRST: Final = (
    "amber", "birch", "cobalt", "dusty", "ember", "frosty", "gentle", "hollow",
    "indigo", "jagged", "quiet", "linen", "mellow", "nutmeg", "opal", "patient",
)  # fmt: skip
_SECOND: Final = (
    "anchor", "barrel", "candle", "dormouse", "easel", "fiddle", "gable", "heron",
    "inkwell", "kettle", "lantern", "magpie", "needle", "orchard", "pebble", "thimble",
)  # fmt: skip

DEFAULT: Final = tuple(f"{first} {second}" for first in _FIRST for second in _SECOND)
"""In an order that is part of every commitment made with them."""
