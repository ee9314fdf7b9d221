"""providers.aws.sign_req: requests to AWS, signed with Signature Version 4 as OPA signs them."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

from sekisho.lang.golang import gourl
from sekisho.lang.golang.gotext import to_octets
from sekisho.rego import jsontext
from sekisho.rego.builtins import operands
from sekisho.rego.builtins.http import check_request
from sekisho.rego.builtins.table import row
from sekisho.rego.text import text
from sekisho.rego.types import ANY, NUMBER, STRING, Function, Object
from sekisho.rego.values import Set, Value, key

_REQUIRED: Final = frozenset({"aws_service", "aws_access_key", "aws_secret_access_key", "aws_region"})
_UNSIGNED_HEADERS: Final = frozenset({"authorization", "user-agent", "x-amzn-trace-id"})
"""Headers that a proxy may change on the way."""

_HASHED: Final = frozenset({"s3", "glacier"})
"""Services that want the hash of the payload in a header of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Credentials:
    access_key: str
    secret_key: str
    region: str
    service: str
    session_token: str
    sign_payload: bool


def _credentials(config: dict[Any, Value]) -> _Credentials:
    if missing := _REQUIRED - config.keys():
        operands.fail(2, f"missing required AWS config parameters(s): {text(Set(set(missing)))}")
    if wrong := {name for name in _REQUIRED if type(config[name]) is not str}:
        operands.fail(2, f"invalid values for required AWS config parameters(s): {text(Set(wrong))}")
    token = config.get("aws_session_token")
    return _Credentials(
        access_key=config["aws_access_key"],
        secret_key=config["aws_secret_access_key"],
        region=config["aws_region"],
        service=config["aws_service"],
        session_token=token if type(token) is str else "",
        sign_payload=not config.get("disable_payload_signing", False),
    )


def _moment(value: Value) -> dt.datetime:
    operands.number(value, 1)
    if type(value) is not int or not -(2**63) <= value < 2**63:
        operands.fail(3, "could not convert time_ns value into a unix timestamp")
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=value // 1000)


def _sign_request(request: Value, config: Value, time: Value) -> Value:
    fields = operands.object_(request, 1)
    settings = operands.object_(config, 1)
    credentials = _credentials(settings)
    moment = _moment(time)
    check_request(request, 1)
    headers = fields.get("headers", {})
    if type(headers) is not dict:
        operands.wrong_type(0, headers, "object")
    if wrong := {name for name in ("method", "url") if type(fields[name]) is not str}:
        operands.fail(1, f"invalid values for required request parameters(s): {text(Set(wrong))}")
    url = gourl.parse(fields["url"])
    if type(settings.get("disable_payload_signing", False)) is not bool:
        operands.fail(2, "invalid value for 'disable_payload_signing' in AWS config")
    given = {_text(name): _text(value) for name, value in headers.items()}
    signed = sign(credentials, fields["method"], url, headers=given, body=_body(fields), moment=moment)
    return {**fields, "headers": {key(name): value for name, value in {**given, **signed}.items()}}


def _text(value: Value) -> str:
    return value if type(value) is str else ""


def _body(fields: dict[Any, Value]) -> bytes:
    if "raw_body" in fields:
        return to_octets(_text(fields["raw_body"]))
    return to_octets(jsontext.marshal(fields["body"])) if "body" in fields else b""


def sign(
    credentials: _Credentials,
    method: str,
    url: gourl.Url,
    *,
    headers: dict[str, str],
    body: bytes,
    moment: dt.datetime,
) -> dict[str, str]:
    """The headers that a signature adds (AWS General Reference, Signature Version 4).

    The path is not escaped once more and the query is taken as it is written, as OPA does.
    """
    payload = hashlib.sha256(body).hexdigest() if credentials.sign_payload else "UNSIGNED-PAYLOAD"
    stamp, day = moment.strftime("%Y%m%dT%H%M%SZ"), moment.strftime("%Y%m%d")
    added = {"host": url.host, "x-amz-date": stamp}
    if credentials.service in _HASHED:
        added["x-amz-content-sha256"] = payload
    if credentials.session_token:
        added["x-amz-security-token"] = credentials.session_token
    lowered = {name.lower(): value for name, value in headers.items()}
    covered = {**added, **{n: v for n, v in lowered.items() if n not in _UNSIGNED_HEADERS}}
    names = ";".join(sorted(covered))
    lines = [f"{name}:{covered[name]}" for name in sorted(covered)]
    canonical = "\n".join([method, url.escaped_path, url.raw_query, *lines, "", names, payload])
    scope = f"{day}/{credentials.region}/{credentials.service}/aws4_request"
    digest = hashlib.sha256(to_octets(canonical)).hexdigest()
    secret = to_octets(f"AWS4{credentials.secret_key}")
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        secret = _mac(secret, part)
    signature = _mac(secret, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}").hex()
    credential = f"{credentials.access_key}/{scope}"
    added["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={names},Signature={signature}"
    )
    return added


def _mac(secret: bytes, message: str) -> bytes:
    return hmac.new(secret, to_octets(message), "sha256").digest()


_NAMED = Object(dynamic=(STRING, ANY))
row(
    "providers.aws.sign_req",
    Function((_NAMED, _NAMED, NUMBER), Object(dynamic=(ANY, ANY))),
    _sign_request,
)
