"""Names of files inside archives: which of them would leave the folder they are unpacked into."""

import re
from typing import Final

_DRIVE: Final = re.compile(r"[A-Za-z]:")


def leaves(name: str) -> bool:
    """Say whether a relative name leads out of its folder, on any system: absolute, a drive, or too many `..`."""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain) or "\x00" in name:
        return True
    depth = 0
    for part in plain.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False
