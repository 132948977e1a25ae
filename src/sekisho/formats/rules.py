"""The frozen lists that readers and checks consult, from `data/rules/`; unknown keys are refused."""

import tomllib
from importlib.resources import files
from typing import Any, Final

from sekisho.errors import DataError


def _load(name: str, keys: frozenset[str]) -> dict[str, frozenset[str]]:
    text = (files("sekisho.data") / "rules" / f"{name}.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)
    if set(table) != keys:
        raise DataError(f"rules/{name}.toml must have exactly the keys {', '.join(sorted(keys))}")
    return {key: frozenset(value) for key, value in table.items()}


_PICKLE: Final = _load("pickle", frozenset({"known"}))
_FILES: Final = _load(
    "files",
    frozenset(
        {
            "card", "licence", "tokenizer", "template", "config", "harmless", "data", "configured", "pickle_suffixes",
        }
    ),
)  # fmt: skip
_INSTALLERS: Final = _load("installers", frozenset({"addresses"}))
_CODE: Final = _load("code", frozenset({"suffixes", "names", "known_pages", "safe_libraries"}))

TEMPLATE: Final = _load(
    "template",
    frozenset(
        {
            "affirmations", "dunders", "escapes", "familiar", "familiar_cjk", "filters", "functions", "methods", "options",
            "part_keys", "reserved", "switches", "tag_words", "tests",
        }
    ),
)  # fmt: skip
"""Words and names that chat templates have a use for, by kind; `rules/template.toml` says which."""
WORDING: Final = _load("wording", frozenset({"common", "closed", "charged", "sending", "sent"}))
"""How publishers word what a template says openly, and words that such texts have no use for."""

PICKLE_KNOWN: Final = _PICKLE["known"]
"""Globals that only rebuild tensors and plain containers; nothing else a pickle imports is taken to be harmless."""
PICKLE_SUFFIXES: Final = _FILES["pickle_suffixes"]
"""Endings that loaders hand to an unpickler."""
CARD_NAMES: Final = _FILES["card"]
LICENCE_NAMES: Final = _FILES["licence"]
TOKENIZER_NAMES: Final = _FILES["tokenizer"]
TEMPLATE_NAMES: Final = _FILES["template"]
CONFIG_NAMES: Final = _FILES["config"]
HARMLESS_NAMES: Final = _FILES["harmless"]
DATA_NAMES: Final = _FILES["data"]
"""Texts that people keep beside a model and no loader reads."""
CONFIGURED_NAMES: Final = _FILES["configured"]
"""Texts that some other tool obeys, whatever they look like."""
"""Shell patterns of names, matched in lower case."""
INSTALLERS: Final = _INSTALLERS["addresses"]
"""Beginnings of addresses (host and path) of installers that cards of models often name."""
CODE_SUFFIXES: Final = _CODE["suffixes"]
CODE_NAMES: Final = _CODE["names"]
KNOWN_PAGES: Final = _CODE["known_pages"]
"""Digests of pages that come with models of the catalogue."""
SAFE_LIBRARIES: Final = _CODE["safe_libraries"]
"""Prefixes of modules that come with the libraries themselves, not with a model."""
