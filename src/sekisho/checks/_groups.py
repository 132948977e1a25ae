"""Files that are named together: how many, which, and a digest that binds a finding to what all of them hold."""

import hashlib
from collections.abc import Sequence
from typing import Final

from sekisho.formats.text import shown
from sekisho.records import Facts, FileFact

ONE_BY_ONE: Final = 3
"""Files up to which each has a finding of its own."""
_NAMED: Final = 5


def facts(files: Sequence[FileFact]) -> Facts:
    """Return `count`, `digest` and `files`."""
    lines = "\n".join(f"{f.sha256}  {f.path}" for f in files).encode("utf-8", "surrogateescape")
    digest = hashlib.sha256(lines).hexdigest()[:16]
    return (("count", str(len(files))), ("digest", digest), ("files", listed(files)))


def listed(files: Sequence[FileFact]) -> str:
    """Return the first few names, and how many more."""
    more = f" (+{len(files) - _NAMED})" if len(files) > _NAMED else ""
    return ", ".join(shown(f.path) for f in files[:_NAMED]) + more
