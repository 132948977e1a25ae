"""What an owner tolerates, as data: margins, ceilings, error rates and the checks that must have run.

A policy is one TOML file with a closed set of keys; its digest goes into the dossier. `data/policies/` has two.
"""

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sekisho import rulebook, shipped
from sekisho.errors import DataError
from sekisho.limits import DEFAULT
from sekisho.records import Severity

POLICY_KEYS: Final = frozenset({"alpha_reject", "alpha_admit", "max_abstained", "behaviours", "checks"})
OPTIONAL_KEYS: Final = frozenset({"serialisation", "severities"})
"""May be left out; then the strictest holds."""
PICKLES: Final = ("refuse", "known-globals")
"""What a policy may say of pickled weights: never, or those whose every import is on `rules/pickle.toml`."""
ORDER: Final = tuple(Severity)
"""From the mildest to the gravest."""
RULE_KEYS: Final = frozenset({"margin", "ceiling", "absolute"})
CHECK_KEYS: Final = frozenset({"required", "required_with_base"})
OPTIONAL_CHECK_KEYS: Final = frozenset({"never_suppress"})
NEVER: Final = ("unsafe-serialisation", "remote-code")
"""Checks whose REJECT nobody may suppress, where a policy does not say."""
OVERRIDE_KEYS: Final = frozenset({"rule", "severity"})


@dataclass(frozen=True)
class Rule:
    """What is tolerated of one behaviour."""

    margin: float
    """A rise up to this is no finding."""
    ceiling: float
    """Admission needs proof that the rise is below this."""
    absolute: bool
    """Without a trusted base, a rate beyond the margin as released is itself a finding."""


@dataclass(frozen=True)
class Terms:
    """What one cell is judged by."""

    rule: Rule
    cells: int
    """Cells of the whole plan; the chance of a false rejection is shared among them."""
    alpha_reject: float
    alpha_admit: float

    @property
    def log_reject_at(self) -> float:
        """Threshold of ALARM and FINDING: log(cells / alpha)."""
        return math.log(self.cells / self.alpha_reject)

    @property
    def log_clear_at(self) -> float:
        """Threshold of CLEAR: log(1 / alpha). Every cell must be clear, so nothing is shared."""
        return math.log(1 / self.alpha_admit)


@dataclass(frozen=True)
class Override:
    """Another severity for what a rule or a whole check finds."""

    rule: str
    """Id of a rule, or of a check; that of a rule goes before."""
    severity: Severity
    reason: str = ""
    """Why; a severity is lowered only with one."""


@dataclass(frozen=True)
class Policy:
    """One policy file, read."""

    name: str
    digest: str
    """sha256 of the file's bytes."""
    alpha_reject: float
    alpha_admit: float
    max_abstained: float
    """Share of a cell's families whose answers may go unjudged."""
    behaviours: Mapping[str, Rule] = field(hash=False)
    required: tuple[str, ...] = ()
    """Ids of checks without whose word nothing is admitted."""
    required_with_base: tuple[str, ...] = ()
    """The same where a base is given."""
    pickle: str = "refuse"
    """One of PICKLES."""
    overrides: tuple[Override, ...] = ()
    never_suppress: tuple[str, ...] = NEVER
    """Ids of checks or rules whose REJECT no suppression and no baseline excuses, and no override lowers."""

    def terms(self, behaviour: str, cells: int) -> Terms:
        """Terms of one cell in a plan of `cells`. Raises DataError for a behaviour without a rule."""
        if behaviour not in self.behaviours:
            raise DataError(f"policy {self.name} has no rule for {behaviour}")
        if cells < 1:
            raise DataError("a plan has at least one cell")
        return Terms(self.behaviours[behaviour], cells, self.alpha_reject, self.alpha_admit)


def names() -> tuple[str, ...]:
    """Policies that ship with Sekisho."""
    return shipped.names("policies")


def load(name_or_path: str | Path = "default") -> Policy:
    """Load a shipped policy by name, or any file by its path. Raises DataError."""
    if isinstance(name_or_path, str) and name_or_path in names():
        return parse(shipped.file("policies", name_or_path).read_bytes(), name_or_path)
    path = Path(name_or_path)
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.config_bytes + 1)
    except (OSError, ValueError) as error:
        known = ", ".join(names())
        raise DataError(f"policy {name_or_path}: no such policy or file (shipped: {known})") from error
    if len(data) > DEFAULT.config_bytes:
        raise DataError(f"policy {path.name}: larger than {DEFAULT.config_bytes:,} bytes")
    return parse(data, path.stem)


def parse(data: bytes, name: str) -> Policy:
    """Read a policy from bytes. Raises DataError on anything unknown, missing or out of range."""
    where = f"policy {name}"
    try:
        raw = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: {error}") from error
    _keys(raw, POLICY_KEYS | (OPTIONAL_KEYS & raw.keys()), where)
    checks = _checks(raw["checks"], f"{where}: checks")
    never = _known(checks.get("never_suppress", list(NEVER)), f"{where}: never_suppress")
    behaviours = raw["behaviours"]
    if not isinstance(behaviours, dict) or not behaviours:
        raise DataError(f"{where}: at least one behaviour is needed")
    return Policy(
        name=name,
        digest=hashlib.sha256(data).hexdigest(),
        alpha_reject=_share(raw, "alpha_reject", where),
        alpha_admit=_share(raw, "alpha_admit", where),
        max_abstained=_share(raw, "max_abstained", where),
        behaviours=MappingProxyType({k: _rule(v, f"{where}: {k}") for k, v in behaviours.items()}),
        required=_ids(checks["required"], f"{where}: required"),
        required_with_base=_ids(checks["required_with_base"], f"{where}: required_with_base"),
        overrides=_overrides(raw.get("severities", []), never, f"{where}: severities"),
        never_suppress=never,
        pickle=_pickle(raw.get("serialisation", {"pickle": "refuse"}), f"{where}: serialisation"),
    )


def _keys(raw: Any, known: frozenset[str], where: str) -> dict[str, Any]:
    if not isinstance(raw, dict) or set(raw) != known:
        odd = sorted(set(raw) ^ known) if isinstance(raw, dict) else repr(raw)
        raise DataError(f"{where}: keys {odd} are unknown or missing")
    return raw


def _checks(raw: Any, where: str) -> dict[str, Any]:
    given = set(raw) if isinstance(raw, dict) else set()
    return _keys(raw, CHECK_KEYS | (OPTIONAL_CHECK_KEYS & given), where)


def _known(raw: Any, where: str) -> tuple[str, ...]:
    """Ids of rules or checks that exist; the list may be empty."""
    ids = _ids(raw, where) if raw != [] else ()
    for name in ids:
        _exists(name, where)
    return ids


def _exists(name: str, where: str) -> tuple[rulebook.Rule, ...]:
    """Every rule that an id of a rule or of a check stands for. Raises DataError."""
    found = tuple(r for r in rulebook.rules() if name in (r.id, r.check) and r.check != rulebook.COMMON)
    if not found:
        raise DataError(f"{where}: no rule or check {name!r}; `sekisho rules` lists them")
    return found


def _overrides(raw: Any, never: tuple[str, ...], where: str) -> tuple[Override, ...]:
    if not isinstance(raw, list):
        raise DataError(f"{where} must be a list of tables: [[severities]]")
    made = tuple(_override(table, never, where) for table in raw)
    if len({o.rule for o in made}) != len(made):
        raise DataError(f"{where} names a rule twice")
    return made


def _override(raw: Any, never: tuple[str, ...], where: str) -> Override:
    given = {"reason"} & set(raw) if isinstance(raw, dict) else set()
    table = _keys(raw, OVERRIDE_KEYS | given, where)
    name, severity, reason = (table.get(key, "") for key in ("rule", "severity", "reason"))
    if not isinstance(name, str) or not isinstance(reason, str) or severity not in ORDER:
        raise DataError(f"{where}: rule and reason are text, severity is one of {', '.join(ORDER)}")
    lowered = [r for r in _exists(name, where) if ORDER.index(severity) < ORDER.index(r.severity)]
    if lowered and not reason.strip():
        raise DataError(f"{where}: {name} is lowered without a reason")
    if any(r.id in never or r.check in never for r in lowered):
        raise DataError(f"{where}: {name} is in never_suppress and cannot be lowered")
    return Override(name, Severity(severity), reason.strip())


def _share(raw: Mapping[str, Any], key: str, where: str) -> float:
    value = raw[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise DataError(f"{where}: {key} must be a number between 0 and 1, both excluded")
    return float(value)


def _rule(raw: Any, where: str) -> Rule:
    table = _keys(raw, RULE_KEYS, where)
    margin, ceiling = _share(table, "margin", where), _share(table, "ceiling", where)
    if margin >= ceiling:
        raise DataError(f"{where}: the margin must be below the ceiling")
    if not isinstance(table["absolute"], bool):
        raise DataError(f"{where}: absolute must be true or false")
    return Rule(margin, ceiling, table["absolute"])


def _pickle(raw: Any, where: str) -> str:
    value = _keys(raw, frozenset({"pickle"}), where)["pickle"]
    if value not in PICKLES:
        raise DataError(f"{where}: pickle must be one of {', '.join(PICKLES)}")
    return str(value)


def _ids(raw: Any, where: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not raw or not all(isinstance(i, str) and i for i in raw):
        raise DataError(f"{where} must list check ids")
    if len(set(raw)) != len(raw):
        raise DataError(f"{where} names a check twice")
    return tuple(raw)
