"""The scanners that `static.py` runs beside the gate: what each is given, and how its answer is read.

A peer is asked only about what it says it can read; to be silent about the rest is what its user gets, too.
`found` is a finding of medium or warning and above, the level at which each tool fails a build.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from artefacts import tiny_gguf

Outcome = str
"""`found`, `error` or `quiet`."""
Judge = Callable[[int, str], Outcome]
"""(exit status, output) -> outcome."""
CRASH: Final = (70, 124)
_RISKS: Final = re.compile(r"Risk: (MEDIUM|HIGH|CRITICAL)")


@dataclass(frozen=True)
class Peer:
    """One tool."""

    name: str
    package: str
    script: str
    """Console script of the package."""
    arguments: Callable[[Path, Path], Iterator[list[str]]]
    """(what to scan, folder for scratch files) -> arguments of each call."""
    judge: Judge


def by_status(found: tuple[int, ...], quiet: tuple[int, ...]) -> Judge:
    """Judge by exit status alone; what is in neither list is an error, as is dying by a signal."""

    def judge(status: int, _: str) -> Outcome:
        return "found" if status in found else "quiet" if status in quiet else "error"

    return judge


def files(at: Path, *patterns: str) -> list[Path]:
    """Regular files at a path, or of a folder by pattern; links and pipes are left out."""
    found = [at] if at.is_file() else sorted(p for pattern in patterns for p in at.rglob(pattern))
    return [p for p in found if p.is_file() and any(p.match(x) for x in patterns)]


def whole(*before: str, after: tuple[str, ...] = ()) -> Callable[[Path, Path], Iterator[list[str]]]:
    """One call for the whole folder or file."""

    def arguments(at: Path, scratch: Path) -> Iterator[list[str]]:
        del scratch
        yield [*before, str(at), *after]

    return arguments


def each(
    *before: str, patterns: tuple[str, ...], after: tuple[str, ...] = ()
) -> Callable[[Path, Path], Iterator[list[str]]]:
    """One call for each file that fits."""

    def arguments(at: Path, scratch: Path) -> Iterator[list[str]]:
        del scratch
        yield from ([*before, str(p), *after] for p in files(at, *patterns))

    return arguments  # fmt: skip


def _aisbom(at: Path, scratch: Path) -> Iterator[list[str]]:
    folder = at if at.is_dir() else at.parent
    yield ["scan", "--offline", str(folder), "--output", str(scratch / "aisbom.json"), "--no-fail-on-risk"]
    # Its own output goes to a file; `static.py` appends that file to what was printed.


def _aisbom_judge(status: int, output: str) -> Outcome:
    return "found" if _RISKS.search(output) else "quiet" if status == 0 else "error"


def document(output: str) -> dict[str, Any] | None:
    """The JSON object in an output that may say other things before and after it."""
    start = output.find("{\n") if "{\n" in output else output.find("{")
    try:
        found = json.JSONDecoder().raw_decode(output[start:])[0] if start >= 0 else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _modelaudit_judge(status: int, output: str) -> Outcome:
    body = document(output)
    if body is None:
        return "error"
    if any(i.get("severity") in ("warning", "critical") for i in body.get("issues", ())):
        return "found"
    return "quiet" if status in (0, 1) else "error"


def _templates(at: Path, scratch: Path) -> Iterator[list[str]]:
    """GGUF files, template files, and the template of tokenizer_config.json written out."""
    targets = files(at, "*.gguf", "*.jinja")
    for config in files(at, "tokenizer_config.json"):
        try:
            template = json.loads(config.read_text())["chat_template"]
        except (ValueError, KeyError, OSError):
            continue
        if isinstance(template, str):
            (scratch / "template.jinja").write_text(template)
            targets.append(scratch / "template.jinja")
    yield from (["scan", str(p), "--source", "file", "--threshold", "high"] for p in targets)


def _bundles(at: Path, scratch: Path) -> Iterator[list[str]]:
    """It starts from a GGUF file: a folder without one is copied, and a clean one put beside."""
    targets = files(at, "*.gguf")
    if not targets and at.is_dir():
        copy = Path(shutil.copytree(at, scratch / "bundle", symlinks=True, ignore=_pipes))
        (copy / "beside.gguf").write_bytes(tiny_gguf())
        targets = [copy / "beside.gguf"]
    yield from (["scan", str(p), "--json", "--bundle"] for p in targets)


def _pipes(folder: str, names: list[str]) -> list[str]:
    return [n for n in names if (Path(folder) / n).is_fifo()]


def _canary_judge(status: int, output: str) -> Outcome:
    """Any warning counts but the two that every tiny GGUF file, and every one put beside a folder, earns."""
    body = document(output)
    if body is None:
        return "error"
    findings = [f for f in body.get("findings", ()) if f.get("rule_id") not in ("MET005", "TPL030")]
    if any(f.get("severity") in ("WARN", "FAIL") for f in findings):
        return "found"
    return "quiet" if status in (0, 1) else "error"  # fmt: skip


def _pillar_judge(status: int, output: str) -> Outcome:
    body = document(output)
    if body is None:
        return "error"
    if body.get("findings") or str(body.get("verdict", "clean")).lower() in ("malicious", "suspicious"):
        return "found"
    return "error" if body.get("errors") or status in CRASH else "quiet"


PEERS: Final = (
    Peer("modelaudit", "modelaudit", "modelaudit",
         whole("scan", "--format", "json", "--no-cache", "--strict", "--timeout", "60"), _modelaudit_judge),
    Peer("hayward", "hayward", "hayward", whole("scan", "--fail-on", "medium", "--quiet"), by_status((1,), (0,))),
    Peer("mlscan", "mlsupplyscan", "mlscan", whole("scan", after=("--fail-on", "MEDIUM", "--no-color", "--jobs", "1")),
         by_status((1, 2), (0,))),
    Peer("weightguard", "weightguard", "weightguard", whole("scan", after=("--fail-on", "MEDIUM", "--no-provenance")),
         by_status((1,), (0,))),
    Peer("aisbom", "aisbom-cli", "aisbom", _aisbom, _aisbom_judge),
    Peer("picklescan", "picklescan", "picklescan", whole("-p"), by_status((1,), (0,))),
    Peer("picklescan strict", "picklescan", "picklescan", whole("--strict", "-p"), by_status((1,), (0,))),
    Peer("modelscan", "modelscan", "modelscan", whole("scan", "-p"), by_status((1,), (0, 3))),
    Peer("c4nary", "c4nary", "canary", _bundles, _canary_judge),
    Peer("glyphhound", "glyphhound", "glyphhound", _templates, by_status((1,), (0,))),
    Peer("pillar", "pillar-gguf-scanner", "pillar-gguf-scanner",
         each("--no-pillar", "--json", patterns=("*.gguf",)), _pillar_judge),
    Peer("adaptersentry", "adaptersentry", "adaptersentry",
         each("scan", patterns=("adapter_model.safetensors",), after=("--fail-on", "review")), by_status((2,), (0,))),
)  # fmt: skip
"""`modelscan` exits 3 where it knew no file: quiet here, since every folder of safetensors makes it say that."""
