"""A pack as one zip: README, manifest, signature and verifier added; names sorted, times fixed, nothing compressed."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib.resources import files as resources
from typing import Any, Final

from sekisho import shipped
from sekisho.evidence import dossier as dossiers
from sekisho.evidence import dsse, oms
from sekisho.evidence.keys import Signer
from sekisho.evidence.walk import Entry
from sekisho.register import documents
from sekisho.register.documents import Block, Document
from sekisho.register.packs.material import Draft, as_json
from sekisho.register.texts import Texts
from sekisho.report.words import LANGUAGES

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
KEY: Final = "signer.pub"
VERIFIER: Final = "verify.py"
_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The first a zip can hold: equal packs are equal bytes."""
_MODE: Final = 0o100644 << 16


def seal(draft: Draft, signer: Signer | None) -> bytes:
    """Bytes of the zip. Without a signer it is unsigned and says so. Raises DataError, UsageError."""
    made = dict(draft.files)
    for lang in LANGUAGES:
        page = _readme(draft, signer, lang)
        made[f"README.{lang}.md"] = documents.markdown(page).encode()
        made[f"README.{lang}.html"] = documents.html(page).encode()
    made[VERIFIER] = (resources("sekisho.data") / "verify_pack.py").read_bytes()
    if signer:
        made[KEY] = signer.public.pem
    made[MANIFEST] = as_json(_manifest(draft, made, signer))
    if signer:
        made[SIGNATURE] = _signature(draft.kind, made, signer)
    return _zip(made)


def _manifest(draft: Draft, made: Mapping[str, bytes], signer: Signer | None) -> dict[str, Any]:
    material = draft.material
    listed = [{"path": n, "size": len(made[n]), "sha256": _sha256(made[n])} for n in sorted(made)]
    return {
        "schema": 1,
        "kind": draft.kind,
        "tool": shipped.tool(),
        "model": {"name": material.name, "sha256": material.subject},
        "dossier": dossiers.digest(material.dossier) if material.dossier else "",
        "ledger_head": material.trace.head if material.trace else "",
        "redacted": draft.redacted,
        "legal_text_is_a_draft": draft.legal,
        "gaps": [{"code": code, "text": gap(code, facts, "en")} for code, facts in draft.gaps],
        "signed": signer is not None,
        "signer": signer.public.fingerprint if signer else "",
        "files": listed,
    }


def _signature(name: str, made: Mapping[str, bytes], signer: Signer) -> bytes:
    """OpenSSF Model Signing v1.0 over every file but itself."""
    entries = [Entry(n, _sha256(made[n])) for n in sorted(made)]
    listed = oms.manifest(name, entries, ignored=(SIGNATURE,))
    return dsse.dump(dsse.bundle(oms.payload(listed), signer)) + b"\n"


def gap(code: str, facts: Mapping[str, Any], language: str) -> str:
    """One thing that is missing, in words; a fact may be a word of another part, or several."""
    say = Texts("packs", language)
    return say("gap", code, **{k: _said(v, say) for k, v in facts.items()})


def _said(fact: Any, say: Texts) -> str:
    if isinstance(fact, list):
        return say.comma.join(_said(f, say) for f in fact)
    return Texts(fact[0], say.language)(fact[1], fact[2]) if isinstance(fact, tuple) else str(fact)


def _readme(draft: Draft, signer: Signer | None, language: str) -> Document:
    say, material = Texts("packs", language), draft.material
    key = signer.public.fingerprint if signer else ""
    gaps = tuple(gap(code, facts, language) for code, facts in draft.gaps)
    blocks = [Block("p", say("about", draft.kind))]
    if draft.redacted and material.dossier:
        blocks.append(Block("p", say("ui", "redacted", digest=dossiers.digest(material.dossier))))
    names = (*draft.contents, "manifest", *(("signature",) if signer else ()), "verify")
    blocks += [Block("h2", say("ui", "contents")), Block("ul", items=tuple(say("file", n) for n in names))]
    blocks += [Block("h2", say("ui", "gaps"))]
    blocks += [Block("ul", items=gaps) if gaps else Block("p", say("ui", "no_gaps"))]
    checked = say("ui", "check_signed", key=key) if signer else say("ui", "check_unsigned")
    blocks += [Block("h2", say("ui", "check")), Block("p", checked)]
    note = Texts("clauses", language)("ui", "draft") if draft.legal else ""
    return Document(say("title", draft.kind), language, tuple(blocks), note=note, facts=_facts(draft, say))


def _facts(draft: Draft, say: Texts) -> tuple[tuple[str, str], ...]:
    material, none = draft.material, say("ui", "none")
    if not material.subject:
        return ()
    words = Texts("register", say.language)
    decision = words("decision", material.dossier.verdict.decision.value) if material.dossier else none
    return (
        (say("ui", "model"), material.name),
        (say("ui", "digest"), material.subject),
        (say("ui", "decision"), decision),
        (say("ui", "head"), material.trace.head if material.trace else none),
    )


def _zip(made: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(made):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system, info.external_attr = 3, _MODE  # Unix, an ordinary file
            archive.writestr(info, made[name])
    return out.getvalue()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
