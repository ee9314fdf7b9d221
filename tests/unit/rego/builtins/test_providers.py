"""providers.aws.sign_req (signatures checked against opa 1.19 and AWS' own example)."""

import pytest

from sekisho.rego.values import Number

GET = {"method": "get", "url": "http://example.com"}
KEYS = {
    "aws_access_key": "MYAWSACCESSKEYGOESHERE",
    "aws_secret_access_key": "MYAWSSECRETACCESSKEYGOESHERE",
    "aws_service": "s3",
    "aws_region": "us-east-1",
}
TIME = 1451311705000000000
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def authorization(signature, headers="host;x-amz-content-sha256;x-amz-date"):
    scope = "MYAWSACCESSKEYGOESHERE/20151228/us-east-1/s3/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope},SignedHeaders={headers},Signature={signature}"


@pytest.mark.parametrize(
    ("request_", "more", "payload", "signature"),
    [
        (GET, {}, EMPTY, "0047a7016c81e5c7f29cd522f97e911e04fc472fced0aee7916cbc287ad6c8e3"),
        (
            {**GET, "url": "https://example.com", "headers": {"foo": "bar"}},
            {"disable_payload_signing": True},
            "UNSIGNED-PAYLOAD",
            "c6e6db654e92172f71e18c714c123711de069ac6fd7df1348e5b28fd05532028",
        ),
    ],
)
def test_sign(call, request_, more, payload, signature):
    signed = call("providers.aws.sign_req", request_, {**KEYS, **more}, TIME)
    headers = request_.get("headers", {})
    names = ";".join(sorted([*headers, "host", "x-amz-content-sha256", "x-amz-date"]))
    assert signed == {
        **request_,
        "headers": {
            **headers,
            "host": "example.com",
            "x-amz-content-sha256": payload,
            "x-amz-date": "20151228T140825Z",
            "Authorization": authorization(signature, names),
        },
    }


def test_services_but_s3_get_no_hash_header_and_tokens_are_signed(call):
    settings = {**KEYS, "aws_service": "ec2", "aws_session_token": "t"}
    headers = call("providers.aws.sign_req", {**GET, "headers": {"User-Agent": "u"}}, settings, TIME)[
        "headers"
    ]
    assert headers["x-amz-security-token"] == "t"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in headers["Authorization"]
    assert "x-amz-content-sha256" not in headers


@pytest.mark.parametrize(
    ("request_", "config", "time", "message"),
    [
        ({}, KEYS, TIME, 'operand 1 missing required request parameters(s): {"method", "url"}'),
        (
            GET,
            {},
            TIME,
            (
                'operand 2 missing required AWS config parameters(s): {"aws_access_key", "aws_region", '
                '"aws_secret_access_key", "aws_service"}'
            ),
        ),
        (
            GET,
            {**KEYS, "aws_region": 1},
            TIME,
            'operand 2 invalid values for required AWS config parameters(s): {"aws_region"}',
        ),
        (
            GET,
            {**KEYS, "disable_payload_signing": "x"},
            TIME,
            "operand 2 invalid value for 'disable_payload_signing' in AWS config",
        ),
        (GET, KEYS, Number("1.5"), "operand 3 could not convert time_ns value into a unix timestamp"),
        (
            {**GET, "url": 2},
            KEYS,
            TIME,
            'operand 1 invalid values for required request parameters(s): {"url"}',
        ),
    ],
)
def test_refusals(call, request_, config, time, message):
    assert call("providers.aws.sign_req", request_, config, time) == f"eval_type_error: {message}"
