"""io.jwt.*: decode, verify, sign (outcomes and texts checked against opa 1.19)."""

import base64
import datetime as dt
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sekisho.rego.builtins.jwt import jws
from sekisho.rego.builtins.x509 import jwk
from sekisho.rego.values import Number

BAD = "eval_builtin_error: "
SECRET = {"kty": "oct", "k": "c2VjcmV0"}  # "secret"
UNVERIFIED = [False, {}, {}]
ASYMMETRIC = [name for name, algorithm in jws.ALGORITHMS.items() if algorithm.family != "oct"]


@pytest.fixture(scope="module")
def keys():
    made = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    }
    return {name: made.get(name, made["rsa"]) for name in ASYMMETRIC}


def public_pem(private):
    return (
        private.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo).decode()
    )


def certificate_pem(private):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    day = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    digest = None if isinstance(private, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
    builder = builder.serial_number(5).not_valid_before(day).not_valid_after(day + dt.timedelta(days=9))
    return builder.sign(private, digest).public_bytes(form.Encoding.PEM).decode()


def public_jwk(private, **more):
    described = jwk.describe(private)
    return {name: described[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in described} | more


def raw(header, payload="{}", signature=""):
    encode = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in (header, payload)]
    return ".".join([*encode, signature])


@pytest.fixture
def signed(call):
    """A token signed with HS256 and the secret "secret"."""

    def make(header='{"alg":"HS256"}', payload="{}"):
        return call("io.jwt.encode_sign_raw", header, payload, json.dumps(SECRET))

    return make


# --- decode ---------------------------------------------------------------------------


def test_decode(call, signed):
    token = signed('{"alg":"HS256","typ":"JWT"}', '{"a":1.0,"a":2}')
    header, claims, signature = call("io.jwt.decode", token)
    assert (header, claims) == ({"alg": "HS256", "typ": "JWT"}, {"a": 2})
    assert len(signature) == 64
    assert call("io.jwt.decode", signed('{"alg":"HS256","cty":"JWT"}', json.dumps(token))) == [
        header,
        claims,
        signature,
    ]


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("abc", "encoded JWT had no period separators"),
        ("a.b", "encoded JWT must have 3 sections, found 2"),
        ("a.b.c.d.e", "encoded JWT must have 3 sections, found 5"),
        ("a.b.a", "JWT header had invalid encoding: illegal base64url string: a"),
        ("YQ.YQ.YQ", "bad JWT header: invalid JSON: invalid character 'a' looking for beginning of value"),
        ("MQ.YQ.YQ", "bad JWT header: decoded JSON type was not an Object"),
        ("eyJlbmMiOjF9.YQ.YQ", "JWT is a JWE object, which is not supported"),
        ("e30.MQ.YQ", "decoded JSON type was not an Object"),
        ("e30.!!.YQ", "JWT payload had invalid encoding: illegal base64 data at input byte 0"),
        ("e30.e30.a", "JWT signature had invalid encoding: illegal base64url string: a"),
    ],
)
def test_decode_refuses(call, token, message):
    assert call("io.jwt.decode", token) == BAD + message


def test_a_huge_token_is_refused(call):
    assert "limit" in call("io.jwt.decode", "a" * 2_000_000) or "characters" in call(
        "io.jwt.decode", "a" * 2_000_000
    )


# --- verify_* -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ASYMMETRIC)
def test_what_is_signed_verifies_with_every_form_of_the_key(call, keys, name):
    private = keys[name]
    token = call("io.jwt.encode_sign", {"alg": name, "kid": "k"}, {"a": 1}, jwk.describe(private))
    broken = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    verify = f"io.jwt.verify_{name.lower()}"
    forms = [
        public_pem(private),
        certificate_pem(private),
        json.dumps(public_jwk(private)),
        json.dumps({"keys": [SECRET, public_jwk(private, kid="k", alg=name)]}),
    ]
    for text in forms:
        assert call(verify, token, text) is True
        assert call(verify, broken, text) is False
        assert call("io.jwt.decode_verify", token, {"cert": text}) == [
            True,
            {"alg": name, "kid": "k"},
            {"a": 1},
        ]
        assert call("io.jwt.decode_verify", broken, {"cert": text}) == UNVERIFIED
    other = json.dumps(public_jwk(private, alg="RS384" if name != "RS384" else "RS256"))
    assert call(verify, token, other) is False


def test_a_named_key_is_the_only_one_tried(call, keys):
    token = call("io.jwt.encode_sign", {"alg": "RS256", "kid": "k"}, {}, jwk.describe(keys["RS256"]))
    both = {"keys": [public_jwk(keys["ES256"], kid="k"), public_jwk(keys["RS256"])]}
    assert call("io.jwt.verify_rs256", token, json.dumps(both)) is False


@pytest.mark.parametrize(("bits", "other"), [(256, 384), (384, 512), (512, 256)])
def test_macs(call, bits, other):
    token = call("io.jwt.encode_sign", {"alg": f"HS{bits}"}, {}, SECRET)
    assert call(f"io.jwt.verify_hs{bits}", token, "secret") is True
    assert call(f"io.jwt.verify_hs{bits}", token, "other") is False
    assert call(f"io.jwt.verify_hs{other}", token, "secret") is False


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "probe: failed to unmarshal data: invalid character 'x' looking for beginning of value"),
        ("{}", "jwk.ParseKey: invalid key type from JSON ()"),
        ('{"keys":[{"kty":"oct"}]}', "required field k is missing"),
        (
            '{"kty":"oct","k":"!"}',
            "failed to decode value for key k: expected base64 encoded []byte (string)",
        ),
    ],
)
def test_keys_that_cannot_be_read(call, signed, text, message):
    found = call("io.jwt.verify_rs256", signed(), text)
    assert found.startswith(
        BAD + "failed to parse a JWK key (set): jwk.ParseString: failed to parse string: "
    )
    assert found.endswith(message)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda pem: pem + "\n", "extra data after a PEM certificate block"),
        (lambda pem: pem.replace("PUBLIC KEY", "X"), "failed to extract a Key from the PEM certificate"),
        (lambda pem: pem.replace("MI", "MA", 1), "failed to parse a PEM public key: asn1: structure error"),
        (
            lambda _: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "failed to parse a PEM certificate: x509: malformed certificate",
        ),
    ],
)
def test_pem_that_cannot_be_read(call, signed, keys, edit, message):
    assert call("io.jwt.verify_rs256", signed(), edit(public_pem(keys["RS256"]))) == BAD + message


def test_no_message_shows_a_secret(call, signed):
    broken = json.dumps(
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "c2VjcmV0LXBhcnQ", "p": "AQ", "q": "AQ"}
    )
    assert "c2VjcmV0" not in call("io.jwt.verify_rs256", signed(), broken)
    [key] = jwk.parse(json.dumps(SECRET))
    assert "secret" not in repr(key)


# --- decode_verify --------------------------------------------------------------------


def test_algorithm_confusion_is_refused(call, keys):
    """A public key that everyone knows must not serve as the secret of an HMAC."""
    text = public_pem(keys["RS256"])
    fake = {"kty": "oct", "k": base64.urlsafe_b64encode(text.encode()).decode()}
    token = call("io.jwt.encode_sign", {"alg": "HS256"}, {}, fake)
    assert call("io.jwt.decode_verify", token, {"cert": text}) == UNVERIFIED


@pytest.mark.parametrize(
    "header", ['{"alg":"none"}', '{"alg":"NONE"}', '{"alg":""}', "{}", '{"alg":"RS256"}']
)
def test_unsigned_tokens_are_refused(call, header):
    assert call("io.jwt.decode_verify", raw(header), {"secret": "secret"}) == UNVERIFIED


@pytest.mark.parametrize(
    ("payload", "demands", "good"),
    [
        ('{"iss":"me"}', {"iss": "me"}, True),
        ('{"iss":"me"}', {"iss": "you"}, False),
        ("{}", {"iss": "me"}, False),
        ('{"aud":"a"}', {"aud": "a"}, True),
        ('{"aud":["b","a"]}', {"aud": "a"}, True),
        ('{"aud":"a"}', {}, False),
        ("{}", {"aud": "a"}, False),
        ('{"aud":5}', {"aud": "a"}, False),
        ('{"exp":2}', {"time": 1_999_999_999}, True),
        ('{"exp":2}', {"time": 2_000_000_000}, False),
        ('{"nbf":1.5}', {"time": 1_500_000_000}, True),
        ('{"nbf":1.5}', {"time": 1_499_999_999}, False),
        ('{"exp":2}', {"time": Number("1999999999.5")}, True),
        ("{}", {"alg": "HS256"}, True),
        ("{}", {"alg": "HS512"}, False),
    ],
)
def test_claims_against_constraints(call, signed, payload, demands, good):
    found = call("io.jwt.decode_verify", signed(payload=payload), {"secret": "secret", **demands})
    assert found[0] is good
    assert found == [True, {"alg": "HS256"}, json.loads(payload)] if good else UNVERIFIED


def test_the_time_of_the_query_is_the_default(call, signed, context):
    token = signed(payload='{"exp":2}')
    demands = {"secret": "secret"}
    assert call("io.jwt.decode_verify", token, demands, context=context(now_ns=1_999_999_999))[0] is True
    assert call("io.jwt.decode_verify", token, demands, context=context(now_ns=2_000_000_001))[0] is False


@pytest.mark.parametrize("cty", ["JWT", "jwt"])
def test_nested_tokens_are_verified_to_the_bottom(call, signed, cty):
    inner = signed(payload='{"in":1}')
    header = json.dumps({"alg": "HS256", "typ": "x", "cty": cty})
    demands = {"secret": "secret"}
    assert call("io.jwt.decode_verify", signed(header, inner), demands) == [True, {"alg": "HS256"}, {"in": 1}]
    assert call("io.jwt.decode_verify", signed(header, inner[:-3] + "AAA"), demands) == UNVERIFIED


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('{"alg":"HS256","crit":["x"],"x":1}', UNVERIFIED),
        ('{"alg":"HS256","crit":["kid"]}', [True, {"alg": "HS256", "crit": ["kid"]}, {}]),
        ('{"alg":"HS256","crit":[]}', BAD + "crit: must be a nonempty list"),
        ('{"alg":"HS256","crit":1}', BAD + "crit: must be a list"),
        ('{"alg":"HS256","kid":1}', BAD + "kid: must be a string"),
    ],
)
def test_header_parameters(call, signed, header, found):
    assert call("io.jwt.decode_verify", signed(header), {"secret": "secret"}) == found


@pytest.mark.parametrize(
    ("demands", "message"),
    [
        ({}, "no key constraint"),
        ({"secret": ""}, "no key constraint"),
        ({"secret": "s", "cert": '{"keys":[]}'}, "duplicate key constraints"),
        ({"foo": 1}, "unknown token validation constraint: foo"),
        ({"secret": 1}, "secret constraint: must be a string"),
        ({"cert": 1}, "cert constraint: must be a string"),
        ({"secret": "s", "time": "x"}, "token time constraint: must be a number"),
        ({"secret": "s", "time": -1}, "token time constraint: must not be negative"),
    ],
)
def test_constraints_that_make_no_sense(call, signed, demands, message):
    assert call("io.jwt.decode_verify", signed(), demands) == BAD + message


@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_times_must_be_numbers(call, signed, claim):
    token = signed(payload=json.dumps({claim: "soon"}))
    assert call("io.jwt.decode_verify", token, {"secret": "secret"}) == f"{BAD}{claim} value must be a number"


# --- encode_sign ----------------------------------------------------------------------


def test_headers_and_payload_are_sorted_json(call):
    token = call("io.jwt.encode_sign", {"typ": "JWT", "alg": "HS256"}, {"b": Number("1.0"), "a": "<"}, SECRET)
    header, payload, _ = token.split(".")
    assert base64.urlsafe_b64decode(header + "==") == b'{"alg":"HS256","typ":"JWT"}'
    assert base64.urlsafe_b64decode(payload + "==") == b'{"a":"\\u003c","b":1.0}'


def test_a_signature_is_the_same_throughout_a_query(call, context, keys):
    query = context()
    operands = ({"alg": "ES256"}, {}, jwk.describe(keys["ES256"]))
    first = call("io.jwt.encode_sign", *operands, context=query)
    assert call("io.jwt.encode_sign", *operands, context=query) == first


@pytest.mark.parametrize(
    ("header", "payload", "key", "message"),
    [
        ({"alg": "dummy"}, {}, SECRET, "unknown JWS algorithm: dummy"),
        ({}, {}, SECRET, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
        (
            {"alg": 1},
            {},
            SECRET,
            "missing or invalid 'alg' header: value doesn't contain string; it contains number",
        ),
        ({"alg": "HS256"}, {}, {"keys": []}, "no keys found in JWK set"),
        (
            {"alg": "HS256"},
            {},
            {"kty": "foo"},
            "jwk.Parse: failed to parse sole key: jwk.ParseKey: invalid key type from JSON (foo)",
        ),
        (
            {"alg": "RS256"},
            {},
            SECRET,
            (
                "jwsbb.Sign: invalid key type *jwk.symmetricKey. *rsa.PrivateKey is required: failed to produce "
                "rsa.PrivateKey from *jwk.symmetricKey: jwk.Export: no suitable exporter found for key type "
                "'*jwk.symmetricKey'"
            ),
        ),
    ],
)
def test_signing_refuses(call, header, payload, key, message):
    assert call("io.jwt.encode_sign", header, payload, key) == BAD + message


@pytest.mark.parametrize(
    ("header", "payload", "message"),
    [
        ("", "{}", "missing or invalid 'alg' header: cannot parse JSON"),
        ("e", "{}", "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
        ('{"alg":"HS256"}', "x", "type is JWT but payload is not JSON"),
        ('{"alg":"HS256","typ":"JWT"}', "", "type is JWT but payload is not JSON"),
    ],
)
def test_signing_raw_text_refuses(call, header, payload, message):
    found = call("io.jwt.encode_sign_raw", header, payload, json.dumps(SECRET))
    assert found.startswith(BAD + message)


def test_a_payload_of_another_type_need_not_be_json(call, signed):
    token = signed('{"alg":"HS256","typ":"text/plain"}', "x")
    assert token == "eyJhbGciOiJIUzI1NiIsInR5cCI6InRleHQvcGxhaW4ifQ.eA." + token.split(".")[2]
    assert call("io.jwt.verify_hs256", token, "secret") is True
