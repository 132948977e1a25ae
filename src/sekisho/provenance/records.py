"""The intake record: 14 mandatory fields, each a value or an explicit unknown, and a rung of the evidence ladder.

No floats: the record is signed and compared byte by byte; measured numbers stand as text with their digits fixed.
`sekisho.evidence.codec.plain`, `dump` and `build` turn it into canonical JSON and back.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SCHEMA: Final = 1
"""Of `Intake`; a reader refuses what it does not know."""


class Level(StrEnum):
    """A rung of the evidence ladder; each needs all rungs below it."""

    CLAIMED = "E0"
    """Somebody says so, or nobody does: an address typed in, a model card, a setting."""
    RECORDED = "E1"
    """A download wrote down where it came from."""
    MATCHED = "E2"
    """Every file is the one that an immutable revision lists, and none is beside them."""
    INTAKE_SIGNED = "E3"
    """The recipient's own signature covers the files and this record."""
    SUPPLIER_SIGNED = "E4"
    """A signature of a supplier in the register covers the files."""
    LINEAGE = "E5"
    """The weights agree with the declared parent, and differ from it only as declared; or a rebuild gives the same bytes."""


class Basis(StrEnum):
    """How a value came to be known."""

    MEASURED = "measured"
    """Computed here from the bytes."""
    RECORDED = "recorded"
    """Written by a download beside the files; unsigned."""
    CLAIMED = "claimed"
    """Said by the model's own files or typed in."""
    PINNED = "pinned"
    """Held against a value that came by another way: `--expect`, the catalogue, a register."""
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """What was done to a parent."""

    FINETUNE = "finetune"
    ADAPTER = "adapter"
    MERGE = "merge"
    QUANTISED = "quantised"
    CONVERTED = "converted"
    COPY = "copy"
    UNKNOWN = "unknown"


class FieldName(StrEnum):
    """The 14 mandatory fields, in order."""

    SOURCE = "source"
    REVISION = "revision"
    RETRIEVAL = "retrieval"
    FILES = "files"
    BLOB_IDS = "blob-ids"
    ROOT_DIGEST = "root-digest"
    SUPPLIER = "supplier"
    PARENTS = "parents"
    PATCHES = "patches"
    BUILDER = "builder"
    TRAINING_DATA = "training-data"
    LICENCES = "licences"
    BEHAVIOUR_FILES = "behaviour-files"
    VERIFICATION = "verification"


@dataclass(frozen=True)
class Stated:
    """One mandatory field: a value and how it is known, or unknown and why."""

    value: str = ""
    """Empty where unknown."""
    basis: Basis = Basis.UNKNOWN
    reason: str = ""
    """Stable code of why it is unknown, e.g. `not-recorded`; empty where known."""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.basis is not Basis.UNKNOWN


@dataclass(frozen=True)
class FileEntry:
    """One file of the model."""

    path: str
    """Relative, with forward slashes."""
    size: int
    """Bytes."""
    sha256: str
    """Hex; empty if it was not read."""
    git_blob: str
    """Hex SHA-1 of the git blob that stands for it (its LFS pointer where it is stored so); empty if not computed."""
    lfs: bool
    """Stored as an LFS pointer: `git_blob` is that of the pointer."""
    role: str
    """A value of `sekisho.records.Role`."""
    media_type: str
    """IANA media type, `application/octet-stream` where none fits."""


@dataclass(frozen=True)
class Parent:
    """A model this one was made from."""

    uri: str
    """As declared or named, e.g. `hf:org/name`; empty if only a local path was declared."""
    revision: str
    """Immutable revision; empty if none was declared."""
    digest: str
    """`sha256:` root digest of the parent as measured here; empty if it was not at hand."""
    relation: Relation
    basis: Basis
    declared_in: str
    """File and key that says so, e.g. `adapter_config.json:base_model_name_or_path`."""
    kinship: str = ""
    """A value of `kinship.Kinship` where the weights were compared; empty where they were not."""


@dataclass(frozen=True)
class Patch:
    """One difference from the parent."""

    kind: str
    """`tensor` or `file`."""
    name: str
    """Tensor name, or path."""
    change: str
    """`changed`, `added`, `missing`, `reshaped`."""
    norm: str
    """Relative Frobenius norm of a changed tensor, 6 significant digits; empty for a file."""
    before: str
    """sha256 of the parent's file; empty for a tensor."""
    after: str
    """sha256 of this model's file; empty for a tensor."""


@dataclass(frozen=True)
class Licence:
    """One link of the licence chain."""

    model: str
    """Whose licence: a parent's uri, or empty for the model itself."""
    name: str
    """Licence id or the title found."""
    file: str
    """Where it stands."""
    sha256: str
    """Of a licence file; empty for a statement in a card."""


@dataclass(frozen=True)
class BehaviourFile:
    """A small file that changes what a model answers or runs."""

    kind: str
    """`template`, `tokenizer`, `generation-config` or `code`."""
    path: str
    sha256: str


@dataclass(frozen=True)
class Retrieval:
    """Who brought it here, when, with what."""

    time: Stated
    """UTC, ISO 8601."""
    who: Stated
    tool: Stated
    """Name and version."""


@dataclass(frozen=True)
class Supplier:
    """Who gave it, and how that is known."""

    identity: Stated
    verified: str
    """`signature`, `cert`, `signed-commit` or `none`."""
    tier: str = ""
    """As the supplier register has it; empty if it is not listed."""


@dataclass(frozen=True)
class Builder:
    """Who or what made these weights."""

    who: Stated
    when: Stated
    parameters: Stated
    """Recipe or settings, by digest."""
    environment: Stated
    """Digest of an environment lock."""


@dataclass(frozen=True)
class Verification:
    """What was checked here, by whose rules, and who signed that."""

    result: Stated
    policy_digest: Stated
    tool: str
    """`sekisho <version>`."""
    signer: Stated


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder."""

    level: Level
    held: bool
    ground: str
    """Stable code of what holds it, or of what is lacking."""
    detail: str
    """What the ground names: a file, a revision, a signer; may be empty."""


@dataclass(frozen=True)
class Ladder:
    """The rung reached and every ground."""

    level: Level
    rungs: tuple[Rung, ...]
    """All six, lowest first; one may be held although a lower one is not."""
    attacks: tuple[str, ...]
    """Stable codes of the attacks that the level still allows; never empty."""


@dataclass(frozen=True)
class Deviation:
    """A file that is not as an expected list has it."""

    path: str
    kind: str
    """`missing`, `extra`, `altered` or `unread`."""
    expected: str
    """`sha256:...` or `git:...`; empty where nothing was expected."""
    actual: str


@dataclass(frozen=True)
class Intake:
    """Everything known about where one model came from; what gets signed and shown."""

    schema: int
    source: Stated
    """1: host, namespace, repository, subpath, as one URI without credentials."""
    revision: Stated
    """2: immutable."""
    retrieval: Retrieval
    """3."""
    files: tuple[FileEntry, ...]
    """4: every file, download metadata apart."""
    complete: Stated
    """4: `no other file`, or unknown with the reason (an entry that was not read)."""
    git_tree: Stated
    """5: id of the git tree that the blob ids make, linking 4 to 2."""
    root_digest: Stated
    """6: `sha256:` over the raw digests of all files, in the order of their paths (as OMS v1.0 has it)."""
    supplier: Supplier
    """7."""
    parents: tuple[Parent, ...]
    parents_stated: Stated
    """8: how many and of what relation, or unknown."""
    patches: tuple[Patch, ...]
    patches_stated: Stated
    """9: counts and the digest of the names, or unknown."""
    builder: Builder
    """10."""
    training_data: Stated
    """11: digests."""
    licences: tuple[Licence, ...]
    licences_stated: Stated
    """12."""
    behaviour_files: tuple[BehaviourFile, ...]
    behaviour_stated: Stated
    """13."""
    verification: Verification
    """14."""
    ladder: Ladder
    deviations: tuple[Deviation, ...]
    """From the list of the download or the revision; empty where all agree or there is no list."""


def fields(intake: Intake) -> tuple[tuple[FieldName, Stated], ...]:
    """Return the 14 mandatory fields in order; one made of parts is known only if every part is."""
    r, b, v = intake.retrieval, intake.builder, intake.verification
    return (
        (FieldName.SOURCE, intake.source),
        (FieldName.REVISION, intake.revision),
        (FieldName.RETRIEVAL, joined(r.time, r.who, r.tool)),
        (FieldName.FILES, intake.complete),
        (FieldName.BLOB_IDS, intake.git_tree),
        (FieldName.ROOT_DIGEST, intake.root_digest),
        (FieldName.SUPPLIER, intake.supplier.identity),
        (FieldName.PARENTS, intake.parents_stated),
        (FieldName.PATCHES, intake.patches_stated),
        (FieldName.BUILDER, joined(b.who, b.when, b.parameters, b.environment)),
        (FieldName.TRAINING_DATA, intake.training_data),
        (FieldName.LICENCES, intake.licences_stated),
        (FieldName.BEHAVIOUR_FILES, intake.behaviour_stated),
        (FieldName.VERIFICATION, joined(v.result, v.policy_digest, v.signer)),
    )


def unknown(reason: str) -> Stated:
    """An explicit unknown."""
    return Stated("", Basis.UNKNOWN, reason)


def joined(*parts: Stated) -> Stated:
    """One field of several parts: unknown with the first reason unless every part is known."""
    lacking = next((p for p in parts if not p.known), None)
    if lacking is not None:
        return lacking
    order = (Basis.CLAIMED, Basis.RECORDED, Basis.PINNED, Basis.MEASURED)
    weakest = next(b for b in order if any(p.basis is b for p in parts))
    return Stated("; ".join(p.value for p in parts), weakest)
