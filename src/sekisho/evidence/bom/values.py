"""Small pieces of CycloneDX that every part of a bill uses."""

from typing import Any, Final
from urllib.parse import quote

from sekisho.formats.text import shown
from sekisho.provenance.records import Stated

Json = dict[str, Any]

UNKNOWN: Final = "unknown"
MODEL: Final = "model"
TOOL: Final = "tool:sekisho"
INTAKE: Final = "workflow:intake"
MAKING: Final = "workflow:making"
"""bom-refs of the things there is one of."""

_COMMIT: Final = 40
_HUB: Final = ("hf:", "hf://", "https://huggingface.co/")


def prop(name: str, value: str) -> Json:
    """One property in the namespace of this tool; an empty value is `unknown`."""
    return {"name": f"sekisho:{name}", "value": shown(value) or UNKNOWN}


def stated(field: Stated | None) -> str:
    """A field of provenance as one value: what it is and how that is known, or `unknown` and why."""
    if field is None:
        return UNKNOWN
    return f"{field.value} ({field.basis.value})" if field.known else f"{UNKNOWN} ({field.reason})"


def file_ref(path: str) -> str:
    """The bom-ref of a file of the model."""
    return f"file:{quote(path, safe='/', errors='surrogatepass')}"


def sha256(content: str) -> list[Json]:
    """A hash as CycloneDX has it, none where nothing was read."""
    return [{"alg": "SHA-256", "content": content}] if content else []


def is_commit(revision: str) -> bool:
    """Whether a revision names one immutable commit."""
    return len(revision) == _COMMIT and set(revision) <= set("0123456789abcdef")


def purl(uri: str, revision: str) -> str:
    """Package URL of a repository of the Hugging Face hub, empty for any other place."""
    start = next((p for p in reversed(_HUB) if uri.startswith(p)), None)
    if start is None:
        return ""
    parts = uri.removeprefix(start).split("@")[0].strip("/").split("/")
    if not all(parts) or len(parts) not in (1, 2):
        return ""
    version = f"@{revision}" if is_commit(revision) else ""
    return f"pkg:huggingface/{'/'.join(quote(p, safe='') for p in parts)}{version}"


def filled(body: Json) -> Json:
    """A mapping without its empty values: absent says less than empty, and the schema forbids some empties."""
    return {key: value for key, value in body.items() if value not in (None, "", [], {})}
