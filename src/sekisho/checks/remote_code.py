"""Code that comes with the model.

What it does: finds files that a machine could execute, settings that tell a loader to import such files (auto_map,
auto_mapping, class paths, kernels fetched from a hub, trust_remote_code), and texts that tell a reader to run what is fetched.
Why it matters: such code runs with the rights of whoever loads the model, before any answer is generated.
What to do: use an architecture that the library itself supports, delete the code and the settings that name it, inspect again.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats.asides import Command
from sekisho.formats.code import CodeFacts
from sekisho.formats.json_config import JsonFacts
from sekisho.formats.rules import INSTALLERS, KNOWN_PAGES, SAFE_LIBRARIES
from sekisho.formats.text import TextFacts, shown
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import FileFact, Finding, Outcome, Severity

_DOTTED: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_HUB_PATH: Final = re.compile(r"[\w.\-]+(/|--|::)[\w.\-/]+")
_MAPS: Final = ("auto_map", "custom_pipelines")
_CLASSES: Final = (
    "type",
    "_class_name",
    "image_processor_type",
    "feature_extractor_type",
    "video_processor_type",
    "processor_type",
)
_OWNED: Final = re.compile(r"[\w.-]+--[\w.-]+")
"""A class in somebody's repository: `owner--repository.module.Class`."""
_ACTIVATIONS: Final = ("torch.nn.modules.", "torch.nn.", "transformers.activations.")
"""Where sentence embedders import activation functions from."""
_KERNEL_KEYS: Final = (
    "attn_implementation",
    "_attn_implementation",
    "experts_implementation",
    "_experts_implementation",
)
_PAGES: Final = (".html", ".htm", ".svg")
_UNREAD: Final = ("json", "code", "unread", "tokenizer", "zip")

_DRAWING: Final = Words(
    "drawing", "{file} is a drawing without scripts or references.", Severity.NOTE, Outcome.PASS
)
_PACKAGES: Final = Words(
    "packages",
    "{file} lists packages that somebody would have to install; they are not part of the model.",
    Severity.NOTE,
    Outcome.PASS,
)
_ELSEWHERE: Final = Words(
    "loads-elsewhere",
    "{file} asks the loader for another model, which is not in this folder: {key} names {name}.",
)
_KNOWN_PAGE: Final = Words(
    "known-page", "{file} is a page that comes with a model of the catalogue.", Severity.NOTE, Outcome.PASS
)
_FETCHED: Final = Words("runs-what-it-fetches", "{where} tells its reader to run what is fetched: {text}")
_INSTALLER: Final = Words(
    "known-installer",
    "{where} tells its reader to run a known installer: {text}",
    Severity.NOTE,
    Outcome.PASS,
)


@final
class RemoteCode(AbstractCheck):
    """No code, and nothing that asks for any."""

    id = "remote-code"

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at code files, then at every setting of every JSON file."""
        for file in case.candidate.files:
            yield from self._file(file)

    def _file(self, file: FileFact) -> Iterator[Finding]:
        match file.facts:
            case CodeFacts(quiet=True):
                words = _DRAWING if file.path.lower().endswith(".svg") else _PACKAGES
                yield words.about(self.id, file.path, ("file", file.path))
            case CodeFacts() if file.sha256 in KNOWN_PAGES:
                yield _KNOWN_PAGE.about(self.id, file.path, ("file", file.path))
            case CodeFacts(kind=kind):
                yield self._code(file.path, kind)
            case ZipFacts(entries=entries):
                inner = (e for e in entries if e.format == "code")
                yield from (self._code(f"{file.path}:{shown(e.path)}", "in an archive") for e in inner)
            case TextFacts(commands=commands):
                yield from (_command(file.path, one) for one in commands)
            case JsonFacts(document=document):
                yield from (self._setting(file.path, *named) for named in _settings(document))
        if file.problem and file.format in _UNREAD:
            problem = file.problem.partition(": ")[2]
            sentence = f"{file.path} could not be read, so whether it asks for code is unknown: {problem}."
            named = (("file", file.path), ("problem", problem))
            yield Finding(self.id, Outcome.CANNOT_TELL, Severity.HOLD, file.path, "not-read", sentence, named)

    def _code(self, where: str, kind: str) -> Finding:
        if where.casefold().endswith(_PAGES):  # nothing that loads a model opens it; a person might
            sentence = f"{where} is a page that may run scripts when it is opened in a browser."
            return Finding(self.id, Outcome.FAIL, Severity.HOLD, where, "page", sentence, (("file", where),))
        sentence = f"{where} can be executed ({kind})."
        named = (("file", where), ("kind", kind))
        return Finding(self.id, Outcome.FAIL, Severity.REJECT, where, "code-file", sentence, named)

    def _setting(self, path: str, reason: str, key: str, value: str) -> Finding:
        named = (("file", path), ("key", key), ("name", value))
        if reason == _ELSEWHERE.reason:
            return _ELSEWHERE.about(self.id, f"{path}:{key}", *named)
        sentence = f"{path} asks the loader to run code from elsewhere: {key} names {value}."
        return Finding(self.id, Outcome.FAIL, Severity.REJECT, f"{path}:{key}", reason, sentence, named)


def _command(path: str, command: Command) -> Finding:
    """A line of a text that somebody may copy into a shell."""
    known = command.hosts and all(f"{h}{p}".startswith(tuple(INSTALLERS)) for h, p in command.hosts)
    words = _INSTALLER if known else _FETCHED
    return words.about(RemoteCode.id, f"{path}:{command.line}", ("text", shown(command.text)))


def _settings(document: Any) -> Iterator[tuple[str, str, str]]:
    """Yield (reason, key, what it names) of every setting that leads to code, at any depth."""
    if isinstance(document, list):
        for item in document:
            yield from _settings(item)
    if isinstance(document, dict):
        for key, value in document.items():
            found = _reason(key, value)
            if found:
                yield found, shown(key), shown(", ".join(_texts(value)))
            else:
                yield from _settings(value)


def _reason(key: str, value: Any) -> str:
    """Return why a setting is refused, empty where it is not."""
    key = key.casefold()
    if key in _MAPS and value:
        return "auto-map"
    if key == "auto_mapping" and value:
        library = value.get("parent_library") if isinstance(value, dict) else None
        return "" if isinstance(library, str) and _comes_with_a_library(library) else "auto-map"
    if key == "audio_tokenizer_name_or_path" and value:
        return _ELSEWHERE.reason
    if key == "trust_remote_code" and value:
        return "trust-remote-code"
    if key in _KERNEL_KEYS and any("/" in text for text in _texts(value)):
        return "hub-kernel"
    if key == "kernel_config" and any("/" in text for text in _texts(value)):
        return "hub-kernel"
    if key == "type" and isinstance(value, str) and _OWNED.fullmatch(value):
        return "class-path"
    if key.startswith("activation_f") and isinstance(value, str):
        return "class-path" if _DOTTED.fullmatch(value) and not value.startswith(_ACTIVATIONS) else ""
    if isinstance(value, str) and (key.endswith("_class") or key in _CLASSES):
        leads_out = _DOTTED.fullmatch(value) or (key != "type" and _HUB_PATH.fullmatch(value))
        return "class-path" if leads_out and not _comes_with_a_library(value) else ""
    return ""


def _comes_with_a_library(dotted: str) -> bool:
    return dotted.startswith(tuple(SAFE_LIBRARIES)) and _DOTTED.fullmatch(dotted) is not None


def _texts(value: Any) -> Iterator[str]:
    """Yield every text inside a value."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)
