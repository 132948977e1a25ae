"""A stretch of a file, read and not mapped: a file that shrinks meanwhile gives an error instead of ending the process."""

from io import FileIO

import numpy as np

from sekisho.formats._numbers import Bytes


def exactly(file: FileIO, count: int) -> Bytes:
    """Return the next bytes of an unbuffered file, as many as asked for. Raises OSError."""
    data = np.empty(count, dtype=np.uint8)
    view, filled = data.data, 0
    while filled < count:
        got = file.readinto(view[filled:])
        if not got:
            raise OSError("the file became shorter while it was read")
        filled += got
    return data
