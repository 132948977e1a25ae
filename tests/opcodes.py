"""Pickles put together opcode by opcode, so that nothing hostile is ever pickled or loaded to make them."""

import struct
from typing import Final

SYSTEM: Final = ("posix", "system")


def text(value: str) -> bytes:
    """BINUNICODE."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def short(value: str) -> bytes:
    """SHORT_BINUNICODE, of protocol 4."""
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def stacked(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL with both names beside it."""
    return short(module) + short(attribute) + b"\x93"


def call(module: str, attribute: str, *arguments: str) -> bytes:
    """A whole pickle of protocol 2 that would call a name with texts."""
    inner = b"".join(text(a) for a in arguments or ("true",))
    return b"\x80\x02" + name(module, attribute) + b"(" + inner + b"tR."


PAYLOAD: Final = call(*SYSTEM)
_TENSOR: Final = (
    name("torch._utils", "_rebuild_tensor_v2") + b"(("
    + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x02tQ"
    + b"K\x00K\x02\x85K\x01\x85\x89" + name("collections", "OrderedDict") + b")RtR"
)  # fmt: skip
STATE_DICT: Final = b"\x80\x02}" + text("weight") + _TENSOR + b"s."
"""What torch.save puts into data.pkl for one tensor of two numbers."""
MAGIC: Final = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
VERSION: Final = b"\x80\x02M\xe9\x03."
SYS_INFO: Final = b"\x80\x02}(" + text("protocol_version") + b"M\xe9\x03" + text("little_endian") + b"\x88u."
KEYS: Final = b"\x80\x02](" + text("0") + b"e."
STORAGE: Final = struct.pack("<q", 2) + bytes(8)


def legacy(*, at: int = -1, payload: bytes = PAYLOAD, body: bytes = STATE_DICT) -> bytes:
    """A file as torch.save wrote it before zip, one of its five pickles replaced."""
    parts = [MAGIC, VERSION, SYS_INFO, body, KEYS]
    if at >= 0:
        parts[at] = payload
    return b"".join(parts) + STORAGE
