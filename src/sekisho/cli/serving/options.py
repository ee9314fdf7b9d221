"""What ``sekisho serve`` was asked for, and the part of it that workers are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sekisho.admission import Exempt, Manner, OnFailure, Repair, Settings
from sekisho.admission.decisions import Fsync
from sekisho.admission.protect import Protect, Protected
from sekisho.admission.registration import Registered
from sekisho.cli.auditing.options import Exporting
from sekisho.cli.live import Live
from sekisho.cli.network import Chosen
from sekisho.cli.serving.engines import How
from sekisho.kube.review import Judge, Step

NAMESPACE: Final = "sekisho-system"
"""The guard's own Namespace, unless POD_NAMESPACE names another."""

ACCOUNT: Final = "sekisho"
"""The guard's own ServiceAccount."""


PARTS: Final = ("webhook", "status", "audit")
"""What ``serve`` does: answer webhooks, write what follows from policies, audit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """Who the guard is, and who may mend it."""

    namespace: str = NAMESPACE
    account: str = ACCOUNT
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("system:masters",)

    @property
    def username(self) -> str:
        """The guard's own user."""
        return f"system:serviceaccount:{self.namespace}:{self.account}"

    def repair(self) -> Repair:
        """What is never judged."""
        return Repair(
            namespace=self.namespace,
            account=self.username,
            users=frozenset(self.users),
            groups=frozenset(self.groups),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """How the webhook answers: all that a worker is told, as plain values."""

    own: Own = Own()
    exempt: tuple[str, ...] = ()
    exempt_prefixes: tuple[str, ...] = ()
    exempt_suffixes: tuple[str, ...] = ()
    on_failure: str = OnFailure.WEBHOOK.value
    fields: bool = False
    client: str = ""
    cache: bool = True
    external_files: tuple[str, ...] = ()
    external_hosts: tuple[str, ...] = ()
    owner_key: str = ""
    drain_seconds: float = 5.0
    log_denies: bool = False
    emit_events: bool = False
    events_involved: bool = False
    decisions: str = ""
    fsync: str = Fsync.SECOND.value
    configurations: tuple[str, ...] = ()
    protect_policies: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it travels to a worker."""
        return asdict(self)

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Webhook:
        """As it arrives there."""
        return cls(**{**_tuples(raw), "own": Own(**_tuples(raw["own"]))})

    def exemptions(self) -> Exempt:
        """Which Namespaces may have the ignore label; the guard's own is among them."""
        names = frozenset((*self.exempt, self.own.namespace))
        return Exempt(names=names, prefixes=self.exempt_prefixes, suffixes=self.exempt_suffixes)

    def settings(self) -> Settings:
        """What is asked before policies."""
        repair = self.own.repair()
        protected = Protected(
            configurations=frozenset(self.configurations),
            rights=frozenset((self.own.account,)),
            policies=self.protect_policies,
        )
        guard: Step[Judge] = Step(name="protect", call=Protect(repair, protected))
        return Settings(exempt=self.exemptions(), repair=repair, guards=(guard,))

    def manner(self) -> Manner:
        """How answers read."""
        return Manner(on_failure=OnFailure(self.on_failure), fields=self.fields)

    def how(self) -> How:
        """How engines are built."""
        external = Chosen(files=self.external_files, hosts=self.external_hosts)
        return How(cache=self.cache, external=external, owner_key=self.owner_key, positions=False, warm=True)


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """All options. ``policies`` are files and folders, ``live`` is the cluster that is guarded.

    Without ``cert_dir`` and a cluster there is no TLS.
    """

    policies: tuple[str, ...] = ()
    host: str = ""
    port: int = 8443
    health: int = 9090
    metrics: int = 8888
    workers: int = 2
    cert_dir: str = ""
    live: Live | None = None
    only: tuple[str, ...] = PARTS
    registered: Registered = field(default_factory=Registered)
    minimum: str = "1.3"
    clients: str = ""
    shutdown_delay: float = 0.0
    webhook: Webhook = field(default_factory=Webhook)
    exporting: Exporting | None = None


def serving_of(flags: Mapping[str, Any], external: Chosen, exporting: Exporting | None = None) -> Serving:
    """The options of a command line."""
    import os

    own = Own(
        namespace=flags["namespace"],
        account=flags["service_account"],
        users=flags["admin_user"],
        groups=flags["admin_group"],
    )
    registered = Registered(
        validating=flags["validating_webhook_configuration_name"],
        mutating=flags["mutating_webhook_configuration_name"],
        namespace=flags["namespace"],
        service=flags["service_name"],
        failure=flags["webhook_failure_policy"],
        seconds=flags["webhook_timeout"],
        url=flags["webhook_url"].rstrip("/"),
    )
    webhook = Webhook(
        own=own,
        exempt=flags["exempt_namespace"],
        exempt_prefixes=flags["exempt_namespace_prefix"],
        exempt_suffixes=flags["exempt_namespace_suffix"],
        on_failure=flags["failure_policy"],
        fields=flags["fields"],
        client=flags["client_cn_name"] if flags["client_ca_name"] else "",
        cache=not (flags["no_cache"] or os.environ.get("SEKISHO_NO_CACHE")),
        external_files=external.files,
        external_hosts=external.hosts,
        log_denies=flags["log_denies"],
        emit_events=flags["emit_admission_events"],
        events_involved=flags["admission_events_involved_namespace"],
        decisions=flags["decision_log"],
        fsync=flags["decision_log_fsync"],
        configurations=tuple(sorted(registered.names())),
        protect_policies=flags["protect_policies"],
    )
    return Serving(
        policies=flags["policies"],
        host=flags["host"],
        port=flags["port"],
        health=flags["health_port"],
        metrics=flags["prometheus_port"],
        workers=flags["workers"],
        cert_dir=flags["cert_dir"],
        live=live_of(flags),
        only=flags["only"],
        registered=registered,
        minimum=flags["tls_min_version"],
        clients=flags["client_ca_name"],
        shutdown_delay=flags["shutdown_delay"],
        webhook=webhook,
        exporting=exporting,
    )


def live_of(flags: Mapping[str, Any]) -> Live | None:
    """The cluster that is guarded: one that is named, else that of the Pod, else none."""
    import os

    if flags["kubeconfig"] or flags["context"]:
        return Live(kubeconfig=flags["kubeconfig"], context=flags["context"])
    return Live() if os.environ.get("KUBERNETES_SERVICE_HOST") else None
