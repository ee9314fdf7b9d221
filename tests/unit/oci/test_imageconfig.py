"""What runs in an image, and as whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.oci.imageconfig import User, read_config, user_of

PASSWD = b"root:x:0:0::/root:/bin/sh\n# no account\nbroken\napp:x:1000:1001::/:\n7:x:70:71::/:\n"
GROUP = b"root:x:0:\napp:x:1001:\nlog:x:5:app,other\nweb:x:6:app\nshort:x:9\n"


def config(**inner: Any) -> bytes:
    return json.dumps({"os": "linux", "architecture": "amd64", "config": inner}).encode()


def test_arguments_stand_in_place_of_the_command() -> None:
    found = read_config(config(Entrypoint=["/a"], Cmd=["b"], Env=["X=1"], WorkingDir="/w", Labels={"l": "v"}))
    assert found.arguments() == ("/a", "b")
    assert found.arguments(("c", "d")) == ("/a", "c", "d")
    assert (found.environment, found.folder, dict(found.labels)) == (("X=1",), "/w", {"l": "v"})
    assert str(found.platform) == "linux/amd64"


def test_an_image_may_say_nothing() -> None:
    found = read_config(b"{}")
    assert (found.arguments(), found.folder, found.user) == ((), "/", "")


@pytest.mark.parametrize(
    "inner",
    [{"Entrypoint": "sh"}, {"Cmd": [7]}, {"Env": ["a\0b"]}, {"User": 7}, {"WorkingDir": ["/"]}],
    ids=lambda row: next(iter(row)),
)
def test_what_is_malformed_is_told(inner: dict[str, Any]) -> None:
    with pytest.raises(DiagnosticError) as caught:
        read_config(config(**inner))
    assert caught.value.diagnostics[0].code.id == "OCI006"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", User()),
        ("root", User()),
        ("0", User()),
        ("app", User(uid=1000, gid=1001, groups=(5, 6))),
        ("1000", User(uid=1000, gid=1001, groups=(5, 6))),
        ("app:log", User(uid=1000, gid=5)),
        ("app:0", User(uid=1000, gid=0)),
        ("4711", User(uid=4711)),
        ("4711:4712", User(uid=4711, gid=4712)),
        ("70", User(uid=70, gid=71)),
    ],
)
def test_users(text: str, expected: User) -> None:
    assert user_of(text, PASSWD, GROUP) == expected


@pytest.mark.parametrize("text", ["eve", "app:eve", "-1", "9" * 20, "1.5", "٣", "app:"])
def test_users_that_are_none(text: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        user_of(text, PASSWD, GROUP)
    assert caught.value.diagnostics[0].code.id == "OCI006"
