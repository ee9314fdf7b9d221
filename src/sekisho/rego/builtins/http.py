"""http.send: the request is checked here, sent by the capability set's transport, its answer decoded.

``rego`` opens no socket: without ``Capabilities.transport`` the call is refused, and the refusal names it.
Equal requests are sent once a query. Options for caching across queries (``cache``, ``force_cache``, …) are
checked and handed to the transport, which may keep what it likes.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sekisho.diag import Limit
from sekisho.lang.golang import gourl
from sekisho.lang.golang.durations import nanoseconds
from sekisho.lang.golang.gotext import quote
from sekisho.rego import jsontext
from sekisho.rego.builtins import gate, operands, yaml
from sekisho.rego.builtins.table import Support, row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault, NetworkFault
from sekisho.rego.text import text
from sekisho.rego.types import ANY, STRING, Function, Object
from sekisho.rego.values import Set, Value, is_number, type_name

BODY: Final = Limit("an HTTP response", 16_000_000, "characters", "a policy's facts are smaller")

DEFAULT_TIMEOUT: Final = 5_000_000_000
"""Nanoseconds: OPA's default."""

_REQUIRED: Final = frozenset({"method", "url"})
_STRINGS: Final = (
    "method",
    "url",
    "raw_body",
    "tls_ca_cert",
    "tls_ca_cert_file",
    "tls_ca_cert_env_variable",
    "tls_client_cert",
    "tls_client_cert_file",
    "tls_client_cert_env_variable",
    "tls_client_key",
    "tls_client_key_file",
    "tls_client_key_env_variable",
    "tls_server_name",
)
_BOOLEANS: Final = ("cache", "force_cache", "force_json_decode", "force_yaml_decode")
_SWITCHES: Final = ("enable_redirect", "tls_use_system_certs", "tls_insecure_skip_verify")
_ALLOWED: Final = frozenset(
    {
        *_STRINGS,
        *_BOOLEANS,
        *_SWITCHES,
        *("body", "headers", "timeout", "raise_error", "caching_mode", "max_retry_attempts"),
        *("force_cache_duration_seconds", "cache_ignored_headers"),
    },
)
_CACHEABLE: Final = frozenset({200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501})
_YAML: Final = ("application/yaml", "application/x-yaml")
_JSON: Final = re.compile(r"application/(?:json|[^/;]*\+json)\s*(?:;|\Z)", re.IGNORECASE)


def check_request(value: Value, position: int) -> dict[Any, Value]:
    """A request object with none but known parameters, and the required ones."""
    request = operands.object_(value, position)
    if unknown := request.keys() - _ALLOWED:
        operands.fail(position, f"invalid request parameters(s): {text(Set(set(unknown)))}")
    if missing := _REQUIRED - request.keys():
        operands.fail(position, f"missing required request parameters(s): {text(Set(set(missing)))}")
    return request


def _send(context: EvalContext, value: Value) -> Value:
    request = operands.object_(value, 1)
    loud = request.get("raise_error", True)
    if type(loud) is not bool:
        raise BuiltinFault("invalid value for raise_error field")
    try:
        return _answer(context, check_request(request, 1))
    except BuiltinFault as fault:
        if loud:
            raise
        message = f"{fault.kind}: http.send: {fault}"
        what = "network" if isinstance(fault, NetworkFault) else "internal"
        return {"status_code": 0, "error": {"code": f"eval_http_send_{what}_error", "message": message}}


def _answer(context: EvalContext, request: dict[Any, Value]) -> Value:
    _check_options(context, request)
    timeout = _timeout(request.get("timeout", DEFAULT_TIMEOUT))
    transport = context.capabilities.transport
    if transport is None:
        gate.refuse("http.send", "transport")
    seconds = min(context.meter.remaining(), timeout / 1e9)
    asked = jsontext.marshal(_identity(request))
    answers: dict[str, Value] = context.cache.setdefault("http.send", {})
    if asked not in answers:
        try:
            answer = _decoded(transport(jsontext.plain(request), seconds), request)
        except BuiltinFault as fault:
            answers[asked] = fault
            raise
        if answer["status_code"] not in _CACHEABLE:
            return answer
        answers[asked] = answer
    found = answers[asked]
    if isinstance(found, BuiltinFault):
        raise found
    return found


def _identity(request: dict[Any, Value]) -> dict[Any, Value]:
    """What makes two requests equal: all but the headers that ``cache_ignored_headers`` names."""
    ignored, headers = request.get("cache_ignored_headers"), request.get("headers")
    out = {**request, "cache_ignored_headers": None}
    if ignored is not None and type(headers) is dict:
        names = set(operands.strings(ignored, 1))
        out["headers"] = {name: header for name, header in headers.items() if name not in names}
    return out


# --- options --------------------------------------------------------------------------


def _check_options(context: EvalContext, request: dict[Any, Value]) -> None:
    for name in _STRINGS:
        if name in request and type(request[name]) is not str:
            raise BuiltinFault(f'"{name}" must be a string')
    for name in _BOOLEANS:
        if name in request and type(request[name]) is not bool:
            raise BuiltinFault(f'invalid value for "{name}" field')
    for name in _SWITCHES:
        if name in request and type(request[name]) is not bool:
            raise BuiltinFault(f"strconv.ParseBool: parsing {quote(text(request[name]))}: invalid syntax")
    _check_headers(request.get("headers", {}))
    _check_caching(request)
    if context.capabilities.allow_net is not None:
        gate.check_host(context.capabilities, gourl.parse(request["url"]).host.split(":")[0])


def _check_headers(headers: Value) -> None:
    if type(headers) is not dict:
        raise BuiltinFault("invalid type for headers key")
    for header in headers.values():
        if type(header) is not str:
            raise BuiltinFault(f"invalid type for headers value {quote(text(header))}")


def _check_caching(request: dict[Any, Value]) -> None:
    attempts = request.get("max_retry_attempts", 0)
    if type(attempts) is not int or attempts < 0:
        raise BuiltinFault(f'invalid value {text(attempts)} for field "max_retry_attempts"')
    mode = request.get("caching_mode", "serialized")
    if type(mode) is not str:
        raise BuiltinFault('invalid value for "caching_mode" field')
    if mode not in {"serialized", "deserialized"}:
        raise BuiltinFault(f'invalid value specified for "caching_mode" field: {mode}')
    if request.get("force_cache"):
        if "force_cache_duration_seconds" not in request:
            raise BuiltinFault("'force_cache' set but 'force_cache_duration_seconds' parameter is missing")
        duration = request["force_cache_duration_seconds"]
        if type(duration) is not int or not -(2**31) <= duration < 2**31:
            raise BuiltinFault(f"strconv.ParseInt: parsing {quote(text(duration))}: invalid syntax")


def _timeout(value: Value) -> int:
    """A timeout in nanoseconds: a number of them, or a duration such as ``1s``."""
    if is_number(value):
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise BuiltinFault(f"invalid timeout number value {text(value)}, must be int64")
        return value
    if type(value) is not str:
        operands.fail(1, f"'timeout' must be one of {{string, number}} but got {type_name(value)}")
    try:
        return nanoseconds(value)
    except BuiltinFault as fault:
        raise BuiltinFault(f"invalid timeout value {text(value)}: {fault}") from None


# --- the answer -----------------------------------------------------------------------


def _decoded(response: Value, request: dict[Any, Value]) -> dict[str, Value]:
    """The response with its ``body``: decoded JSON or YAML where its type says so, else null."""
    raw = response["raw_body"]
    if len(raw) > BODY.value:
        raise BuiltinFault(str(BODY))
    headers = response.get("headers", {})
    [kind, *_] = headers.get("content-type", []) or [""]
    body: Value = None
    try:
        if request.get("force_json_decode") or _JSON.match(kind):
            body = jsontext.unmarshal(raw)
        elif request.get("force_yaml_decode") or any(name in kind for name in _YAML):
            body = yaml.load(raw)
    except BuiltinFault:
        body = None  # what cannot be decoded is no error
    return {
        "status": response["status"],
        "status_code": response["status_code"],
        "headers": headers,
        "raw_body": raw,
        "body": body,
    }


row(
    "http.send",
    Function((Object(dynamic=(STRING, ANY)),), Object(dynamic=(ANY, ANY))),
    _send,
    context=True,
    deterministic=False,
    support=Support.GATED,
    note="needs Capabilities.transport; answers are kept for a query, across queries by the transport",
)
