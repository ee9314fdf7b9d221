"""The extensions of X.509 certificates and requests, as members of Go's ``x509.Certificate`` as JSON."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterable
from typing import Any, Final

from sekisho.lang.golang import gourl
from sekisho.rego.builtins.x509 import der
from sekisho.rego.builtins.x509.der import Element, Malformed, Reader
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value

Oid = tuple[int, ...]

_PKIX: Final = (1, 3, 6, 1, 5, 5, 7)
_EXTENSION: Final = (2, 5, 29)

_USAGES: Final[dict[Oid, int]] = {
    (*_EXTENSION, 37, 0): 0,
    **{(*_PKIX, 3, n): n for n in (1, 2, 3, 4, 5, 6, 7, 8, 9)},
    (1, 3, 6, 1, 4, 1, 311, 10, 3, 3): 10,
    (2, 16, 840, 1, 113730, 4, 1): 11,
    (1, 3, 6, 1, 4, 1, 311, 2, 1, 22): 12,
    (1, 3, 6, 1, 4, 1, 311, 61, 1, 1): 13,
}
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


def b64(data: bytes | None) -> str | None:
    """Bytes as members have them: base64, or null."""
    return None if data is None else base64.b64encode(data).decode("ascii")


def read(extensions: Iterable[Element]) -> dict[str, Value]:
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
        listed.append({"Id": list(oid), "Critical": critical, "Value": b64(data)})
        reader = _EXTENSIONS.get(oid)
        understood = reader is not None and reader(Reader(data), out, critical)
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
                found["IPRanges"].append({"IP": _ip(masked), "Mask": b64(mask)})
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
    out["AuthorityKeyId"] = b64(found.content) if found else None
    return True


def _subject_key(data: Reader, out: dict[str, Value], _critical: bool) -> bool:
    out["SubjectKeyId"] = b64(data.next(der.OCTETS).content)
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
