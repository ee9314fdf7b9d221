"""Text as Go's strconv prints it, for messages."""

from __future__ import annotations

from typing import Final

_SHORT: Final = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}

WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Unicode calls white space; Python's ``strip`` takes the separators U+001C to U+001F too."""


def to_octets(text: str) -> bytes:
    """The bytes of a string.

    A string is text. What a built-in decodes from base64 or hexadecimal may be any bytes, though: those
    that are not UTF-8 stand in the string as lone surrogates (Python's ``surrogateescape``), so that they
    come back here, and each counts as one character, as in Go. ``jsontext`` writes them as U+FFFD.
    """
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, from elsewhere
        return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text).encode()


def from_octets(data: bytes) -> str:
    """The string of these bytes."""
    return data.decode("utf-8", "surrogateescape")


def quote(text: str) -> str:
    """A string as ``%q`` prints it: in double quotes, what cannot be printed escaped."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_char, text)) + '"'


def quote_ascii(text: str) -> str:
    """A string as ``%+q`` prints it: what is not ASCII is escaped too."""
    return '"' + "".join(map(_ascii_char, text)) + '"'


def quote_bytes(text: str) -> str:
    """A string as package time quotes it: bytes but printable ASCII in hexadecimal."""
    out = []
    for char in text:
        if " " <= char < "\x80":
            out.append(f"\\{char}" if char in '"\\' else char)
        else:
            out += [f"\\x{byte:02x}" for byte in to_octets(char)]
    return f'"{"".join(out)}"'


def quote_char(char: str) -> str:
    """A character as ``%q`` prints an integer."""
    return "'" + ("\\'" if char == "'" else '"' if char == '"' else _char(char)) + "'"


def quote_char_ascii(char: str) -> str:
    """A character as ``%+q`` prints an integer."""
    return quote_char(char) if char.isascii() else f"'{_ascii_char(char)}'"


def can_backquote(text: str) -> bool:
    """Whether a string can stand between backquotes: one line, no control characters but tabs."""
    return not any(c in "`\x7f\ufeff" or (c < " " and c != "\t") or "\udc80" <= c <= "\udcff" for c in text)


def _ascii_char(char: str) -> str:
    code = ord(char)
    if code < 0x80 or 0xDC80 <= code <= 0xDCFF:
        return _char(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _char(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8 (see ``rego.text``)
        code -= 0xDC00
        return f"\\x{code:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
