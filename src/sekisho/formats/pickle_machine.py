"""The unpickler's stack and memo, simulated on strings alone; nothing is imported and nothing called."""

import pickletools
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, final

from sekisho.errors import LimitError, MalformedError
from sekisho.limits import KIB, Limits

_OPCODES: Final = {op.code.encode("latin-1"): op for op in pickletools.opcodes}
_CALLS: Final = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_EXTENSIONS: Final = frozenset({"EXT1", "EXT2", "EXT4"})
_CALLABLE_AT: Final = {"REDUCE": 2, "NEWOBJ": 2, "NEWOBJ_EX": 3}
"""How far below the top of the stack lies what is called."""
_RARE: Final = frozenset({"INST", "OBJ", "PERSID", "NEXT_BUFFER", "READONLY_BUFFER"})
"""What no writer of checkpoints makes and torch's own restricted reader does not take."""
_PUTS: Final = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_GETS: Final = frozenset({"GET", "BINGET", "LONG_BINGET"})
_PAIR: Final = frozenset({"GLOBAL", "INST"})
_LENGTH_BYTES: Final = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_LINE: Final = 64 * KIB
_KEPT: Final = 256
"""Longest string remembered; a name computed from anything longer counts as unknown."""
_SKIPPED: Final = 64 * KIB
"""Longest counted argument that is read rather than skipped."""
_FARTHEST: Final = 2**60
_MARK: Final = object()
_NEWEST: Final = 5
_ODDITIES: Final = 20
"""Kept of one file; more say nothing new."""


@final
@dataclass(frozen=True)
class _Imported:
    """An imported name on the stack, not yet called."""

    name: str


@final
class Machine:
    """Walks pickles and notes what they would import and call, across several in one file."""

    def __init__(self, limits: Limits) -> None:
        self.globals: list[str] = []
        self.calls: list[str] = []
        self.oddities: list[str] = []
        """What a writer of checkpoints never does; one of them is enough to refuse."""
        self._left = limits.pickle_opcodes
        self._limit = limits.pickle_opcodes
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    @property
    def walked(self) -> int:
        """Opcodes read so far."""
        return self._limit - max(0, self._left)

    def run(self, file: BinaryIO) -> None:
        """Walk one pickle up to its STOP; EOFError where the bytes end before it."""
        self._stack, self._memo = [], {}
        while True:
            code = file.read(1)
            if not code:
                raise EOFError("the pickle ends before its STOP")
            op = _OPCODES.get(code)
            if op is None:
                raise MalformedError(f"byte {file.tell() - 1:,} is no opcode")
            self._left -= 1
            if self._left < 0:
                raise LimitError("pickle opcodes", self._limit + 1, self._limit)
            self._step(op, _argument(file, op))
            if op.name == "STOP":
                return

    def _step(self, op: pickletools.OpcodeInfo, arg: Any) -> None:
        """Apply one opcode to stack and memo."""
        if op.name in _PUTS:
            at = len(self._memo) if op.name == "MEMOIZE" else arg
            if at in self._memo:
                self._odd(f"memo {at} is written twice")
            self._memo[at] = self._top()
            return
        self._judge(op.name, arg)
        value = self._value(op, arg)
        self._pop(op)
        if op.name in _CALLS:
            self.calls.append(op.name)
        if op.name != "POP":
            self._stack.extend([value] * len(op.stack_after))

    def _value(self, op: pickletools.OpcodeInfo, arg: Any) -> Any:
        """Return what the opcode pushes, as far as it is a known string or name, and note imports."""
        if op.name == "MARK":
            return _MARK
        if op.name == "DUP":
            return self._top()
        if op.name in _GETS:
            if arg not in self._memo:
                raise MalformedError(f"memo {arg} is read before it is written")
            return self._memo[arg]
        if op.name in _PAIR:
            made = self._import(*arg)
            return made if op.name == "GLOBAL" else None
        if op.name == "STACK_GLOBAL":
            return self._import(*(self._stack[-2:] if len(self._stack) > 1 else (None, None)))
        if op.name in _EXTENSIONS:
            return self._import("copyreg", f"extension_{arg}")
        return arg if isinstance(arg, str) else None

    def _import(self, module: Any, name: Any) -> _Imported:
        parts = (part if isinstance(part, str) else "?" for part in (module, name))
        made = _Imported(".".join(parts))
        self.globals.append(made.name)
        return made

    def _judge(self, name: str, arg: Any) -> None:
        """Note calls of what is no imported name, and changes to what is one."""
        if name in _RARE:
            self._odd(f"{name} is used, which checkpoints do without")
        elif name == "PROTO" and arg > _NEWEST:
            self._odd(f"protocol {arg} is unknown")
        below = _CALLABLE_AT.get(name)
        if below and not (len(self._stack) >= below and isinstance(self._stack[-below], _Imported)):
            self._odd(f"{name} calls what was computed")
        if self._is_changed(name):
            self._odd(f"{name} changes an imported name")

    def _is_changed(self, name: str) -> bool:
        """Say whether an opcode writes into an imported name itself."""
        down = {"BUILD": 2, "APPEND": 2, "SETITEM": 3}.get(name)
        if down is None and name in ("APPENDS", "SETITEMS", "ADDITEMS"):
            marks = (n for n, value in enumerate(reversed(self._stack)) if value is _MARK)
            down = next(marks, len(self._stack)) + 2
        return (
            bool(down)
            and len(self._stack) >= (down or 0)
            and isinstance(self._stack[-(down or 0)], _Imported)
        )

    def _odd(self, text: str) -> None:
        if len(self.oddities) < _ODDITIES and text not in self.oddities:
            self.oddities.append(text)

    def _top(self) -> Any:
        if not self._stack:
            raise MalformedError("the stack is empty")
        return self._stack[-1]

    def _pop(self, op: pickletools.OpcodeInfo) -> None:
        """Take from the stack what the opcode takes, down to a MARK where it needs one."""
        if op.name == "POP":
            self._top()
            self._stack.pop()
            return
        before = len(op.stack_before)
        if pickletools.markobject in op.stack_before:
            before = op.stack_before.index(pickletools.markobject)
            self._pop_to_mark()
        if op.name == "DUP" or not before:
            return
        if len(self._stack) < before or any(v is _MARK for v in self._stack[-before:]):
            raise MalformedError(f"{op.name} needs more than is on the stack")
        del self._stack[-before:]

    def _pop_to_mark(self) -> None:
        while self._stack:
            if self._stack.pop() is _MARK:
                return
        raise MalformedError("no MARK on the stack")


def _argument(file: BinaryIO, op: pickletools.OpcodeInfo) -> Any:
    """Read an opcode's argument: short strings and small integers as such, all else as None."""
    if op.arg is None:
        return None
    if op.name in _PAIR:
        return _line(file), _line(file)
    if op.arg.n == pickletools.UP_TO_NEWLINE:
        return _from_line(op.name, _line(file))
    if op.arg.n >= 0:
        return int.from_bytes(_take(file, op.arg.n), "little")
    data = _counted(file, _LENGTH_BYTES[op.arg.n])
    return _text(op.name, data) if len(data) <= _KEPT else None


def _from_line(name: str, line: str) -> Any:
    """Read a memo index or a string; one with escapes stays unknown, so its name cannot be disguised."""
    if name in _GETS or name in _PUTS:
        if not line.isascii() or not line.isdigit() or len(line) > 9:  # noqa: PLR2004 - more than any real memo
            raise MalformedError("a memo index is no number")
        return int(line)
    known = name in ("UNICODE", "STRING") and "\\" not in line and len(line) <= _KEPT
    return (line.strip().strip("'\"") if name == "STRING" else line) if known else None


def _text(name: str, data: bytes) -> str | None:
    if "UNICODE" in name:
        return data.decode("utf-8", "replace")
    return data.decode("latin-1") if name.endswith("STRING") else None


def _line(file: BinaryIO) -> str:
    """Read a line; of one beyond _LINE only the beginning is kept, but all of it is consumed."""
    line = last = file.readline(_LINE)
    while len(last) == _LINE and not last.endswith(b"\n"):
        last = file.readline(_LINE)
    if not last.endswith(b"\n"):
        raise EOFError("the pickle ends inside a line")
    return line.removesuffix(b"\n").decode("utf-8", "replace")


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError("the pickle ends inside an argument")
    return data


def _counted(file: BinaryIO, length_bytes: int) -> bytes:
    length = int.from_bytes(_take(file, length_bytes), "little")
    if length <= _SKIPPED:
        return _take(file, length)
    if length > _FARTHEST:
        raise EOFError("an argument is longer than any file")
    file.seek(length - 1, 1)
    _take(file, 1)
    return b"\x00" * (_KEPT + 1)
