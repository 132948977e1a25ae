"""A record becomes an entry of the ledger and a statement that can be signed."""

from typing import Any, Final

from sekisho.errors import DataError
from sekisho.evidence import statements
from sekisho.evidence.statements import Subject
from sekisho.ledger.entry import Draft
from sekisho.ledger.kinds import Kind
from sekisho.training_log import chain, models, settings
from sekisho.training_log.reading import Record

_DIGITS: Final = 10
"""Significant digits of a number with a fraction, as in the ledger."""


def summary(record: Record) -> dict[str, Any]:
    """The body of a ledger entry: digests and every hyperparameter as text."""
    begun, base, given = record.first("open"), record.first("base"), record.data("given")
    trained = record.data("trained")
    seeds, machine = record.first("seeds"), record.first("machine")
    known: dict[str, Any] = {
        "method": str(begun.get("method") or "recording"),
        "base_digest": base.get("root", ""),
        "data_digest": given.get("root") or trained.get("root") or "",
        "output_digest": _root(record),
        "log_head": record.head,
    }
    table = {k: text(v) for k, v in record.settings.items() if not settings.placement(k.partition(".")[2])}
    table |= {
        "record.run": text(begun.get("run", "")),
        "record.outcome": text(record.last("end").get("outcome", "no end")),
        "data.owner": text(begun.get("owner", "")),
        "data.classification": text(begun.get("classification", "")),
        "data.rows": text(given.get("rows", trained.get("rows", "unknown"))),
        "base.files_digest": text(base.get("files_digest", "unknown")),
        "environment.digest": text(record.first("packages").get("digest", "unknown")),
        "environment.threads": text(machine.get("threads", "unknown")),
        "code.script": text(record.first("code").get("sha256", "unknown")),
        "seed.torch": text(seeds.get("torch_seed", "unknown")),
        "weights.digest": text(record.last("weights").get("digest", "unknown")),
    }
    return {k: v for k, v in known.items() if v} | {"settings": table}


def _root(record: Record) -> str:
    try:
        return models.root(record.outputs) if record.outputs else ""
    except ValueError as error:
        raise DataError("the record names a file of the result with a digest that is none") from error


def text(value: Any) -> str:
    """A setting as text, so that no reader rounds it."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return chain.canonical({"v": value}).decode()[5:-1]


def draft(record: Record, actor: str, subject: str) -> Draft:
    """An entry about the model that the training made. Raises DataError for a record that is not whole."""
    whole(record)
    return Draft(actor, Kind.TRAINING_RECORD, subject, summary(record))


def statement(record: Record, subject: Subject) -> bytes:
    """The record as SLSA provenance, to be signed. Raises DataError for a record that is not whole."""
    whole(record)
    body = summary(record)
    locked = record.first("packages").get("digest")
    begun = record.lines[0]
    known = {
        **body,
        **({"environment_digest": locked} if isinstance(locked, str) else {}),
        "finished_on": record.lines[-1].time,
        "owner": str(begun.body.get("owner", "")),
        "classification": str(begun.body.get("classification", "")),
        "unknown": unknown(record),
    }
    return statements.finetune(subject, known, str(begun.body.get("tool", "sekisho")), begun.time)


def unknown(record: Record) -> list[str]:
    """What could not be recorded, and why."""
    parts = {"base": record.first("base"), "data": record.data("given"), "weights": record.last("weights")}
    parts["code"] = record.first("code")
    return [f"{name}: {body['unknown']}" for name, body in parts.items() if "unknown" in body]


def whole(record: Record) -> None:
    """Raises DataError for a record that was changed, or never came to its end."""
    if record.broken:
        raise DataError(
            f"line {record.broken[0].line} of the record is not as it was written; see training verify"
        )
    if not record.finished:
        raise DataError("the training did not come to its end while it was recorded; see training verify")
