"""Verify an evidence folder without the tool that made it. Python 3.11+ and the package `cryptography`, nothing else.

    python3 verify.py [FOLDER] [--model PATH] [--key PUBLIC_KEY.pem]... [--at 2027-01-31] [--lang ja]
                      [--not-before DAY] [--evidence DIGEST] [--require admit|preregistered]... [--beside PATH]...

  1. evidence.sig lists every other file of the folder with its sha256 and is signed (OpenSSF Model Signing v1.0);
     so is model.sig, which lists every file of the model. Signed bytes: DSSE v1 pre-authentication encoding.
  2. Each *.intoto.json is a DSSE envelope; every signature in it must verify, with a key of --key.
  3. All statements are about the model of model.sig, and the decision names each document by its sha256.
  4. With --model: every file of the model is as signed, none is missing, none was added (but for --beside).
  5. The decision and every approval and exception in it is still valid on the day (--at; today in UTC if not given).
An old folder stays valid until it expires: --not-before and --evidence (the digest told when signing) refuse it.
The key in signer.pub proves nothing, a forger brings his own: get it by another way, for --key; without, 1 is the best.
Exit codes, the first that applies:
  3   a signature is bad, missing or cannot be checked     5   signed by another key than those named
  2   a file was changed, added, removed or renamed        6   documents do not belong together, or are replayed
  4   something cannot be read, or is malformed            7   the decision, an approval or an exception has expired
  8   the decision is not as --require says                1   all intact, but the signer is not pinned by --key
  0   verified                                             64  the command line is wrong
"""

import argparse
import base64
import datetime
import hashlib
import itertools
import json
import os
import re
import stat
import sys
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

UNPINNED, CHANGED, BAD, UNREADABLE, OTHER_KEY, MIXED, EXPIRED, REFUSED = 1, 2, 3, 4, 5, 6, 7, 8
ORDER = (BAD, OTHER_KEY, CHANGED, MIXED, UNREADABLE, EXPIRED, REFUSED, UNPINNED)  # gravest first
WHOLE, MODEL, DECISION, KEY = "evidence.sig", "model.sig", "decision.intoto.json", "signer.pub"
SIGNED, CACHE, VERDICTS = (".sig", ".intoto.json"), ".cache/huggingface/", ("admit", "hold", "reject")
PAYLOAD, BUNDLE = "application/vnd.in-toto+json", "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT, OMS = "https://in-toto.io/Statement/v1", "https://model_signing/signature/v1.0"
KINDS = {  # what each name must hold
    **dict.fromkeys((WHOLE, MODEL), OMS),
    DECISION: "https://slsa.dev/verification_summary/v1",
    "preregistration.intoto.json": "urn:sekisho:preregistration:v1",
    "behaviour.intoto.json": "https://in-toto.io/attestation/test-result/v0.1",
    **dict.fromkeys(("intake.intoto.json", "finetune.intoto.json"), "https://slsa.dev/provenance/v1"),
}
DIGESTS = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
MOST_BYTES, MOST_FILES, MOST_FOLDERS, MOST_SIGNATURES, MOST_NESTED = 64 << 20, 20_000, 16, 16, 64
Found = list[tuple[Any, ...]]  # exit code (0: a note), file, key of TEXTS, facts
Keys = list[tuple[Any, str]]  # and their fingerprints
DAY = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]")

TEXTS = {  # English, Japanese
    "verified": ("VERIFIED: every document and signature is in order.", "検証済み: すべての文書と署名に問題はありません。"),
    "unpinned": ("the signer is not pinned: compare the fingerprint with one you got by another way, then name the key with --key", "署名者が確認されていません。別の経路で入手した指紋と照合し、--key で鍵を指定してください"),
    "missing": ("it is signed, but it is not there", "署名されていますが、見つかりません"),
    "added": ("it is in no signature: added or renamed after signing", "どの署名にも含まれていません（署名後の追加または名前の変更）"),
    "changed": ("its content is not what was signed", "内容が署名時と異なります"),
    "git": ("a version-control folder beside the model, in no signature", "モデルの横にバージョン管理フォルダーがあります（署名対象外）"),
    "odd": ("no ordinary file, or a link out of the folder", "通常のファイルではないか、フォルダー外へのリンクです"),
    "unread": ("not read: {0}", "読み取れません: {0}"),
    "unsigned": ("it holds no signature", "署名がありません"),
    "bad": ("signature {0} of {1} is made by no key at hand, or the signed text was edited", "{1} 件中 {0} 件目の署名が、手元のどの鍵とも一致しないか、署名後に内容が書き換えられています"),
    "other-key": ("signed by the key {0}, which is none of those named", "指定された鍵ではなく、鍵 {0} で署名されています"),
    "other-model": ("it is about another model ({0}) than model.sig", "model.sig とは別のモデル（{0}）についての文書です"),
    "not-named": ("the decision does not rest on this document, or on another version of it", "判定はこの文書（またはこの版）に基づいていません"),
    "pin": ("{0}: another or an older evidence folder than the one expected", "{0}: 想定とは別の、または古い証拠です"),
    "expired": ("{0} was valid until {1}", "{0} の有効期限は {1} でした"),
    "refused": ("not as --require says: {0}, pre-registration {1}", "--require の条件を満たしません: {0}、事前登録 {1}"),
    "terms": ("not as registered before the run: {0}", "実行前の登録と異なる項目: {0}"),
    "leftover": ("in no signature: left by a download, or accepted by --beside", "署名対象外（ダウンロードの記録、または --beside で許可）"),
    "unseen": ("the model itself was not looked at: name it with --model", "モデル本体は確認していません。--model で指定してください"),
}  # fmt: skip


class Malformed(Exception):
    """A document does not have the form it must have."""


def plain(text: object) -> str:
    """Text safe to print: nothing that moves the cursor or hides."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))[:300]


def parse(data: bytes) -> Any:
    """A JSON object, in which NaN is no number; whether it is in canonical form, `dump` shows."""
    nesting = re.findall(rb"[][{}]", re.sub(rb'"(?:[^"\\]|\\.)*+"', b"", data, flags=re.DOTALL))
    if max(itertools.accumulate(1 if c in b"[{" else -1 for c in nesting), default=0) > MOST_NESTED:
        raise Malformed("nested deeper than %d" % MOST_NESTED)
    try:
        return need(json.loads(data.decode("utf-8"), parse_constant=int), dict, "a JSON object")
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error


def dump(it: Any) -> bytes:
    """Canonical JSON: a key that occurs twice, or anything else unusual, comes out different."""
    return json.dumps(it, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(errors="replace")


def need(value: Any, kind: type, what: str) -> Any:
    """The value, if it is of that kind."""
    if not isinstance(value, kind):
        raise Malformed(what + " is needed")
    return value


def sha256(value: Any) -> str:
    """The value, if it is 64 hexadecimal digits."""
    if not re.fullmatch("[0-9a-f]{64}", need(value, str, "a sha256")):
        raise Malformed("a sha256 is needed")
    return str(value)


def decode(text: Any) -> bytes:
    """Bytes of base64."""
    try:
        made = base64.b64decode(need(text, str, "text in base64"), validate=True)
        if base64.b64encode(made).decode() == text:
            return made
    except ValueError as error:
        raise Malformed("text is not base64") from error
    raise Malformed("base64 in another form than the usual")


def opened(data: bytes, bundled: bool) -> tuple[bytes, list[bytes], set[str], bool]:
    """Payload, signatures, the keys they name, and whether nothing else is in an envelope or bundle."""
    body = parse(data)
    bundle, named = "dsseEnvelope" in body, {""}
    exact = dump(body) + b"\n" == data and bundle == bundled
    if bundle:
        material = need(body.get("verificationMaterial"), dict, "verification material")
        if body.get("mediaType") != BUNDLE:
            raise Malformed("a bundle of another kind")
        key, chain = (need(material.get(k, {}), dict, k) for k in ("publicKey", "x509CertificateChain"))
        raw = [need(c, dict, "a certificate") for c in need(chain.get("certificates", []), list, "a chain")]
        only: Any = {"publicKey": {"hint": str(key.get("hint"))}}
        if 0 < len(raw) <= MOST_SIGNATURES:
            shown = [{"rawBytes": c.get("rawBytes")} for c in raw if decode(c.get("rawBytes"))]
            only = {"x509CertificateChain": {"certificates": shown}}
        exact = exact and len(body) == 3 and material == {**only, "tlogEntries": []}
        named.add(str(key.get("hint", "")))
        body = need(body["dsseEnvelope"], dict, "an envelope")
    signed = [need(s, dict, "a signature") for s in need(body.get("signatures"), list, "signatures")]
    if body.get("payloadType") != PAYLOAD or len(signed) > (1 if bundle else MOST_SIGNATURES):
        raise Malformed("a payload of another kind, or too many signatures")
    named.update(str(s.get("keyid")) for s in signed)
    exact = exact and len(body) == 3 and all(len(s) == 2 for s in signed)
    return decode(body.get("payload")), [decode(s.get("sig")) for s in signed], named, exact


def load_key(path: str) -> tuple[Any, str]:
    """A public key on P-256, P-384 or P-521, and the sha256 of its PEM; the digest to verify with follows from it."""
    try:
        key = serialization.load_pem_public_key(read(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed(path + ": no public key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in DIGESTS:
        raise Malformed(path + ": keys are on P-256, P-384 or P-521")
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key, hashlib.sha256(pem).hexdigest()


def read(path: str) -> bytes:
    """Bytes of an ordinary file that is no link and no larger than the bound."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Malformed("no ordinary file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Malformed("larger than %d bytes" % MOST_BYTES)
    return data


def statement(name: str, payload: bytes) -> tuple[Any, str]:
    """A statement of the kind its name promises, and the sha256 of its one subject."""
    body = parse(payload)
    if body.get("_type") != STATEMENT or len(need(body.get("subject"), list, "a subject")) != 1:
        raise Malformed("a statement about exactly one subject is needed")
    if body.get("predicateType") != KINDS.get(name, body.get("predicateType")):
        raise Malformed("it states %s, wrong under this name" % plain(body.get("predicateType")))
    about = need(body["subject"][0], dict, "a subject")
    need(about.get("name"), str, "a name")
    return body, sha256(need(about.get("digest"), dict, "a digest").get("sha256"))


def listed(name: str, payload: bytes) -> tuple[str, dict[str, str]]:
    """Root digest and files (path -> sha256) of an OMS signature; the root must follow from the files."""
    body, root = statement(name, payload)
    predicate = need(body.get("predicate"), dict, "a predicate")
    how = need(predicate.get("serialization"), dict, "a serialization")
    paths = need(how.get("ignore_paths") or [], list, "a list of paths")
    if (how.get("method"), how.get("hash_type")) != ("files", "sha256") or {*map(type, paths)} - {str}:
        raise Malformed("files by sha256, and paths, are needed")
    files, made = {}, hashlib.sha256()
    for part in ("resources", "unsigned"):  # the second: what other OMS readers pass over
        for entry in need(predicate.get(part, []), list, part):
            name, digest = need(entry, dict, "a file").get("name"), sha256(entry.get("digest"))
            if not isinstance(name, str) or name in files or entry.get("algorithm") != "sha256":
                raise Malformed("a file is listed twice, or without a name")
            if name != "." and (name.startswith("/") or ".." in name.split("/") or "\\" in name):
                raise Malformed("%s leads out of the folder" % plain(name))
            files[name] = digest
            if part == "resources":
                made.update(bytes.fromhex(digest))
    if not files or made.hexdigest() != root:
        raise Malformed("its root digest is not that of its files")
    return root, files


def check_signatures(name: str, data: bytes, keys: Keys, found: Found) -> bytes | None:
    """The payload, if every signature on it (ECDSA over DSSE's PAE, digest by curve) is by one of the keys."""
    payload, signatures, named, exact = opened(data, name.endswith(SIGNED[0]))
    signed = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    if not signatures:
        found.append((BAD, name, "unsigned"))
        return None
    for number, signature in enumerate(signatures, 1):
        for key, _ in keys:
            try:
                key.verify(signature, signed, ec.ECDSA(DIGESTS[key.curve.name]))
                break
            except InvalidSignature:
                continue
        else:
            found.append((BAD, name, "bad", number, len(signatures)))
            return None
    if not exact or dump(parse(payload)) != payload or named - {"", *(mark for _, mark in keys)}:
        raise Malformed("not in canonical form, or with more in it than was signed")
    return payload


# What a download leaves in .cache/huggingface: path and content, so that nothing else hides there.
NOTE = re.compile(
    rb".+\.lock\0|download/[^\0]+\.metadata\0[0-9a-f]{40}\n\"?[0-9a-zA-Z-]{1,200}\"?\n[0-9.]{1,40}\n?"
    rb"|\.gitignore\0\*\s*|CACHEDIR\.TAG\0Signature: 8a477f597d28d172789f06886806bc55.*|trees/[0-9a-f]{40}\.json\0\s*[\[{].*",
    re.DOTALL,
)


def entries(root: str, folder: str = "", depth: int = 0) -> Any:
    """(path, kind) of everything below a folder; kinds: file, git, odd, note."""
    if depth > MOST_FOLDERS:
        raise Malformed("folders are nested too deeply")
    for entry in sorted(os.scandir(os.path.join(root, folder)), key=lambda e: e.name):
        name = folder + "/" + entry.name if folder else entry.name
        if name == ".git":
            yield name, "git"
        elif entry.is_dir(follow_symlinks=False):
            yield from entries(root, name, depth + 1)
        elif (entry.is_symlink() and not inside(entry.path, root)) or not os.path.isfile(entry.path):
            yield name, "odd"
        elif name.startswith(CACHE) and not entry.is_symlink():
            with open(entry.path, "rb") as file:
                left = os.fsencode(name[len(CACHE) :]) + b"\0" + file.read(MOST_BYTES)
            yield name, "note" if NOTE.fullmatch(left) else "file"
        else:
            yield name, "file"


def inside(path: str, root: str) -> bool:
    """Whether a link leads to a file of the folder, or from a snapshot of a download cache to a blob beside it."""
    target, root = os.path.realpath(path), os.path.realpath(root)
    cache, snapshots = os.path.split(os.path.dirname(root))
    blob = snapshots == "snapshots" and os.path.dirname(target) == os.path.join(cache, "blobs")
    return os.path.isfile(target) and (blob or target.startswith(root + os.sep))


def compare(root: str, files: dict[str, str], found: Found, skip: Any = (), beside: Any = ()) -> None:
    """Hold the files of a folder, or one file, against a list."""
    there = [(".", "file")] if os.path.isfile(root) else list(entries(root))
    if len(there) > MOST_FILES:
        raise Malformed("more than %d files" % MOST_FILES)
    found += [(CHANGED, name, "missing") for name in sorted(files.keys() - {n for n, _ in there})]
    for name, kind in (entry for entry in there if entry[0] not in skip):
        if name in files and kind in ("file", "note"):
            try:
                with open(root if name == "." else os.path.join(root, name), "rb") as file:
                    same = hashlib.file_digest(file, "sha256").hexdigest() == files[name]
                found += [] if same else [(CHANGED, name, "changed")]
            except OSError as error:
                found.append((UNREADABLE, name, "unread", error.strerror))
        elif kind == "note" or any(name == b or name.startswith(b + "/") for b in beside):
            found.append((0, name, "leftover"))
        else:
            found.append((CHANGED, name, "added" if kind == "file" else kind))


def check_decision(body: Any, options: Any, documents: dict[str, str], found: Found) -> str:
    """The decision names every document, is recent enough, still valid, and the one required."""
    predicate = need(body.get("predicate"), dict, "a predicate")
    own = need(predicate.get("sekisho"), dict, "the details of a decision")
    verdict, registered, terms, named = own.get("verdict"), own.get("preregistration"), ["-"], {}
    if verdict not in VERDICTS or (verdict == "admit") != (predicate.get("verificationResult") == "PASSED"):
        raise Malformed("verdict and result disagree")
    for entry in need(predicate.get("inputAttestations"), list, "a list of documents"):
        digest = need(need(entry, dict, "a document").get("digest"), dict, "a digest")
        named[str(entry.get("uri"))] = digest.get("sha256")
    granted = [("decision", own.get("validUntil") or None)]
    for g in need(own.get("approvals"), list, "approvals") + need(own.get("exceptions"), list, "exceptions"):
        granted.append(("%s: %s" % (need(g, dict, "an approval").get("who"), g.get("what")), g.get("until")))
    if not all(isinstance(until, str) and (not until or DAY.fullmatch(until)) for _, until in granted):
        raise Malformed("a date as in 2027-03-31 is needed")
    if registered is not None:
        terms = need(need(registered, dict, "a pre-registration").get("changed"), list, "a list of terms")
    for name in sorted(set(documents) | set(named)):  # all of it is well formed: now hold it against the rest
        if name not in (WHOLE, DECISION) and named.get(name) != documents.get(name):
            found.append((MIXED, name, "not-named" if name in documents else "missing"))
    if options.not_before and str(predicate.get("timeVerified"))[:10] < options.not_before:
        found.append((MIXED, DECISION, "pin", predicate.get("timeVerified")))
    found += [(EXPIRED, DECISION, "expired", who, day) for who, day in granted if day and day < options.at]
    if terms and registered:
        found.append((0, DECISION, "terms", terms))
    if ("admit" in options.require and verdict != "admit") or ("preregistered" in options.require and terms):
        found.append((REFUSED, DECISION, "refused", verdict.upper(), terms))
    return str(verdict)


def check_folder(options: Any, keys: Keys, found: Found) -> tuple[str, dict[str, str] | None]:
    """Every document of the folder; returns the verdict, and the model's files where model.sig is in order."""
    documents, files, whole, root, verdict = {}, None, None, "", ""
    for name in sorted(os.listdir(options.folder), key=lambda n: (n != MODEL, n == DECISION, n)):
        try:
            data = read(os.path.join(options.folder, name))
            documents[name] = hashlib.sha256(data).hexdigest()
            payload = check_signatures(name, data, keys, found) if name.endswith(SIGNED) else None
            if payload is not None and name == WHOLE:
                whole = listed(name, payload)
            elif payload is not None and name == MODEL:
                root, files = listed(name, payload)
            elif payload is not None:
                body, subject = statement(name, payload)
                if root and subject != root:
                    found.append((MIXED, name, "other-model", subject))
                verdict = check_decision(body, options, documents, found) if name == DECISION else verdict
        except (OSError, Malformed, RecursionError) as error:
            found.append((UNREADABLE, name, "unread", error))
    for name in {WHOLE, MODEL, DECISION, "dossier.json"} - set(documents) - set(whole[1] if whole else ()):
        found.append((CHANGED, name, "missing"))
    if whole and options.evidence and options.evidence != whole[0]:
        found.append((MIXED, WHOLE, "pin", whole[0]))
    compare(options.folder, whole[1] if whole else {}, found, skip=(WHOLE,) if whole else documents)
    return verdict, files


def check_keys(options: Any, found: Found) -> Keys:
    """The keys to verify with: those named, and the folder's own, which is told apart where it is not among them."""
    pinned = [load_key(path) for path in options.key]
    own = os.path.join(options.folder, KEY)
    if not os.path.lexists(own):
        return pinned
    claimed, mark = load_key(own)
    if mark not in [m for _, m in pinned]:
        unpinned = (UNPINNED, KEY + " " + mark, "unpinned")
        found.append((OTHER_KEY, KEY, "other-key", mark) if pinned else unpinned)
    return [(claimed, mark), *pinned]


def main() -> int:
    """Verify, print a line for each problem and note, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    for one in ("--model", "--not-before", "--evidence"):
        parser.add_argument(one)
    for several in ("--key", "--beside"):
        parser.add_argument(several, action="append", default=[])
    parser.add_argument("--require", action="append", default=[], choices=("admit", "preregistered"))
    parser.add_argument("--at", default=str(datetime.datetime.now(datetime.UTC))[:10])
    parser.add_argument("--lang", choices=("en", "ja"), default="en")
    try:
        options = parser.parse_args()
        if not all(DAY.fullmatch(d) for d in (options.at, options.not_before) if d):
            parser.error("a day is written as in 2027-01-31")
    except SystemExit as end:
        return 64 if end.code else 0
    verdict, found = "", Found()
    try:
        verdict, files = check_folder(options, check_keys(options, found), found)
        if not options.model:
            found.append((0, MODEL, "unseen"))
        elif files is not None:
            compare(options.model, files, found, beside=options.beside)
    except (OSError, Malformed) as error:
        found.append((UNREADABLE, options.folder, "unread", error))
    code = next((c for c in ORDER if c in [f[0] for f in found]), 0)
    for _, name, text, *facts in sorted(found, key=lambda f: f[0] == 0):
        print(plain(name) + ": " + TEXTS[text][options.lang == "ja"].format(*map(plain, facts)))
    print(DECISION + ": " + (plain(verdict).upper() or "?"))
    print("exit %d" % code if code else TEXTS["verified"][options.lang == "ja"])
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
