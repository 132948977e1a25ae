"""A sigstore of our own, in memory: an authority, a certificate log and a transparency log of one entry each time."""

import base64
import datetime as dt
import hashlib
import json
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sekisho.evidence import dsse

BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
SIGNED = BEGIN + dt.timedelta(days=30)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of a test")])
SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
LOG = "log.example.org"


def b64(data):
    return base64.b64encode(data).decode()


def spki(key):
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.DER, form)


def mark(key):
    return hashlib.sha256(spki(key)).digest()


def sign(key, data):
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


class Sigstore:
    """Its trust root, and bundles by anybody."""

    def __init__(self):
        self.ca, self.ct, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        built = self._certificate(NAME, self.ca, days=3650)
        built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        built = built.add_extension(_usage(signs=False), critical=True)
        self.root = built.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(self.ca.public_key()), critical=False
        ).sign(self.ca, hashes.SHA256())

    def trust_root(self):
        """`trusted_root.json`."""
        valid = {"start": "2024-01-01T00:00:00Z"}
        chain = {"certificates": [{"rawBytes": b64(self.root.public_bytes(serialization.Encoding.DER))}]}
        authority = {
            "subject": {"organization": "Test", "commonName": "An authority of a test"},
            "uri": "https://ca.example.org",
            "certChain": chain,
            "validFor": valid,
        }
        logs = [
            {
                "baseUrl": f"https://{host}",
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(spki(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": valid,
                },
                "logId": {"keyId": b64(mark(key))},
            }
            for host, key in ((LOG, self.log), ("ct.example.org", self.ct))
        ]
        kind = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
        body = {
            "mediaType": kind,
            "tlogs": logs[:1],
            "certificateAuthorities": [authority],
            "ctlogs": logs[1:],
        }
        return json.dumps(body)

    def trust_config(self):
        """The trust root, and services of which none is there."""
        service = [
            {
                "url": "https://localhost:1",
                "majorApiVersion": 1,
                "validFor": {"start": "2024-01-01T00:00:00Z"},
                "operator": "test",
            }
        ]
        any_of = {"selector": "ANY"}
        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": service, "oidcUrls": service, "rekorTlogUrls": service, "tsaUrls": [],
            "rekorTlogConfig": any_of, "tsaConfig": any_of,
        }  # fmt: skip
        kind = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        body = {"mediaType": kind, "trustedRoot": json.loads(self.trust_root()), "signingConfig": signing}
        return json.dumps(body)

    def bundle(self, payload, identity, issuer):
        """Signed by somebody of that name, for whom that issuer vouched."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._leaf(key, identity, issuer)
        signature = sign(key, dsse.pae(payload))
        body = self._entry(payload, signature, leaf)
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"{LOG}\n1\n{b64(root)}\n"
        checkpoint = f"{note}\n\u2014 {LOG} {b64(mark(self.log)[:4] + sign(self.log, note.encode()))}\n"
        promised = {
            "body": b64(body),
            "integratedTime": int(SIGNED.timestamp()),
            "logID": mark(self.log).hex(),
            "logIndex": 0,
        }
        entry = {
            "logIndex": "0",
            "logId": {"keyId": b64(mark(self.log))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(int(SIGNED.timestamp())),
            "inclusionPromise": {"signedEntryTimestamp": b64(sign(self.log, dsse.dump(promised)))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": checkpoint},
            },
            "canonicalizedBody": b64(body),
        }
        raw = b64(leaf.public_bytes(serialization.Encoding.DER))
        return {
            "mediaType": dsse.MEDIA,
            "verificationMaterial": {"certificate": {"rawBytes": raw}, "tlogEntries": [entry]},
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": dsse.TYPE,
                "signatures": [{"sig": b64(signature)}],
            },
        }

    def _leaf(self, key, identity, issuer):
        built = self._certificate(x509.Name([]), key, days=0)
        built = built.add_extension(_usage(signs=True), critical=True)
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        built = built.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(identity)]), critical=True)
        built = built.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), critical=False
        )
        built = built.add_extension(x509.UnrecognizedExtension(ISSUER, issuer.encode()), critical=False)
        bare = built.sign(self.ca, hashes.SHA256()).tbs_certificate_bytes
        listed = x509.UnrecognizedExtension(SCTS, self._promise(bare))
        return built.add_extension(listed, critical=False).sign(self.ca, hashes.SHA256())

    def _promise(self, bare):
        """The certificate log's word on a certificate, as its extension carries it."""
        at = int(SIGNED.timestamp() * 1000)
        head = struct.pack("!BBQH", 0, 0, at, 1) + mark(self.ca)
        signed = sign(self.ct, head + len(bare).to_bytes(3, "big") + bare + bytes(2))
        made = b"\0" + mark(self.ct) + struct.pack("!QHBBH", at, 0, 4, 3, len(signed)) + signed
        listed = struct.pack("!HH", len(made) + 2, len(made)) + made
        return (
            b"\x04" + (bytes([len(listed)]) if len(listed) < 128 else b"\x81" + bytes([len(listed)])) + listed
        )

    def _entry(self, payload, signature, leaf):
        """What the transparency log keeps of an envelope."""
        pem = leaf.public_bytes(serialization.Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
        }
        return dsse.dump({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})

    def _certificate(self, subject, key, *, days):
        begin = SIGNED - dt.timedelta(minutes=5) if not days else BEGIN
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(NAME)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + dt.timedelta(days=days, minutes=10))
        )


def _usage(*, signs):
    return x509.KeyUsage(
        digital_signature=signs, key_cert_sign=not signs, crl_sign=not signs,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
