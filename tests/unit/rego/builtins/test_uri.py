"""urlquery.* and uri.* (values checked against opa 1.19)."""

import pytest

from sekisho.rego.values import Set

BAD = "eval_builtin_error: "


@pytest.mark.parametrize(
    ("name", "operand", "value"),
    [
        ("urlquery.encode", "a b&c=é~!*", "a+b%26c%3D%C3%A9~%21%2A"),
        ("urlquery.decode", "a+b%20%C3%A9%2B", "a b é+"),
        ("urlquery.decode", "%zz", BAD + 'invalid URL escape "%zz"'),
        ("urlquery.decode", "a%2", BAD + 'invalid URL escape "%2"'),
        (
            "urlquery.encode_object",
            {"b": "x y", "a": ["1", "2"], "c": Set.of(["z", "y"])},
            "a=1&a=2&b=x+y&c=y&c=z",
        ),
        (
            "urlquery.encode_object",
            {"a": 1},
            "eval_type_error: operand 1 values must be string, array[string], or set[string]",
        ),
        ("urlquery.decode_object", "a=1&b&a=2&&c=d%3De+f", {"a": ["1", "2"], "b": [""], "c": ["d=e f"]}),
        ("urlquery.decode_object", "a;b", BAD + "invalid semicolon separator in query"),
        ("urlquery.decode_object", "&" * 10_000, BAD + "number of URL query parameters exceeded limit"),
        ("uri.is_valid", "", False),
        ("uri.is_valid", "http://[", False),
        ("uri.is_valid", "http://h", True),
        ("uri.is_valid", 1, False),
    ],
)
def test_values(call, name, operand, value):
    assert call(name, operand) == value


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "HTTPS://u:p@h.example:8/a%2Fb?x=1#f%20g",
            {
                "scheme": "https",
                "hostname": "h.example",
                "port": "8",
                "path": "/a/b",
                "raw_path": "/a%2Fb",
                "raw_query": "x=1",
                "fragment": "f g",
            },
        ),
        ("http://[::1%25en0]:8", {"scheme": "http", "hostname": "::1%en0", "port": "8"}),
        ("mailto:x@y", {"scheme": "mailto"}),
        ("///x", {"path": "///x", "raw_path": "///x"}),
        ("a?b?c", {"path": "a", "raw_path": "a", "raw_query": "b?c"}),
        ("*", {"path": "*", "raw_path": "*"}),
        ("", {}),
    ],
)
def test_parse(call, text, parts):
    assert call("uri.parse", text) == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (":x", "missing protocol scheme"),
        ("1:x", "first path segment in URL cannot contain colon"),
        ("http://h:x", 'invalid port ":x" after host'),
        ("http://a[", "invalid IP-literal"),
        ("http://[::1", "missing ']' in host"),
        ("http://[1.2.3.4]/", "invalid IP-literal"),
        ("http://h ost/", 'invalid character " " in host name'),
        ("http://h%41/", 'invalid URL escape "%41"'),
        ("http://u ser@h/", "net/url: invalid userinfo"),
        ("http://h/%zz", 'invalid URL escape "%zz"'),
    ],
)
def test_what_is_no_url_is_named(call, text, reason):
    assert call("uri.parse", text) == f'eval_builtin_error: parse "{text}": {reason}'


def test_control_characters_are_refused_and_quoted(call):
    expected = r'eval_builtin_error: parse "http://h/\x01": net/url: invalid control character in URL'
    assert call("uri.parse", "http://h/\x01") == expected
