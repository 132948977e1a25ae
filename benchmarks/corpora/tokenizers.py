"""Tricks played on a tokenizer, each in a folder of its own beside the untouched one, and clean tokenizers of four kinds."""

from functools import partial
from pathlib import Path
from typing import Final

from corpora.base import Case
from tokentricks import KINDS, TRICKS, document, put, tricked


def _clean(kind: str, folder: Path) -> Path:
    return put(folder, document(kind))


CASES: Final = (
    *(
        Case(f"tokenizer-{name}", "tokenizer", True, partial(tricked, name), partial(_clean, "bytes"))
        for name in TRICKS
    ),
    *(Case(f"tokenizer-clean-{kind}", "benign", False, partial(_clean, kind)) for kind in KINDS),
)
