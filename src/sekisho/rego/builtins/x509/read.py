"""X.509 certificates and requests as objects in the shape of Go's ``x509.Certificate`` as JSON.

Bytes are base64, object identifiers arrays of numbers, what is absent null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sekisho.rego.builtins.x509 import der
from sekisho.rego.builtins.x509 import extensions as x509_extensions
from sekisho.rego.builtins.x509.der import Element, Malformed, Reader
from sekisho.rego.builtins.x509.extensions import Oid, b64
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value

_RSA: Final = (1, 2, 840, 113549, 1, 1)

SIGNATURES: Final[dict[Oid, int]] = {
    (*_RSA, 2): 1,
    (*_RSA, 4): 2,
    (*_RSA, 5): 3,
    (1, 3, 14, 3, 2, 29): 3,
    (*_RSA, 11): 4,
    (*_RSA, 12): 5,
    (*_RSA, 13): 6,
    (1, 2, 840, 10040, 4, 3): 7,
    (2, 16, 840, 1, 101, 3, 4, 3, 2): 8,
    (1, 2, 840, 10045, 4, 1): 9,
    (1, 2, 840, 10045, 4, 3, 2): 10,
    (1, 2, 840, 10045, 4, 3, 3): 11,
    (1, 2, 840, 10045, 4, 3, 4): 12,
    (1, 3, 101, 112): 16,
}
"""Go's numbers of signature algorithms; RSA-PSS has 13 to 15, by its digest."""

_PSS: Final = (*_RSA, 10)
_DIGESTS: Final[dict[Oid, int]] = {(2, 16, 840, 1, 101, 3, 4, 2, n): 12 + n for n in (1, 2, 3)}
_KEYS: Final[dict[Oid, int]] = {
    (*_RSA, 1): 1,
    (1, 2, 840, 10040, 4, 1): 2,
    (1, 2, 840, 10045, 2, 1): 3,
    (1, 3, 101, 112): 4,
}
_CURVES: Final[dict[Oid, int]] = {
    (1, 3, 132, 0, 33): 28,
    (1, 2, 840, 10045, 3, 1, 7): 32,
    (1, 3, 132, 0, 34): 48,
    (1, 3, 132, 0, 35): 66,
}
"""Curves, with the bytes of a coordinate."""

_NAMES: Final = {
    6: "Country",
    7: "Locality",
    8: "Province",
    9: "StreetAddress",
    10: "Organization",
    11: "OrganizationalUnit",
    17: "PostalCode",
}
_EXTENSION_REQUEST: Final = (1, 2, 840, 113549, 1, 9, 14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate: its object, and what verification needs of its bytes."""

    value: dict[str, Value]
    raw: bytes
    tbs: bytes
    key: bytes
    issuer: bytes
    subject: bytes
    signature: bytes
    not_before: int
    not_after: int


def certificates(data: bytes) -> list[Certificate]:
    """The certificates that these bytes are, one after the other."""
    try:
        return [_certificate(element) for element in Reader(data).all()]
    except Malformed:
        raise BuiltinFault("x509: malformed certificate") from None


def _certificate(element: Element) -> Certificate:
    outer = element.expect(der.SEQUENCE).inside()
    tbs = outer.next(der.SEQUENCE)
    algorithm, signature = outer.next(der.SEQUENCE), outer.next(der.BITS).bits()
    outer.end()
    fields = tbs.inside()
    version = fields.maybe(0xA0)
    serial = fields.next(der.INTEGER).integer()
    fields.next(der.SEQUENCE)
    issuer, validity, subject = (fields.next(der.SEQUENCE) for _ in range(3))
    key = fields.next(der.SEQUENCE)
    fields.maybe(0x81)
    fields.maybe(0x82)
    wrapped = fields.maybe(0xA3)
    extensions = list(wrapped.inside().next(der.SEQUENCE).inside().all()) if wrapped else []
    times = validity.inside()
    begin, end = times.next().time(), times.next().time()
    value: dict[str, Value] = {
        "Raw": b64(element.raw),
        "RawTBSCertificate": b64(tbs.raw),
        "RawIssuer": b64(issuer.raw),
        **_common(algorithm, signature, subject, key),
        "Version": version.inside().next(der.INTEGER).integer() + 1 if version else 1,
        "SerialNumber": serial,
        "Issuer": _name(issuer),
        "NotBefore": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "NotAfter": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **x509_extensions.read(extensions),
    }
    return Certificate(
        value=value,
        raw=element.raw,
        tbs=tbs.raw,
        key=key.raw,
        issuer=issuer.raw,
        subject=subject.raw,
        signature=signature,
        not_before=int(begin.timestamp()),
        not_after=int(end.timestamp()),
    )


def request(data: bytes) -> dict[str, Value]:
    """The object of a certificate request."""
    try:
        return _request(Reader(data).next(der.SEQUENCE))
    except Malformed:
        raise BuiltinFault("asn1: structure error: this is not a certificate request") from None


def _request(element: Element) -> dict[str, Value]:
    outer = element.inside()
    info = outer.next(der.SEQUENCE)
    algorithm, signature = outer.next(der.SEQUENCE), outer.next(der.BITS).bits()
    fields = info.inside()
    version = fields.next(der.INTEGER).integer()
    subject, key = fields.next(der.SEQUENCE), fields.next(der.SEQUENCE)
    attributes: list[Value] = []
    wanted: list[Element] = []
    listed = fields.maybe(0xA0)
    for attribute in listed.inside().all() if listed else ():
        parts = attribute.inside()
        if parts.next(der.OID).oid() == _EXTENSION_REQUEST:
            sets = [
                list(one.expect(der.SEQUENCE).inside().all()) for one in parts.next(der.SET).inside().all()
            ]
            wanted += [extension for one in sets for extension in one]
            values = [[_attribute(extension) for extension in one] for one in sets]
            attributes.append({"Type": list(_EXTENSION_REQUEST), "Value": values})
    extended = x509_extensions.read(wanted)
    return {
        "Raw": b64(element.raw),
        "RawTBSCertificateRequest": b64(info.raw),
        **_common(algorithm, signature, subject, key),
        "Version": version,
        "Attributes": attributes or None,
        **{
            name: extended[name]
            for name in ("Extensions", "ExtraExtensions", "DNSNames", "EmailAddresses", "IPAddresses", "URIs")
        },
    }


def _attribute(extension: Element) -> Value:
    parts = extension.inside()
    name, second = parts.next(der.OID), parts.next()
    value = second.boolean() if second.tag == der.BOOLEAN else b64(second.content)
    return {"Type": list(name.oid()), "Value": value}


def _common(algorithm: Element, signature: bytes, subject: Element, key: Element) -> dict[str, Value]:
    kind, public = _public_key(key)
    return {
        "RawSubject": b64(subject.raw),
        "RawSubjectPublicKeyInfo": b64(key.raw),
        "Signature": b64(signature),
        "SignatureAlgorithm": _signature(algorithm),
        "PublicKeyAlgorithm": kind,
        "PublicKey": public,
        "Subject": _name(subject),
    }


def _signature(algorithm: Element) -> int:
    parts = algorithm.inside()
    oid = parts.next(der.OID).oid()
    if oid != _PSS:
        return SIGNATURES.get(oid, 0)
    try:
        digest = parts.next(der.SEQUENCE).inside().next(0xA0).inside().next(der.SEQUENCE).inside()
        return _DIGESTS.get(digest.next(der.OID).oid(), 0)
    except Malformed:
        return 0


def _public_key(info: Element) -> tuple[int, Value]:
    parts = info.inside()
    algorithm = parts.next(der.SEQUENCE).inside()
    bits = parts.next(der.BITS).bits()
    kind = _KEYS.get(algorithm.next(der.OID).oid(), 0)
    if kind == 1:
        numbers = Reader(bits).next(der.SEQUENCE).inside()
        return kind, {"N": numbers.next(der.INTEGER).integer(), "E": numbers.next(der.INTEGER).integer()}
    if kind == 3:
        size = _CURVES.get(algorithm.next(der.OID).oid(), 0)
        if not size:
            raise BuiltinFault("x509: unsupported elliptic curve")
        if len(bits) != 2 * size + 1 or bits[0] != 4:
            raise BuiltinFault("x509: failed to unmarshal elliptic curve point")
        x, y = bits[1 : size + 1], bits[size + 1 :]
        return kind, {"Curve": {}, "X": int.from_bytes(x), "Y": int.from_bytes(y)}
    return kind, b64(bits) if kind == 4 else None


def key_algorithm(info: bytes) -> int:
    """Go's number of the algorithm of a key's SubjectPublicKeyInfo."""
    return _public_key(Reader(info).next(der.SEQUENCE))[0]


def _name(name: Element) -> Value:
    out: dict[str, Value] = {
        "CommonName": "",
        "SerialNumber": "",
        **dict.fromkeys(_NAMES.values()),
        "ExtraNames": None,
    }
    names: list[Value] = []
    for part in name.inside().all():
        for pair in part.expect(der.SET).inside().all():
            both = pair.expect(der.SEQUENCE).inside()
            oid, text = both.next(der.OID).oid(), both.next().text()
            names.append({"Type": list(oid), "Value": text})
            if oid == (2, 5, 4, 3):
                out["CommonName"] = text
            elif oid == (2, 5, 4, 5):
                out["SerialNumber"] = text
            elif oid[:3] == (2, 5, 4) and len(oid) == 4 and oid[3] in _NAMES:
                label = _NAMES[oid[3]]
                out[label] = [*(out[label] or []), text]
    return {**out, "Names": names or None}
