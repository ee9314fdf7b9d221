from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError
from sekisho.manifest import decode, limits, load


@pytest.mark.parametrize(
    "data",
    [
        "a: é\n".encode(),
        b"\xef\xbb\xbf" + "a: é\n".encode(),
        b"\xff\xfe" + "a: é\n".encode("utf-16-le"),
        b"\xfe\xff" + "a: é\n".encode("utf-16-be"),
    ],
    ids=["utf-8", "utf-8 with mark", "utf-16 little", "utf-16 big"],
)
def test_encodings(data: bytes) -> None:
    source = decode("x.yaml", data)
    (document,) = load(source)
    assert document.value == {"a": "é"}
    assert document.locate(("a",)).begins == (1, 4)


@pytest.mark.parametrize(
    ("data", "code", "place", "words"),
    [
        (b"a: b\nc: d\xe9\n", "SRC002", (2, 5), "byte 9 (0xe9) is not UTF-8"),
        (b"\xef\xbb\xbfc: d\xe9\n", "SRC002", (1, 5), "byte 7"),
        ("é: ".encode() + b"\xff", "SRC002", (1, 4), "0xff"),
        (b"\xff\xfea", "SRC002", (1, 1), "UTF-16"),
        (b"\xff\xfea\0\0\xd8", "SRC002", (1, 2), "UTF-16"),
        (b"PK\x03\x04\0\0", "SRC003", (1, 1), "byte 4 is NUL"),
        (b"\0" * 100, "SRC003", (1, 1), "byte 0 is NUL"),
    ],
)
def test_what_is_no_text(data: bytes, code: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(DiagnosticError) as error:
        decode("x", data)
    (problem,) = error.value.diagnostics
    assert problem.at is not None
    assert (problem.code.id, tuple(problem.at.begins)) == (code, place)
    assert words in problem.message


def test_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.diag import Limit
    from sekisho.manifest import text

    monkeypatch.setattr(text, "FILE_SIZE", Limit("a file's size", 10, "bytes", "a test"))
    assert decode("x", b"a" * 10).text == "a" * 10
    with pytest.raises(DiagnosticError) as error:
        decode("x", b"a" * 11)
    assert error.value.diagnostics[0].code.id == "SRC004"
    assert limits.FILE_SIZE.value > 1_000_000
