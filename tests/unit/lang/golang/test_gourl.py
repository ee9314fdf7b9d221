"""URLs; values and texts of errors were checked against Go's net/url."""

import pytest

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import gourl


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("https://user:pw@example.com:8080/a%20b?x=1#frag", None),
        ("https://u%40:p%3A@h/", None),
        ("https://u@h", None),
        ("HTTP://h/a b", "http://h/a%20b"),
        ("mailto:a@b?c", None),
        ("//h/p", None),
        ("/a:b", None),
        ("./a:b", None),
        ("a/b?", None),
        ("file:///etc", None),
        ("file:/etc", None),
        ("http://h/%2f#%2f", None),
        ("*", None),
    ],
)
def test_a_url_is_written_out_again(text: str, whole: str | None) -> None:
    assert gourl.parse(text).whole() == (whole or text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty url"),
        ("a", "invalid URI for request"),
        ("../x", "invalid URI for request"),
        (":80", "missing protocol scheme"),
        ("http://a b", 'invalid character " " in host name'),
        ("https://[::1/", "missing ']' in host"),
        ("https://[1.2.3.4]/", "invalid IP-literal"),
        ("https://[zz]/", 'invalid host: ParseAddr("zz"): unable to parse IP'),
        ("https://a:b/", 'invalid port ":b" after host'),
        ("http://%zz/", 'invalid URL escape "%zz"'),
    ],
)
def test_what_a_request_may_not_ask_for(text: str, reason: str) -> None:
    with pytest.raises(BuiltinFault) as caught:
        gourl.parse_request(text)
    assert str(caught.value) == f'parse "{text}": {reason}'


def test_a_request_keeps_what_follows_a_hash() -> None:
    assert gourl.parse_request("/a#b").path == "/a#b"
    assert gourl.parse_request("//h/p").host == ""


def test_two_colons_in_a_host_are_refused_where_asked_for() -> None:
    assert gourl.parse("https://a:1:2/").host == "a:1:2"
    with pytest.raises(BuiltinFault, match='invalid port ":1:2" after host'):
        gourl.parse("https://a:1:2/", strict=True)
    assert gourl.parse("ftp://a:1:2/", strict=True).port == "2"


def test_malformed_parameters_can_be_left_out() -> None:
    assert gourl.good_parameters("a=%zz&b=1&c;d=2&b=2&&e") == {"b": ["1", "2"], "e": [""]}
    assert gourl.good_parameters("") == {}
    assert gourl.good_parameters("&" * gourl.PARAMETERS) == {}
