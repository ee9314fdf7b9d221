"""kubeconfig: which cluster, which user, which namespace (client-go ``clientcmd``).

Files are merged as kubectl merges them: of two entries with one name in two files the first one counts, as of
two values of ``current-context``; relative paths belong to the file that they stand in. A missing file of a
list is passed over. Unknown fields are ignored, since providers add their own. What kubectl refuses is
refused; tests/conformance/kubeconfig compares the two.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sekisho import manifest
from sekisho.cluster import codes
from sekisho.cluster.connection import Connection, Credentials, Impersonation, Provide
from sekisho.cluster.credentials import Exec, Files, Fixed
from sekisho.diag import Diagnostic, DiagnosticError, ObjectPath, ObjectRef, Secret
from sekisho.diag import Path as ValuePath
from sekisho.kube.names import dns_label
from sekisho.web import Identity, Trust

VARIABLE: Final = "KUBECONFIG"
HOME_FILE: Final = Path(".kube") / "config"

PROXIES: Final = ("http", "https", "socks5")
"""The kinds of proxies that client-go knows."""

EXTENSION: Final = "client.authentication.k8s.io/exec"
"""The extension of a cluster that is meant for plugins."""

_HEAD: Final = {"apiVersion": "v1", "kind": "Config"}

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a Pod finds the token, the bundle and the namespace that it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a command asks for beside the files; empty is what they say."""

    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    server: str = ""
    impersonate: Impersonation = field(default_factory=Impersonation)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One named entry, and where it stands."""

    name: str
    value: Mapping[str, Any]
    document: manifest.Document
    path: ValuePath
    folder: Path


def files(explicit: str = "", environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files that count: the one named, else those of KUBECONFIG, else the one in the home folder."""
    if explicit:
        return (Path(explicit),)
    listed = [Path(part) for part in environment.get(VARIABLE, "").split(os.pathsep) if part]
    if listed:
        return tuple(listed)
    home = environment.get("HOME")
    return (Path(home) / HOME_FILE,) if home else ()


class Config:
    """The merged files."""

    def __init__(self, documents: Sequence[tuple[manifest.Document, Path]]) -> None:
        self.current = ""
        self._named: dict[str, dict[str, _Entry]] = {"clusters": {}, "contexts": {}, "users": {}}
        for document, folder in documents:
            self._add(document, folder)

    @classmethod
    def read(cls, paths: Iterable[Path], *, explicit: bool = False) -> Config:
        """Merge files. Raises DiagnosticError (CLU020, SRC…); an ``explicit`` file must be there."""
        found: list[tuple[manifest.Document, Path]] = []
        for path in paths:
            if not explicit and not path.exists():
                continue
            # Of several documents kubectl reads the first.
            documents = manifest.load(manifest.read_source(str(path)))[:1]
            found += ((document, path.parent) for document in documents if document.value is not None)
        return cls(found)

    @property
    def contexts(self) -> tuple[str, ...]:
        """The names of the contexts, in their order."""
        return tuple(self._named["contexts"])

    def _add(self, document: manifest.Document, folder: Path) -> None:
        value = document.value
        if not isinstance(value, dict):
            raise _wrong(document, (), "it must be a mapping")
        for key, known in _HEAD.items():
            if value.get(key) not in (None, "", known):
                raise _wrong(document, (key,), f"{key} must be {known}")
        current = value.get("current-context") or ""
        if not isinstance(current, str):
            raise _wrong(document, ("current-context",), "current-context must be a string")
        self.current = self.current or current
        for kind, named in self._named.items():
            rows = value.get(kind) or []
            if not isinstance(rows, list):
                raise _wrong(document, (kind,), f"{kind} must be a list")
            entries = [_entry(document, folder, kind, at, row) for at, row in enumerate(rows)]
            names = Counter(entry.name for entry in entries)
            for entry in entries:
                if names[entry.name] > 1:
                    message = f'there are two entries "{entry.name}" among the {kind}'
                    raise _wrong(document, entry.path, message)
                named.setdefault(entry.name, entry)

    def find(self, kind: str, name: str) -> _Entry | None:
        """An entry by its name."""
        return self._named[kind].get(name)


def _entry(document: manifest.Document, folder: Path, kind: str, at: int, row: Any) -> _Entry:
    path: ValuePath = (kind, at)
    if not isinstance(row, dict):
        raise _wrong(document, path, f"an entry of {kind} must be a mapping")
    name = row.get("name") or ""
    if not isinstance(name, str):
        raise _wrong(document, (*path, "name"), f"the name of an entry of {kind} must be a string")
    inner = row.get(kind[:-1])
    if inner is None:
        inner = {}
    if not isinstance(inner, dict):
        raise _wrong(document, (*path, kind[:-1]), f"{kind[:-1]} must be a mapping")
    return _Entry(name, inner, document, (*path, kind[:-1]), folder)


def connection(config: Config, wanted: Wanted = Wanted()) -> Connection:
    """The connection of a context. Raises DiagnosticError (CLU020, CLU021)."""
    name = wanted.context or config.current
    context = config.find("contexts", name) if name else None
    if context is None and not (wanted.cluster or wanted.server):
        raise DiagnosticError(_no_context(config, name))
    cluster = _linked(config, context, "clusters", wanted.cluster)
    user = _linked(config, context, "users", wanted.user)
    server = wanted.server or (_text(cluster, "server") if cluster else "")
    if not server:
        message = (
            "no server is configured" if cluster is None else f"the cluster {cluster.name} has no server"
        )
        raise DiagnosticError(Diagnostic(code=codes.NO_CLUSTER, message=message))
    trust = _trust(cluster)
    proxy = _proxy(cluster) if cluster else ""
    return Connection(
        server=server.rstrip("/"),
        trust=trust,
        credentials=_credentials(user, _told(cluster, server, trust, proxy)),
        namespace=wanted.namespace or _namespace(context) or "default",
        proxy=proxy,
        impersonate=_impersonation(user, wanted.impersonate),
        context=name,
    )


def _namespace(context: _Entry | None) -> str:
    namespace = _text(context, "namespace") if context else ""
    if context is not None and namespace:
        for wrong in dns_label(namespace):
            raise _wrong(context.document, (*context.path, "namespace"), wrong)
    return namespace


def _proxy(cluster: _Entry) -> str:
    proxy = _text(cluster, "proxy-url")
    if proxy and urlsplit(proxy).scheme not in PROXIES:
        message = f"proxy-url must begin with one of {', '.join(f'{scheme}://' for scheme in PROXIES)}"
        raise _wrong(cluster.document, (*cluster.path, "proxy-url"), message)
    return proxy


def _told(cluster: _Entry | None, server: str, trust: Trust, proxy: str) -> Mapping[str, Any]:
    """What a plugin is told of the cluster, if it wants that."""
    rows = cluster.value.get("extensions") if cluster else None
    config = next(
        (
            row.get("extension")
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict) and row.get("name") == EXTENSION
        ),
        None,
    )
    told = {
        "server": server,
        "tls-server-name": trust.name,
        "certificate-authority-data": base64.b64encode(trust.ca.encode()).decode(),
        "proxy-url": proxy,
    }
    return {**{key: value for key, value in told.items() if value}, "config": config}


def _no_context(config: Config, name: str) -> Diagnostic:
    known = ", ".join(config.contexts)
    help = f"there are: {known}" if known else f"set {VARIABLE}, or start a cluster with sekisho up"
    message = f'there is no context "{name}"' if name else "no context is current"
    return Diagnostic(code=codes.NO_CLUSTER, message=message, help=help)


def _linked(config: Config, context: _Entry | None, kind: str, override: str) -> _Entry | None:
    name = override or (_text(context, kind[:-1]) if context else "")
    if not name:
        return None
    found = config.find(kind, name)
    if found is None:
        message = f'there is no entry "{name}" among the {kind}'
        if context is None or override:
            raise DiagnosticError(Diagnostic(code=codes.NO_CLUSTER, message=message))
        raise _wrong(context.document, (*context.path, kind[:-1]), message)
    return found


def _text(entry: _Entry, key: str) -> str:
    value = entry.value.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(entry.document, (*entry.path, key), f"{key} must be a string")
    return value


def _bytes(entry: _Entry, key: str) -> str:
    """PEM: from ``KEY-data`` in base64, else from the file that ``KEY`` names; empty without either."""
    data = _text(entry, f"{key}-data")
    if data and _text(entry, key):
        message = f"{key} and {key}-data exclude each other"
        raise _wrong(entry.document, (*entry.path, key), message)
    if data:
        try:
            return base64.b64decode(data, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            message = f"{key}-data is not base64 of PEM"
            raise _wrong(entry.document, (*entry.path, f"{key}-data"), message) from None
    file = _text(entry, key)
    if not file:
        return ""
    path = entry.folder / file
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not PEM"
        raise _wrong(entry.document, (*entry.path, key), f"{path} cannot be read: {why}") from None


def _trust(cluster: _Entry | None) -> Trust:
    if cluster is None:
        return Trust()
    if cluster.value.get("insecure-skip-tls-verify") is True:
        message = (
            "insecure-skip-tls-verify is not supported: whoever is in between could read the credentials"
        )
        at = (*cluster.path, "insecure-skip-tls-verify")
        raise _wrong(cluster.document, at, message, "give certificate-authority-data")
    return Trust(ca=_bytes(cluster, "certificate-authority"), name=_text(cluster, "tls-server-name"))


def _credentials(user: _Entry | None, told: Mapping[str, Any]) -> Provide:
    if user is None:
        return Fixed(Credentials())
    if user.value.get("auth-provider") is not None:
        message = "auth-provider is gone from Kubernetes since 1.26"
        raise _wrong(user.document, (*user.path, "auth-provider"), message, "use an exec plugin")
    chain, key = _bytes(user, "client-certificate"), _bytes(user, "client-key")
    if bool(chain) is not bool(key):
        raise _wrong(user.document, user.path, "client-certificate and client-key belong together")
    identity = Identity(chain=chain, key=Secret(key)) if chain else None
    file, token = _text(user, "tokenFile"), _text(user, "token")
    fixed = Credentials(token=Secret(token) if token else None, identity=identity)
    username, password = _text(user, "username"), _text(user, "password")
    if username or password:
        message = "username and password are no credentials of the API server since Kubernetes 1.19"
        raise _wrong(user.document, (*user.path, "username"), message, "use a token or a certificate")
    command = user.value.get("exec")
    plugin = None if command is None else _exec(user, command, told)
    if file:
        return Files(user.folder / file, fixed)
    # What is written down goes before a plugin, which is not even run then.
    return plugin if plugin is not None and not (token or chain) else Fixed(fixed)


def _exec(user: _Entry, command: Any, told: Mapping[str, Any]) -> Provide:
    path: ValuePath = (*user.path, "exec")
    try:
        return Exec.of(command, user.folder, told)
    except ValueError as error:
        raise _wrong(user.document, path, str(error)) from None


def _impersonation(user: _Entry | None, wanted: Impersonation) -> Impersonation:
    if wanted.user or user is None:
        return wanted
    groups = user.value.get("as-groups") or []
    extra = user.value.get("as-user-extra") or {}
    if not isinstance(groups, list) or not isinstance(extra, dict):
        raise _wrong(user.document, user.path, "as-groups is a list and as-user-extra a mapping of lists")
    if (groups or extra or _text(user, "as-uid")) and not _text(user, "as"):
        message = "as-uid, as-groups and as-user-extra say more of whom as names, and it names nobody"
        raise _wrong(user.document, user.path, message)
    return Impersonation(
        user=_text(user, "as"),
        uid=_text(user, "as-uid"),
        groups=tuple(str(group) for group in groups),
        extra={str(key): tuple(str(row) for row in values or ()) for key, values in extra.items()},
    )


def in_cluster(
    folder: Path = SERVICE_ACCOUNT, environment: Mapping[str, str] = os.environ
) -> Connection | None:
    """The connection of a Pod by its ServiceAccount, None outside of one. Raises DiagnosticError (CLU022)."""
    host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
    if not host or not port or not (folder / "token").exists():
        return None
    try:
        ca = (folder / "ca.crt").read_text(encoding="ascii")
        namespace = (folder / "namespace").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the ServiceAccount of this Pod cannot be read: {error}"
        raise DiagnosticError(Diagnostic(code=codes.BAD_CREDENTIALS, message=message)) from None
    name = f"[{host}]" if ":" in host else host
    return Connection(
        server=f"https://{name}:{port}",
        trust=Trust(ca=ca),
        credentials=Files(folder / "token"),
        namespace=namespace or "default",
        context="in-cluster",
    )


def load(explicit: str = "", wanted: Wanted = Wanted()) -> Connection:
    """The connection that kubectl would use here: a kubeconfig's, else the Pod's. Raises DiagnosticError."""
    paths = files(explicit)
    config = Config.read(paths, explicit=bool(explicit))
    if not explicit and not config.contexts and not (wanted.cluster or wanted.server):
        found = in_cluster()
        if found is not None:
            return found
    return connection(config, wanted)


def _wrong(document: manifest.Document, path: ValuePath, message: str, help: str = "") -> DiagnosticError:
    ref = ObjectRef(group_version="v1", kind="Config")
    at = ObjectPath(ref=ref, path=path, origin=document)
    return DiagnosticError(Diagnostic(code=codes.BAD_KUBECONFIG, message=message, at=at, help=help))
