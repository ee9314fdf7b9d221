"""Pods, workloads and parameters for the policies of the library that are written in Rego and in CEL."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sekisho.kube.object import Object

IMAGES: Final = (
    "registry.example.com/web:1",
    "registry.example.com/tools/sh:2",
    "nginx",
    "other.example/x@sha256:0",
)
EXEMPT: Final = ("registry.example.com/tools/*", "nginx", "*", "nothing", "registry.example.com/*", "ngin*x")
CAPABILITIES: Final = ("NET_ADMIN", "net_raw", "NET_RAW", "SYS_TIME", "ALL", "all", "*")
PROFILES: Final = (
    {"type": "RuntimeDefault"},
    {"type": "Unconfined"},
    {"type": "Localhost", "localhostProfile": "a.json"},
    {"type": "Localhost", "localhostProfile": "b/c.json"},
    {"type": "Localhost"},
    {"type": "Other"},
    {},
)
NAMED: Final = (
    "runtime/default",
    "docker/default",
    "unconfined",
    "localhost/a.json",
    "localhost/b/c.json",
    "x",
)
SYSCTLS: Final = ("kernel.shm_rmid_forced", "kernel.msgmax", "net.core.somaxconn", "net.ipv4.tcp_syncookies")
PATHS: Final = ("/", "/var", "/var/", "/var/log", "/var/logs", "/var/log/web/", "//", "/srv//x", "etc", "")
PORTS: Final = (0, 79, 80, 443, 9000, 9001)
SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP: Final = "container.seccomp.security.alpha.kubernetes.io/"
APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"
LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
TEMPLATES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "Deployment": ("apps/v1", ("template",)),
    "ReplicaSet": ("apps/v1", ("template",)),
    "StatefulSet": ("apps/v1", ("template",)),
    "DaemonSet": ("apps/v1", ("template",)),
    "Job": ("batch/v1", ("template",)),
    "CronJob": ("batch/v1", ("jobTemplate", "spec", "template")),
}
"""Kinds that bring about pods, with where in their spec the pod is."""


class Pods:
    """Makes them, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    # --- objects --------------------------------------------------------------------------------------------

    def object(self) -> Object:
        """A pod, or now and then something that will bring about pods, or has none at all."""
        if self._chance(0.75):
            return Object({"apiVersion": "v1", "kind": "Pod", **self._pod("web")})
        if self._chance(0.1):
            return Object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": self._metadata("web", ())})
        kind = self._one(tuple(TEMPLATES))
        version, steps = TEMPLATES[kind]
        inner: dict[str, Any] = self._pod(None)
        for step in reversed(steps):
            inner = {step: inner}
        return Object({
            "apiVersion": version, "kind": kind, "metadata": self._metadata("web", ()), "spec": inner,
        })  # fmt: skip

    def _pod(self, name: str | None) -> dict[str, Any]:
        spec: dict[str, Any] = {}
        names: list[str] = []
        for index, field in enumerate(LISTS):
            if index == 0 or self._chance(0.3):
                own = [f"{field[0]}{number}" for number in range(self._random.randint(0 if index else 1, 2))]
                names += own
                spec[field] = [self._container(name) for name in own]
        self._set(spec, 0.15, hostNetwork=self._bool, hostPID=self._bool, hostIPC=self._bool)
        self._set(spec, 0.6, securityContext=self._pod_context)
        self._set(spec, 0.5, volumes=self._volumes)
        return {"metadata": self._metadata(name, names), "spec": spec}

    def _metadata(self, name: str | None, containers: Sequence[str]) -> dict[str, Any]:
        metadata: dict[str, Any] = {} if name is None else {"name": name, "namespace": "shop"}
        annotations: dict[str, str] = {}
        for container in containers:
            for prefix in (SECCOMP, APPARMOR):
                if self._chance(0.2):
                    annotations[prefix + container] = self._one(NAMED)
        if self._chance(0.2):
            annotations[SECCOMP_POD] = self._one(NAMED)
        if annotations or self._chance(0.1):
            metadata["annotations"] = annotations
        if self._chance(0.6):
            metadata["labels"] = {
                key: self._one(("a", "b1", "")) for key in self._some(("app", "owner", "tier"))
            }
        return metadata

    def _container(self, name: str) -> dict[str, Any]:
        container: dict[str, Any] = {"name": name, "image": self._one(IMAGES)}
        self._set(container, 0.7, securityContext=self._context)
        self._set(container, 0.3, ports=self._ports, volumeMounts=self._mounts, lifecycle=self._lifecycle)
        self._set(
            container, 0.3, livenessProbe=self._probe, readinessProbe=self._probe, startupProbe=self._probe
        )
        return container

    def _context(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._set(made, 0.4, privileged=self._bool, allowPrivilegeEscalation=self._bool)
        self._set(made, 0.5, readOnlyRootFilesystem=self._bool, capabilities=self._capabilities)
        self._set(made, 0.4, procMount=lambda: self._one(("Default", "Unmasked", "default")))
        self._set(made, 0.4, seccompProfile=self._profile, appArmorProfile=self._profile)
        self._set(made, 0.2, windowsOptions=self._windows, runAsUser=lambda: self._one((0, 1000)))
        return made

    def _pod_context(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self._set(
            made, 0.4, seccompProfile=self._profile, appArmorProfile=self._profile, sysctls=self._sysctls
        )
        self._set(made, 0.4, fsGroup=lambda: self._one((0, 1, 50, 100, 1000)))
        self._set(made, 0.2, windowsOptions=self._windows)
        return made

    def _capabilities(self) -> dict[str, Any]:
        made: dict[str, Any] = {}
        return self._set(
            made, 0.6, add=lambda: self._some(CAPABILITIES), drop=lambda: self._some(CAPABILITIES)
        )

    def _profile(self) -> dict[str, Any]:
        return dict(self._one(PROFILES))

    def _windows(self) -> dict[str, Any]:
        return self._set({}, 0.8, hostProcess=self._bool)

    def _sysctls(self) -> list[dict[str, Any]]:
        return [{"name": name, "value": "1"} for name in self._some(SYSCTLS)]

    def _volumes(self) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for name in ("a", "b", "c"):
            source: dict[str, Any] = {"emptyDir": {}}
            if self._chance(0.6):
                source = {"hostPath": self._set({"path": self._one(PATHS)}, 0.2, type=lambda: "Directory")}
            made.append({"name": name, **source})
        return made

    def _mounts(self) -> list[dict[str, Any]]:
        return [
            self._set({"name": name, "mountPath": f"/{name}"}, 0.6, readOnly=self._bool)
            for name in self._some(("a", "b", "c"))
        ]

    def _ports(self) -> list[dict[str, Any]]:
        return [
            self._set({"containerPort": 80}, 0.7, hostPort=lambda: self._one(PORTS))
            for _ in range(self._random.randint(0, 2))
        ]

    def _probe(self) -> dict[str, Any]:
        action = self._set({"port": 80}, 0.5, host=lambda: self._one(("", "10.0.0.1", "example.com")))
        return {self._one(("httpGet", "tcpSocket", "grpc")): action}

    def _lifecycle(self) -> dict[str, Any]:
        return self._set({}, 0.6, postStart=self._probe, preStop=self._probe)

    # --- parameters -----------------------------------------------------------------------------------------

    def parameters(self, kind: str) -> dict[str, Any]:
        """Parameters of one of the policies, by its kind."""
        made: dict[str, Any] = {}
        for name, value in PARAMETERS.get(kind, {}).items():
            self._set(made, 0.75, **{name: lambda value=value: value(self)})
        if kind not in NOT_BY_IMAGE:
            self._set(made, 0.4, exemptImages=lambda: self._some(EXEMPT))
        return made

    # --- draws ----------------------------------------------------------------------------------------------

    def _set(self, into: dict[str, Any], chance: float, **fields: Callable[[], Any]) -> dict[str, Any]:
        for name, make in fields.items():
            if self._chance(chance):
                into[name] = make()
        return into

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _bool(self) -> bool:
        return self._chance(0.5)

    def _one(self, values: Sequence[Any]) -> Any:
        return self._random.choice(values)

    def _some(self, values: Sequence[Any]) -> list[Any]:
        return self._random.sample(values, self._random.randint(0, min(3, len(values))))

    def chosen(self, values: Sequence[Any]) -> list[Any]:
        """Up to three of them, in any order, each once."""
        return self._some(values)

    def one(self, values: Sequence[Any]) -> Any:
        """One of them."""
        return self._one(values)

    def ranges(self) -> list[dict[str, int]]:
        """Ranges of ids."""
        return self._some(({"min": 1, "max": 50}, {"min": 100, "max": 200}, {"min": 5, "max": 1}, {"min": 1}))

    def host_paths(self) -> list[dict[str, Any]]:
        """Paths that may be mounted."""
        return [self._set({"pathPrefix": path}, 0.5, readOnly=self._bool) for path in self._some(PATHS)]

    def labels(self) -> list[dict[str, Any]]:
        """Labels that are wanted, each key once."""
        return [
            self._set({"key": key}, 0.5, allowedRegex=lambda: self._one(("^a$", "[0-9]", "")))
            for key in self._some(("app", "owner", "tier", "stage"))
        ]


Make = Callable[[Pods], Any]

PARAMETERS: Final[Mapping[str, Mapping[str, Make]]] = {
    "K8sPSPAppArmor": {"allowedProfiles": lambda pods: pods.chosen((*NAMED, "localhost/*", "*"))},
    "K8sPSPCapabilities": {
        "allowedCapabilities": lambda pods: pods.chosen(CAPABILITIES),
        "requiredDropCapabilities": lambda pods: pods.chosen(CAPABILITIES),
    },
    "K8sPSPForbiddenSysctls": {
        "allowedSysctls": lambda pods: pods.chosen((*SYSCTLS, "net.*", "*")),
        "forbiddenSysctls": lambda pods: pods.chosen((*SYSCTLS, "kernel.*", "*")),
    },
    "K8sPSPFSGroup": {
        "rule": lambda pods: pods.one(("MayRunAs", "MustRunAs", "RunAsAny")),
        "ranges": Pods.ranges,
    },
    "K8sPSPHostFilesystem": {"allowedHostPaths": Pods.host_paths},
    "K8sPSPHostNetworkingPorts": {
        "hostNetwork": lambda pods: pods.one((True, False)),
        "min": lambda pods: pods.one(PORTS),
        "max": lambda pods: pods.one(PORTS),
    },
    "K8sPSPProcMount": {"procMount": lambda pods: pods.one(("Default", "Unmasked"))},
    "K8sPSPSeccomp": {
        "allowedProfiles": lambda pods: pods.chosen(
            (*NAMED, "RuntimeDefault", "Unconfined", "Localhost", "localhost/*", "*")
        ),
        "allowedLocalhostFiles": lambda pods: pods.chosen(("a.json", "b/c.json", "*")),
    },
    "K8sPSPSeccompV2": {
        "allowedProfiles": lambda pods: pods.chosen(("RuntimeDefault", "Unconfined", "Localhost", "*")),
        "allowedLocalhostFiles": lambda pods: pods.chosen(("a.json", "b/c.json", "*")),
    },
    "K8sRequiredLabels": {"labels": Pods.labels, "message": lambda pods: pods.one(("say so",))},
}

NOT_BY_IMAGE: Final = frozenset(
    {
        "K8sPSPForbiddenSysctls",
        "K8sPSPFSGroup",
        "K8sPSPHostFilesystem",
        "K8sPSPHostNamespace",
        "K8sRequiredLabels",
    }
)
"""The policies that leave no containers out by their image."""
