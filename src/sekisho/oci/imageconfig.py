"""An image's configuration: what runs in it, as whom, where (image-spec, config.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from sekisho.diag import DiagnosticError, Limit
from sekisho.oci import codes
from sekisho.oci.content import Platform, problem, read_object

ACCOUNTS: Final = Limit("a file with accounts", 1024 * 1024, "bytes", "an image has some tens of accounts")

NONE: Final[Mapping[str, str]] = MappingProxyType({})
ID_MAX: Final = 2**32 - 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The configuration. ``environment`` are texts NAME=VALUE; ``user`` is as it was written."""

    platform: Platform
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    folder: str = "/"
    user: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: NONE)

    def arguments(self, own: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What runs: the entry point, with the caller's arguments or the image's own."""
        return (*self.entrypoint, *(own or self.command))


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who runs it, in numbers."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()


def read_config(body: bytes) -> ImageConfig:
    """The configuration of an image. Raises DiagnosticError (OCI006)."""
    value = read_object(body, "the configuration")
    inner = value.get("config")
    config: Mapping[str, Any] = inner if isinstance(inner, dict) else {}
    labels = config.get("Labels")
    return ImageConfig(
        platform=Platform(
            os=_text(value, "os"), architecture=_text(value, "architecture"), variant=_text(value, "variant")
        ),
        entrypoint=_texts(config, "Entrypoint"),
        command=_texts(config, "Cmd"),
        environment=_texts(config, "Env"),
        folder=_text(config, "WorkingDir") or "/",
        user=_text(config, "User"),
        labels=MappingProxyType(labels) if isinstance(labels, dict) else NONE,
    )


def user_of(text: str, passwd: bytes, group: bytes) -> User:
    """The numbers of ``user``, ``user:group``, by the image's own files. Raises DiagnosticError (OCI006).

    A number need not be in the files; its group is then 0, as for every runtime.
    """
    name, colon, group_name = text.partition(":")
    account = next((row for row in _rows(passwd, 4) if name in (row[0], row[2]) and name), None)
    if account is not None and not name.isdigit():
        uid = _number(account[2])
    else:
        uid = 0 if not name else _id(name, "user")
    gid = 0 if account is None else _number(account[3])
    if colon:
        named = next((row for row in _rows(group, 3) if row[0] == group_name), None)
        return User(uid=uid, gid=_number(named[2]) if named else _id(group_name, "group"))
    member = account[0] if account is not None else ""
    groups = (row for row in _rows(group, 4) if member and member in row[3].split(","))
    return User(uid=uid, gid=gid, groups=tuple(sorted({_number(row[2]) for row in groups} - {gid})))


def _rows(content: bytes, fields: int) -> Iterator[list[str]]:
    for line in content.decode("utf-8", "replace").splitlines():
        row = line.strip().split(":")
        if len(row) >= fields and not line.startswith("#"):
            yield row


def _id(text: str, what: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise _bad(f"the {what} {text!r} is not among the accounts of the image")
    return _number(text)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:11]) > ID_MAX:
        raise _bad(f"{text!r} is no number of a user or group")
    return int(text)


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or "\0" in found:
        raise _bad(f"{name} of the configuration must be a text")
    return found


def _texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = row.get(name)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str) and "\0" not in one for one in found):
        raise _bad(f"{name} of the configuration must be a list of texts")
    return tuple(found)


def _bad(why: str) -> DiagnosticError:
    return problem(codes.BAD_CONTENT, why)
