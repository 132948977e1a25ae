"""Read a record: only lines that are whole, in their place and as they were sealed are believed.

A piece of a line at the end is what a killed process leaves, and is passed over. Everything else that does not fit is
named by its line (from 1) and what the line is about.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ArtefactError, DataError
from sekisho.evidence import dsse
from sekisho.limits import DEFAULT, Limits
from sekisho.training_log import chain, environment, models
from sekisho.training_log.recorder import SCHEMA
from sekisho.training_log.rows import Rows

_KEYS: Final = frozenset({"n", "kind", "time", "body", "previous", "digest"})
KINDS: Final = frozenset(
    [
        "open",
        "base",
        "data",
        "rows",
        "setting",
        "code",
        "packages",
        "machine",
        "seeds",
        "start",
        "log",
        "save",
        "weights",
        "end",
        "output",
    ]
)
"""What a line can be about."""


@final
@dataclass(frozen=True)
class Broken:
    """A line that is not as it was written."""

    line: int
    """From 1."""
    code: str
    """`altered`, `missing`, `replaced` (the line before it was), or `unreadable`."""
    about: str
    """What the line is about, as far as it can be told: `setting training.learning_rate`."""


@final
@dataclass(frozen=True)
class Line:
    """One line that was read."""

    kind: str
    time: str
    body: Mapping[str, Any]


@final
@dataclass(frozen=True)
class Record:
    """What a record says, and whether it still says what was written."""

    lines: tuple[Line, ...]
    broken: tuple[Broken, ...]
    torn: bool
    """The last line is a piece of one: the process was killed while it wrote."""
    head: str
    """Digest of the last line."""

    def first(self, kind: str) -> Mapping[str, Any]:
        """Body of the first line of a kind; empty if there is none."""
        return next((x.body for x in self.lines if x.kind == kind), {})

    def last(self, kind: str) -> Mapping[str, Any]:
        """Body of the last line of a kind; empty if there is none."""
        return next((x.body for x in reversed(self.lines) if x.kind == kind), {})

    def each(self, kind: str) -> tuple[Mapping[str, Any], ...]:
        """Bodies of all lines of a kind."""
        return tuple(x.body for x in self.lines if x.kind == kind)

    @property
    def settings(self) -> dict[str, Any]:
        """Hyperparameters by name."""
        return {str(b.get("name")): b.get("value") for b in self.each("setting")}

    @property
    def finished(self) -> bool:
        """Whether the training came to its end under the recorder's eyes."""
        return self.last("end").get("outcome") == "finished"

    def data(self, role: str) -> Mapping[str, Any]:
        """What is known of the dataset in a role: `given` or `trained`; the last line counts."""
        return next((b for b in reversed(self.each("data")) if b.get("role") == role), {})

    def rows(self, role: str) -> Rows | None:
        """Digests of rows, as they were written; None where they are unknown."""
        known = self.data(role)
        if "root" not in known:
            return None
        marks = [m for b in self.each("rows") if b.get("role") == role for m in _texts(b.get("marks"))]
        return Rows(
            _int(known, "rows"),
            str(known.get("digest")),
            str(known["root"]),
            _int(known, "block"),
            tuple(marks),
        )

    def losses(self) -> tuple[tuple[int, float], ...]:
        """(step, training loss) pairs."""
        found = ((b.get("step"), b.get("values")) for b in self.each("log"))
        pairs = ((s, _number(v.get("loss"))) for s, v in found if isinstance(v, dict))
        return tuple((s, v) for s, v in pairs if isinstance(s, int) and v is not None)

    @property
    def outputs(self) -> dict[str, str]:
        """Files of the result by name, with digests: those saved last, else those of the last checkpoint."""
        return files(self.last("output") or self.last("save"))


def files(body: Mapping[str, Any], key: str = "files") -> dict[str, str]:
    """A table of file names and digests (or of other names and texts) in a body; empty where there is none."""
    found = body.get(key)
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}


def read(path: Path, limits: Limits = DEFAULT) -> Record:
    """Read a record's file. Raises DataError where it cannot be read, or is none at all."""
    try:
        with path.open("rb") as file:
            data = file.read(limits.training_record_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > limits.training_record_bytes:
        raise DataError(f"{path}: over the limit of {limits.training_record_bytes:,} bytes for a record")
    return parse(data, str(path), limits)


def parse(data: bytes, where: str = "record", limits: Limits = DEFAULT) -> Record:
    """Make a record of its bytes. Raises DataError where they are no training record of this layout."""
    whole, end, piece = data.rpartition(b"\n")
    raw = whole.split(b"\n") if end else []
    found: list[Line] = []
    broken: list[Broken] = []
    previous, expected = chain.GENESIS, 0
    for number, text in enumerate(raw, 1):
        body = _line(text, limits)
        if body is None:
            broken.append(Broken(number, "unreadable", ""))
            previous, expected = "", expected + 1
            continue
        broken.extend(_held(number, body, previous, expected))
        found.append(Line(body["kind"], body["time"], body["body"]))
        previous, expected = body["digest"], body["n"] + 1
    begun = found and found[0].kind == "open" and found[0].body.get("schema") == SCHEMA
    if not begun and not (found and broken):
        raise DataError(f"{where}: no training record of layout {SCHEMA}")
    return Record(tuple(found), tuple(broken), bool(piece), previous)


def _held(number: int, line: Mapping[str, Any], previous: str, expected: int) -> Iterator[Broken]:
    """Everything that does not fit about one line."""
    if line["n"] != expected:
        yield Broken(number, "missing", "")
    elif previous and line["previous"] != previous:
        yield Broken(number - 1 if number > 1 else 1, "replaced", "")
    unsealed = {k: v for k, v in line.items() if k != "digest"}
    if chain.digest(chain.canonical(unsealed)) != line["digest"] or _inner(line):
        yield Broken(number, "altered", about(line["kind"], line["body"]))


def _inner(line: Mapping[str, Any]) -> bool:
    """Digests that a line states of itself and that do not fit."""
    body = line["body"]
    if line["kind"] == "packages" and isinstance(body.get("versions"), dict):
        return bool(
            environment.digest({str(k): str(v) for k, v in body["versions"].items()}) != body.get("digest")
        )
    if line["kind"] == "base" and isinstance(body.get("files"), dict):
        try:
            return bool(models.root({str(k): str(v) for k, v in body["files"].items()}) != body.get("root"))
        except ValueError:
            return True  # a digest that is none
    return False


def about(kind: str, body: Mapping[str, Any]) -> str:
    """What a line is about, in the record's own words."""
    if kind == "setting":
        return f"setting {str(body.get('name'))[:200]}"
    if kind == "rows":
        marks, first = body.get("marks"), body.get("first")
        if isinstance(first, int) and isinstance(marks, list):
            return f"rows {first + 1}-{first + len(marks)}"
    if kind in ("log", "save"):
        return f"{kind} {body.get('step')}"
    return f"{kind} {body['role']}" if isinstance(body.get("role"), str) else kind


def _line(text: bytes, limits: Limits) -> dict[str, Any] | None:
    """One line, or None where it is none that a recorder wrote."""
    if len(text) > limits.training_line_bytes:
        return None
    try:
        body = dsse.parse(text, limits)
        fits = chain.canonical(body) == text
    except (ArtefactError, TypeError, ValueError):
        return None
    typed = (
        set(body) == _KEYS
        and type(body["n"]) is int
        and isinstance(body["body"], dict)
        and all(isinstance(body[k], str) for k in ("kind", "time", "previous", "digest"))
    )
    return body if fits and typed and body["kind"] in KINDS else None


def _texts(value: Any) -> Sequence[str]:
    return [str(v) for v in value] if isinstance(value, list) else []


def _int(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key)
    return value if type(value) is int and value >= 0 else 0


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return float(value) if value in ("nan", "inf", "-inf") else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
