"""Wheels with a made-up model inside, good and hostile, built in code."""

import hashlib
import zipfile
from pathlib import Path

from sekisho.sources.catalogue import Entry, Member, Package

PARTS = (b"GGUF first half, ", b"second half")
LICENCE = b"Do as you like.\n"
INFO = "toy_model-1.0.dist-info"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def member(path: str, data: bytes, to: str) -> Member:
    return Member(path, len(data), digest(data), to)


def toy(*, parts: tuple[bytes, ...] = PARTS, converted: tuple[tuple[str, str], ...] = ()) -> Entry:
    """A catalogue entry that pins `parts`."""
    members = [member(f"toy_model/part{n}", part, "weights") for n, part in enumerate(parts)]
    members.append(member(f"{INFO}/LICENSE", LICENCE, "LICENSE"))
    package = Package("toy-model", "1.0", 1_000, tuple(members))
    joined = digest(b"".join(parts))
    return Entry("toy", "Toy", "none", "made up", "A toy.", joined, 1_000, (package,), converted)


def wheel(folder: Path, extra: dict[str, bytes] | None = None, parts: tuple[bytes, ...] = PARTS) -> Path:
    """A wheel pip accepts, with `parts`, a licence and whatever else."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "toy_model-1.0-py3-none-any.whl"
    files = {f"toy_model/part{n}": part for n, part in enumerate(parts)}
    files |= {
        "toy_model/__init__.py": b"raise SystemExit('imported')\n",
        f"{INFO}/LICENSE": LICENCE,
        f"{INFO}/METADATA": b"Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n",
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (files | (extra or {})).items():
            archive.writestr(name, data)
    return path
