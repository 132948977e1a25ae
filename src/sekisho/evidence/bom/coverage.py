"""What was looked at, and by which rules: a bill that does not say so cannot be compared with a later one."""

import hashlib
from collections import Counter
from importlib.resources import files

from sekisho.evidence.bom.subject import Subject
from sekisho.evidence.bom.values import UNKNOWN, Json, prop


def rule_set() -> str:
    """sha256 over the rule files that ship with this version."""
    digest = hashlib.sha256()
    for file in sorted((files("sekisho.data") / "rules").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def properties(subject: Subject) -> list[Json]:
    """Files and bytes that were read, those that were not, and the outcome of every check."""
    everything = subject.inventory.files
    unread = [f for f in everything if not f.sha256]
    found = [
        prop("coverage:files", str(len(everything))),
        prop("coverage:bytes", str(sum(f.size for f in everything))),
        prop("coverage:bytes-hashed", str(sum(f.size for f in everything if f.sha256))),
        prop("coverage:files-unread", str(len(unread))),
        prop("coverage:files-not-understood", str(sum(bool(f.problem) or f.facts is None for f in everything))),
        prop("rules:digest", f"sha256:{rule_set()}"),
        prop("rules:tool", subject.tool),
    ]  # fmt: skip
    found += [prop("coverage:unread", f"{f.path}: {f.problem}") for f in unread]
    return found + _checks(subject)


def _checks(subject: Subject) -> list[Json]:
    if subject.dossier is None:
        return [prop("checks", UNKNOWN)]
    counted = Counter((f.check, f.outcome.value) for f in subject.dossier.findings)
    return [prop(f"check:{check}", f"{outcome} {n}") for (check, outcome), n in sorted(counted.items())]
