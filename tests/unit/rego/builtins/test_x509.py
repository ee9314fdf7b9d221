"""crypto.x509.*: shapes and chains (every expectation checked against opa 1.19)."""

import base64
import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage
from cryptography.x509.oid import NameOID

from sekisho.rego.values import Number

BAD = "eval_builtin_error: "
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
NOW = int(dt.datetime(2025, 1, 1, tzinfo=dt.UTC).timestamp()) * 10**9
CA = (x509.BasicConstraints(ca=True, path_length=None), True)


@pytest.fixture(scope="module")
def keys():
    return {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }


def named(*pairs):
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


def certificate(key, subject, issuer=None, signer=None, extensions=(), days=3650):
    digest = None if isinstance(signer or key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    cn = NameOID.COMMON_NAME
    subject = subject if isinstance(subject, x509.Name) else named((cn, subject))
    builder = x509.CertificateBuilder().subject_name(subject).serial_number(12345678901234567890)
    builder = builder.issuer_name(named((cn, issuer)) if issuer else subject).public_key(key.public_key())
    builder = builder.not_valid_before(START).not_valid_after(START + dt.timedelta(days=days))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer or key, digest)


def pem(*certificates):
    return "".join(one.public_bytes(form.Encoding.PEM).decode() for one in certificates)


def key_pem(key, kind=form.PrivateFormat.PKCS8):
    return key.private_bytes(form.Encoding.PEM, kind, form.NoEncryption()).decode()


# --- shapes ---------------------------------------------------------------------------


def test_a_bare_certificate(call, keys):
    [found] = call("crypto.x509.parse_certificates", pem(certificate(keys["ed"], "x")))
    point = keys["ed"].public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    expected = {
        "Version": 3,
        "SerialNumber": 12345678901234567890,
        "NotBefore": "2024-01-01T00:00:00Z",
        "NotAfter": "2033-12-29T00:00:00Z",
        "SignatureAlgorithm": 16,
        "PublicKeyAlgorithm": 4,
        "PublicKey": base64.b64encode(point).decode(),
        "IsCA": False,
        "BasicConstraintsValid": False,
        "MaxPathLen": 0,
        "KeyUsage": 0,
        "Extensions": None,
        "DNSNames": None,
        "URIStrings": None,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["Subject"]["CommonName"] == "x"
    assert found["Subject"]["Country"] is None
    assert found["Subject"]["Names"] == [{"Type": [2, 5, 4, 3], "Value": "x"}]
    assert len(found) == 53


def test_extensions(call, keys):
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    names = [
        x509.DNSName("a.example"),
        x509.RFC822Name("e@x.y"),
        x509.IPAddress(ipaddress.ip_address("::1")),
        x509.UniformResourceIdentifier("spiffe://td/ns/x?q=1#f"),
    ]
    limits = x509.NameConstraints(
        [x509.DNSName(".ok.example"), x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))],
        [x509.RFC822Name("x.y")],
    )
    subject = named(
        (NameOID.COUNTRY_NAME, "JP"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "u1"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "u2"),
        (NameOID.COMMON_NAME, "Ö"),
    )
    text = pem(
        certificate(
            keys["rsa"],
            subject,
            extensions=[
                (x509.BasicConstraints(ca=True, path_length=0), True),
                (usage, True),
                (x509.ExtendedKeyUsage([Usage.SERVER_AUTH, x509.ObjectIdentifier("1.2.3.4")]), False),
                (x509.SubjectAlternativeName(names), False),
                (limits, True),
                (
                    x509.CertificatePolicies(
                        [x509.PolicyInformation(x509.ObjectIdentifier("2.23.140.1"), None)]
                    ),
                    False,
                ),
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.5"), b"\x05\x00"), True),
            ],
        ),
    )
    [found] = call("crypto.x509.parse_certificates", text)
    expected = {
        "SignatureAlgorithm": 4,
        "PublicKeyAlgorithm": 1,
        "IsCA": True,
        "MaxPathLen": 0,
        "MaxPathLenZero": True,
        "KeyUsage": 101,
        "ExtKeyUsage": [1],
        "UnknownExtKeyUsage": [[1, 2, 3, 4]],
        "DNSNames": ["a.example"],
        "EmailAddresses": ["e@x.y"],
        "IPAddresses": ["::1"],
        "URIStrings": ["spiffe://td/ns/x?q=1#f"],
        "PermittedDNSDomains": [".ok.example"],
        "PermittedIPRanges": [{"IP": "10.0.0.0", "Mask": "/wAAAA=="}],
        "ExcludedEmailAddresses": ["x.y"],
        "PermittedDNSDomainsCritical": True,
        "Policies": ["2.23.140.1"],
        "PolicyIdentifiers": [[2, 23, 140, 1]],
        "UnhandledCriticalExtensions": [[1, 2, 3, 5]],
    }
    assert {name: found[name] for name in expected} == expected
    assert found["URIs"] == [
        {
            "Scheme": "spiffe",
            "Opaque": "",
            "User": None,
            "Host": "td",
            "Path": "/ns/x",
            "RawPath": "",
            "OmitHost": False,
            "ForceQuery": False,
            "RawQuery": "q=1",
            "Fragment": "f",
            "RawFragment": "",
        },
    ]
    assert found["Subject"]["OrganizationalUnit"] == ["u1", "u2"]
    assert found["Subject"]["Country"] == ["JP"]
    assert found["Extensions"][0] == {"Id": [2, 5, 29, 19], "Critical": True, "Value": "MAYBAf8CAQA="}
    assert found["PublicKey"] == {"N": keys["rsa"].public_key().public_numbers().n, "E": 65537}


@pytest.mark.parametrize("wrap", ["pem", "base64 of DER", "base64 of PEM"])
def test_forms_of_input(call, keys, wrap):
    two = [certificate(keys["ec"], "a"), certificate(keys["ed"], "b")]
    der = b"".join(one.public_bytes(form.Encoding.DER) for one in two)
    text = {
        "pem": pem(*two),
        "base64 of DER": base64.b64encode(der).decode(),
        "base64 of PEM": base64.b64encode(pem(*two).encode()).decode(),
    }[wrap]
    found = call("crypto.x509.parse_certificates", text)
    assert [one["Subject"]["CommonName"] for one in found] == ["a", "b"]
    assert base64.b64decode(found[0]["Raw"]) + base64.b64decode(found[1]["Raw"]) == der


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!", "illegal base64 data at input byte 0"),
        ("eHg=", "x509: malformed certificate"),
        ("-----BEGIN X-----\nYQ==\n-----END X-----\n", "PEM block type is 'X', expected CERTIFICATE"),
        ("a" * 5_000_000, "certificates"),
    ],
)
def test_what_is_no_certificate(call, text, message):
    assert call("crypto.x509.parse_certificates", text).startswith(BAD + message)


def test_requests(call, keys):
    builder = x509.CertificateSigningRequestBuilder().subject_name(named((NameOID.COMMON_NAME, "x")))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("d")]), False)
    request = builder.sign(keys["ec"], hashes.SHA256())
    text = request.public_bytes(form.Encoding.PEM).decode()
    found = call("crypto.x509.parse_certificate_request", text)
    assert found["Version"] == 0
    assert found["DNSNames"] == ["d"]
    assert found["SignatureAlgorithm"] == 10
    kind = {"Type": [1, 2, 840, 113549, 1, 9, 14], "Value": [[{"Type": [2, 5, 29, 17], "Value": "MAOCAWQ="}]]}
    assert found["Attributes"] == [kind]
    der = base64.b64encode(request.public_bytes(form.Encoding.DER)).decode()
    assert call("crypto.x509.parse_certificate_request", der) == found
    assert call("crypto.x509.parse_certificate_request", "eHg=").startswith(BAD + "asn1: structure error")
    other = pem(certificate(keys["ec"], "x"))
    wrapped = base64.b64encode(other.encode()).decode()
    expected = BAD + "invalid PEM-encoded certificate signing request"
    assert call("crypto.x509.parse_certificate_request", wrapped) == expected


# --- keys -----------------------------------------------------------------------------


def test_private_keys(call, keys):
    text = (
        key_pem(keys["rsa"]) + pem(certificate(keys["ec"], "x")) + key_pem(keys["ec"]) + key_pem(keys["ed"])
    )
    one, two, three = call("crypto.parse_private_keys", text)
    assert set(one) == {"N", "E", "D", "Primes", "Precomputed"}
    assert one["Primes"][0] * one["Primes"][1] == one["N"]
    assert two["D"] == keys["ec"].private_numbers().private_value
    assert len(base64.b64decode(three)) == 64
    assert call("crypto.parse_private_keys", "") is None
    assert call("crypto.parse_private_keys", "x") == []


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed"])
def test_a_private_key_as_jwk_is_the_same_key(call, keys, kind):
    described = call("crypto.x509.parse_rsa_private_key", key_pem(keys[kind]))
    assert described["kty"] == {"rsa": "RSA", "ec": "EC", "ed": "OKP"}[kind]
    algorithm = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}[kind]
    token = call("io.jwt.encode_sign", {"alg": algorithm}, {}, described)
    verify = f"io.jwt.verify_{algorithm.lower()}"
    assert call(verify, token, pem(certificate(keys[kind], "x"))) is True


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", BAD + "input PEM data was empty"),
        ("x", BAD + "illegal base64 data at input byte 0"),
        ("eA==", None),
        (
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
            BAD + "x509: failed to parse private key",
        ),
    ],
)
def test_what_is_no_private_key(call, text, found):
    assert call("crypto.x509.parse_rsa_private_key", text) == found


def test_key_pairs(call, keys):
    text = pem(certificate(keys["ec"], "x"))
    found = call("crypto.x509.parse_keypair", text, key_pem(keys["ec"]))
    assert found["Leaf"]["Subject"]["CommonName"] == "x"
    assert found["PrivateKey"]["D"] == keys["ec"].private_numbers().private_value
    assert [base64.b64decode(one)[:1] for one in found["Certificate"]] == [b"\x30"]
    other = ec.generate_private_key(ec.SECP256R1())
    message = BAD + "tls: private key does not match public key"
    assert call("crypto.x509.parse_keypair", text, key_pem(other)) == message
    message = BAD + "tls: private key type does not match public key type"
    assert call("crypto.x509.parse_keypair", text, key_pem(keys["rsa"])) == message
    assert call("crypto.x509.parse_keypair", "", "") == BAD + "x509: malformed certificate"


# --- chains ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chain(keys):
    """Root, intermediate and leaf, with what differs."""
    root = certificate(keys["rsa"], "root", extensions=[CA])

    def make(*, middle=(CA,), leaf=(), days=3650):
        between = certificate(keys["ec"], "mid", "root", keys["rsa"], extensions=middle)
        return root, between, certificate(keys["ed"], "leaf", "mid", keys["ec"], extensions=leaf, days=days)

    return make


def verified(call, context, text, **options):
    if options:
        found = call(
            "crypto.x509.parse_and_verify_certificates_with_options",
            text,
            options,
            context=context(now_ns=NOW),
        )
    else:
        found = call("crypto.x509.parse_and_verify_certificates", text, context=context(now_ns=NOW))
    return [one["Subject"]["CommonName"] for one in found[1]] if found[0] else found[0]


def test_a_chain_is_given_leaf_first(call, context, chain):
    root, middle, leaf = chain()
    assert verified(call, context, pem(root, middle, leaf)) == ["leaf", "mid", "root"]
    assert verified(call, context, pem(root, middle, middle, leaf)) == ["leaf", "mid", "root"]
    assert verified(call, context, pem(middle, leaf)) == ["leaf", "mid"]
    assert verified(call, context, pem(root, root)) == ["root"]
    for wrong in (pem(root, leaf), pem(leaf, middle, root), pem(root, leaf, middle)[:-1], pem(root), "x", ""):
        assert verified(call, context, wrong) in (False, ["mid", "root"])


def purposes(*usages):
    return x509.ExtendedKeyUsage(list(usages)), False


def limited(permitted=None, excluded=None):
    return (CA, (x509.NameConstraints(permitted, excluded), True))


def alternative(*names):
    return ((x509.SubjectAlternativeName(list(names)), False),)


def ip(text):
    return x509.IPAddress(ipaddress.ip_address(text))


def network(text):
    return x509.IPAddress(ipaddress.ip_network(text))


DNS, URI, MAIL = x509.DNSName, x509.UniformResourceIdentifier, x509.RFC822Name


@pytest.mark.parametrize(
    ("differs", "good"),
    [
        ({"middle": ()}, False),
        ({"middle": ((x509.BasicConstraints(ca=False, path_length=None), True),)}, False),
        ({"middle": ((x509.BasicConstraints(ca=True, path_length=0), True),)}, True),
        ({"leaf": (purposes(Usage.CLIENT_AUTH),)}, False),
        ({"leaf": (purposes(Usage.ANY_EXTENDED_KEY_USAGE),)}, True),
        ({"middle": (CA, purposes(Usage.CLIENT_AUTH)), "leaf": (purposes(Usage.SERVER_AUTH),)}, False),
        ({"leaf": ((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\5\0"), True),)}, False),
        ({"days": 1}, False),
        ({"middle": limited([DNS("a.example")]), "leaf": alternative(DNS("x.A.example"))}, True),
        ({"middle": limited([DNS("a.example")]), "leaf": alternative(DNS("xa.example"))}, False),
        ({"middle": limited([DNS(".a.example")]), "leaf": alternative(DNS("a.example"))}, False),
        ({"middle": limited(None, [DNS("b.a.example")]), "leaf": alternative(DNS("*.a.example"))}, False),
        ({"middle": limited([network("10.0.0.0/8")]), "leaf": alternative(ip("10.1.1.1"))}, True),
        ({"middle": limited([network("10.0.0.0/8")]), "leaf": alternative(ip("::1"))}, False),
        ({"middle": limited(None, [network("fd00::/8")]), "leaf": alternative(ip("fd00::1"))}, False),
        ({"middle": limited([MAIL("a@x.y")]), "leaf": alternative(MAIL("a@X.Y"))}, True),
        ({"middle": limited([MAIL("x.y")]), "leaf": alternative(MAIL("a@z.x.y"))}, True),
        ({"middle": limited([URI("h.example")]), "leaf": alternative(URI("http://h.example:8/"))}, True),
        ({"middle": limited([URI("h.example")]), "leaf": alternative(URI("http://1.2.3.4/"))}, False),
    ],
)
def test_what_makes_a_chain_good(call, context, chain, differs, good):
    assert verified(call, context, pem(*chain(**differs))) == (["leaf", "mid", "root"] if good else False)


@pytest.mark.parametrize(
    ("options", "good"),
    [
        ({"DNSName": "A.example."}, True),
        ({"DNSName": "x.b.example"}, True),
        ({"DNSName": "x.y.b.example"}, False),
        ({"DNSName": "b.example"}, False),
        ({"DNSName": "[::1]"}, True),
        ({"DNSName": "::2"}, False),
        ({"CurrentTime": 1}, False),
        ({"CurrentTime": NOW}, True),
        ({"KeyUsages": ["KeyUsageClientAuth"]}, True),
        ({"KeyUsages": ["KeyUsageCodeSigning"]}, False),
        ({"KeyUsages": ["KeyUsageCodeSigning", "KeyUsageAny"]}, True),
        ({"MaxConstraintComparisons": 5}, True),
    ],
)
def test_options(call, context, chain, options, good):
    names = alternative(DNS("a.example"), DNS("*.b.example"), ip("::1"))
    text = pem(*chain(leaf=(*names, purposes(Usage.CLIENT_AUTH, Usage.SERVER_AUTH))))
    assert bool(verified(call, context, text, **options)) is good


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"DNSName": 1}, "'DNSName' should be a string"),
        ({"CurrentTime": "x"}, "'CurrentTime' should be a number"),
        ({"CurrentTime": Number("1.5")}, "'CurrentTime' should be a valid int64 number"),
        ({"MaxConstraintComparisons": "x"}, "'MaxConstraintComparisons' should be a number"),
        ({"KeyUsages": "x"}, "'KeyUsages' should be an Array or Set"),
        ({"KeyUsages": ["x", "y"]}, "invalid entries for 'KeyUsages' found: [x y]"),
        ({"foo": 1}, "invalid key option"),
    ],
)
def test_options_that_make_no_sense(call, chain, options, message):
    found = call("crypto.x509.parse_and_verify_certificates_with_options", pem(*chain()), options)
    assert found == BAD + message
