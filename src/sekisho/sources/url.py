"""One file from one address, pinned by its sha256."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from sekisho.errors import SourceError
from sekisho.sources import http_, paths
from sekisho.sources.address import Address
from sekisho.sources.listed import Arrived, Expected


def fetch(where: Address, folder: Path) -> Arrived:
    """Write the file into a folder. Raises SourceError, DigestError, StorageError; on error nothing is kept."""
    if not where.pinned:
        raise SourceError("an address of a file needs its digest: add #sha256= and 64 hexadecimal digits")
    name = unquote(urlsplit(where.place).path.rpartition("/")[2])
    target = paths.inside(folder, name)
    digest = where.revision.removeprefix("sha256:")
    size = http_.save(where.place, target, sha256=digest)
    listed = Expected(name, size, digest, "", lfs=False)
    return Arrived(where.uri(), where.revision, where.revision, (listed,))
