"""Verification of a certificate chain as Go's crypto/x509 does it (RFC 5280, section 6, as far as it goes).

Paths from the leaf to the root are built over the intermediates; the first that is good counts: times,
signatures, authorities, path lengths, names and their constraints, key usages. Certificate policies are not
weighed. SHA-1 and MD5 signatures are refused.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.lang.golang import gourl
from sekisho.rego.builtins.x509.read import Certificate
from sekisho.rego.faults import BuiltinFault

CHECKS: Final = Limit("a certificate chain", 100, "signature checks", "Go's own bound against loops")

ANY_USAGE: Final = 0
SERVER: Final = 1
_CERTIFICATE_SIGN: Final = 32

_DIGESTS: Final = {4: "SHA256", 5: "SHA384", 6: "SHA512", 10: "SHA256", 11: "SHA384", 12: "SHA512"}
_PSS: Final = {13: "SHA256", 14: "SHA384", 15: "SHA512"}
_ED25519: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of the leaf: a name (if any), one of some usages, at a time in nanoseconds."""

    now_ns: int
    dns_name: str = ""
    usages: tuple[int, ...] = (SERVER,)


class _Chains:
    """Builds the chains from one leaf."""

    def __init__(self, root: Certificate, between: list[Certificate], options: Options) -> None:
        self._root = root
        self._between = between
        self._options = options
        self._left = CHECKS.value

    def find(self, chain: list[Certificate]) -> Iterator[list[Certificate]]:
        child = chain[-1]
        for is_root, parents in ((True, [self._root]), (False, self._between)):
            named = [parent for parent in parents if parent.subject == child.issuer]
            for parent in sorted(named, key=lambda one: _distance(child, one)):
                self._left -= 1
                if self._left < 0:
                    return
                if any(_same(parent, one) for one in chain) or not signed_by(child, parent):
                    continue
                if not self.valid(parent, chain, intermediate=not is_root):
                    continue
                longer = [*chain, parent]
                if is_root:
                    yield longer
                else:
                    yield from self.find(longer)

    def valid(self, certificate: Certificate, chain: list[Certificate], *, intermediate: bool) -> bool:
        value = certificate.value
        if value["UnhandledCriticalExtensions"]:
            return False
        if not certificate.not_before * 10**9 <= self._options.now_ns <= certificate.not_after * 10**9:
            return False
        if intermediate and not (value["BasicConstraintsValid"] and value["IsCA"]):
            return False
        bounded = value["BasicConstraintsValid"] and value["MaxPathLen"] >= 0
        return not bounded or len(chain) - 1 <= value["MaxPathLen"]


def chain(certificates: list[Certificate], options: Options) -> list[Certificate] | None:
    """The first good chain, leaf first; None if there is none.

    The first certificate is the root, the last the leaf, those between may serve as intermediates.
    """
    root, *between, leaf = certificates
    chains = _Chains(root, between, options)
    if not chains.valid(leaf, [], intermediate=False):
        return None
    if options.dns_name and not _has_name(leaf, options.dns_name):
        return None
    found = [[leaf]] if leaf.raw == root.raw else chains.find([leaf])
    for one in found:
        if _usable(one, options.usages) and _within_constraints(one):
            return one
    return None


def _distance(child: Certificate, parent: Certificate) -> int:
    """How badly the key identifiers of a child's issuer and of a parent go together."""
    wanted, own = child.value["AuthorityKeyId"], parent.value["SubjectKeyId"]
    if wanted == own:
        return 0
    return 1 if not wanted or not own else 2


def _same(a: Certificate, b: Certificate) -> bool:
    return a.subject == b.subject and a.key == b.key and a.value["DNSNames"] == b.value["DNSNames"]


# --- signatures -----------------------------------------------------------------------


def signed_by(child: Certificate, parent: Certificate) -> bool:
    """Whether a certificate may sign others, and signed this one."""
    value = parent.value
    if value["BasicConstraintsValid"]:
        if not value["IsCA"]:
            return False
    elif value["Version"] == 3:
        return False
    if value["KeyUsage"] and not value["KeyUsage"] & _CERTIFICATE_SIGN:
        return False
    return _verified(child, parent)


def _verified(child: Certificate, parent: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    algorithm = child.value["SignatureAlgorithm"]
    name = _DIGESTS.get(algorithm) or _PSS.get(algorithm)
    digest: Any = getattr(hashes, name)() if name else None
    try:
        key = load_der_public_key(parent.key)
        if isinstance(key, rsa.RSAPublicKey) and algorithm in {4, 5, 6}:
            key.verify(child.signature, child.tbs, padding.PKCS1v15(), digest)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm in _PSS:
            pss = padding.PSS(mgf=padding.MGF1(digest), salt_length=padding.PSS.DIGEST_LENGTH)
            key.verify(child.signature, child.tbs, pss, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm in {10, 11, 12}:
            key.verify(child.signature, child.tbs, ec.ECDSA(digest))
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm == _ED25519:
            key.verify(child.signature, child.tbs)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


# --- usages and names -----------------------------------------------------------------


def _usable(found: list[Certificate], usages: tuple[int, ...]) -> bool:
    """Whether one of the usages is allowed by every certificate of a chain."""
    if ANY_USAGE in usages:
        return True
    left = set(usages)
    for certificate in found:
        known, unknown = certificate.value["ExtKeyUsage"], certificate.value["UnknownExtKeyUsage"]
        if (known or unknown) and ANY_USAGE not in (known or ()):
            left &= set(known or ())
    return bool(left)


def _has_name(leaf: Certificate, name: str) -> bool:
    """Whether a host name or address is among a certificate's alternative names."""
    bare = name[1:-1] if len(name) >= 3 and name[0] == "[" and name[-1] == "]" else name
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        pass
    else:
        return str(address) in (leaf.value["IPAddresses"] or ())
    wanted = name.lower()
    parts = wanted.removesuffix(".").split(".")
    for pattern in leaf.value["DNSNames"] or ():
        lowered = pattern.lower()
        if _host(wanted.removesuffix("."), pattern=False) and _host(lowered, pattern=True):
            labels = lowered.split(".")
            if len(labels) == len(parts) and labels[0] in {"*", parts[0]} and labels[1:] == parts[1:]:
                return True
        elif lowered == wanted and wanted not in {"", "."}:
            return True
    return False


def _host(name: str, *, pattern: bool) -> bool:
    labels = name.split(".")
    if name == "*" or "" in labels:
        return False
    if pattern and labels[0] == "*":
        labels = labels[1:]
    return all(
        label[0] != "-" and all(c.isascii() and (c.isalnum() or c in "-_") for c in label) for label in labels
    )


# --- name constraints -----------------------------------------------------------------


def _within_constraints(found: list[Certificate]) -> bool:
    """Whether the names of each certificate are within what the ones above it allow (RFC 5280, 4.2.1.10)."""
    for at, certificate in enumerate(found):
        above = [one for one in found[at + 1 :] if _constrains(one)]
        if above and not all(_allows(one, certificate) for one in above):
            return False
    return True


_KINDS: Final = ("DNSDomains", "EmailAddresses", "IPRanges", "URIDomains")


def _constrains(certificate: Certificate) -> bool:
    return any(certificate.value[f"{word}{kind}"] for word in ("Permitted", "Excluded") for kind in _KINDS)


def _allows(authority: Certificate, certificate: Certificate) -> bool:
    limits, names = authority.value, certificate.value
    hosts = [_uri_host(uri) for uri in names["URIStrings"] or ()]
    if None in hosts:
        return False  # an address, or no host at all, cannot be held against constraints
    checks: tuple[tuple[str, Any, Callable[..., bool]], ...] = (
        ("DNSDomains", names["DNSNames"] or (), _in_domain),
        ("URIDomains", hosts, _in_domain),
        ("EmailAddresses", names["EmailAddresses"] or (), _in_mailbox),
        ("IPRanges", names["IPAddresses"] or (), _in_range),
    )
    for kind, found, inside in checks:
        permitted, excluded = limits[f"Permitted{kind}"], limits[f"Excluded{kind}"]
        for name in found:
            if permitted and not any(inside(limit, name, exclude=False) for limit in permitted):
                return False
            if excluded and any(inside(limit, name, exclude=True) for limit in excluded):
                return False
    return True


def _in_domain(limit: str, name: str, *, exclude: bool) -> bool:
    limit, name = limit.lower(), name.lower()
    if not limit:
        return True
    if name.endswith(limit):
        before = name[: len(name) - len(limit)]
        if not before or limit.startswith(".") or before.endswith("."):
            return True
    # A wildcard stands for the excluded name too.
    return exclude and name.startswith("*") and "." in limit and name[1:] == limit[limit.index(".") :]


def _in_mailbox(limit: str, name: str, *, exclude: bool) -> bool:
    local, _, domain = name.rpartition("@")
    if "@" in limit:
        wanted, _, host = limit.rpartition("@")
        return (wanted, host.lower()) == (local, domain.lower())
    return _in_domain(limit, domain, exclude=exclude)


def _in_range(limit: dict[str, str], name: str, *, exclude: bool) -> bool:  # noqa: ARG001
    base, mask = ipaddress.ip_address(limit["IP"]), base64.b64decode(limit["Mask"])
    address = ipaddress.ip_address(name)
    if len(mask) != len(address.packed) or base.version != address.version:
        return False
    return all(a & m == b for a, m, b in zip(address.packed, mask, base.packed, strict=True))


def _uri_host(text: str) -> str | None:
    try:
        host = gourl.parse(text).hostname.lower()
        ipaddress.ip_address(host)
    except BuiltinFault:
        return None
    except ValueError:
        return host or None
    return None
