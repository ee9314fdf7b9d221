"""Kubernetes' urls library. Facts from k8s.io/apiserver ``pkg/cel/library/urls.go``, Go's net/url."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sekisho.cel.errors import CelError
from sekisho.cel.functions import Overload
from sekisho.cel.kubernetes.costs import priced
from sekisho.cel.library import Library
from sekisho.cel.types import BOOL, STRING, CelType, list_of, map_of, struct
from sekisho.cel.values import OpaqueValue, Value
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import gourl

URL: Final = struct("kubernetes.URL")


class UrlValue(OpaqueValue):
    """A URL."""

    __slots__ = ("url",)
    cel_type = URL

    def __init__(self, url: gourl.Url) -> None:
        self.url = url

    def equals(self, other: Value) -> bool:
        """Whether both are written alike."""
        return isinstance(other, UrlValue) and self.url.whole() == other.url.whole()

    def __str__(self) -> str:
        return self.url.whole()


def _url(text: str) -> UrlValue:
    """Absolute, or a path: what a request may ask for; then what follows ``#`` is taken for a fragment."""
    try:
        gourl.parse_request(text, strict=True)
        return UrlValue(gourl.parse(text, strict=True))
    except BuiltinFault as fault:
        raise CelError(f"URL parse error during conversion from string: {fault}") from None


def is_request(text: str) -> bool:
    """Whether a text is a URL that a request may ask for."""
    try:
        gourl.parse_request(text, strict=True)
    except BuiltinFault:
        return False
    return True


def _query(value: UrlValue) -> dict[str, list[str]]:
    return gourl.good_parameters(value.url.raw_query)


def _row(function: str, id: str, result: CelType, call: Callable[..., Value], note: str) -> Overload:
    of_text = function in {"url", "isURL"}
    return Overload(
        id=id,
        function=function,
        params=(STRING if of_text else URL,),
        result=result,
        call=call,
        member=not of_text,
        note=note,
    )


URLS: Final = Library(
    name="kubernetes.urls",
    overloads=priced(
        (
            _row("url", "string_to_url", URL, _url, "a URL: absolute, or a path"),
            _row("isURL", "is_url_string", BOOL, is_request, "whether url() takes it"),
            _row("getScheme", "url_get_scheme", STRING, lambda u: u.url.scheme, "https"),
            _row("getHost", "url_get_host", STRING, lambda u: u.url.host, "host and port"),
            _row("getHostname", "url_get_hostname", STRING, lambda u: u.url.hostname, "host without port"),
            _row("getPort", "url_get_port", STRING, lambda u: u.url.port, "port, as text"),
            _row("getEscapedPath", "url_get_escaped_path", STRING, lambda u: u.url.escaped_path, "path"),
            _row(
                "getQuery",
                "url_get_query",
                map_of(STRING, list_of(STRING)),
                _query,
                "parameters; malformed ones are left out",
            ),
        )
    ),
)
