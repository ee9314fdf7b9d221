"""A cluster in a folder: its store, its keys, its server, and the objects that every cluster begins with.

The folder holds ``objects.sqlite``, ``pki`` (the authority and the key of service accounts, kept for good),
``token`` (the administrator's) and ``kubeconfig``, written anew at every start.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sekisho.apiserver import codes, names
from sekisho.apiserver.admission import UNGUARDED, Guarding
from sekisho.apiserver.api import Api
from sekisho.apiserver.audit import AuditLog
from sekisho.apiserver.authenticate import Authentication, StaticToken
from sekisho.apiserver.authorize import MASTERS
from sekisho.apiserver.authz import Rbac, bootstrap_roles
from sekisho.apiserver.controllers import Controller, Controllers
from sekisho.apiserver.controllers.budgets import Budgets
from sekisho.apiserver.controllers.certificate import RootCertificate
from sekisho.apiserver.controllers.garbage import GarbageCollector
from sekisho.apiserver.controllers.graces import PodEnd
from sekisho.apiserver.controllers.hand import Hand
from sekisho.apiserver.controllers.namespaces import NamespaceEnd
from sekisho.apiserver.controllers.protection import StorageInUse
from sekisho.apiserver.controllers.workloads import workloads
from sekisho.apiserver.files import private_file
from sekisho.apiserver.kubeconfig import Access, kubeconfig
from sekisho.apiserver.registry import built_in_registry
from sekisho.apiserver.server import Server
from sekisho.apiserver.services.pools import KUBERNETES
from sekisho.apiserver.store import Place, Store, unusable
from sekisho.diag import Diagnostic, DiagnosticError, Secret
from sekisho.kube.review import UserInfo

if TYPE_CHECKING:
    from sekisho.apiserver.runtime import PodRuntime
    from sekisho.web.authority import Authority

NAMESPACES: Final = ("default", "kube-node-lease", "kube-public", "kube-system")

PRIORITIES: Final = (
    (
        "system-cluster-critical",
        2_000_000_000,
        (
            "Used for system critical pods that must run in the cluster, but can be moved to another node if "
            "necessary."
        ),
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
)
"""The PriorityClasses that every cluster has."""

LOOPBACK: Final = "127.0.0.1"
PORT: Final = 6443
"""kube-apiserver's own."""

ADMINISTRATOR: Final = UserInfo(username="kubernetes-admin", groups=(MASTERS,))
"""Whose certificate stands in the kubeconfig."""

SERVER_NAMES: Final = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    LOOPBACK,
    "::1",
)
"""Under which names clients may know the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where a cluster is kept and where it listens; port 0 is any free one. ``audit``: a file for its log."""

    folder: Path
    host: str = LOOPBACK
    port: int = PORT
    audit: Path | None = None


More = Callable[[Api], Sequence[Controller]]
"""Controllers of an API, beside the built-in ones."""


def no_more(_: Api) -> Sequence[Controller]:
    """None."""
    return ()


class Cluster:
    """A running cluster. ``start`` is the way in; everything is called in its loop."""

    def __init__(
        self,
        settings: Settings,
        authority: Authority,
        api: Api,
        server: Server,
        controllers: Controllers,
    ) -> None:
        self.folder = settings.folder
        self.api = api
        self.server = server
        self.url = f"https://{_reachable(settings.host)}:{server.port}"
        self.controllers = controllers
        self._store = api.store
        self._authority = authority

    def access(self, user: UserInfo) -> Access:
        """How a part of this program reaches the server as a user of its own: a certificate just made."""
        from sekisho.web.authority import Name

        identity = self._authority.issue_client(Name(user.username, user.groups))
        return Access(server=self.url, authority=self._authority.certificate, identity=identity)

    @property
    def kubeconfig(self) -> Path:
        """The file that clients read."""
        return self.folder / "kubeconfig"

    @classmethod
    async def start(
        cls,
        settings: Settings,
        guarding: Guarding = UNGUARDED,
        *,
        runtime: PodRuntime | None = None,
        more: More = no_more,
    ) -> Cluster:
        """Open a folder and listen; ``guarding`` is who is asked about writes. Raises DiagnosticError
        (API001-API003, API010-API011).

        When it returns, the kubeconfig is written and the server answers. Without ``runtime`` Pods stay
        Pending. ``more`` gives controllers beside the built-in ones.
        """
        store = open_store(settings.folder)
        try:
            return await cls._start(settings, store, guarding, (runtime, more))
        except BaseException:
            await store.close()
            raise

    @classmethod
    async def _start(
        cls,
        settings: Settings,
        store: Store,
        guarding: Guarding,
        parts: tuple[PodRuntime | None, More],
    ) -> Cluster:
        from sekisho.apiserver.tokens import ServiceAccountTokens, key_of

        try:
            authority = _authority(settings.folder / "pki")
            accounts = ServiceAccountTokens(key_of(settings.folder / "pki" / "sa.key"), store.get)
            token = StaticToken(token=_token(settings.folder / "token"), user=ADMINISTRATOR)
        except DiagnosticError as error:
            raise _unusable(settings.folder / "pki", error.diagnostics[0].message) from None
        except OSError as error:
            raise _unusable(settings.folder / "pki", error.strerror or str(error)) from None
        except ValueError:
            raise _unusable(settings.folder / "pki", "sa.key or the token is malformed") from None
        authentication = Authentication(tokens=(token,), accounts=accounts)
        api = Api(
            store,
            guarding=guarding,
            authorizer=Rbac(store),
            authentication=authentication,
        )
        api.runtime, more = parts
        api.audit = _audit(settings.audit)
        await bootstrap(api)
        controllers = Controllers(store, [*built_in(api, authority.certificate), *more(api)])
        await controllers.start()
        try:
            return await cls._listen(settings, authority, api, (authentication, controllers))
        except BaseException:
            await controllers.stop()
            raise

    @classmethod
    async def _listen(
        cls,
        settings: Settings,
        authority: Authority,
        api: Api,
        parts: tuple[Authentication, Controllers],
    ) -> Cluster:
        from sekisho.web.authority import server_context

        authentication, controllers = parts
        server = Server(api, authenticate=authentication)
        identity = authority.issue_server(_names(settings.host))
        try:
            await server.start(settings.host, settings.port, server_context(identity, authority.certificate))
        except OSError as error:
            raise _not_listening(settings, error) from None
        cluster = cls(settings, authority, api, server, controllers)
        try:
            private_file(cluster.kubeconfig, kubeconfig(cluster.access(ADMINISTRATOR)))
        except OSError as error:
            await server.stop()
            raise unusable(cluster.kubeconfig, error.strerror) from None
        return cluster

    async def stop(self) -> None:
        """Take no more requests, let those under way end, write what is to be written, close."""
        self._store.hub.close()
        await self.server.stop()
        await self.controllers.stop()
        await self.api.close()
        await self._store.close()


def built_in(api: Api, authority: str) -> list[Controller]:
    """The controllers of every cluster; ``authority`` is the certificate of its own authority, PEM."""
    return [
        NamespaceEnd(Hand(api, NamespaceEnd.name)),
        GarbageCollector(Hand(api, GarbageCollector.name)),
        RootCertificate(Hand(api, RootCertificate.name), authority),
        Budgets(Hand(api, Budgets.name)),
        PodEnd(Hand(api, PodEnd.name)),
        StorageInUse(Hand(api, StorageInUse.name)),
        *workloads(api, runtime=api.runtime is not None),
    ]


def open_store(folder: Path) -> Store:
    """The store of a folder, with the fields of built-in kinds. Raises DiagnosticError (API001-API003)."""
    registry = built_in_registry()

    def describe(place: Place, value: Mapping[str, Any]) -> Mapping[str, str]:
        found = registry.stored(place.resource)
        return found.strategy.fields(value) if found else {}

    return Store.open(folder, describe)


async def bootstrap(api: Api) -> None:
    """Make what is missing of the objects that are always there."""
    await bootstrap_roles(api.store)
    await begin(api)


async def begin(api: Api) -> None:
    """The same without the roles, which nobody asks who is not asked who he is."""
    for name in NAMESPACES:
        place = Place("", "namespaces", "", name)
        if api.store.get(place) is None:
            await api.store.write(place, _namespace(name), base=None)
    for name, value, description in PRIORITIES:
        place = Place("scheduling.k8s.io", "priorityclasses", "", name)
        if api.store.get(place) is None:
            await api.store.write(place, _priority(name, value, description), base=None)
    service = Place("", "services", "default", "kubernetes")
    if api.store.get(service) is None:
        await api.store.write(service, _service(), base=None)
    for settle in (api.definitions.settle, api.aggregation.settle, api.accounts.settle):
        await settle()


def _priority(name: str, value: int, description: str) -> dict[str, Any]:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {
            "name": name,
            "uid": names.new_uid(),
            "creationTimestamp": names.timestamp(),
            "generation": 1,
        },
        "value": value,
        "description": description,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": names.new_uid(),
            "creationTimestamp": names.timestamp(),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _service() -> dict[str, Any]:
    """The Service under which Pods would know the API."""
    port = {"name": "https", "protocol": "TCP", "port": 443, "targetPort": PORT}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": "kubernetes",
            "namespace": "default",
            "uid": names.new_uid(),
            "creationTimestamp": names.timestamp(),
            "labels": {"component": "apiserver", "provider": "kubernetes"},
        },
        "spec": {
            "ports": [port],
            "clusterIP": KUBERNETES,
            "clusterIPs": [KUBERNETES],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": {}},
    }


def _audit(file: Path | None) -> AuditLog | None:
    """The log that is asked for. Raises DiagnosticError (API003)."""
    if file is None:
        return None
    try:
        return AuditLog(file)
    except OSError as error:
        raise unusable(file, error.strerror) from None


def _authority(folder: Path) -> Authority:
    """The authority of a folder, made anew where there is none. Raises OSError, DiagnosticError (CLU009)."""
    from sekisho.web.authority import Authority

    certificate, key = folder / "ca.crt", folder / "ca.key"
    if certificate.exists() and key.exists():
        return Authority.load(
            certificate.read_text(encoding="ascii"), Secret(key.read_text(encoding="ascii"))
        )
    made = Authority.make("sekisho")
    private_file(key, made.key.reveal())
    private_file(certificate, made.certificate)
    return made


def _token(file: Path) -> Secret[str]:
    """The administrator's token, made anew where there is none."""
    if file.exists() and (text := file.read_text(encoding="ascii").strip()):
        return Secret(text)
    made = secrets.token_urlsafe(32)
    private_file(file, made + "\n")
    return Secret(made)


def _names(host: str) -> tuple[str, ...]:
    """The names and addresses of the server's certificate."""
    more = () if host in SERVER_NAMES or _everywhere(host) else (host,)
    return (*SERVER_NAMES, *more)


def _everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _reachable(host: str) -> str:
    """The host as clients on this machine name it in a URL."""
    if _everywhere(host):
        return LOOPBACK
    return f"[{host}]" if ":" in host else host


def _not_listening(settings: Settings, error: OSError) -> DiagnosticError:
    where = f"{settings.host}:{settings.port}"
    known = error.errno is not None and error.errno > 0
    why = os.strerror(error.errno or 0).lower() if known else error.strerror or str(error)
    message = f"the server cannot listen on {where}: {why}"
    taken = error.errno in (errno.EADDRINUSE, errno.EACCES)
    help = (
        "stop what listens there, or name another port with --port; 0 is any free one"
        if taken
        else "name an address of this machine with --host; 127.0.0.1 without it"
    )
    return DiagnosticError(Diagnostic(code=codes.NOT_LISTENING, message=message, help=help))


def _unusable(folder: Path, why: str) -> DiagnosticError:
    message = f"the keys in {folder} cannot be used: {why}"
    help = "restore them from a copy, or remove the folder: new ones are made, and old kubeconfigs end"
    return DiagnosticError(Diagnostic(code=codes.UNUSABLE_KEYS, message=message, help=help))
