"""X.509 certificates and requests as objects in the shape of Go's ``x509.Certificate`` as JSON.

Bytes are base64, object identifiers arrays of numbers, what is absent null.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from sekisho.rego.builtins import der, gourl
from sekisho.rego.builtins.der import Element, Malformed, Reader
from sekisho.rego.builtins.table import BuiltinFault
from sekisho.rego.values import Value

Oid = tuple[int, ...]

_RSA: Final = (1, 2, 840, 113549, 1, 1)
_PKIX: Final = (1, 3, 6, 1, 5, 5, 7)
_EXTENSION: Final = (2, 5, 29)

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

_USAGES: Final[dict[Oid, int]] = {
    (*_EXTENSION, 37, 0): 0,
    **{(*_PKIX, 3, n): n for n in (1, 2, 3, 4, 5, 6, 7, 8, 9)},
    (1, 3, 6, 1, 4, 1, 311, 10, 3, 3): 10,
    (2, 16, 840, 1, 113730, 4, 1): 11,
    (1, 3, 6, 1, 4, 1, 311, 2, 1, 22): 12,
    (1, 3, 6, 1, 4, 1, 311, 61, 1, 1): 13,
}
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


def _b64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


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
        "Raw": _b64(element.raw),
        "RawTBSCertificate": _b64(tbs.raw),
        "RawIssuer": _b64(issuer.raw),
        **_common(algorithm, signature, subject, key),
        "Version": version.inside().next(der.INTEGER).integer() + 1 if version else 1,
        "SerialNumber": serial,
        "Issuer": _name(issuer),
        "NotBefore": begin.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "NotAfter": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **_extended(extensions),
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
    extended = _extended(wanted)
    return {
        "Raw": _b64(element.raw),
        "RawTBSCertificateRequest": _b64(info.raw),
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
    value = second.boolean() if second.tag == der.BOOLEAN else _b64(second.content)
    return {"Type": list(name.oid()), "Value": value}


def _common(algorithm: Element, signature: bytes, subject: Element, key: Element) -> dict[str, Value]:
    kind, public = _public_key(key)
    return {
        "RawSubject": _b64(subject.raw),
        "RawSubjectPublicKeyInfo": _b64(key.raw),
        "Signature": _b64(signature),
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
    return kind, _b64(bits) if kind == 4 else None


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


# --- extensions -----------------------------------------------------------------------

_ABSENT: Final[dict[str, Value]] = {
    **dict.fromkeys(
        (
            *("ExtraExtensions", "UnhandledCriticalExtensions", "ExtKeyUsage", "UnknownExtKeyUsage"),
            *("SubjectKeyId", "AuthorityKeyId", "OCSPServer", "IssuingCertificateURL"),
            *("DNSNames", "EmailAddresses", "IPAddresses", "URIs", "URIStrings"),
            *("PermittedDNSDomains", "ExcludedDNSDomains", "PermittedIPRanges", "ExcludedIPRanges"),
            *("PermittedEmailAddresses", "ExcludedEmailAddresses"),
            *("PermittedURIDomains", "ExcludedURIDomains"),
            *("CRLDistributionPoints", "PolicyIdentifiers", "Policies", "PolicyMappings"),
        ),
    ),
    **dict.fromkeys(
        (
            *("BasicConstraintsValid", "IsCA", "MaxPathLenZero", "PermittedDNSDomainsCritical"),
            *("InhibitAnyPolicyZero", "InhibitPolicyMappingZero", "RequireExplicitPolicyZero"),
        ),
        False,
    ),
    **dict.fromkeys(
        ("KeyUsage", "MaxPathLen", "InhibitAnyPolicy", "InhibitPolicyMapping", "RequireExplicitPolicy"),
        0,
    ),
}


def _extended(extensions: Iterable[Element]) -> dict[str, Value]:
    """What the extensions say. Critical ones that are not understood are listed."""
    listed: list[Value] = []
    unhandled: list[Value] = []
    out = dict(_ABSENT)
    for extension in extensions:
        parts = extension.expect(der.SEQUENCE).inside()
        oid = parts.next(der.OID).oid()
        flag = parts.maybe(der.BOOLEAN)
        critical = flag.boolean() if flag else False
        data = parts.next(der.OCTETS).content
        listed.append({"Id": list(oid), "Critical": critical, "Value": _b64(data)})
        read = _EXTENSIONS.get(oid)
        understood = read is not None and read(Reader(data), out, critical)
        if critical and not understood:
            unhandled.append(list(oid))
    return {**out, "Extensions": listed or None, "UnhandledCriticalExtensions": unhandled or None}


def _key_usage(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    bits = data.next(der.BITS).bits()
    out["KeyUsage"] = sum(1 << i for i in range(9) if i // 8 < len(bits) and bits[i // 8] >> (7 - i % 8) & 1)
    return True


def _basic_constraints(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    parts = data.next(der.SEQUENCE).inside()
    authority, length = parts.maybe(der.BOOLEAN), parts.maybe(der.INTEGER)
    out["IsCA"] = authority.boolean() if authority else False
    out["MaxPathLen"] = length.integer() if length else -1
    out["MaxPathLenZero"] = out["MaxPathLen"] == 0
    out["BasicConstraintsValid"] = True
    return True


def _alternative_names(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    dns: list[Value] = []
    mail: list[Value] = []
    addresses: list[Value] = []
    uris: list[str] = []
    for name in data.next(der.SEQUENCE).inside().all():
        if name.tag == 0x81:
            mail.append(name.ia5())
        elif name.tag == 0x82:
            dns.append(name.ia5())
        elif name.tag == 0x86:
            uris.append(name.ia5())
        elif name.tag == 0x87:
            if len(name.content) not in {4, 16}:
                raise BuiltinFault("x509: cannot parse IP address of length " + str(len(name.content)))
            addresses.append(_ip(name.content))
    out["DNSNames"], out["EmailAddresses"] = dns or None, mail or None
    out["IPAddresses"] = addresses or None
    out["URIs"] = [_uri(text) for text in uris] or None
    out["URIStrings"] = uris or None
    return bool(dns or mail or addresses or uris)


def _ip(octets: bytes) -> str:
    found = ipaddress.ip_address(octets)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _uri(text: str) -> Value:
    try:
        url = gourl.parse(text)
    except BuiltinFault as fault:
        raise BuiltinFault(f'x509: cannot parse URI "{text}": {fault}') from None
    return {
        "Scheme": url.scheme,
        "Opaque": url.opaque,
        "User": None if url.user is None else {},
        "Host": url.host,
        "Path": url.path,
        "RawPath": url.raw_path,
        "OmitHost": url.omit_host,
        "ForceQuery": url.force_query,
        "RawQuery": url.raw_query,
        "Fragment": url.fragment,
        "RawFragment": url.raw_fragment,
    }


def _name_constraints(data: Reader, out: dict[str, Value], critical: bool) -> bool:
    parts = data.next(der.SEQUENCE).inside()
    permitted, excluded = parts.maybe(0xA0), parts.maybe(0xA1)
    understood = True
    for word, subtrees in (("Permitted", permitted), ("Excluded", excluded)):
        found: dict[str, list[Value]] = {
            "DNSDomains": [],
            "EmailAddresses": [],
            "IPRanges": [],
            "URIDomains": [],
        }
        for subtree in subtrees.inside().all() if subtrees else ():
            name = subtree.expect(der.SEQUENCE).inside().next()
            if name.tag == 0x87:
                half = len(name.content) // 2
                if half not in {4, 16}:
                    raise Malformed
                address, mask = name.content[:half], name.content[half:]
                masked = bytes(a & m for a, m in zip(address, mask, strict=True))
                found["IPRanges"].append({"IP": _ip(masked), "Mask": _b64(mask)})
            else:
                kind = {0x81: "EmailAddresses", 0x82: "DNSDomains", 0x86: "URIDomains"}.get(name.tag)
                if kind is None:
                    understood = False
                else:
                    found[kind].append(name.ia5())
        out.update({f"{word}{kind}": values or None for kind, values in found.items()})
    out["PermittedDNSDomainsCritical"] = critical
    return understood


def _distribution_points(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    uris: list[Value] = []
    for point in data.next(der.SEQUENCE).inside().all():
        where = point.expect(der.SEQUENCE).inside().maybe(0xA0)
        full = where.inside().maybe(0xA0) if where else None
        uris += [name.ia5() for name in full.inside().all() if name.tag == 0x86] if full else []
    out["CRLDistributionPoints"] = uris or None
    return True


def _authority_key(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    found = data.next(der.SEQUENCE).inside().maybe(0x80)
    out["AuthorityKeyId"] = _b64(found.content) if found else None
    return True


def _subject_key(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    out["SubjectKeyId"] = _b64(data.next(der.OCTETS).content)
    return True


def _extended_usage(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    oids = [one.expect(der.OID).oid() for one in data.next(der.SEQUENCE).inside().all()]
    out["ExtKeyUsage"] = [_USAGES[oid] for oid in oids if oid in _USAGES] or None
    out["UnknownExtKeyUsage"] = [list(oid) for oid in oids if oid not in _USAGES] or None
    return True


def _policies(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    oids = [
        one.expect(der.SEQUENCE).inside().next(der.OID).oid()
        for one in data.next(der.SEQUENCE).inside().all()
    ]
    out["PolicyIdentifiers"] = [list(oid) for oid in oids] or None
    out["Policies"] = [_dotted(oid) for oid in oids] or None
    return True


def _policy_mappings(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    pairs = []
    for pair in data.next(der.SEQUENCE).inside().all():
        both = pair.expect(der.SEQUENCE).inside()
        issuer, subject = both.next(der.OID).oid(), both.next(der.OID).oid()
        pairs.append({"IssuerDomainPolicy": _dotted(issuer), "SubjectDomainPolicy": _dotted(subject)})
    out["PolicyMappings"] = pairs or None
    return True


def _policy_constraints(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    parts = data.next(der.SEQUENCE).inside()
    for tag, name in ((0x80, "RequireExplicitPolicy"), (0x81, "InhibitPolicyMapping")):
        if found := parts.maybe(tag):
            out[name] = found.integer()
            out[f"{name}Zero"] = out[name] == 0
    return True


def _inhibit_any(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    out["InhibitAnyPolicy"] = data.next(der.INTEGER).integer()
    out["InhibitAnyPolicyZero"] = out["InhibitAnyPolicy"] == 0
    return True


def _authority_access(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    found: dict[Oid, list[Value]] = {(*_PKIX, 48, 1): [], (*_PKIX, 48, 2): []}
    for access in data.next(der.SEQUENCE).inside().all():
        parts = access.expect(der.SEQUENCE).inside()
        method, place = parts.next(der.OID).oid(), parts.next()
        if method in found and place.tag == 0x86:
            found[method].append(place.ia5())
    out["OCSPServer"], out["IssuingCertificateURL"] = (places or None for places in found.values())
    return True


def _dotted(oid: Oid) -> str:
    return ".".join(map(str, oid))


_EXTENSIONS: Final[dict[Oid, Callable[[Reader, dict[str, Any], bool], bool]]] = {
    (*_EXTENSION, 14): _subject_key,
    (*_EXTENSION, 15): _key_usage,
    (*_EXTENSION, 17): _alternative_names,
    (*_EXTENSION, 19): _basic_constraints,
    (*_EXTENSION, 30): _name_constraints,
    (*_EXTENSION, 31): _distribution_points,
    (*_EXTENSION, 32): _policies,
    (*_EXTENSION, 33): _policy_mappings,
    (*_EXTENSION, 35): _authority_key,
    (*_EXTENSION, 36): _policy_constraints,
    (*_EXTENSION, 37): _extended_usage,
    (*_EXTENSION, 54): _inhibit_any,
    (*_PKIX, 1, 1): _authority_access,
}
"""Readers of extensions: each writes its members and says whether it understood all."""
