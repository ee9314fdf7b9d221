"""URLs as Go's net/url reads and writes them: its parts, its escapes, its messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote as _percent
from urllib.parse import unquote_to_bytes

from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import netip
from sekisho.lang.golang.gotext import from_octets, quote, to_octets

PARAMETERS: Final = 10_000
"""Parameters of a query; Go reads no more, since a longer one is an attack on whoever stores them."""

# What stays as it is beside letters, digits and -_.~ in each part of a URL.
PATH: Final = "$&+,/:;=@"
FRAGMENT: Final = "!$&()*+,/:;=?@"
QUERY: Final = ""
_USER: Final = "$&+,;="
_HOST: Final = "!$&'()*+,;=:[]<>\""
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_PATH_AS_WRITTEN: Final = frozenset("!$&'()*+,;=:@[]%/") | _LETTERS


class _Wrong(Exception):
    """What is wrong with a part; ``parse`` puts the URL before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """A parsed URL. ``path`` and ``fragment`` are unescaped; ``raw_path`` is set where escaping differs.

    ``user`` and ``password`` are unescaped, None where there is none.
    """

    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    password: str | None = None
    host: str = ""
    path: str = ""
    raw_path: str = ""
    force_query: bool = False
    raw_query: str = ""
    fragment: str = ""
    raw_fragment: str = ""
    omit_host: bool = False

    @property
    def hostname(self) -> str:
        """The host without port and brackets."""
        name = _split_port(self.host)[0]
        return name[1:-1] if name.startswith("[") and name.endswith("]") else name

    @property
    def port(self) -> str:
        """The port as written, or nothing."""
        return _split_port(self.host)[1]

    @property
    def escaped_path(self) -> str:
        """The path as it goes over the wire."""
        if self.raw_path and _PATH_AS_WRITTEN.issuperset(self.raw_path):
            return self.raw_path
        return "*" if self.path == "*" else escape(self.path, PATH)

    def whole(self) -> str:
        """The URL written out again, with all that it has."""
        query = f"?{self.raw_query}" if self.raw_query or self.force_query else ""
        tail = query + (f"#{self._escaped_fragment()}" if self.fragment else "")
        head = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            return f"{head}{self.opaque}{tail}"
        named = self.host or self.user is not None
        if (self.scheme or named) and (named or (self.path and not self.omit_host)):
            head += f"//{self._userinfo()}{escape(self.host, _HOST)}"
        path = self.escaped_path
        if path and self.host and not path.startswith("/"):
            head += "/"
        if not head and ":" in path.partition("/")[0]:
            head = "./"
        return f"{head}{path}{tail}"

    def _userinfo(self) -> str:
        if self.user is None:
            return ""
        password = "" if self.password is None else f":{escape(self.password, _USER)}"
        return f"{escape(self.user, _USER)}{password}@"

    def _escaped_fragment(self) -> str:
        if self.raw_fragment and _PATH_AS_WRITTEN.issuperset(self.raw_fragment):
            return self.raw_fragment
        return escape(self.fragment, FRAGMENT)

    def text(self) -> str:
        """The URL written out again, without its fragment and credentials."""
        query = f"?{self.raw_query}" if self.raw_query or self.force_query else ""
        if self.opaque:
            return f"{self.scheme}:{self.opaque}{query}"
        head = f"{self.scheme}:" if self.scheme else ""
        if self.scheme or self.host:
            head += f"//{escape(self.host, _HOST)}" if self.host or self.path else ""
        path = self.escaped_path
        if path and self.host and not path.startswith("/"):
            path = f"/{path}"
        return f"{head}{path}{query}"


def _split_port(host: str) -> tuple[str, str]:
    colon = host.rfind(":")
    if colon != -1 and all(c in "0123456789" for c in host[colon + 1 :]):
        return host[:colon], host[colon + 1 :]
    return host, ""


def escape(text: str, safe: str = QUERY) -> str:
    """Percent-escape all but letters, digits, ``-_.~`` and ``safe``."""
    return _percent(to_octets(text), safe=safe)


def escape_query(text: str) -> str:
    """Escape a key or value of a query; a space becomes ``+``."""
    return escape(text).replace("%20", "+")


def unescape_query(text: str) -> str:
    """Undo ``escape_query``. Raises BuiltinFault ``invalid URL escape "%x"``."""
    try:
        return _unescape(text.replace("+", " "))
    except _Wrong as wrong:
        raise BuiltinFault(str(wrong)) from None


def parse_request(text: str, *, strict: bool = False) -> Url:
    """Parse the URL of a request: absolute, or a path; what follows ``#`` is part of it.

    ``strict``: as Go does from 1.26 on, where only one colon may stand in a host of http and https.
    Raises BuiltinFault ``parse "…": reason``.
    """
    try:
        return Url(**_parse(text, request=True, strict=strict))  # type: ignore[arg-type]
    except _Wrong as wrong:
        raise BuiltinFault(f"parse {quote(text)}: {wrong}") from None


def parse(text: str, *, strict: bool = False) -> Url:
    """Parse a URL or a relative reference. Raises BuiltinFault ``parse "…": reason``.

    ``strict`` as for ``parse_request``.
    """
    body, _, fragment = text.partition("#")
    try:
        url = _parse(body, strict=strict)
    except _Wrong as wrong:
        raise BuiltinFault(f"parse {quote(body)}: {wrong}") from None
    if not fragment:
        return Url(**url)  # type: ignore[arg-type]
    try:
        plain = _unescape(fragment)
    except _Wrong as wrong:
        raise BuiltinFault(f"parse {quote(text)}: {wrong}") from None
    raw = "" if escape(plain, FRAGMENT) == fragment else fragment
    return Url(**url, fragment=plain, raw_fragment=raw)  # type: ignore[arg-type]


def _parse(text: str, *, request: bool = False, strict: bool = False) -> dict[str, object]:
    if any(c < " " or c == "\x7f" for c in text):
        raise _Wrong("net/url: invalid control character in URL")
    if request and not text:
        raise _Wrong("empty url")
    if text == "*":
        return {"path": "*"}
    scheme, rest = _scheme(text)
    url: dict[str, object] = {"scheme": scheme}
    if rest.endswith("?") and rest.count("?") == 1:
        url["force_query"] = True
        rest = rest[:-1]
    else:
        rest, _, url["raw_query"] = rest.partition("?")
    if not rest.startswith("/"):
        if scheme:
            return {**url, "opaque": rest}
        if request:
            raise _Wrong("invalid URI for request")
        if ":" in rest.partition("/")[0]:
            raise _Wrong("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme or not (request or rest.startswith("///"))):
        authority, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        url |= _authority(authority, strict=strict and scheme in {"http", "https"})
    elif scheme:
        url["omit_host"] = True
    path = _unescape(rest)
    return {**url, "path": path, "raw_path": "" if escape(path, PATH) == rest else rest}


def _scheme(text: str) -> tuple[str, str]:
    for at, char in enumerate(text):
        if char.isascii() and char.isalpha():
            continue
        if char == ":":
            if at == 0:
                raise _Wrong("missing protocol scheme")
            return text[:at].lower(), text[at + 1 :]
        if at == 0 or not (char in "+-." or (char.isascii() and char.isdigit())):
            break
    return "", text


def _authority(text: str, *, strict: bool) -> dict[str, object]:
    user, at, host = text.rpartition("@")
    host = _host(host, strict=strict)
    if not at:
        return {"host": host}
    if not all(c in _LETTERS or c in "-._:~!$&'()*+,;=%@" for c in user):
        raise _Wrong("net/url: invalid userinfo")
    name, colon, password = user.partition(":")
    return {"user": _unescape(name), "password": _unescape(password) if colon else None, "host": host}


def _host(host: str, *, strict: bool) -> str:
    opening = host.rfind("[")
    if opening > 0:
        raise _Wrong("invalid IP-literal")
    if opening == 0:
        closing = host.rfind("]")
        if closing < 0:
            raise _Wrong("missing ']' in host")
        _check_port(host[closing + 1 :])
        return f"[{_literal(host[1:closing])}]{host[closing + 1 :]}"
    colon = host.find(":") if strict else host.rfind(":")
    if colon != -1:
        _check_port(host[colon:])
    return _unescape_host(host)


def _literal(text: str) -> str:
    name, percent, zone = text.partition("%25")
    address = _unescape_host(name) + (f"%{_unescape(zone)}" if percent else "")
    try:
        found = netip.parse_addr(address)
    except BuiltinFault as fault:
        raise _Wrong(f"invalid host: {fault}") from None
    if found.bits == 32:
        raise _Wrong("invalid IP-literal")
    return address


def _check_port(port: str) -> None:
    if port and (port[0] != ":" or not all(c in "0123456789" for c in port[1:])):
        raise _Wrong(f"invalid port {quote(port)} after host")


def _unescape_host(text: str) -> str:
    at = 0
    while at < len(text):
        if text[at] == "%":
            if text[at : at + 3] != "%25" and text[at + 1 : at + 2] < "8":
                _unescape(text[at:])  # an escape that is broken is refused for that
                raise _Wrong(f"invalid URL escape {quote(text[at : at + 3])}")
            at += 3
        else:
            if text[at] < "\x80" and text[at] not in _LETTERS and text[at] not in _HOST:
                raise _Wrong(f"invalid character {quote(text[at])} in host name")
            at += 1
    return _unescape(text)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    at = text.find("%")
    while at != -1:
        pair = text[at + 1 : at + 3]
        if len(pair) < 2 or not _HEX.issuperset(pair):
            raise _Wrong(f"invalid URL escape {quote(text[at : at + 3])}")
        at = text.find("%", at + 3)
    return from_octets(unquote_to_bytes(to_octets(text)))


# --- queries --------------------


def parse_query(text: str) -> dict[str, list[str]]:
    """The parameters of a query. Raises BuiltinFault for the first that is malformed."""
    if text.count("&") >= PARAMETERS:
        raise BuiltinFault("number of URL query parameters exceeded limit")
    out: dict[str, list[str]] = {}
    for part in text.split("&"):
        if ";" in part:
            raise BuiltinFault("invalid semicolon separator in query")
        if part:
            name, _, value = part.partition("=")
            out.setdefault(unescape_query(name), []).append(unescape_query(value))
    return out


def good_parameters(text: str) -> dict[str, list[str]]:
    """The parameters of a query, without those that are malformed."""
    if text.count("&") >= PARAMETERS:
        return {}
    out: dict[str, list[str]] = {}
    for part in text.split("&"):
        if ";" in part or not part:
            continue
        name, _, value = part.partition("=")
        try:
            key, plain = unescape_query(name), unescape_query(value)
        except BuiltinFault:
            continue
        out.setdefault(key, []).append(plain)
    return out


def encode_query(parameters: dict[str, list[str]]) -> str:
    """A query of these parameters, sorted by name."""
    return "&".join(
        f"{escape_query(name)}={escape_query(value)}"
        for name in sorted(parameters)
        for value in parameters[name]
    )
