"""Where credentials come from: fixed ones, a file that is rotated, a program that is run (exec plugins).

A program's answer is an ExecCredential (client.authentication.k8s.io v1 or v1beta1); it is kept until it
expires, or until the server refuses it. Its output never comes into an error, since it may be a secret.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sekisho.cluster import codes
from sekisho.cluster.connection import NOBODY, Credentials
from sekisho.diag import Diagnostic, DiagnosticError, Secret
from sekisho.kube.decode import parse_time
from sekisho.web import Identity

VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

MODES: Final = ("IfAvailable", "Never")
"""Whether a plugin may ask somebody at the terminal; version v1 must say so. Here nobody is there to ask."""

SECONDS: Final = 60.0
"""How long a program may take: it may ask somebody, but nobody waits for ever."""

MAX_OUTPUT: Final = 1_000_000
"""Characters of a program's answer: a chain of certificates is some thousands."""

FRESH: Final = 60.0
"""Seconds for which a token from a file is used before the file is read again, as client-go does."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same credentials always."""

    credentials: Credentials

    def __call__(self, renew: bool) -> Credentials:  # noqa: ARG002 - there are no others
        """Those."""
        return self.credentials


@dataclass(slots=True)
class Files:
    """A token that is in a file, which somebody rotates.

    ``fixed`` is shown beside it, and in its place where the file cannot be read.
    """

    path: Path
    fixed: Credentials = NOBODY
    _read: float = 0.0
    _token: str = field(default="", repr=False)

    def __call__(self, renew: bool) -> Credentials:
        """The token of the file. Raises DiagnosticError (CLU022)."""
        import time

        now = time.monotonic()
        if renew or not self._token or now - self._read > FRESH:
            try:
                self._token = self.path.read_text(encoding="ascii").strip()
            except (OSError, UnicodeDecodeError) as error:
                if self.fixed.token is not None:
                    return self.fixed
                why = error.strerror if isinstance(error, OSError) else "it is no token"
                raise _unavailable(f"{self.path} cannot be read: {why}") from None
            if not self._token:
                raise _unavailable(f"{self.path} is empty, so it has no token")
            self._read = now
        return replace(self.fixed, token=Secret(self._token))


@dataclass(slots=True)
class Exec:
    """A program that gives credentials."""

    command: Sequence[str]
    environment: Mapping[str, str]
    version: str
    hint: str = ""
    cluster: Mapping[str, Any] | None = None
    _kept: Credentials | None = field(default=None, repr=False)
    _expires: datetime | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def of(cls, raw: Any, folder: Path, cluster: Mapping[str, Any]) -> Exec:
        """The plugin that a kubeconfig names, for a cluster; raises ValueError for a malformed one."""
        if not isinstance(raw, dict) or not isinstance(raw.get("command"), str) or not raw["command"]:
            raise ValueError("exec must name a command")
        version = raw.get("apiVersion")
        if version not in VERSIONS:
            raise ValueError(f"exec.apiVersion must be one of {', '.join(VERSIONS)}, not {version!r}")
        args = raw.get("args") or []
        rows = raw.get("env") or []
        if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
            raise ValueError("exec.args must be a list of strings")
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and isinstance(row.get("name"), str) and row["name"] for row in rows
        ):
            raise ValueError("exec.env must be a list of names and values")
        mode = raw.get("interactiveMode") or ("" if version == VERSIONS[0] else MODES[0])
        if mode not in (*MODES, "Always"):
            raise ValueError(f"exec.interactiveMode must be one of {', '.join(MODES)}, not {mode!r}")
        if mode == "Always":
            raise ValueError("exec.interactiveMode Always needs a terminal, which is not given to it here")
        command = raw["command"]
        # A command with a slash belongs to the file that it stands in; another one is looked for in PATH.
        program = str(folder / command) if "/" in command else command
        environment = {row["name"]: str(row.get("value") or "") for row in rows}
        hint = str(raw.get("installHint") or "")
        told = cluster if raw.get("provideClusterInfo") is True else None
        return cls([program, *args], environment, version, hint, told)

    def __call__(self, renew: bool) -> Credentials:
        """Its credentials, new ones if the old have expired. Raises DiagnosticError (CLU022)."""
        with self._lock:
            expired = self._expires is not None and datetime.now(UTC) >= self._expires
            if self._kept is None or renew or expired:
                self._kept, self._expires = self._run()
            return self._kept

    def _run(self) -> tuple[Credentials, datetime | None]:
        spec: dict[str, Any] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = dict(self.cluster)
        asked = {"apiVersion": self.version, "kind": "ExecCredential", "spec": spec}
        environment = {**os.environ, **self.environment, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
        name = self.command[0]
        try:
            done = subprocess.run(  # noqa: S603 - the user's own kubeconfig names it
                list(self.command),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise _unavailable(f"the program {name} is not there", self.hint) from None
        except subprocess.TimeoutExpired:
            raise _unavailable(f"the program {name} gave no credentials within {SECONDS:g} s") from None
        except OSError as error:
            raise _unavailable(f"the program {name} cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            raise _unavailable(f"the program {name} ended with status {done.returncode}", self.hint)
        return self._read(done.stdout)

    def _read(self, output: bytes) -> tuple[Credentials, datetime | None]:
        name = self.command[0]
        bad = _unavailable(f"the program {name} answered with something else than an ExecCredential")
        if len(output) > MAX_OUTPUT:
            raise bad
        try:
            value = json.loads(output)
        except (ValueError, RecursionError):
            raise bad from None
        status = value.get("status") if isinstance(value, dict) else None
        if not isinstance(status, dict) or value.get("kind") != "ExecCredential":
            raise bad
        if value.get("apiVersion") != self.version:
            message = f"the program {name} answered in another version than {self.version}"
            raise _unavailable(message)
        token, chain, key = (
            status.get(part) or "" for part in ("token", "clientCertificateData", "clientKeyData")
        )
        if not all(isinstance(part, str) for part in (token, chain, key)) or bool(chain) is not bool(key):
            raise bad
        if not token and not chain:
            raise _unavailable(f"the program {name} gave neither a token nor a certificate")
        expires = status.get("expirationTimestamp")
        moment = parse_time(expires) if isinstance(expires, str) else None
        identity = Identity(chain=chain, key=Secret(key)) if chain else None
        return Credentials(token=Secret(token) if token else None, identity=identity), moment


def _unavailable(message: str, help: str = "") -> DiagnosticError:
    return DiagnosticError(Diagnostic(code=codes.BAD_CREDENTIALS, message=message, help=help))
