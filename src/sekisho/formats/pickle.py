"""Pickles, read opcode by opcode and never loaded: which globals they would import, which calls they would make."""

import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.formats.base import SNIFF_BYTES, Format
from sekisho.formats.pickle_machine import Machine
from sekisho.formats.rules import PICKLE_KNOWN, PICKLE_SUFFIXES
from sekisho.formats.text import sniff_text
from sekisho.limits import Limits
from sekisho.records import FormatFacts

_PROTO: Final = 0x80
_NEWEST: Final = 5
_NAME: Final = re.compile(r"[^\W\d][\w.]*")
_TORCH_LEGACY: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_MOST_PICKLES: Final = 10_000
_TORCH_PICKLES: Final = 5
"""Magic number, protocol, system, object, keys; tensor bytes follow."""


@final
@dataclass(frozen=True)
class PickleFacts(FormatFacts):
    """What loading would reach, up to where loading would stop."""

    globals: tuple[str, ...]
    """Dotted names, in order of first import; `?` stands for a part computed at load time."""
    calls: tuple[str, ...]
    """Opcodes that call or set something: REDUCE, INST, OBJ, NEWOBJ, BUILD, ..."""
    pickles: int = 1
    trailing: int = 0
    """Bytes after the last pickle."""
    broken: str = ""
    """Where and why loading would stop early; what came before it would have run."""
    oddities: tuple[str, ...] = ()
    """What no writer of checkpoints does: calls of computed values, names changed, memo entries written twice."""
    opcodes: int = 0
    """How many were walked."""
    legacy: bool = False
    """Begins as `torch.save` wrote before zip: five pickles, then tensor bytes."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Globals that are not on the frozen list."""
        return tuple(name for name in self.globals if name not in PICKLE_KNOWN)


def sniff(head: bytes, filename: str) -> bool:
    """Recognise a pickle by walking its opcodes: the old protocols have no magic number."""
    del filename
    machine, whole = Machine(Limits()), False
    stream = io.BytesIO(head)
    try:
        machine.run(stream)
        whole = True
    except EOFError:
        whole = head[:1] == bytes([_PROTO])
    except MalformedError:
        pass
    if not all(_NAME.fullmatch(name.replace("?", "x")) for name in machine.globals):
        return False
    if len(head) > 1 and head[0] == _PROTO and head[1] <= _NEWEST:
        return whole or bool(machine.globals or machine.calls)
    ends = whole and stream.tell() == len(head) < SNIFF_BYTES
    return bool(machine.globals) and (bool(machine.calls) or ends)


def sniff_named(head: bytes, filename: str) -> bool:
    """Take a file at its name where loaders would unpickle it; a readable .pth is a list of paths for Python."""
    name = filename.lower()
    return name.endswith(tuple(PICKLE_SUFFIXES)) and not (name.endswith(".pth") and sniff_text(head, name))


def read(path: Path, limits: Limits) -> PickleFacts:
    """Walk every pickle of a file, one after another."""
    with path.open("rb") as file:
        return read_stream(file, path.stat().st_size, limits)


def read_stream(file: BinaryIO, size: int, limits: Limits) -> PickleFacts:
    """Walk the pickles from the stream's position on; `size` is where the stream ends."""
    start = file.tell()
    legacy = file.read(len(_TORCH_LEGACY)) == _TORCH_LEGACY
    file.seek(start)
    machine, pickles, broken = Machine(limits), 0, ""
    while not broken and (pickles == 0 or _continues(file, pickles, legacy=legacy)):
        if pickles == _MOST_PICKLES:
            raise LimitError("pickles in one file", pickles + 1, _MOST_PICKLES)
        try:
            machine.run(file)
            pickles += 1
        except (EOFError, MalformedError) as error:
            if not (machine.globals or machine.calls or pickles):
                raise MalformedError(f"not a readable pickle: {error}") from error
            broken = str(error)
    names, calls = tuple(dict.fromkeys(machine.globals)), tuple(dict.fromkeys(machine.calls))
    trailing = 0 if legacy else max(0, size - file.tell())
    return PickleFacts(
        names, calls, pickles, trailing, broken, tuple(machine.oddities), machine.walked, legacy
    )


def _continues(file: BinaryIO, pickles: int, *, legacy: bool) -> bool:
    if legacy:
        return pickles < _TORCH_PICKLES
    at = file.tell()
    head = file.read(SNIFF_BYTES)
    file.seek(at)
    return sniff(head, "")


FORMAT: Final = Format("pickle", sniff, read)
NAMED: Final = Format("pickle", sniff_named, read)
