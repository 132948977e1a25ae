"""What safetensors and GGUF share: tensors in order, from the data's start to the file's end, without gap or overlap."""

from collections.abc import Sequence
from typing import Protocol

from sekisho.errors import MalformedError
from sekisho.formats.text import shown


class Placed(Protocol):
    """A tensor and where its bytes are."""

    @property
    def name(self) -> str:
        """As the header has it."""
        ...

    @property
    def start(self) -> int:
        """Offset of its first byte in the file."""
        ...

    @property
    def end(self) -> int:
        """Offset after its last byte."""
        ...


def refuse_bad_places(tensors: Sequence[Placed], data_start: int, size: int, alignment: int = 1) -> None:
    """Check tensors sorted by `start` against each other and the file's size. Raises MalformedError."""
    reached = data_start
    for tensor in tensors:
        if tensor.start != aligned(reached, alignment):
            what = "overlaps its neighbour" if tensor.start < reached else "leaves a gap before it"
            raise MalformedError(f"tensor {shown(tensor.name)} {what}")
        reached = tensor.end
    if tensors and reached > size:
        raise MalformedError(f"the file is cut short: tensors end at byte {reached:,}, the file at {size:,}")
    if size - reached >= alignment:
        raise MalformedError(f"{size - reached:,} undeclared bytes follow the last tensor")


def aligned(at: int, alignment: int) -> int:
    """Round an offset up to the alignment."""
    return -(-at // alignment) * alignment
