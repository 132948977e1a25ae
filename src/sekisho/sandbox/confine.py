"""What the child gives up before it touches untrusted text.

Gone: the network (an empty network namespace where the kernel allows one), memory beyond a bound, core dumps, writing
files, and from Python opening anything, starting processes, sockets, native calls and imports.
Left: native code of the tokenizers library, which runs with this user's rights to read; and processor time up to a bound.
"""

import ctypes
import resource
import sys
from collections.abc import Sequence
from typing import Any, Final

from sekisho.limits import MIB

_NEW_USER: Final = 0x10000000
_NEW_NET: Final = 0x40000000
_REFUSED: Final = (
    "open", "import", "os.", "socket.", "subprocess.", "shutil.", "ctypes.", "pickle.", "mmap.", "fcntl.", "pty.",
    "tempfile.", "glob.", "urllib.", "http.", "ftplib.", "sqlite3.", "webbrowser.", "marshal.", "syslog.", "resource.",
)  # fmt: skip
"""Beginnings of audit events that end in PermissionError."""


def give_up(megabytes: int, seconds: int) -> None:
    """Confine this process for good: memory in MiB, processor time in seconds."""
    _cut_network()
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 64 * MIB),
        (resource.RLIMIT_AS, megabytes * MIB),
        (resource.RLIMIT_CPU, seconds),
    ):
        _, hard = resource.getrlimit(which)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (lowest, lowest))
    sys.addaudithook(_refuse)


def _cut_network() -> None:
    """Where no namespace can be had, the audit hook alone keeps sockets shut."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_NEW_NET) != 0:
            libc.unshare(_NEW_USER | _NEW_NET)


def _refuse(event: str, args: Sequence[Any]) -> None:
    del args
    if event.startswith(_REFUSED):
        raise PermissionError(f"{event} is not allowed here")
