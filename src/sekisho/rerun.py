"""Train again from a record, beside the first result and never over it, and say whether the same came out.

The recorded command runs in a folder of links to what lay in its working folder, without the first output; what it saves
there stays apart. A command of the user's own runs where the user is. Only if the weights differ are losses compared,
and on request the answers of both results to the same questions.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, final

from sekisho import comparison
from sekisho.errors import SekishoError, UsageError
from sekisho.evidence.compared import Compared
from sekisho.load_guard import children
from sekisho.training_log import environment, launch, models, reading, repeating, settings
from sekisho.training_log.launch import Launch
from sekisho.training_log.reading import Record
from sekisho.training_log.repeating import TOLERANCE, Repeated

RECORD: Final = "rerun.record.jsonl"
OUTPUT: Final = "rerun.log"
"""What the program printed."""
WORK: Final = "work"
"""The folder that the recorded command runs in."""
ASKED: Final = "asked"
"""Both results without what trainers leave behind."""
SIDES: Final = ("first", "second")

_HARMLESS: Final = ("-u", "-O", "-OO", "-B", "-s")
"""Options of Python that a recorded command may have before its script."""


@final
@dataclass(frozen=True)
class Options:
    """How a training is repeated."""

    command: tuple[str, ...] = ()
    """Instead of the recorded one."""
    out: Path = Path("sekisho-rerun")
    """A new folder for the second record, the program's output and what it saves."""
    tolerance: float = TOLERANCE
    ask: bool = False
    """If the weights differ, ask both results the same questions."""
    comparing: comparison.Options = field(default_factory=comparison.Options)


@final
@dataclass(frozen=True)
class Rerun:
    """What came of it."""

    repeated: Repeated
    record: Path
    compared: Compared | None = None
    """Answers of both results; None where they were not asked."""
    skipped: str = ""
    """Why they could not be asked, where that was wished for."""


def rerun(path: Path, options: Options = Options()) -> Rerun:
    """Train again. Raises DataError for a record that was altered, UsageError where it cannot be run or ends in failure."""
    old = reading.read(path)
    if old.broken:
        line = old.broken[0].line
        raise UsageError(
            f"{path}: line {line} is not as it was written, so nothing is run from it; see training verify"
        )
    if options.out.exists():
        raise UsageError(f"{options.out}: exists already; name a new folder with --out")
    made = _launch(old, options)
    options.out.mkdir(parents=True)
    if not options.command:
        mirror(Path(str(old.first("open").get("folder"))), (options.out / WORK).absolute(), _output(old))
    with (options.out / OUTPUT).open("wb") as log:
        code = launch.run(made, log)
    if code:
        raise UsageError(f"the program ended with {code}; its words are in {options.out / OUTPUT}")
    if not made.record.exists():
        raise UsageError("the program ended, but nothing in it was recorded; see `sekisho record --help`")
    new = reading.read(made.record)
    judged = repeating.compare(old, new, options.tolerance)
    if not options.ask or judged.outcome == "reproduced":
        return Rerun(judged, made.record)
    compared, skipped = _asked(old, new, options)
    return Rerun(judged, made.record, compared, skipped)


def _launch(old: Record, options: Options) -> Launch:
    """What is started. Raises UsageError where the record does not say enough."""
    begun = old.first("open")
    recorded = begun.get("command")
    words = options.command or tuple(map(str, recorded if isinstance(recorded, list) else ()))
    variables = reading.files(old.first("machine"), "environment")
    made = Launch(
        words if options.command else _python(words),
        (options.out / RECORD).absolute(),
        variables={k: v for k, v in variables.items() if k in environment.DECIDING},
        folder=None if options.command else (options.out / WORK).absolute(),
        data=_data(old),
    )
    if options.command:
        return made
    folder = Path(str(begun.get("folder")))
    if not folder.is_dir():
        raise UsageError(f"the training ran in {folder}, which is not here: name the command after --")
    _runnable(words, folder)
    _output(old)
    return made


def _runnable(words: Sequence[str], folder: Path) -> None:
    """A record is data, whoever it came from: only a Python script that lies in its place is run from one."""
    if any(settings.DROPPED in w for w in words):
        raise UsageError("a secret was left out of the recorded command: name the command after --")
    rest = [w for w in words[1:] if w not in _HARMLESS]
    script = rest[0] if words and children.is_python(words[0]) and rest else ""
    if not script or script.startswith("-") or not (folder / script).is_file():
        shown = " ".join(words)[:80]
        raise UsageError(
            f"not run from a record: {shown!r} is no Python script in its place: name the command after --"
        )


def _python(words: Sequence[str]) -> tuple[str, ...]:
    """The interpreter that runs now, in place of the recorded one: its packages are those that are looked at."""
    return (sys.executable, *words[1:]) if words and children.is_python(words[0]) else tuple(words)


def _data(old: Record) -> Path | None:
    known = old.data("given")
    listed = known.get("sources")
    if known.get("kind") != "file" or not isinstance(listed, list) or len(listed) != 1:
        return None
    found = Path(str(listed[0].get("path"))) if isinstance(listed[0], dict) else Path()
    found = Path(str(old.first("open").get("folder"))) / found
    return found if found.is_file() else None


def _output(old: Record) -> tuple[Path, ...]:
    """Folders that the training wrote to, within its working folder. Raises UsageError for one named by a full path."""
    named = old.settings.get("training.output_dir")
    if not isinstance(named, str) or not named:
        return ()
    if Path(named).is_absolute() or ".." in Path(named).parts:
        raise UsageError(
            f"the recorded command writes to {named}, where the first result lies: name a command with another folder after --"
        )
    return (Path(named),)


def mirror(folder: Path, copy: Path, left_out: Sequence[Path]) -> None:
    """A folder of links to what lies in another one, but for the paths left out: what is made there stays there."""
    copy.mkdir(parents=True)
    inner = {
        p.parts[0]: [q for q in left_out if q.parts and q.parts[0] == p.parts[0]] for p in left_out if p.parts
    }
    for entry in sorted(folder.iterdir()):
        below = [Path(*p.parts[1:]) for p in inner.get(entry.name, [])]
        if copy.resolve().is_relative_to(entry.resolve()) or any(p == Path() for p in below):
            continue  # the output itself, or the folder that the copy lies in
        if below and entry.is_dir():
            mirror(entry, copy / entry.name, below)
        else:
            (copy / entry.name).symlink_to(entry.resolve(), target_is_directory=entry.is_dir())


def _asked(old: Record, new: Record, options: Options) -> tuple[Compared | None, str]:
    """Answers of both results. What keeps them from being asked is said, not raised: the training was done."""
    folders = []
    for record in (old, new):
        saved = Path(str((record.last("output") or record.last("save")).get("path", "")))
        path = Path(str(record.first("open").get("folder"))) / saved  # each where its own training ran
        if not (path / "config.json").is_file():
            return None, f"{path} holds no whole model (an adapter alone cannot be asked: merge it first)"
        folders.append(path)
    try:
        bare = [_bare(f, options.out / ASKED / name) for f, name in zip(folders, SIDES, strict=True)]
        return comparison.compare(*bare, options=options.comparing), ""
    except SekishoError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename}: {error.strerror or error}"


def _bare(folder: Path, copy: Path) -> Path:
    """The model alone: what its trainer pickled for itself is not opened, and would keep it from being asked."""
    copy.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix not in models.PICKLES:
            try:
                (copy / path.name).hardlink_to(path.resolve())
            except OSError:  # another file system, or one without such links
                shutil.copyfile(path, copy / path.name)
    return copy
