"""CSV that spreadsheets open: UTF-8 with a mark, and no cell that a spreadsheet would take for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.report.visible import one_line

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_MOST_ROWS: Final = 10_000


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """One table, lines ended by CR LF as RFC 4180 has it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([cell(c) for c in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def cell(text: str) -> str:
    """A cell that stays text."""
    shown = one_line(text, 4_000)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def read(data: bytes, where: str) -> tuple[tuple[str, ...], ...]:
    """Rows of a table, the header first. Raises DataError."""
    if len(data) > DEFAULT.config_bytes:
        raise DataError(f"{where}: over the limit of {DEFAULT.config_bytes:,} bytes")
    try:
        rows = tuple(
            tuple(r) for r in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        )
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{where}: no CSV in UTF-8: {error}") from error
    if not rows or len(rows) > _MOST_ROWS or any(len(r) != len(rows[0]) for r in rows):
        raise DataError(f"{where}: rows of one length are needed, {_MOST_ROWS:,} at most")
    return rows
