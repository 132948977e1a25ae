"""`init`: the files a company starts with, and the house rule written from them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sekisho import policy, shipped
from sekisho.errors import DataError
from sekisho.evidence import dossier as dossiers
from sekisho.limits import DEFAULT
from sekisho.provenance import suppliers
from sekisho.register import documents, governance, house_rule
from sekisho.report.words import LANGUAGES
from sekisho.rulings import suppressions

POLICY: Final = "policy.toml"
GOVERNANCE: Final = "governance.toml"
SUPPLIERS: Final = "suppliers.toml"
SUPPRESSIONS: Final = "suppressions.toml"
RULE: Final = "house-rule"
_POLICIES: Final = MappingProxyType({"small": "default", "medium": "strict"})
_READ: Final[Mapping[str, Callable[[bytes, str], object]]] = MappingProxyType(
    {
        POLICY: lambda data, where: policy.parse(data, Path(where).stem),
        GOVERNANCE: governance.parse,
        SUPPLIERS: suppliers.parse,
        SUPPRESSIONS: suppressions.parse,
    }
)


def start(size: str, out: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Write what is not there yet, keep what is, and write the house rule from it: (written, kept).

    Raises UsageError for an unknown size, DataError where a kept file is not valid, StorageError.
    """
    texts = _starters(size)
    kept = tuple(out / n for n in texts if (out / n).exists())
    data = {n: _content(out / n) if out / n in kept else made for n, made in texts.items()}
    for name, content in data.items():  # all of it is valid before anything is written
        _READ[name](content, name)
    rule = policy.parse(data[POLICY], Path(POLICY).stem)
    how = governance.parse(data[GOVERNANCE], GOVERNANCE)
    pages = _pages(rule, how)
    fresh = {n: d for n, d in data.items() if out / n not in kept} | pages
    return tuple(dossiers.save(d, out / n) for n, d in fresh.items()), kept


def _pages(rule: policy.Policy, how: governance.Governance) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for language in LANGUAGES:
        page = house_rule.document(rule, how, language, shipped.tool())
        made[f"{RULE}.{language}.md"] = documents.markdown(page).encode()
        made[f"{RULE}.{language}.html"] = documents.html(page).encode()
    return made


def _starters(size: str) -> dict[str, bytes]:
    how = governance.source(size)
    return {
        POLICY: shipped.file("policies", _POLICIES[size]).read_bytes(),
        GOVERNANCE: how,
        SUPPLIERS: shipped.file("starters", "suppliers").read_bytes(),
        SUPPRESSIONS: shipped.file("starters", "suppressions").read_bytes(),
    }


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT.config_bytes + 1)
    except OSError as error:
        raise DataError(f"{path}: not read: {error.strerror or error}") from error
    if len(data) > DEFAULT.config_bytes:
        raise DataError(f"{path}: over the limit of {DEFAULT.config_bytes:,} bytes")
    return data
