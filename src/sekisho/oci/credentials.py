"""Credentials for registries, where Docker and Podman keep them: files and credential helpers.

A helper is a program ``docker-credential-NAME``, which is given the registry's name. What it prints never
comes into an error, since it may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sekisho.diag import Limit, Secret
from sekisho.oci import codes
from sekisho.oci.content import problem
from sekisho.oci.reference import DOCKER

HUB: Final = "https://index.docker.io/v1/"
"""What Docker calls docker.io in its files, and to helpers."""

SECONDS: Final = 30.0
"""How long a helper may take: it may ask a keychain, but nobody waits for ever."""

FILE: Final = Limit("a file with credentials", 1_000_000, "bytes", "it has a line or two for each registry")

TOKEN_USER: Final = "<token>"  # noqa: S105 - a mark, no secret
"""As which user a helper gives an identity token."""

_HELPER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Names of helpers: part of a program's name, so never a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who asks: a user and a password, or an identity token (a refresh token of OAuth 2)."""

    user: str = ""
    password: Secret[str] | None = None
    identity: Secret[str] | None = None

    def basic(self) -> str:
        """The header of basic authentication, empty where there is no password."""
        if self.password is None:
            return ""
        pair = f"{self.user}:{self.password.reveal()}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


class Keychain(Protocol):
    """Knows credentials."""

    def __call__(self, registry: str, repository: str) -> Login | None:
        """Those for a repository, None to ask as nobody. Raises DiagnosticError (OCI008). May block."""
        ...


def nobody(registry: str, repository: str) -> Login | None:  # noqa: ARG001 - the form of a keychain
    """The keychain without credentials."""
    return None


@dataclass(frozen=True, slots=True)
class Fixed:
    """One login for one registry."""

    registry: str
    login: Login

    def __call__(self, registry: str, repository: str) -> Login | None:  # noqa: ARG002 - for all of them
        """It, for its registry."""
        return self.login if registry == self.registry else None


def files(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where credentials may be, the first one with an entry counts: Docker's file, then Podman's."""
    found: list[Path] = []
    home = environment.get("HOME")
    folder = environment.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    if folder:
        found.append(Path(folder) / "config.json")
    named = environment.get("REGISTRY_AUTH_FILE")
    runtime = environment.get("XDG_RUNTIME_DIR")
    if named:
        found.append(Path(named))
    elif runtime:
        found.append(Path(runtime) / "containers" / "auth.json")
    return tuple(found)


class Files:
    """The keychain of files, read when it is asked first."""

    def __init__(self, paths: Sequence[Path] | None = None) -> None:
        self._paths = files() if paths is None else tuple(paths)
        self._read: list[tuple[Path, dict[str, Any]]] | None = None

    def __call__(self, registry: str, repository: str) -> Login | None:
        """The login of the first file that has one. Raises DiagnosticError (OCI008)."""
        if self._read is None:
            self._read = [(path, found) for path in self._paths if (found := _config(path)) is not None]
        for path, config in self._read:
            login = _login(path, config, registry, repository)
            if login is not None:
                return login
        return None


def _config(path: Path) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            content = file.read(FILE.value + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise problem(codes.BAD_CREDENTIALS, f"{path} cannot be read: {error.strerror}") from None
    if FILE.exceeded_by(len(content)):
        raise problem(codes.BAD_CREDENTIALS, f"{path} is refused: {FILE}")
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise problem(codes.BAD_CREDENTIALS, f"{path} is not JSON") from None
    if not isinstance(value, dict):
        raise problem(codes.BAD_CREDENTIALS, f"{path} is no object")
    return value


def _login(path: Path, config: Mapping[str, Any], registry: str, repository: str) -> Login | None:
    helper = _helper(config, registry)
    if helper:
        return _helped(helper, HUB if registry == DOCKER else registry)
    rows = config.get("auths")
    if not isinstance(rows, dict):
        return None
    # A key with a scheme or the path of an API means its host (docker login wrote such ones).
    known = {_host(key): value for key, value in rows.items() if isinstance(key, str)}
    known |= {key: value for key, value in rows.items() if "/" in key and "://" not in key}
    for key in _keys(registry, repository):
        row = known.get(key)
        if isinstance(row, dict):
            return _entry(path, key, row)
    return None


def _helper(config: Mapping[str, Any], registry: str) -> str:
    rows = config.get("credHelpers")
    for key in (registry, HUB if registry == DOCKER else registry):
        found = rows.get(key) if isinstance(rows, dict) else None
        if isinstance(found, str) and found:
            return found
    store = config.get("credsStore")
    return store if isinstance(store, str) else ""


def _keys(registry: str, repository: str) -> Iterator[str]:
    """What an entry may be called, the nearest first: Podman has entries for parts of a registry."""
    parts = repository.split("/")
    for count in range(len(parts), 0, -1):
        yield f"{registry}/{'/'.join(parts[:count])}"
    yield registry
    if registry == DOCKER:
        yield "index.docker.io"


def _host(key: str) -> str:
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/v1")[0].rstrip("/")


def _entry(path: Path, key: str, row: Mapping[str, Any]) -> Login | None:
    texts = {name: row.get(name) or "" for name in ("auth", "username", "password", "identitytoken")}
    if not all(isinstance(value, str) for value in texts.values()):
        raise problem(codes.BAD_CREDENTIALS, f"the entry {key} of {path} is malformed")
    user, password = texts["username"], texts["password"]
    if texts["auth"]:
        try:
            user, colon, password = base64.b64decode(texts["auth"], validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            colon = ""
        if not colon:
            raise problem(
                codes.BAD_CREDENTIALS, f"auth of the entry {key} of {path} is not base64 of USER:PASSWORD"
            )
        password = password.rstrip("\0")
    identity = texts["identitytoken"]
    if not user and not identity:
        return None
    return Login(
        user=user,
        password=Secret(password) if user else None,
        identity=Secret(identity) if identity else None,
    )


def _helped(name: str, server: str) -> Login | None:
    """What a helper says. None where it knows nothing of the registry."""
    program = f"docker-credential-{name}"
    if not _HELPER.fullmatch(name):
        raise problem(codes.BAD_CREDENTIALS, f"{name!r} is not the name of a credential helper")
    try:
        done = subprocess.run(  # noqa: S603 - the user's own file names it, as part of a program's name
            [program, "get"], input=server.encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError:
        raise problem(codes.BAD_CREDENTIALS, f"the program {program} is not there") from None
    except subprocess.TimeoutExpired:
        raise problem(
            codes.BAD_CREDENTIALS, f"the program {program} said nothing within {SECONDS:g} s"
        ) from None
    except OSError as error:
        raise problem(
            codes.BAD_CREDENTIALS, f"the program {program} cannot be run: {error.strerror}"
        ) from None
    if done.returncode != 0:
        if b"not found" in done.stdout:
            return None
        raise problem(codes.BAD_CREDENTIALS, f"the program {program} ended with status {done.returncode}")
    try:
        value = json.loads(done.stdout[: FILE.value])
        user, secret = value["Username"], value["Secret"]
    except (ValueError, RecursionError, KeyError, TypeError):
        user = secret = None
    if not isinstance(user, str) or not isinstance(secret, str):
        raise problem(
            codes.BAD_CREDENTIALS, f"the program {program} answered with something else than credentials"
        )
    if user == TOKEN_USER:
        return Login(identity=Secret(secret))
    return Login(user=user, password=Secret(secret))
