"""Hold a record against itself, and against what it names: base, data, output, code, an entry of the ledger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from sekisho.errors import ArtefactError, DataError, SourceError
from sekisho.evidence import walk
from sekisho.training_log import data as datas
from sekisho.training_log import models, reading, rows
from sekisho.training_log.reading import Record

SPANS: Final = 5
"""Differing spans of rows that are named one by one."""
PARTS: Final = ("base", "data", "model")
"""What a record is held against, and what is said to be unchecked where it is not."""


@final
@dataclass(frozen=True)
class Trouble:
    """One thing that is not as recorded, or was not looked at."""

    code: str
    """Key of a sentence in `locale/parts/training.toml`, section `trouble`."""
    facts: tuple[tuple[str, str], ...] = ()
    grave: bool = True
    """Something is not as it was; otherwise it is only not known."""


@final
@dataclass(frozen=True)
class Against:
    """What the record is held against; None is left out, and said so."""

    base: Path | None = None
    data: Path | None = None
    model: Path | None = None
    head: str = ""
    """Digest of the last line, as kept elsewhere."""
    entry: Mapping[str, Any] | None = None
    """Body of the ledger's entry about this training."""


def verify(record: Record, against: Against = Against()) -> tuple[Trouble, ...]:
    """Everything that is not as recorded, gravest first; then what is not known. Raises DataError, SourceError."""
    found = [*_chain(record, against)]
    for part, held in zip(PARTS, (_base, _data, _model), strict=True):
        path = getattr(against, part)
        found += _unchecked(record, part) if path is None else held(record, path)
    if against.entry is not None:
        found += entry(record, against.entry)
    return tuple(sorted(found, key=lambda t: not t.grave))


def entry(record: Record, body: Mapping[str, Any]) -> Iterator[Trouble]:
    """What a record says otherwise than the entry or the statement that was made of it."""
    from sekisho.training_log.entry import summary

    mine = summary(record)
    for key in ("method", "base_digest", "data_digest", "output_digest"):
        if key in body and body[key] != mine.get(key, ""):
            yield _said("entry-differs", key, body[key], mine.get(key, ""))
    theirs = body.get("settings")
    if isinstance(theirs, Mapping):
        ours = mine["settings"]
        for name in sorted({*theirs, *ours}):
            if theirs.get(name) != ours.get(name):
                yield _said("entry-differs", name, theirs.get(name, "-"), ours.get(name, "-"))
    if body.get("log_head") and not record.broken and body["log_head"] != record.head:
        yield Trouble("other-head", (("kept", str(body["log_head"])[:16]), ("found", record.head[:16])))


def _said(code: str, name: str, kept: Any, found: Any) -> Trouble:
    return Trouble(code, (("name", name), ("kept", str(kept)[:200]), ("found", str(found)[:200])))


def _chain(record: Record, against: Against) -> Iterator[Trouble]:
    for broken in record.broken:
        code = broken.code if broken.about or broken.code != "altered" else "unreadable"
        yield Trouble(code, (("line", str(broken.line)), ("about", broken.about)))
    if against.head and against.head != record.head:
        yield Trouble("other-head", (("kept", against.head[:16]), ("found", record.head[:16])))
    if record.torn:
        yield Trouble("torn", grave=False)
    end = record.last("end")
    if not end:
        yield Trouble("no-end", (("step", _newest(record)),), grave=False)
    elif end.get("outcome") != "finished":
        yield Trouble(
            "failed", (("step", str(end.get("step"))), ("error", str(end.get("error")))), grave=False
        )


def _newest(record: Record) -> str:
    logged = record.each("log")
    return str(logged[-1].get("step")) if logged else "0"


def _unchecked(record: Record, part: str) -> Iterator[Trouble]:
    if part == "base":
        why = record.first("base").get("unknown")
    elif part == "data":
        why = record.data("given").get("unknown")
    else:
        why = None if record.outputs else "nothing was saved while it was recorded"
    if why:
        yield Trouble(f"{part}-unknown", (("why", str(why)),), grave=False)
    else:
        yield Trouble(f"{part}-unchecked", grave=False)


def _base(record: Record, path: Path) -> Iterator[Trouble]:
    known = record.first("base")
    files = reading.files(known)
    if not files:
        yield Trouble("base-unknown", (("why", str(known.get("unknown", ""))),), grave=False)
        return
    try:
        there = models.take(path).files
    except ArtefactError as error:
        raise DataError(str(error)) from error
    yield from _files("base", files, there)


def _model(record: Record, path: Path) -> Iterator[Trouble]:
    """Files of the result; a checkpoint of the same training is recognised as such."""
    if not path.is_dir():
        raise SourceError(f"{path}: no such folder")
    every = (*record.each("output")[::-1], *record.each("save")[::-1])
    saves = [(f, reading.files(b, "not_opened")) for b in every if (f := reading.files(b))]
    if not saves:
        yield Trouble("model-unknown", (("why", "nothing was saved while it was recorded"),), grave=False)
        return
    own = [p for p in sorted(path.iterdir()) if p.is_file() and not p.name.startswith(".")]
    there = {p.name: walk.sha256(p) or "" for p in own if p.suffix not in models.PICKLES}
    # the newest counts, unless another one fits better: the folder of an earlier checkpoint was named
    best, sizes = min(saves, key=lambda s: len(set(s[0].items()) ^ set(there.items())))
    yield from _files("model", best, there)
    for pickle in (p for p in own if p.suffix in models.PICKLES):
        if sizes.get(pickle.name) != str(pickle.stat().st_size):  # all that is known of one
            code = "model-file-changed" if pickle.name in sizes else "model-file-added"
            yield Trouble(code, (("file", pickle.name),))


def _files(part: str, old: Mapping[str, Any], new: Mapping[str, str]) -> Iterator[Trouble]:
    for name in sorted({*old, *new}):
        code = "gone" if name not in new else "added" if name not in old else "changed"
        if old.get(name) != new.get(name):
            yield Trouble(f"{part}-file-{code}", (("file", name),))
        elif not new[name]:
            yield Trouble(f"{part}-file-unread", (("file", name),), grave=False)


def _data(record: Record, path: Path) -> Iterator[Trouble]:
    old = record.rows("given")
    known = record.data("given")
    if old is None:
        listed = known.get("sources")
        digests = [s.get("sha256") for s in listed if isinstance(s, dict)] if isinstance(listed, list) else []
        found = datas.file(path).sources[0].sha256
        if not found or found not in digests:
            yield Trouble("data-unknown", (("why", str(known.get("unknown", ""))),), grave=False)
        return
    new = datas.file(path).rows
    if new is None:
        raise DataError(f"{path}: its rows cannot be read; JSON lines, a JSON array or Parquet are needed")
    if new.root == old.root and new.count == old.count:
        return
    spans = rows.differing(old, new)
    for first, last in spans[:SPANS]:
        facts = (("row", str(first)), ("last", str(last)))
        if new.count == old.count:
            yield Trouble("row-changed" if first == last else "rows-changed", facts)
    if new.count != old.count:
        more = "added" if new.count > old.count else "removed"
        number = str(abs(new.count - old.count))
        yield Trouble(f"rows-{more}", (("row", str(spans[0][0])), ("n", number), ("was", str(old.count))))
    elif len(spans) > SPANS:
        yield Trouble("rows-more", (("n", str(len(spans) - SPANS)),))
    elif not spans:
        yield Trouble("rows-root", ())
