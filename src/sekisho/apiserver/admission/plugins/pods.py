"""The plugins that complete Pods: ServiceAccount, DefaultTolerationSeconds, Priority, RuntimeClass.

Facts from Kubernetes' ``plugin/pkg/admission``. Each completes what was left out, and refuses what
contradicts the cluster; validation looks again, since a webhook may have changed the Pod in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sekisho.apiserver import names
from sekisho.apiserver.admission.asked import Asked
from sekisho.apiserver.admission.plugins.resources import amounts, containers
from sekisho.apiserver.store import Place, Store
from sekisho.kube.review import Operation

Raw = Mapping[str, Any]

PODS: Final = ("", "pods")
CLASSES: Final = ("scheduling.k8s.io", "priorityclasses")

MIRROR: Final = "kubernetes.io/config.mirror"
"""The annotation of Pods that only mirror what a kubelet runs by itself."""

TOKEN_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
TOKEN_SECONDS: Final = 3_607
"""How long a projected token is good for: an hour and a few seconds, by which the kubelet knows these."""

ENFORCED: Final = "kubernetes.io/enforce-mountable-secrets"
TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TAINT_SECONDS: Final = 300
"""How long a Pod stays on a node that is not ready, where it does not say."""


def _spec(asked: Asked) -> dict[str, Any]:
    spec = asked.subject.get("spec")
    return spec if isinstance(spec, dict) else {}


class ServiceAccounts:
    """Every Pod runs as a service account of its namespace, and mounts a token of it unless told not to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, asked: Asked) -> None:
        """Name the account, mount the token, take over the account's pull secrets."""
        if not asked.is_(PODS, Operation.CREATE):
            return
        if _mirrors(asked):
            self.validate(asked)
            return
        spec = _spec(asked)
        if not spec.get("serviceAccountName"):
            spec["serviceAccountName"] = "default"
        account = self._account(asked, spec["serviceAccountName"])
        spec.setdefault("serviceAccount", spec["serviceAccountName"])
        automount = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken"))
        if automount is not False:
            _mount_token(spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": row.get("name", "")} for row in account["imagePullSecrets"]]
        self.validate(asked)

    def validate(self, asked: Asked) -> None:
        """The account is there, and the Pod uses no secrets that it may not."""
        if not asked.is_(PODS, Operation.CREATE):
            return
        spec = _spec(asked)
        if _mirrors(asked):
            if spec.get("serviceAccountName"):
                raise asked.forbidden("a mirror pod may not reference service accounts")
            return
        name = spec.get("serviceAccountName")
        if not name:
            pod = asked.subject["metadata"].get("name", "")
            raise asked.forbidden(f"no service account specified for pod {asked.namespace}/{pod}")
        account = self._account(asked, name)
        enforced = (account["metadata"].get("annotations") or {}).get(ENFORCED, "")
        if enforced in ("1", "t", "T", "true", "TRUE", "True"):
            wrong = _unmountable(account, spec)
            if wrong:
                raise asked.forbidden(wrong)

    def _account(self, asked: Asked, name: str) -> dict[str, Any]:
        row = self._store.get(Place("", "serviceaccounts", asked.namespace, name))
        if row is None:
            where = f"{asked.namespace}/{name}"
            raise asked.forbidden(
                f'error looking up service account {where}: serviceaccount "{name}" not found'
            )
        return row.load()


def _mirrors(asked: Asked) -> bool:
    return MIRROR in (asked.subject["metadata"].get("annotations") or {})


def _mount_token(spec: dict[str, Any]) -> None:
    volumes = spec.get("volumes") or []
    known = (row.get("name", "") for row in volumes if isinstance(row, Mapping))
    name = next((row for row in known if row.startswith("kube-api-access-")), "")
    has_volume = bool(name)
    name = name or names.generated("kube-api-access-")
    mount = {"name": name, "readOnly": True, "mountPath": TOKEN_PATH}
    needed = False
    for container in containers(spec, "initContainers", "containers"):
        mounts = container.get("volumeMounts") or []
        if any(row.get("mountPath") == TOKEN_PATH for row in mounts):
            continue
        assert isinstance(container, dict), "decoded from JSON"
        container["volumeMounts"] = [*mounts, dict(mount)]
        needed = True
    if needed and not has_volume:
        spec["volumes"] = [*volumes, {"name": name, "projected": _projected()}]


def _projected() -> dict[str, Any]:
    return {
        "sources": [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": TOKEN_SECONDS}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {
                            "path": "namespace",
                            "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"},
                        }
                    ]
                }
            },
        ],
        "defaultMode": 0o644,
    }


def _unmountable(account: Raw, spec: Raw) -> str:
    """Why a Pod may not have a secret that it uses, empty where it may."""
    may = {row.get("name") for row in account.get("secrets") or ()}
    who = account["metadata"]["name"]
    tail = f"is not allowed because service account {who} does not reference that secret"
    for volume in spec.get("volumes") or ():
        secret = (volume.get("secret") or {}).get("secretName")
        if secret and secret not in may:
            return f'volume with secret.secretName="{secret}" {tail}'
    for title, list_name in (("init container", "initContainers"), ("container", "containers")):
        for container in containers(spec, list_name):
            head = f"{title} {container.get('name', '')} with"
            for row in container.get("env") or ():
                secret = ((row.get("valueFrom") or {}).get("secretKeyRef") or {}).get("name")
                if secret and secret not in may:
                    return (
                        f'{head} envVar {row.get("name", "")} referencing secret.secretName="{secret}" {tail}'
                    )
            for row in container.get("envFrom") or ():
                secret = (row.get("secretRef") or {}).get("name")
                if secret and secret not in may:
                    return f'{head} envFrom referencing secret.secretName="{secret}" {tail}'
    pulls = {row.get("name") for row in account.get("imagePullSecrets") or ()}
    for index, row in enumerate(spec.get("imagePullSecrets") or ()):
        if row.get("name") not in pulls:
            name = row.get("name", "")
            return (
                f'imagePullSecrets[{index}].name="{name}" is not allowed because service account {who} does '
                "not "
                "reference that imagePullSecret"
            )
    return ""


class Tolerations:
    """A Pod stays five minutes on a node that is not ready or not reachable, where it does not say."""

    def admit(self, asked: Asked) -> None:
        """Add what is missing."""
        if not asked.is_(PODS, Operation.CREATE, Operation.UPDATE):
            return
        spec = _spec(asked)
        rows = list(spec.get("tolerations") or ())
        missing = [taint for taint in TAINTS if not any(_tolerates(row, taint) for row in rows)]
        if missing:
            spec["tolerations"] = rows + [
                {
                    "key": taint,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": TAINT_SECONDS,
                }
                for taint in missing
            ]

    def validate(self, asked: Asked) -> None:
        """Nothing is refused."""


def _tolerates(row: Raw, taint: str) -> bool:
    return (row.get("key") or "") in ("", taint) and (row.get("effect") or "") in ("", "NoExecute")


class Priorities:
    """The priority of a Pod is that of its class; one class at most is the default."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, asked: Asked) -> None:
        """Look up the class."""
        if asked.is_(PODS, Operation.UPDATE):
            before = (asked.old or {}).get("spec") or {}
            for field in ("priority", "preemptionPolicy"):
                if field in before:
                    _spec(asked).setdefault(field, before[field])
        elif asked.is_(PODS, Operation.CREATE):
            self._complete(asked, _spec(asked))

    def _complete(self, asked: Asked, spec: dict[str, Any]) -> None:
        name, found = spec.get("priorityClassName"), None
        if name:
            row = self._store.get(Place(*CLASSES, "", name))
            if row is None:
                raise asked.forbidden(f"no PriorityClass with name {name} was found")
            found = row.load()
        else:
            found = self._default()
            if found is not None:
                spec["priorityClassName"] = found["metadata"]["name"]
        value = found.get("value", 0) if found else 0
        policy = found.get("preemptionPolicy") if found else "PreemptLowerPriority"
        tail = "must not be provided in pod spec; priority admission controller computed"
        if spec.get("priority") not in (None, value):
            raise asked.forbidden(
                f"the integer value of priority ({spec['priority']}) {tail} {value} from the given "
                "PriorityClass name"
            )
        spec["priority"] = value
        if policy is not None:
            if spec.get("preemptionPolicy") not in (None, policy):
                raise asked.forbidden(
                    f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) {tail} {policy} "
                    "from the given PriorityClass name"
                )
            spec["preemptionPolicy"] = policy

    def _default(self) -> dict[str, Any] | None:
        rows = (row.load() for row in self._store.rows(CLASSES))
        marked = [row for row in rows if row.get("globalDefault") is True]
        return min(marked, key=lambda row: int(row.get("value", 0)), default=None)

    def validate(self, asked: Asked) -> None:
        """There is one default class."""
        if (
            not asked.is_(CLASSES, Operation.CREATE, Operation.UPDATE)
            or asked.subject.get("globalDefault") is not True
        ):
            return
        known = self._default()
        name = known["metadata"]["name"] if known else ""
        if name and (asked.operation is Operation.CREATE or name != asked.subject["metadata"]["name"]):
            raise asked.forbidden(
                f"PriorityClass {name} is already marked as default. Only one default can exist"
            )


class RuntimeClasses:
    """A Pod of a RuntimeClass has its overhead and goes where it runs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, asked: Asked) -> None:
        """Take over overhead, node selector and tolerations."""
        if not asked.is_(PODS, Operation.CREATE):
            return
        spec, found = _spec(asked), self._class(asked)
        overhead = _overhead(found)
        if overhead is not None:
            if spec.get("overhead") and amounts(spec["overhead"]) != amounts(overhead):
                raise asked.forbidden(
                    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
                )
            spec["overhead"] = dict(overhead)
        scheduling = (found or {}).get("scheduling") or {}
        selector = dict(spec.get("nodeSelector") or {})
        for key, value in (scheduling.get("nodeSelector") or {}).items():
            if selector.setdefault(key, value) != value:
                raise asked.forbidden(
                    f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                    f"pod.spec.nodeSelector[{key}] = {selector[key]}"
                )
        if selector:
            spec["nodeSelector"] = selector
        rows = list(spec.get("tolerations") or ())
        added = [row for row in scheduling.get("tolerations") or () if row not in rows]
        if added:
            spec["tolerations"] = rows + added

    def validate(self, asked: Asked) -> None:
        """The overhead is the class's, and nobody else's."""
        if not asked.is_(PODS, Operation.CREATE):
            return
        spec, overhead = _spec(asked), _overhead(self._class(asked))
        if overhead is None:
            if spec.get("overhead") is not None:
                raise asked.forbidden(
                    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
                )
        elif amounts(overhead) != amounts(spec.get("overhead")):
            raise asked.forbidden(
                "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
            )

    def _class(self, asked: Asked) -> dict[str, Any] | None:
        name = _spec(asked).get("runtimeClassName")
        if name is None:
            return None
        row = self._store.get(Place("node.k8s.io", "runtimeclasses", "", name))
        if row is None:
            raise asked.forbidden(f'pod rejected: RuntimeClass "{name}" not found')
        return row.load()


def _overhead(found: Raw | None) -> Raw | None:
    overhead = (found or {}).get("overhead")
    return (overhead.get("podFixed") or {}) if isinstance(overhead, Mapping) else None
