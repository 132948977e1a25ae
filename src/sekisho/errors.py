"""Every error Sekisho raises; anything else that escapes is a bug.

SekishoError
├── UsageError              the request itself cannot be carried out (exit 2)
│   ├── SourceError         no such model, or it could not be fetched
│   │   └── DigestError     what was fetched is not what the catalogue pins
│   └── DataError           a suite, recipe, policy or training file breaks its format
│       └── RowError        one row of a training file does; the others can be used
├── ArtefactError           a file of the model under test; becomes a finding
│   ├── MalformedError      its bytes do not follow its format
│   └── LimitError          a bound in `limits` was reached
├── RuleError               the ledger's or the lock's rules do not allow it (exit 2)
├── LoadRefusedError        a file that is no model of the lock was about to be loaded
├── ModelError              the model could not be loaded, asked or trained
│   ├── DivergedError       a finetune went beyond all bounds; again with the same settings it would, too
│   └── ProcessDiedError    the process that held it was killed or crashed; another attempt may succeed
└── StorageError            the ledger or a report could not be written (full disk, no permission)
"""


class SekishoError(Exception):
    """Base of them all; `str(error)` is one line a user can act on."""


class UsageError(SekishoError):
    """The request cannot be carried out as given."""


class SourceError(UsageError):
    """The model named cannot be found or fetched."""


class DigestError(SourceError):
    """A fetched file's digest differs from the one pinned."""

    def __init__(self, path: str, expected: str, actual: str) -> None:
        super().__init__(f"{path}: sha256 is {actual}, expected {expected}; nothing was kept")
        self.path, self.expected, self.actual = path, expected, actual


class DataError(UsageError):
    """A data file (suite, recipe, policy, training data) breaks its format."""


class RowError(DataError):
    """One row of a training file cannot be trained on; the others can."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        """A key of `drills.data.REASONS`."""


class ArtefactError(SekishoError):
    """A file of the model under test cannot be taken at its word."""


class MalformedError(ArtefactError):
    """The bytes do not follow the format they claim."""


class LimitError(ArtefactError):
    """A bound on reading untrusted bytes was reached."""

    def __init__(self, what: str, actual: int, limit: int) -> None:
        super().__init__(f"{what}: {actual:,} is over the limit of {limit:,}")
        self.what, self.actual, self.limit = what, actual, limit


class ModelError(SekishoError):
    """The model could not be loaded, asked or trained."""


class DivergedError(ModelError):
    """A finetune lost its way: a loss or weights that are no numbers, or a loss far above that of guessing."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"the training diverged at step {step}: {what}")
        self.step, self.what = step, what


class ProcessDiedError(ModelError):
    """The process that held the model ended without being asked to."""


class StorageError(SekishoError):
    """Something measured could not be written down."""


class RuleError(SekishoError):
    """A rule of the decision ledger or of the lock does not allow an entry."""


class LoadRefusedError(SekishoError):
    """The load guard kept a file from a loader."""
