"""May this file be opened? Holds a file, and the model folder it lies in, against the lock."""

import hashlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final

from sekisho.errors import LoadRefusedError
from sekisho.load_guard import weightlike
from sekisho.load_guard.lockfile import Lock, Model

_BLOCK: Final = 2**20
_CONFIGS: Final = ("config.json", "adapter_config.json", "params.json", "modules.json")
"""Beside weights, one of these makes a folder a model's."""
_READ: Final = (".json", ".jinja", ".py", ".txt", ".model", ".tiktoken", ".spm", ".toml", ".yaml", ".yml")
"""Endings of what loaders read besides weights; such a file that the lock lacks is refused with the folder."""
_INERT: Final = ("readme", "license", "licence", "notice", "use_policy")
"""Beginnings of names that may be deleted: no loader reads them."""
_MANY: Final = 20_000
"""Files of one model folder."""
Print = tuple[int, int, int, int, int]


@dataclass(frozen=True)
class Guard:
    """A lock and what has been hashed under it in this process; `check` is safe to call from any thread."""

    lock: Lock
    digests: dict[Print, str] = field(default_factory=dict, compare=False)
    """By device, inode, size and both times: a file is hashed in full before it is remembered."""
    kinds: dict[Print, str] = field(default_factory=dict, compare=False)

    def check(self, path: str | int, now: datetime | None = None) -> None:
        """Let a file pass, or not. Raises LoadRefusedError; what is no model, or does not exist, passes.

        `path` may be a file descriptor. A folder is checked as a model if it is one.
        """
        moment = now or datetime.now(UTC)
        try:
            known = os.stat(path)
        except (OSError, ValueError):
            return  # the loader's own error is the better one
        if stat.S_ISDIR(known.st_mode) and isinstance(path, str):
            self._folder(os.path.abspath(path), moment)
        elif stat.S_ISREG(known.st_mode):
            self._file(path, known, moment)

    def _file(self, path: str | int, known: os.stat_result, now: datetime) -> None:
        name = os.path.abspath(path) if isinstance(path, str) else _name_of(path)
        if self._kind(path, name, known):
            model = self._locked(path, name, known, now)
            root = _root(name, model, self._digest(path, name, known))
            if root and len(model.files) > 1:
                self._whole(root, model)
        elif _read_by_loaders(name) and _is_model(os.path.dirname(name)):
            self._folder(os.path.dirname(name), now)
            self._locked(path, name, known, now)

    def _locked(self, path: str | int, name: str, known: os.stat_result, now: datetime) -> Model:
        """The model of the lock that a file belongs to."""
        digest = self._digest(path, name, known)
        found = [m for m in self.lock.models if digest in m.files.values()]
        if not found:
            raise self._refused(name, f"its digest sha256 {digest[:16]}… is of no model in the lock")
        valid = [m for m in found if not m.expired(now)]
        if not valid:
            raise self._refused(name, f"the lock's entry {found[0].name} expired on {found[0].expires}")
        return valid[0]

    def _folder(self, folder: str, now: datetime) -> None:
        """A folder is a model's: it must be one of the lock's, whole, with nothing added."""
        if not _is_model(folder):
            return
        there = dict(_files(folder))
        weights = [p for p in there if weightlike.by_name(p)]
        fits = [m for m in self.lock.models if any(p in m.files for p in weights)]
        problems: list[LoadRefusedError] = []
        for model in sorted(fits, key=lambda m: -len(set(m.files) & set(there))):
            try:
                self._whole(folder, model)
            except LoadRefusedError as error:
                problems.append(error)
                continue
            if not model.expired(now):
                return
            problems.append(
                self._refused(folder, f"the lock's entry {model.name} expired on {model.expires}")
            )
        raise problems[0] if problems else self._refused(folder, "no model of the lock has its files")

    def _whole(self, root: str, model: Model) -> None:
        """Every file that loaders read is as the lock says; none is added, none is gone."""
        there = dict(_files(root))
        for name in sorted(set(there) | set(model.files)):
            path = os.path.join(root, name)
            wanted = model.files.get(name, "")
            if name not in there:
                if not weightlike.by_name(name) and not _inert(name):
                    raise self._refused(path, f"it is gone, and the lock's entry {model.name} has it")
            elif not wanted:
                if self._kind(path, path, there[name]) or _read_by_loaders(path):
                    raise self._refused(path, f"it was added: the lock's entry {model.name} does not have it")
            elif self._digest(path, path, there[name]) != wanted:
                raise self._refused(path, f"it is not the file that the lock's entry {model.name} has")

    def _kind(self, path: str | int, name: str, known: os.stat_result) -> str:
        mark = _mark(known)
        if mark not in self.kinds:
            try:
                with _opened(path) as file:
                    self.kinds[mark] = weightlike.kind(file, known.st_size, "")
            except OSError:
                return ""  # what we may not read, the loader may not either
        return self.kinds[mark] or ("weights" if weightlike.by_name(name) else "")

    def _digest(self, path: str | int, name: str, known: os.stat_result) -> str:
        mark = _mark(known)
        if mark not in self.digests:
            made, buffer = hashlib.sha256(), bytearray(_BLOCK)
            try:
                with _opened(path) as file:
                    while count := file.readinto(buffer):
                        made.update(memoryview(buffer)[:count])
                    after = os.fstat(file.fileno())
            except OSError as error:
                raise self._refused(name, f"it cannot be hashed: {error.strerror}") from error
            if _mark(after) != mark:
                raise self._refused(name, "it changed while it was hashed")
            self.digests[mark] = made.hexdigest()
        return self.digests[mark]

    def _refused(self, path: str, why: str) -> LoadRefusedError:
        shown = path if path.isprintable() else ascii(path)[1:-1]
        return LoadRefusedError(f"load refused: {shown}: {why} ({self.lock.path or 'no lock file'})")


def _opened(path: str | int) -> io.FileIO:
    """A second way to the file: reading here moves nothing for the loader."""
    return io.FileIO(f"/dev/fd/{path}" if isinstance(path, int) else path)


def _mark(known: os.stat_result) -> Print:
    return known.st_dev, known.st_ino, known.st_size, known.st_mtime_ns, known.st_ctime_ns


def _name_of(number: int) -> str:
    """Where an open file lies, as far as the system says."""
    try:
        return os.readlink(f"/proc/self/fd/{number}")
    except OSError:
        return ""


def _inert(name: str) -> bool:
    return PurePath(name).name.lower().startswith(_INERT)


def _read_by_loaders(name: str) -> bool:
    return name.lower().endswith(_READ) and not _inert(name) and os.path.basename(name)[0] != "."


def _configured(folder: str) -> bool:
    return any(os.path.isfile(os.path.join(folder, c)) for c in _CONFIGS)


def _is_model(folder: str) -> bool:
    """A configuration beside a file named as weights are."""
    if not _configured(folder):
        return False
    try:
        return any(weightlike.by_name(n) for n in os.listdir(folder))
    except OSError:
        return False


def _root(name: str, model: Model, digest: str) -> str:
    """The folder that the model lies in, seen from one of its files; empty where it lies alone."""
    for path, known in model.files.items():
        if known == digest and name.endswith(f"/{path}"):
            return name[: -len(path) - 1]
    folder = os.path.dirname(name)
    return folder if folder and _configured(folder) else ""


def _files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file by its path within the folder; hidden folders hold what no loader looks for."""
    count = 0
    for folder, inner, names in os.walk(root):
        inner[:] = [n for n in inner if not n.startswith(".")]
        for name in names:
            path = os.path.join(folder, name)
            try:
                known = os.stat(path)
            except OSError:
                continue  # a link to nothing
            count += 1
            if count > _MANY:
                raise LoadRefusedError(f"load refused: {root}: more than {_MANY:,} files")
            if stat.S_ISREG(known.st_mode):
                yield os.path.relpath(path, root), known
