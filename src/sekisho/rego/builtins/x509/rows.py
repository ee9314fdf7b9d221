"""crypto.x509.* and crypto.parse_private_keys: certificates, requests and keys from PEM, DER or base64."""

from __future__ import annotations

import base64
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.lang.golang import base64text
from sekisho.lang.golang.gotext import to_octets
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.table import row
from sekisho.rego.builtins.x509 import jwk, pem
from sekisho.rego.builtins.x509 import read as x509_read
from sekisho.rego.builtins.x509 import verify as x509_verify
from sekisho.rego.builtins.x509.read import Certificate
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, BOOLEAN, STRING, Array, Function, Object
from sekisho.rego.values import Set, Value, is_number

TEXT: Final = Limit("certificates", 4_000_000, "characters", "a bundle of all public authorities is smaller")
CHAIN: Final = Limit("certificates to verify", 1_000, "certificates", "a chain has less than ten")

_BEGIN: Final = "-----BEGIN"
_USAGES: Final = {
    f"KeyUsage{name}": number
    for number, name in enumerate(
        (
            *("Any", "ServerAuth", "ClientAuth", "CodeSigning", "EmailProtection", "IPSECEndSystem"),
            *("IPSECTunnel", "IPSECUser", "TimeStamping", "OCSPSigning", "MicrosoftServerGatedCrypto"),
            *("NetscapeServerGatedCrypto", "MicrosoftCommercialCodeSigning", "MicrosoftKernelCodeSigning"),
        ),
    )
}


def _bounded(value: Value, position: int = 1) -> str:
    text = operands.string(value, position)
    if len(text) > TEXT.value:
        raise BuiltinFault(str(TEXT))
    return text


def _octets(text: str) -> bytes:
    return to_octets(text)


def _read(text: str) -> list[Certificate]:
    """Certificates from PEM, or from base64 of PEM or DER."""
    data = _octets(text) if text.startswith(_BEGIN) else base64text.decode(text)
    if data.startswith(_BEGIN.encode()):
        joined = b""
        while found := pem.decode(data):
            block, data = found
            if block.type != "CERTIFICATE":
                raise BuiltinFault(f"PEM block type is '{block.type}', expected CERTIFICATE")
            joined += block.data
        data = joined
    return x509_read.certificates(data)


def _parse_certificates(text: Value) -> Value:
    return [certificate.value for certificate in _read(_bounded(text))]


# --- verification ---------------------------------------------------------------------


def _verified(text: str, options: x509_verify.Options) -> list[Certificate] | None:
    try:
        certificates = _read(text)
    except BuiltinFault:
        return None
    if not 2 <= len(certificates) <= CHAIN.value:
        return None
    return x509_verify.chain(certificates, options)


def _parse_and_verify(context: EvalContext, text: Value) -> Value:
    chain = _verified(_bounded(text), x509_verify.Options(now_ns=context.now_ns))
    return [True, [one.value for one in chain]] if chain else [False, []]


def _parse_and_verify_with_options(context: EvalContext, text: Value, options: Value) -> Value:
    source, wanted = _bounded(text), operands.object_(options, 2)
    try:
        _read(source)
    except BuiltinFault:
        return [False, []]
    chain = _verified(source, _options(context, wanted))
    if not chain:
        return [False, []]
    # As in OPA, this form has no URIStrings.
    return [True, [{k: v for k, v in one.value.items() if k != "URIStrings"} for one in chain]]


def _options(context: EvalContext, wanted: dict[Any, Value]) -> x509_verify.Options:
    out: dict[str, Any] = {"now_ns": context.now_ns}
    for name in sorted(name for name in wanted if type(name) is str):
        value = wanted[name]
        if name == "DNSName":
            if type(value) is not str:
                raise BuiltinFault("'DNSName' should be a string")
            out["dns_name"] = value.strip('"')
        elif name == "CurrentTime":
            out["now_ns"] = _number(name, value, "valid int64 number")
        elif name == "MaxConstraintComparisons":
            _number(name, value, "valid number")
        elif name == "KeyUsages":
            out["usages"] = _usages(value) or (x509_verify.SERVER,)
        else:
            raise BuiltinFault("invalid key option")
    return x509_verify.Options(**out)


def _number(name: str, value: Value, wanted: str) -> int:
    if not is_number(value):
        raise BuiltinFault(f"'{name}' should be a number")
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise BuiltinFault(f"'{name}' should be a {wanted}")
    return value


def _usages(value: Value) -> tuple[int, ...]:
    if type(value) not in {list, Set}:
        raise BuiltinFault("'KeyUsages' should be an Array or Set")
    names = [item.strip('"') for item in value if type(item) is str]
    if wrong := [name for name in names if name not in _USAGES]:
        raise BuiltinFault(f"invalid entries for 'KeyUsages' found: [{' '.join(wrong)}]")
    return tuple(_USAGES[name] for name in names)


# --- requests and keys ----------------------------------------------------------------


def _parse_request(text: Value) -> Value:
    source = _bounded(text)
    direct = source.startswith("-----BEGIN CERTIFICATE REQUEST-----")
    data = _octets(source) if direct else base64text.decode(source)
    if found := pem.decode(data):
        block, _ = found
        if block.type != "CERTIFICATE REQUEST":
            raise BuiltinFault("invalid PEM-encoded certificate signing request")
        data = block.data
    return x509_read.request(data)


def _private_keys(text: str) -> list[Any]:
    """The private keys among PEM blocks, or among those in base64; other blocks are passed over."""
    try:
        data = base64text.decode(text)
    except BuiltinFault:
        data = _octets(text)
    kinds = {"RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY"}
    return [_private_key(block.data) for block in pem.blocks(data) if block.type in kinds]


def _private_key(data: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(data, None)
    except Exception:  # noqa: BLE001 - the library has no base class of its own
        raise BuiltinFault("x509: failed to parse private key") from None


def _shape(key: Any) -> Value:
    """A private key in the shape of Go's ``rsa.PrivateKey`` and its like."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        computed = {"Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp, "CRTValues": []}
        return {
            "N": numbers.public_numbers.n,
            "E": numbers.public_numbers.e,
            "D": numbers.d,
            "Primes": [numbers.p, numbers.q],
            "Precomputed": computed,
        }
    if isinstance(key, ec.EllipticCurvePrivateKey):
        secret = key.private_numbers()
        point = secret.public_numbers
        return {"Curve": {}, "D": secret.private_value, "X": point.x, "Y": point.y}
    if isinstance(key, ed25519.Ed25519PrivateKey):
        seed = key.private_bytes(form.Encoding.Raw, form.PrivateFormat.Raw, form.NoEncryption())
        public = key.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
        return base64.b64encode(seed + public).decode("ascii")
    raise BuiltinFault("x509: unknown private key type")


def _parse_private_keys(text: Value) -> Value:
    source = _bounded(text)
    return [_shape(key) for key in _private_keys(source)] if source else None


def _parse_rsa_private_key(text: Value) -> Value:
    """The first private key as a JWK (of any kind, whatever the name says)."""
    source = _bounded(text)
    if not source:
        raise BuiltinFault("input PEM data was empty")
    if not source.startswith(_BEGIN):
        source = base64text.decode(source).decode("utf-8", "replace")
    keys = _private_keys(source)
    return jwk.describe(keys[0]) if keys else None


def _parse_keypair(certificate: Value, key: Value) -> Value:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    certificates = [
        b for b in pem.blocks(_pem(_bounded(certificate, 1), "CERTIFICATE")) if b.type == "CERTIFICATE"
    ]
    if not certificates:
        raise BuiltinFault("tls: failed to find any PEM data in certificate input")
    keys = [b for b in pem.blocks(_pem(_bounded(key, 2), "PRIVATE KEY")) if b.type.endswith("PRIVATE KEY")]
    if not keys:
        raise BuiltinFault("tls: failed to find any PEM data in key input")
    found = x509_read.certificates(certificates[0].data)
    if not found:
        raise BuiltinFault("x509: malformed certificate")
    leaf, private = found[0], _private_key(keys[0].data)
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public != leaf.key:
        same = x509_read.key_algorithm(public) == leaf.value["PublicKeyAlgorithm"]
        raise BuiltinFault(
            f"tls: private key {'' if same else 'type '}does not match public key{'' if same else ' type'}"
        )
    return {
        "Certificate": [base64.b64encode(block.data).decode("ascii") for block in certificates],
        "PrivateKey": _shape(private),
        "Leaf": {name: value for name, value in leaf.value.items() if name != "URIStrings"},
        "OCSPStaple": None,
        "SignedCertificateTimestamps": None,
        "SupportedSignatureAlgorithms": None,
    }


def _pem(text: str, kind: str) -> bytes:
    """PEM from PEM, from base64 of it, or from base64 of DER."""
    data = _octets(text) if text.startswith(f"{_BEGIN} ") else base64text.decode(text)
    return data if data.startswith(_BEGIN.encode()) else pem.encode(kind, data).encode("ascii")


# --- rows -----------------------------------------------------------------------------

_OBJECT = Object(dynamic=(STRING, ANY))
_LIST = Array(dynamic=_OBJECT)
_CHAIN = Array(static=(BOOLEAN, _LIST))
row("crypto.x509.parse_certificates", Function((STRING,), _LIST), _parse_certificates)
row("crypto.x509.parse_and_verify_certificates", Function((STRING,), _CHAIN), _parse_and_verify, context=True)
row(
    "crypto.x509.parse_and_verify_certificates_with_options",
    Function((STRING, _OBJECT), _CHAIN),
    _parse_and_verify_with_options,
    context=True,
)
row("crypto.x509.parse_certificate_request", Function((STRING,), _OBJECT), _parse_request)
row("crypto.x509.parse_keypair", Function((STRING, STRING), _OBJECT), _parse_keypair)
row("crypto.x509.parse_rsa_private_key", Function((STRING,), _OBJECT), _parse_rsa_private_key)
row("crypto.parse_private_keys", Function((STRING,), _LIST), _parse_private_keys)
