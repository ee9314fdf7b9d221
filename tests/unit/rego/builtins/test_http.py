"""http.send: checks, the transport, decoding (texts checked against opa 1.19)."""

import pytest

from sekisho.diag import DiagnosticError
from sekisho.rego.faults import BuiltinFault

BAD = "eval_builtin_error: "
GET = {"method": "get", "url": "http://a.example/x"}


@pytest.fixture
def asked():
    return []


@pytest.fixture
def query(context, asked):
    """A query whose transport answers with ``raw_body``, and writes down what it was asked."""

    def make(raw_body="{}", kind="application/json", status=200, **more):
        def transport(request, seconds):
            asked.append((request, seconds))
            headers = {"content-type": [kind]}
            return {"status": f"{status} X", "status_code": status, "headers": headers, "raw_body": raw_body}

        return context(transport=transport, **more)

    return make


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"method": "get"}, 'eval_type_error: operand 1 missing required request parameters(s): {"url"}'),
        ({**GET, "x": 1, "a": 2}, 'eval_type_error: operand 1 invalid request parameters(s): {"a", "x"}'),
        ({**GET, "raise_error": 1}, BAD + "invalid value for raise_error field"),
        ({**GET, "method": 1}, BAD + '"method" must be a string'),
        ({**GET, "headers": 1}, BAD + "invalid type for headers key"),
        ({**GET, "headers": {"a": 1}}, BAD + 'invalid type for headers value "1"'),
        (
            {**GET, "timeout": True},
            "eval_type_error: operand 1 'timeout' must be one of {string, number} but got boolean",
        ),
        (
            {**GET, "timeout": "1q"},
            BAD + 'invalid timeout value "1q": time: unknown unit "q" in duration "1q"',
        ),
        ({**GET, "cache": 1}, BAD + 'invalid value for "cache" field'),
        ({**GET, "enable_redirect": "yes"}, BAD + 'strconv.ParseBool: parsing "\\"yes\\"": invalid syntax'),
        (
            {**GET, "force_cache": True},
            BAD + "'force_cache' set but 'force_cache_duration_seconds' parameter is missing",
        ),
        ({**GET, "max_retry_attempts": -1}, BAD + 'invalid value -1 for field "max_retry_attempts"'),
        ({**GET, "caching_mode": "x"}, BAD + 'invalid value specified for "caching_mode" field: x'),
    ],
)
def test_requests_are_checked_before_anything_is_sent(call, query, asked, request_, message):
    assert call("http.send", request_, context=query()) == message
    assert asked == []


def test_it_is_off_and_the_refusal_names_the_setting(call):
    with pytest.raises(DiagnosticError, match=r"REG701.*transport"):
        call("http.send", GET)


@pytest.mark.parametrize(
    ("kind", "raw", "more", "body"),
    [
        ("application/json", '{"a": 1}', {}, {"a": 1}),
        ("application/problem+json; charset=utf-8", "[1]", {}, [1]),
        ("application/json", "{", {}, None),
        ("text/plain", "[1]", {}, None),
        ("text/plain", "[1]", {"force_json_decode": True}, [1]),
        ("application/yaml", "a: yes", {}, {"a": True}),
        ("text/plain", "a: 1", {"force_yaml_decode": True}, {"a": 1}),
    ],
)
def test_the_body_is_decoded_by_its_type(call, query, kind, raw, more, body):
    assert call("http.send", {**GET, **more}, context=query(raw, kind)) == {
        "status": "200 X",
        "status_code": 200,
        "headers": {"content-type": [kind]},
        "raw_body": raw,
        "body": body,
    }


def test_equal_requests_are_sent_once_a_query(call, query, asked):
    one = query()
    for token in ("a", "b"):
        request = {**GET, "headers": {"x": "1", "token": token}, "cache_ignored_headers": ["token"]}
        call("http.send", request, context=one)
    assert len(asked) == 1
    call("http.send", {**GET, "headers": {"x": "2"}}, context=one)
    assert len(asked) == 2


def test_answers_that_may_change_are_not_kept(call, query, asked):
    one = query(status=500)
    call("http.send", GET, context=one)
    call("http.send", GET, context=one)
    assert len(asked) == 2


def test_the_time_allowed_is_the_smaller_of_timeout_and_deadline(call, query, asked):
    call("http.send", {**GET, "timeout": "250ms"}, context=query())
    assert asked[0][1] == 0.25
    call("http.send", {**GET, "timeout": "1h"}, context=query())
    assert 5 < asked[1][1] <= 10


def test_failures_are_values_where_the_policy_asks_for_it(call, context):
    def broken(_request, _seconds):
        raise BuiltinFault("connection refused")

    quiet = call("http.send", {**GET, "raise_error": False}, context=context(transport=broken))
    assert quiet == {
        "status_code": 0,
        "error": {
            "code": "eval_http_send_internal_error",
            "message": "eval_builtin_error: http.send: connection refused",
        },
    }
    assert call("http.send", GET, context=context(transport=broken)) == BAD + "connection refused"


def test_hosts_outside_allow_net_are_refused(call, query, asked):
    one = query(allow_net=frozenset({"b.example"}))
    assert call("http.send", GET, context=one) == BAD + "unallowed host: a.example"
    assert asked == []
