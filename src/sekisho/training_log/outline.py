"""What a record says, in short: pairs of a label (section `label` of `locale/parts/training.toml`) and a value."""

from collections.abc import Iterator, Mapping
from typing import Any

from sekisho.training_log.reading import Record, files


def outline(record: Record) -> Iterator[tuple[str, str]]:
    """The lines of `sekisho training show`."""
    begun, end, machine = record.first("open"), record.last("end"), record.first("machine")
    yield "run", str(begun.get("run"))
    yield "method", str(begun.get("method"))
    yield "begun", record.lines[0].time if record.lines else "-"
    yield "outcome", str(end.get("outcome", "-"))
    yield "seconds", str(end.get("seconds", "-"))
    yield "steps", str(end.get("step", "-"))
    losses = record.losses()
    yield "loss", f"{losses[0][1]:.4g} - {losses[-1][1]:.4g}" if losses else "-"
    yield "base", _known(record.first("base"), "name", "root")
    yield "data", _known(record.data("given"), "rows", "root")
    yield "owner", str(begun.get("owner") or "-")
    yield "classification", str(begun.get("classification") or "-")
    yield "settings", str(len(record.settings))
    yield "code", _known(record.first("code"), "script", "sha256")
    yield "packages", str(len(files(record.first("packages"), "versions")))
    found = machine.get("accelerators")
    listed = found if isinstance(found, list) else []
    yield "machine", ", ".join(map(str, [machine.get("processor", "-"), *listed]))
    yield "threads", str(machine.get("threads", "-"))
    yield "weights", _known(record.last("weights"), "numbers", "digest")
    yield "output", ", ".join(record.outputs) or "-"
    yield "head", record.head


def _known(body: Mapping[str, Any], name: str, digest: str) -> str:
    if "unknown" in body:
        return f"? {body['unknown']}"
    return f"{body.get(name, '-')}  {str(body.get(digest, '-'))[:16]}"
