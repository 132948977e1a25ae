"""The tools we know how to ask, how they are called and what their answers mean.

An alarm is what fails a build at the tool's own level of medium or warning and above; everything milder is left to the tool.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final

from sekisho.errors import UsageError
from sekisho.formats.rules import PICKLE_KNOWN, PICKLE_SUFFIXES
from sekisho.opinions.base import Answer, Call, Remark, Tool
from sekisho.records import FileFact

CORE: Final = ("picklescan",)
"""Installed with Sekisho: without its word, a policy that lets pickles pass admits none."""

_PICKLED: Final = ("pickle", "npy", "zip", "7z", "unknown")
_MOST_GGUF: Final = 4
_TELEMETRY: Final = (
    ("PROMPTFOO_DISABLE_TELEMETRY", "1"),
    ("MODELAUDIT_NO_TELEMETRY", "1"),
    ("NO_ANALYTICS", "1"),
    ("CI", "1"),
)


def parse_names(text: str) -> tuple[str, ...]:
    """Read names with commas between. Raises UsageError for one that is not known."""
    names = tuple(dict.fromkeys(n.strip() for n in text.split(",") if n.strip()))
    odd = [n for n in names if n not in TOOLS]
    if odd or not names:
        raise UsageError(f"second opinion {', '.join(odd) or 'of nobody'}: choose from {', '.join(NAMES)}")
    return names


def _has_pickle(file: FileFact) -> bool:
    return file.format in _PICKLED or (
        file.format in ("gzip", "tar") or file.path.lower().endswith(tuple(PICKLE_SUFFIXES))
    )


def _picklescan(root: str, files: Sequence[FileFact]) -> tuple[Call, ...]:
    named = [f.path for f in files if _has_pickle(f)]
    return (Call((root,), json.dumps(named)),) if named else ()


def _picklescan_answer(output: str, status: int) -> Answer:
    del status
    files: dict[str, Any] = json.loads(output)["files"]
    found = ((f, name, level) for f, said in files.items() for name, level in said.get("issues", {}).items())
    # strict: a name it does not know is an alarm; not knowing one that stands on our own list is no objection to it
    alarms = [Remark(f, name) for f, name, level in found if level == "dangerous" or name not in PICKLE_KNOWN]
    return Answer(tuple(alarms), tuple(f for f, said in files.items() if said["error"]))


def _whole(*before: str) -> Callable[[str, Sequence[FileFact]], tuple[Call, ...]]:
    def calls(root: str, files: Sequence[FileFact]) -> tuple[Call, ...]:
        """One run over the folder, or over the one file that is the model."""
        target = f"{root}/{files[0].path}" if len(files) == 1 else root
        return (Call((*before, target)),) if files else ()

    return calls


def _hayward_answer(output: str, status: int) -> Answer:
    del status
    body = json.loads(output)
    grave = [f for f in body["findings"] if f["severity"] in ("medium", "high", "critical")]
    alarms = tuple(Remark(_inside(f["file"], body["root"]), f"{f['rule_id']} {f['message']}") for f in grave)
    return Answer(alarms, tuple(_inside(str(gap), body["root"]) for gap in body["coverage_gaps"]))


def _modelaudit_answer(output: str, status: int) -> Answer:
    body = json.loads(output[output.index("{") :])
    root = str(body.get("path") or "")
    grave = [i for i in body["issues"] if i.get("severity") in ("warning", "critical", "error")]
    alarms = tuple(
        Remark(_inside(str(i.get("location") or "").partition(":")[0], root), str(i["message"]))
        for i in grave
    )
    partly = status not in (0, 1) or body.get("success") is False
    return Answer(alarms, ("",) if partly else ())


def _c4nary(root: str, files: Sequence[FileFact]) -> tuple[Call, ...]:
    ggufs = [f.path for f in files if f.format == "gguf"][:_MOST_GGUF]
    return tuple(Call(("scan", f"{root}/{path}", "--json", "--bundle")) for path in ggufs)


def _c4nary_answer(output: str, status: int) -> Answer:
    del status
    body = json.loads(output[output.index("{") :])
    grave = [f for f in body["findings"] if f["severity"] in ("WARN", "FAIL") and not f.get("suppressed")]
    name = PurePath(str(body["file"])).name
    return Answer(
        tuple(Remark(str(f.get("artifact") or name), f"{f['rule_id']} {f['title']}") for f in grave)
    )


def _adaptersentry(root: str, files: Sequence[FileFact]) -> tuple[Call, ...]:
    adapters = [f.path for f in files if PurePath(f.path).name == "adapter_model.safetensors"]
    return tuple(Call(("scan", f"{root}/{path}", "--format", "json")) for path in adapters)


def _adaptersentry_answer(output: str, status: int) -> Answer:
    del status
    body = json.loads(output[output.index("{") :])
    name = PurePath(str(body["artifact"]["provenance"]["path"])).name
    words = ", ".join(str(reason["code"]) for reason in body["verdict"]["reasons"])
    whole = body["status"] == "ok" and not body["coverage"]["n_not_analyzed"]
    alarms = (Remark(name, words),) if body["verdict"]["action"] != "allow" else ()
    return Answer(alarms, () if whole else (name,))


def _inside(path: str, root: str) -> str:
    """Return a path below the folder, with what a tool adds behind a colon left out."""
    pure = PurePath(path)
    return pure.relative_to(root).as_posix() if root and pure.is_relative_to(root) else pure.name


TOOLS: Final[Mapping[str, Tool]] = MappingProxyType(
    {
        t.name: t
        for t in (
            Tool("picklescan", "", "1.0.5", _picklescan, _picklescan_answer,
                 module="pickles.py", package="picklescan"),
            Tool("hayward", "hayward", "1.4.1", _whole("scan", "--format", "json", "--quiet"), _hayward_answer),
            Tool("c4nary", "canary", "0.3.1", _c4nary, _c4nary_answer),
            Tool("modelaudit", "modelaudit", "0.2.54",
                 _whole("scan", "--format", "json", "--no-cache", "--strict"), _modelaudit_answer, environment=_TELEMETRY),
            Tool("adaptersentry", "adaptersentry", "2.0.2", _adaptersentry, _adaptersentry_answer),
        )
    }
)  # fmt: skip
"""By name."""
NAMES: Final = tuple(TOOLS)
