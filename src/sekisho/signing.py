"""Sign a vetted model: gather every document, check that the files are still those judged, write the evidence folder."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sekisho import inventory, shipped
from sekisho.errors import DataError, LimitError, MalformedError
from sekisho.evidence import bom, bundle, checking, codec, dsse
from sekisho.evidence import dossier as dossiers
from sekisho.evidence.bundle import Extras, Written
from sekisho.evidence.keys import Signer
from sekisho.evidence.statements import Granted
from sekisho.ledger import kinds
from sekisho.provenance import intake, ladder
from sekisho.provenance.evidence import Request, gather
from sekisho.provenance.ladder import Ground
from sekisho.provenance.records import Basis, Intake, Level, Stated
from sekisho.records import Dossier, Inventory
from sekisho.report import html
from sekisho.report.words import LANGUAGES

FOLDER: Final = "evidence"
"""Where the evidence goes unless told otherwise: within the dossier's folder."""
RECORD: Final = "intake.json"
TRAINING: Final = "finetune.json"
"""Records of other stages, taken up where they lie beside the dossier."""


@dataclass(frozen=True)
class Options:
    """How a dossier is signed."""

    out: Path | None = None
    """Folder to write; None is FOLDER beside the dossier."""
    approvals: tuple[Granted, ...] = ()
    valid_days: int = bundle.VALID_DAYS


def sign(folder: Path, model: Path, signer: Signer, *, options: Options = Options()) -> Written:
    """Write the evidence folder of a dossier's folder, or of a dossier file as the ledger keeps it. Raises DataError, SourceError, StorageError, UsageError."""
    made = dossiers.read(folder)
    alone = folder.is_file()
    out = options.out or (folder.with_name(f"{folder.stem}-{FOLDER}") if alone else folder / FOLDER)
    folder = folder.parent if alone and folder.name == dossiers.NAME else folder
    files = inventory.take(model)
    known = {f.path: f.sha256 for f in files.files if f.sha256}
    bundle.entries(made, model, known)  # before anything else is read: the wrong files show at once
    record = _intake(folder, files, model, signer)
    extras = Extras(
        reports={f"report.{lang}.html": html.render(made, lang) for lang in LANGUAGES},
        bom=_bill(made, files, record),
        intake=codec.plain(record),
        finetune=_training(_table(folder / TRAINING)),
        registration=_bytes(folder / bundle.REGISTRATION),
        approvals=options.approvals,
        valid_days=options.valid_days,
    )
    return bundle.write(made, model, signer, out, extras=extras, known=known)


def _intake(folder: Path, files: Inventory, model: Path, signer: Signer) -> Intake:
    """The intake record beside the dossier if it is of these files, else what can be known here."""
    by = Stated(signer.public.fingerprint, Basis.MEASURED)
    ground = Ground(held=True, code="intake-signature", detail=by.value)
    gathered = gather(files, model, Request())
    fresh = intake.record(
        gathered, base=None, register=None, signed=intake.Signed(ground, signer=by), tool=shipped.tool()
    )
    kept = _table(folder / RECORD)
    if kept is None:
        return fresh
    record = codec.build(
        Intake, kept.get("intake", kept), RECORD
    )  # by itself, or as `provenance --out` writes it
    _same(record, fresh)
    verified = replace(record.verification, signer=by)
    return replace(record, ladder=ladder.signed(record.ladder, ground), verification=verified)


def _same(record: Intake, fresh: Intake) -> None:
    """Every file of the record is here as it says, and no other. Raises DataError."""
    said, here = ({f.path: f.sha256 for f in r.files} for r in (record, fresh))
    odd = next((p for p in sorted({*said, *here}) if said.get(p) != here.get(p)), "")
    if odd or record.root_digest != fresh.root_digest or record.git_tree != fresh.git_tree:
        raise DataError(
            f"{RECORD}: {odd or 'root digest'} is not as the record has it: take the intake again"
        )
    if tuple(r.level for r in record.ladder.rungs) != tuple(Level):
        raise DataError(f"{RECORD}: its ladder does not have the six rungs")


def _training(record: dict[str, Any] | None) -> dict[str, Any] | None:
    """Held to the ledger's vocabulary of a training, the summary of a training record. Raises DataError."""
    try:
        if record is not None:
            kinds.check(kinds.Kind.TRAINING_RECORD, record)
    except DataError as error:
        raise DataError(f"{TRAINING}: {error}") from error
    return record


def _bill(made: Dossier, files: Inventory, record: Intake) -> Mapping[str, Any]:
    p = made.provenance
    subject = bom.Subject(p.name, files, shipped.tool(), made.timing.started, intake=record, dossier=made)
    return bom.build(subject)


def _bytes(path: Path) -> bytes | None:
    """A document that need not be there. Raises DataError where it is, but cannot be read."""
    if not path.exists() and not path.is_symlink():
        return None
    try:
        return checking.read(path)
    except (DataError, MalformedError) as error:
        raise DataError(f"{path.name}: {error}") from error


def _table(path: Path) -> dict[str, Any] | None:
    data = _bytes(path)
    try:
        return None if data is None else dsse.parse(data)
    except (MalformedError, LimitError) as error:
        raise DataError(f"{path.name}: {error}") from error
