"""Static checks, one file each. To add one: write the file, name it here, add its cases."""

from typing import Final

from sekisho.checks.base import AbstractCheck, Case
from sekisho.checks.card_facts import CardFacts
from sekisho.checks.chat_template import ChatTemplate
from sekisho.checks.coverage import Coverage
from sekisho.checks.download_record import DownloadRecord
from sekisho.checks.duplicate_groups import DuplicateGroups
from sekisho.checks.embedding_rows_delta import EmbeddingRowsDelta
from sekisho.checks.file_consistency import FileConsistency
from sekisho.checks.foreign_container import ForeignContainer
from sekisho.checks.generation_config import GenerationConfig
from sekisho.checks.gguf_kind import GgufKind
from sekisho.checks.header_integrity import HeaderIntegrity
from sekisho.checks.header_metadata import HeaderMetadata
from sekisho.checks.loader_reach import LoaderReach
from sekisho.checks.loose_vectors import LooseVectors
from sekisho.checks.peft_adapter import PeftAdapter
from sekisho.checks.remote_code import RemoteCode
from sekisho.checks.reserved_rows import ReservedRows
from sekisho.checks.row_outliers import RowOutliers
from sekisho.checks.secrets import Secrets
from sekisho.checks.tokenizer_delta import TokenizerDelta
from sekisho.checks.undeclared_file import UndeclaredFile
from sekisho.checks.unsafe_serialisation import UnsafeSerialisation
from sekisho.checks.weight_numbers import WeightNumbers
from sekisho.checks.weights_delta import WeightsDelta
from sekisho.errors import ArtefactError
from sekisho.records import Finding, Outcome, Severity

__all__ = ["CHECKS", "AbstractCheck", "Case", "run"]

CHECKS: Final[tuple[AbstractCheck, ...]] = (
    UnsafeSerialisation(),
    ForeignContainer(),
    RemoteCode(),
    HeaderIntegrity(),
    ChatTemplate(),
    TokenizerDelta(),
    GenerationConfig(),
    PeftAdapter(),
    GgufKind(),
    LooseVectors(),
    UndeclaredFile(),
    DownloadRecord(),
    HeaderMetadata(),
    FileConsistency(),
    LoaderReach(),
    Secrets(),
    CardFacts(),
    Coverage(),
    WeightNumbers(),
    WeightsDelta(),
    EmbeddingRowsDelta(),
    ReservedRows(),
    RowOutliers(),
    DuplicateGroups(),
)
"""Every check the gate knows, in the order the report lists them."""


def run(case: Case) -> tuple[Finding, ...]:
    """Run them all. A check that objects to nothing passes, in writing; one that cannot run says why."""
    return tuple(finding for check in CHECKS for finding in _outcome(check, case))


def _outcome(check: AbstractCheck, case: Case) -> tuple[Finding, ...]:
    if check.needs_base and case.base is None:
        detail = "No trusted base was given to compare with."
        return (Finding(check.id, Outcome.NOT_RUN, Severity.NOTE, "", "no-base", detail),)
    try:
        found = tuple(check.run(case))
    except ArtefactError as error:
        detail, facts = f"The check could not finish: {error}.", (("problem", str(error)),)
        return (Finding(check.id, Outcome.CANNOT_TELL, Severity.HOLD, "", "unfinished", detail, facts),)
    detail = "Everything relevant was read and nothing was found."
    return found or (Finding(check.id, Outcome.PASS, Severity.NOTE, "", "nothing-found", detail),)
