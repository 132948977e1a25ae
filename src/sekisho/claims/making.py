"""An owner's side: the plan before training, the commitment before publication, the registry entry of a token."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sekisho.claims import documents, models
from sekisho.claims.documents import Plan
from sekisho.errors import ArtefactError, DataError
from sekisho.ownership import commitment, content
from sekisho.ownership.candidates import DEFAULT
from sekisho.ownership.commitment import NONCE_BYTES, SCHEMA, Commitment, Row, Secret
from sekisho.ownership.content import Entry, FamilyRow

PLAN: Final = "plan.json"
SECRET: Final = "secret.json"  # noqa: S105  a file name
COMMITMENT: Final = "commitment.json"


@dataclass(frozen=True)
class Declared:
    """What an owner declares about a token."""

    notice: str
    behaviour: str
    positions: tuple[str, ...]
    expires: str


def plan(prompts: Sequence[str], note: str, out: Path, candidates: Sequence[str] = DEFAULT) -> Path:
    """Draw the nonce and write what the model is to be taught. Raises DataError, StorageError."""
    nonce = secrets.token_hex(NONCE_BYTES)
    answers = commitment.answers(prompts, candidates, nonce)
    made = Plan(tuple(prompts), tuple(candidates), nonce, answers, note)
    commitment.refuse(_secret(made, (), ()))
    return documents.keep(made, out / PLAN)


def commit(
    spec: str, base: str, planned: Plan, tokens: Sequence[str], *, cache: Path, out: Path
) -> Commitment:
    """Write secret and commitment for a trained model. Raises UsageError, StorageError."""
    model, clean = models.see(spec, cache), models.see(base, cache)
    rows = tuple(models.row(model, t) for t in tokens)
    try:
        fixed = models.tensor_digests(clean)
    except ArtefactError as error:
        raise DataError(f"{clean.name}: {error}") from error
    held = models.rows_seen(rows, model, clean)
    if held.problem:
        raise DataError(f"{model.name}: {held.problem}")
    if held.in_base:
        raise DataError(
            f"the base has the same row {held.in_base[0]}; every model made from it would have, too"
        )
    made = _secret(planned, fixed, rows)
    public = commitment.commit(made, datetime.now(UTC))
    documents.keep(made, out / SECRET)
    documents.publish(public, out / COMMITMENT)
    return public


def register(spec: str, token: str, family: str, declared: Declared, *, cache: Path, path: Path) -> Entry:
    """Write a registry entry, or add a family to one. Raises UsageError, StorageError."""
    found = models.row(models.see(spec, cache), token)
    row = FamilyRow(family, found.id, found.tensor, found.dtype, found.sha256)
    made = Entry(
        SCHEMA, token, (row,), declared.notice, declared.behaviour, declared.positions, declared.expires
    )
    if path.exists():
        older = documents.entry(path)
        if replace(older, families=()) != replace(made, families=()):
            raise DataError(f"{path}: holds another declaration; an entry gains families and nothing else")
        made = replace(made, families=(*(f for f in older.families if f.family != family), row))
    documents.publish(content.check(made), path)
    return made


def _secret(planned: Plan, base: tuple[tuple[str, str], ...], rows: tuple[Row, ...]) -> Secret:
    return Secret(
        schema=SCHEMA,
        base=base,
        rows=rows,
        prompts=planned.prompts,
        candidates=planned.candidates,
        nonce=planned.nonce,
        answers=planned.answers,
        note=planned.note,
    )
