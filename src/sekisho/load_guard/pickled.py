"""Would an unpickler get as far as calling something here? Told by walking the opcodes; nothing is unpickled."""

import io
import re
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pickletools import OpcodeInfo

_MARKED: Final = re.compile(rb"\x80[\x00-\x06][(\x8a\x8c\x95}\]cXqKMJGN\x88\x89CUV\x96)]")
"""How protocol 2 and later begin; earlier ones are known by what they do."""
_FIRST: Final = re.compile(rb"[(\]}).cdFGIJKLMNPSTUVXilpqt\x80-\x98]")
_NAMES: Final = frozenset({"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"})
_CALLS: Final = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_HOLDS: Final = frozenset({"DICT", "LIST", "TUPLE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"})
_NAME: Final = re.compile(r"[A-Za-z_][\w.]* [A-Za-z_][\w.]*")
_BYTES: Final = 2**20
"""That are walked through."""
_STEPS: Final = 10_000
_MARK: Final = "mark"


def is_pickle(head: bytes, file: BinaryIO, size: int) -> bool:
    """Say whether a file is a pickle, whatever stands before the first call or after it."""
    if _MARKED.match(head):
        return True
    if not _FIRST.match(head):
        return False
    file.seek(0)
    stream = io.BytesIO(file.read(_BYTES))
    try:
        return _walked(stream, size)
    except (ValueError, IndexError, AttributeError, struct.error, OverflowError):
        return stream.tell() >= _BYTES < size  # what lies beyond may call


def _walked(stream: io.BytesIO, size: int) -> bool:
    """Raises what a walk over no pickle raises."""
    import pickletools  # late: most files begin with something else

    seen, stack = set[str](), list[str]()
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if opcode.name in ("GLOBAL", "INST") and not _NAME.fullmatch(str(argument)):
            return False
        _moved(stack, opcode)
        seen.add(opcode.name)
        if number > _STEPS or (seen & _NAMES and opcode.name in _CALLS):
            return True
        if opcode.name == "STOP":
            return bool(seen & _NAMES) or (bool(seen & _HOLDS) and stream.tell() == size)
    return False


def _moved(stack: list[str], opcode: "OpcodeInfo") -> None:
    """What the opcode takes and leaves. Raises IndexError where an unpickler would stop."""
    if opcode.name == "MARK":
        stack.append(_MARK)
        return
    for wanted in reversed(opcode.stack_before):
        if wanted.name == "stackslice":
            while stack[-1] != _MARK:
                stack.pop()
        else:
            stack.pop()
    stack += [""] * len(opcode.stack_after)
