"""Bytes that chance has been at, for readers: they may refuse them with an ArtefactError, and with nothing else."""

from collections.abc import Callable

from hypothesis import strategies as st

from sekisho.errors import ArtefactError


def damaged(data: bytes, *, most: int = 4) -> st.SearchStrategy[bytes]:
    """The data with up to `most` bytes overwritten."""

    def overwrite(places: list[tuple[int, int]]) -> bytes:
        hurt = bytearray(data)
        for at, value in places:
            hurt[at] = value
        return bytes(hurt)

    return st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=most).map(
        overwrite
    )


def survives(read: Callable[..., object], *arguments: object) -> bool:
    """True if the reader took it; anything but an ArtefactError escapes and fails the test."""
    try:
        read(*arguments)
    except ArtefactError:
        return False
    return True
