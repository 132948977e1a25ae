"""What a process gives up before it opens an untrusted model.

Covers: memory, open files, file size and core dumps (rlimits); the network (an empty network
namespace where the kernel allows it); sockets, subprocesses and unpickling from Python (audit hook).
Does not cover: native code in the parsers themselves, which runs with this user's rights and may read
what the user may read. Run Sekisho as its own user, or in a container, where that matters.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import Any, Final

from sekisho.limits import DEFAULT, MIB

CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000
PR_SET_PDEATHSIG: Final = 1
UNNEEDED: Final = ("datasets", "pandas", "pyarrow", "scipy", "sklearn")
"""Imported by the libraries if they are there; neither answering nor training makes use of them."""
FORBIDDEN: Final = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.spawn",
        "os.system",
        "pickle.find_class",
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.sendto",
        "subprocess.Popen",
    }
)
"""Audit events that end in PermissionError once `forbid` was called."""


def limit(weights_bytes: int) -> None:
    """Bound this process's memory (weights are mapped, so they come on top), files and dumps."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, DEFAULT.child_files)
    _lower(resource.RLIMIT_FSIZE, 64 * MIB)
    _lower(resource.RLIMIT_AS, DEFAULT.child_memory_bytes + weights_bytes)


def _lower(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))


def leave_out() -> None:
    """Keep libraries that no model needs from being imported: less to start (docs/adr/0010), and less code beside the model.

    One of them starts a thread, too, after which a process should not fork.
    """
    for name in UNNEEDED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # what importlib takes for "not there"


def cut_network() -> str:
    """Enter an empty network namespace; say which way it went: `namespace` or `audit-hook`."""
    if sys.platform != "linux":
        return "audit-hook"
    libc = ctypes.CDLL(None, use_errno=True)
    for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET):
        if libc.unshare(flags) == 0:
            return "namespace"
    return "audit-hook"


def end_with(parent: int) -> None:
    """Let the kernel kill this process when its parent ends; at once if it has ended already."""
    if (
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0
        or os.getppid() != parent
    ):
        os._exit(1)


def forbid() -> None:
    """From here on, sockets, subprocesses and pickled globals raise PermissionError. No way back."""
    sys.addaudithook(_refuse)


def _refuse(event: str, args: Sequence[Any]) -> None:
    if event in FORBIDDEN:
        raise PermissionError(f"{event} is not allowed beside an untrusted model: {args!r:.200}")


def environment() -> dict[str, str]:
    """The few variables a model's process is given."""
    kept = {
        k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH") if k in os.environ
    }
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", ""),
    }
