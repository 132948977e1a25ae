"""Files that are not what their own download wrote down.

What it does: where a download left a record (metadata of huggingface_hub in the folder or its cache, or Sekisho's own record of a
fetch), every file is held against it, by sha256 or git id, without any network; missing, extra and altered files are named.

Why it matters: a file slipped in beside a model, or changed after it came, is how a soft prompt or a changed template travels.

What to do: fetch the model again from its source at a pinned revision, into an empty folder, and inspect that.

What an attacker can still do: change the files and the record together; the record is unsigned and lies beside the files. Where the
files came from is shown by `sekisho provenance`; agreement with a record says nothing about what the model does.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

from sekisho.checks.base import AbstractCheck, Case, Words
from sekisho.records import Finding, Outcome, Severity

if TYPE_CHECKING:
    from sekisho.provenance.evidence import Evidence
    from sekisho.provenance.records import Deviation

_ID: Final = "download-record"
_ALTERED: Final = Words(
    "file-altered",
    "{where} is not the file that the download recorded (expected {expected}, found {actual}).",
    Severity.REJECT,
)
_EXTRA: Final = Words("file-extra", "{where} is not on the download's list of files.")
_MISSING: Final = Words("file-missing", "{where} was downloaded, and is gone (expected {expected}).")
_LEFT_OUT: Final = Words(
    "left-out",
    "{count} files of the revision were not downloaded, e.g. {where}.",
    Severity.NOTE,
    Outcome.PASS,
)
_UNREAD: Final = Words("file-unread", "{where} could not be read.", Severity.HOLD, Outcome.CANNOT_TELL)
_BROKEN: Final = Words(
    "record-broken", "The download's record {where} is broken.", Severity.HOLD, Outcome.CANNOT_TELL
)
_SEVERAL: Final = Words("several-revisions", "Files of {count} revisions lie together: {revisions}.")
_FITS: Final = Words(
    "as-recorded",
    "All {count} files are as the download recorded them, at revision {revision}; the record is unsigned.",
    Severity.NOTE,
    Outcome.PASS,
)
_NONE: Final = Words("no-record", "No download left a record to compare with.", Severity.NOTE, Outcome.PASS)
_NOT_COMPARED: Final = Words(
    "not-compared",
    "The files were not held against what their download recorded.",
    outcome=Outcome.CANNOT_TELL,
)
_KINDS: Final = {"altered": _ALTERED, "extra": _EXTRA, "missing": _MISSING, "unread": _UNREAD}


@final
class DownloadRecord(AbstractCheck):
    """Every file is as its download recorded it."""

    id = _ID

    def run(self, case: Case) -> Iterator[Finding]:
        """Yield one finding for each deviation, each broken record, or one that all agree; where nothing lists a file, that."""
        evidence = case.origin
        if evidence is None:
            yield _NOT_COMPARED.about(_ID, "")
            return
        found = tuple(_findings(evidence))
        yield from found
        if not all(f.outcome is Outcome.PASS for f in found):
            return
        if evidence.listed:
            named = (("count", str(len(evidence.files))), ("revision", evidence.expect or "–"))
            yield _FITS.about(_ID, "", *named)
        else:
            yield _NONE.about(_ID, "")


def _findings(evidence: "Evidence") -> Iterator[Finding]:
    if evidence.origin_problem:
        yield _BROKEN.about(_ID, "", ("problem", evidence.origin_problem))
    download = evidence.download
    for path, _ in download.problems if download else ():
        yield _BROKEN.about(_ID, path)
    if download and len(download.revisions) > 1:
        listed = ", ".join(r[:12] for r in download.revisions[:4])
        yield _SEVERAL.about(_ID, "", ("count", str(len(download.revisions))), ("revisions", listed))
    never = (
        {e.path for e in download.expected if not e.downloaded} if download and not evidence.origin else set()
    )
    left_out = [d for d in evidence.deviations if d.kind == "missing" and d.path in never]
    if left_out:
        yield _LEFT_OUT.about(_ID, left_out[0].path, ("count", str(len(left_out))))
    for deviation in evidence.deviations:
        if deviation not in left_out:
            yield _about(deviation)


def _about(deviation: "Deviation") -> Finding:
    named = (("expected", deviation.expected or "–"), ("actual", deviation.actual or "–"))
    return _KINDS[deviation.kind].about(_ID, deviation.path, *named)
