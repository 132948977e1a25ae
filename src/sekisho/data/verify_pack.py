# ruff: noqa: T201, UP031, PTH100, PTH112, PTH113, PTH114, PTH118, PTH120, PTH123, PTH202
"""Verify an exported pack without the tool that made it. Python 3.11+ and the package `cryptography`, nothing else.

    python3 verify.py [FOLDER or ZIP] [--key PUBLIC_KEY.pem]...

manifest.sig lists every other file with its sha256 and is signed: ECDSA over DSSE v1 pre-authentication encoding of an
OpenSSF Model Signing v1.0 statement. The key in signer.pub proves nothing: whoever forges a pack puts a key of his own
there. Get the public key by another way and name it with --key; without it, the best exit code is 1.
Exit codes: 3 the signature is bad or missing, 5 signed by another key than those named, 2 a file was changed, added or
removed, 4 something cannot be read, 1 intact but the signer is not pinned, 0 verified.
"""

import argparse
import base64
import hashlib
import json
import os
import sys
import zipfile
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SIGNATURE, KEY, MANIFEST = "manifest.sig", "signer.pub", "manifest.json"
PAYLOAD, OMS = "application/vnd.in-toto+json", "https://model_signing/signature/v1.0"
DIGESTS = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
MOST_BYTES, MOST_FILES = 512 << 20, 20_000


def plain(text: object) -> str:
    """Text safe to print."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))[:300]


def take(path: str) -> dict[str, bytes]:
    """Every file of a folder or a zip. Raises OSError, ValueError."""
    if os.path.isdir(path):
        return folder(path)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = [i.filename for i in infos]
        if len(names) != len(set(names)) or len(names) > MOST_FILES:
            raise ValueError("a name occurs twice, or there are too many files")
        if sum(i.file_size for i in infos) > MOST_BYTES:
            raise ValueError("larger than %d bytes" % MOST_BYTES)
        return {i.filename: archive.read(i) for i in infos}


def folder(root: str) -> dict[str, bytes]:
    """Every file of a folder; links, pipes and devices are refused."""
    found: dict[str, bytes] = {}
    for at, folders, names in os.walk(root):
        for name in [*names, *folders]:
            full = os.path.join(at, name)
            if os.path.islink(full) or not (os.path.isfile(full) or os.path.isdir(full)):
                raise ValueError("%s is a link or no ordinary file" % name)
            if name in names:
                if os.path.getsize(full) > MOST_BYTES or len(found) > MOST_FILES:
                    raise ValueError("too much to read")
                with open(full, "rb") as file:
                    found[os.path.relpath(full, root).replace(os.sep, "/")] = file.read()
    return found


def load_key(data: bytes) -> tuple[Any, str]:
    """A public key and the sha256 of its PEM. Raises ValueError."""
    key = serialization.load_pem_public_key(data)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in DIGESTS:
        raise ValueError("keys are on P-256, P-384 or P-521")
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key, hashlib.sha256(pem).hexdigest()


def signed(data: bytes) -> tuple[bytes, bytes]:
    """Payload and the one signature of a bundle. Raises ValueError, KeyError, TypeError."""
    inner = json.loads(data)["dsseEnvelope"]
    (one,) = inner["signatures"]
    if inner["payloadType"] != PAYLOAD:
        raise ValueError("a payload of another kind")
    return base64.b64decode(inner["payload"], validate=True), base64.b64decode(one["sig"], validate=True)


def listed(payload: bytes) -> dict[str, str]:
    """Path to sha256, root digest recomputed. Raises ValueError, KeyError, TypeError."""
    body = json.loads(payload)
    if body["predicateType"] != OMS:
        raise ValueError("a statement of another kind")
    files = {str(r["name"]): str(r["digest"]) for r in body["predicate"]["resources"]}
    root = hashlib.sha256(b"".join(bytes.fromhex(d) for d in files.values())).hexdigest()
    if [s["digest"]["sha256"] for s in body["subject"]] != [root]:
        raise ValueError("its root digest is not that of its files")
    return files


def compare(files: dict[str, bytes], wanted: dict[str, str], left: set[str]) -> list[str]:
    """What is not as listed."""
    found = [n + ": missing" for n in wanted if n not in files]
    found += [n + ": added after the pack was made" for n in files if n not in wanted and n not in left]
    there = {n: hashlib.sha256(files[n]).hexdigest() for n in wanted if n in files}
    return found + [n + ": changed" for n, digest in there.items() if digest != wanted[n]]


def check(files: dict[str, bytes], pinned: list[tuple[Any, str]]) -> tuple[int, list[str]]:
    """Exit code and lines."""
    if SIGNATURE not in files:
        if MANIFEST not in files:
            return 3, ["no manifest.json and no signature: this is no pack / パックではありません"]
        rows = json.loads(files[MANIFEST])["files"]
        wrong = compare(files, {r["path"]: r["sha256"] for r in rows}, {MANIFEST})
        return 3, [*wrong, "NOT SIGNED: anybody could have made or changed this pack / 署名がありません"]
    payload, signature = signed(files[SIGNATURE])
    text = b"DSSEv1 %d %b %d %b" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)
    own = [load_key(files[KEY])] if KEY in files else []
    mark = ""
    for key, owner in [*pinned, *own]:
        try:
            key.verify(signature, text, ec.ECDSA(DIGESTS[key.curve.name]))
            mark = owner
            break
        except InvalidSignature:
            continue
    else:
        return 3, ["the signature is made by no key at hand / 署名が手元の鍵と一致しません"]
    wrong = compare(files, listed(payload), {SIGNATURE})
    if pinned and mark not in [m for _, m in pinned]:
        told = "signed by the key %s, which is none of those named / 指定された鍵ではありません" % mark
        return 5, [told, *wrong]
    if wrong:
        return 2, wrong
    if not pinned:
        return 1, [
            "intact, but the signer is not pinned: compare %s, then name the key with --key / 署名者未確認"
            % mark
        ]
    return 0, ["VERIFIED: every file is as signed / 検証済み"]


def main() -> int:
    """Verify, print, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("pack", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--key", action="append", default=[])
    options = parser.parse_args()
    try:
        pinned = []
        for path in options.key:
            with open(path, "rb") as file:
                pinned.append(load_key(file.read(1 << 18)))
        code, lines = check(take(options.pack), pinned)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        UnsupportedAlgorithm,
        RecursionError,
        zipfile.BadZipFile,
    ) as error:
        code, lines = 4, ["not read: %s: %s" % (type(error).__name__, error)]
    for line in lines:
        print(plain(line))
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main())
