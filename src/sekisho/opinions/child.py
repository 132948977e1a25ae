"""Runs one program with little memory, time and disk and no network: `python -I child.py MIB SECONDS PROGRAM ...`.

Run as a file, so that nothing of Sekisho is imported. The program keeps this user's rights to read; a scanner that is not
trusted with that should not be installed.
"""

import ctypes
import os
import resource
import sys

MIB = 2**20
NEW_USER, NEW_NET = 0x10000000, 0x40000000
NOWHERE = "127.0.0.1:9"
"""Where clients that heed proxies are sent on a machine that allows no namespace of its own."""


def main() -> None:
    """Give up, then become the program."""
    megabytes, seconds, *program = sys.argv[1:]
    if not cut_network():
        os.environ |= dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), f"http://{NOWHERE}")
    for which, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 64 * MIB),
        (resource.RLIMIT_AS, int(megabytes) * MIB),
        (resource.RLIMIT_CPU, int(seconds)),
    ):
        _, hard = resource.getrlimit(which)
        lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (lowest, lowest))
    os.execv(program[0], program)  # noqa: S606  no shell is wanted


def cut_network() -> bool:
    """Enter an empty network namespace; False where the system allows none."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(NEW_NET) == 0 or libc.unshare(NEW_USER | NEW_NET) == 0)


if __name__ == "__main__":
    main()
