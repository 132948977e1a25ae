"""Containers of other frameworks, and files that are two things at once.

What it does: names what stands out in ONNX, TensorFlow and Keras files, though they are not opened further: tensors that are
to be read from outside the folder, operators that reach files or run Python, layers that are code. Finds archives, tar
headers and pickles hidden in files that were read as something else, and in a PDF scripts,
programs and enclosed files, and in a tensor whatever begins as a program, an archive, a pickle or a text.
Why it matters: such a file is harmless to one program and a program to the next; what was inspected is not what runs.
What to do: ask for safetensors or GGUF; do not load the file, and ask the publisher what the hidden part is for.
"""

from collections.abc import Iterator
from typing import Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.formats import carried
from sekisho.formats.media import MediaFacts
from sekisho.formats.numeric import NumericFacts
from sekisho.formats.opaque import OpaqueFacts
from sekisho.formats.text import shown
from sekisho.formats.zipfile_ import ZipFacts
from sekisho.records import FileFact, Finding, Outcome, Severity

_SHOWN: Final = 8
_WORDS: Final = {
    w.reason: w
    for w in (
        Words("external-outside", "{where} takes tensors from outside its folder: {name}.", Severity.REJECT),
        Words("external-missing", "{where} takes tensors from a file that is not there: {name}."),
        Words("custom-operators", "{where} needs operators that do not come with the runtime: {name}."),
        Words(
            "operator-reaches-out",
            "{where} holds the operator {name}, which reaches files or runs Python.",
            Severity.REJECT,
        ),
        Words("layer-is-code", "{where} holds a layer that is a program: {name}.", Severity.REJECT),
        Words("class-from-elsewhere", "{where} builds a class from elsewhere: {name}.", Severity.REJECT),
        Words("zip-at-end", "{where} was read as {format}, and is a zip archive to others.", Severity.REJECT),
        Words("tar-header", "{where} was read as {format}, and is a tar archive to others.", Severity.REJECT),
        Words(
            "pickle-inside",
            "{where} was read as {format}, and holds a pickle that makes calls.",
            Severity.REJECT,
        ),
        Words(
            "tensor-holds-file",
            "{where}: the tensor {name} begins as a file of another kind ({kind}).",
            Severity.REJECT,
        ),
        Words("tensor-holds-text", "{where}: the tensor {name} begins as a text."),
        Words("more-tensors", "{where}: {count} more such tensors.", Severity.REJECT),
        Words("pdf-script", "{where} runs a script when it is opened ({name})."),
        Words("pdf-launch", "{where} starts a program when it is opened, or offers to ({name})."),
        Words("pdf-file", "{where} encloses another file, or opens one ({name})."),
        Words("pdf-form", "{where} holds a form that runs scripts or sends what is filled in ({name})."),
        Words(
            "pdf-unsearched",
            "{where} could not be searched to its end for what it does when it is opened: {name}.",
            outcome=Outcome.CANNOT_TELL,
        ),
        Words(
            "not-searched",
            "{where} was read as {format}, and could not be searched for pickles to its end.",
            outcome=Outcome.CANNOT_TELL,
        ),
    )
}


@final
class ForeignContainer(AbstractCheck):
    """Nothing reaches out of a foreign container, and every file is one thing only."""

    id = "foreign-container"

    def run(self, case: Case) -> Iterator[Finding]:
        """Look at every file's notes, whatever read it."""
        for file in case.candidate.files:
            yield from self._notes(file)
            yield from self._carried(file)
            for code in file.also:
                yield _WORDS[code].about(
                    self.id, file.path, ("file", shown(file.path)), ("format", file.format)
                )

    def _carried(self, file: FileFact) -> Iterator[Finding]:
        """Tensors that are files."""
        found = file.numeric.carried if isinstance(file.numeric, NumericFacts) else ()
        for name, kind in found[:_SHOWN]:
            reason = "tensor-holds-text" if kind == carried.TEXT else "tensor-holds-file"
            named = (("name", shown(name)), ("kind", kind))
            yield _WORDS[reason].about(self.id, f"{file.path}:{shown(name)}", *named)
        if len(found) > _SHOWN:
            yield _WORDS["more-tensors"].about(self.id, file.path, ("count", str(len(found) - _SHOWN)))

    def _notes(self, file: FileFact) -> Iterator[Finding]:
        match file.facts:
            case OpaqueFacts(notes=notes) | MediaFacts(notes=notes):
                places = ((file.path, note) for note in notes)
            case ZipFacts(entries=entries):
                places = ((f"{file.path}:{e.path}", note) for e in entries for note in e.notes)
            case _:
                return
        for where, (reason, name) in places:
            yield _WORDS[reason].about(self.id, where, ("file", shown(where)), ("name", shown(name)))
