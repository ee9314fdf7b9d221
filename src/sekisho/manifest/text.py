"""From bytes to text."""

from __future__ import annotations

from typing import Final

from sekisho.diag import Code, Diagnostic, DiagnosticError, Source, Span
from sekisho.manifest import codes
from sekisho.manifest.limits import FILE_SIZE

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def decode(name: str, data: bytes) -> Source:
    """The text of a file: UTF-8, or UTF-16 with its mark; a mark is no part of it.

    Raises DiagnosticError (SRC002-SRC004) if it is no text, or too much.
    """
    if FILE_SIZE.exceeded_by(len(data)):
        raise _error(codes.TOO_LARGE, f"the file is too large: {FILE_SIZE}", Source(name, ""))
    utf16 = data[:2] in _UTF16
    if not utf16 and (at := data.find(b"\0")) >= 0:
        raise _error(codes.BINARY, f"this is no text: byte {at} is NUL", Source(name, ""))
    try:
        text = data.decode("utf-16" if utf16 else "utf-8")
    except UnicodeDecodeError as error:
        raise _not_text(name, data, error) from None
    return Source(name, text.removeprefix("\ufeff"))


def _not_text(name: str, data: bytes, error: UnicodeDecodeError) -> DiagnosticError:
    before = data[: error.start].decode(error.encoding, "replace").removeprefix("\ufeff")
    source = Source(name, data.decode(error.encoding, "replace").removeprefix("\ufeff"))
    message = f"byte {error.start} (0x{data[error.start]:02x}) is not {error.encoding.upper()}"
    help = "save the file as UTF-8"
    return _error(codes.ENCODING, message, source, len(before), help)


def _error(code: Code, message: str, source: Source, offset: int = 0, help: str = "") -> DiagnosticError:
    at = Span(source, offset, min(offset + 1, len(source.text)))
    return DiagnosticError(Diagnostic(code=code, message=message, at=at, help=help))
