"""The answers of one run, kept so that later runs can be held against them; the ledger has their sha256."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from sekisho.contrast import Answers
from sekisho.drills.plan import Plan
from sekisho.errors import DataError
from sekisho.evidence import dossier as dossiers
from sekisho.ledger.book import default_place
from sekisho.limits import DEFAULT

FOLDER: Final = "watch"
"""Beside the ledger; each run under its digest."""
SCHEMA: Final = 1


def keep(answers: Answers, questions: str, place: str) -> tuple[Path, str]:
    """Write the answers beside a ledger; where, and their sha256. Raises StorageError."""
    body = {"schema": SCHEMA, "questions": questions, "answers": {k: list(v) for k, v in answers.items()}}
    data = json.dumps(body, ensure_ascii=True, sort_keys=True, indent=1).encode("ascii") + b"\n"
    digest = hashlib.sha256(data).hexdigest()
    beside = default_place({}) if "://" in place else place
    folder = Path(beside).expanduser().absolute().parent / FOLDER
    return dossiers.save(data, folder / f"{digest}.json"), digest


def read(path: Path, digest: str, plan: Plan, questions: str) -> Answers:
    """Read kept answers to the same questions. Raises DataError where they are gone, altered, or to others."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.json_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: the accepted answers are gone ({error.strerror or error})") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise DataError(f"{path}: the accepted answers were altered")
    body: Any = json.loads(data)  # its digest is in the ledger: it is ours
    if body["questions"] != questions:
        raise DataError(f"{path}: the accepted answers are to other questions")
    answers = {k: tuple(v) for k, v in body["answers"].items()}
    if any(len(answers.get(p.suite.id, ())) != len(p.items) for p in plan.papers):
        raise DataError(f"{path}: the accepted answers are to other questions")
    return answers
