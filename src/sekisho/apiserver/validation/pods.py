"""Pods: the spec that all of them and all templates share, and what may change once one is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from sekisho.apiserver.causes import duplicate, forbidden, invalid, invalid_list, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation.containers import Around, containers, profile
from sekisho.apiserver.validation.fields import (
    Causes,
    Raw,
    address,
    get,
    identity,
    label,
    labels,
    numbered,
    one_of,
    qualified,
    rows,
    subdomain,
)
from sekisho.apiserver.validation.placing import affinity, spreading, tolerations
from sekisho.apiserver.validation.volumes import volumes

RESTARTS: Final = ("Always", "OnFailure", "Never")
DNS_POLICIES: Final = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
SYSTEMS: Final = ("linux", "windows")
MAX_DEADLINE: Final = 2**31 - 1
DEADLINE: Final = f"must be between 1 and {MAX_DEADLINE}, inclusive"


def pod(new: Raw, old: Raw | None) -> Causes:
    """A Pod."""
    spec = get(new, "spec") or {}
    yield from pod_spec(spec, "spec")
    if old is None and spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


REMEMBERED: Final = 256
"""Specs whose verdict is remembered: all Pods of a workload have the same one."""

MAX_REMEMBERED: Final = 16_384
"""Bytes of such a spec as JSON; few are a tenth of that long, and all together may not take much memory."""


def pod_spec(spec: Raw, at: str) -> Iterable[Cause]:
    """A spec of Pods."""
    written = orjson.dumps(spec)
    if len(written) <= MAX_REMEMBERED and _is_sound(_TOKEN_VOLUME.sub(_ANY_TOKEN_VOLUME, written), at):
        return ()
    return _spec(spec, at)


_TOKEN_VOLUME: Final = re.compile(rb'"kube-api-access-[a-z0-9]{5}"')
_ANY_TOKEN_VOLUME: Final = b'"kube-api-access-xxxxx"'
"""The volume of a service account's token has a name of its own in every Pod."""


@lru_cache(maxsize=REMEMBERED)
def _is_sound(written: bytes, at: str) -> bool:
    """Whether a spec breaks no rule. Specs come again and again, from one template."""
    return next(iter(_spec(orjson.loads(written), at)), None) is None


def _spec(spec: Raw, at: str) -> Causes:
    yield from volumes(spec, f"{at}.volumes")
    around = Around(
        volumes=frozenset(str(row.get("name", "")) for row in rows(spec, "volumes")),
        host_network=spec.get("hostNetwork") is True,
    )
    yield from containers(spec, at, around)
    yield from one_of(f"{at}.restartPolicy", spec.get("restartPolicy"), RESTARTS, needed=True)
    yield from one_of(f"{at}.dnsPolicy", spec.get("dnsPolicy"), DNS_POLICIES, needed=True)
    yield from labels(f"{at}.nodeSelector", spec.get("nodeSelector"))
    yield from _security(spec, f"{at}.securityContext")
    yield from affinity(spec.get("affinity"), f"{at}.affinity")
    yield from _dns(spec, at)
    yield from _gates(spec, at)
    yield from spreading(spec, f"{at}.topologySpreadConstraints")
    yield from subdomain(f"{at}.serviceAccountName", spec.get("serviceAccountName"))
    yield from subdomain(f"{at}.nodeName", spec.get("nodeName"))
    deadline = spec.get("activeDeadlineSeconds")
    if isinstance(deadline, int) and not 1 <= deadline <= MAX_DEADLINE:
        yield invalid(f"{at}.activeDeadlineSeconds", deadline, DEADLINE)
    yield from label(f"{at}.hostname", spec.get("hostname"))
    yield from label(f"{at}.subdomain", spec.get("subdomain"))
    yield from tolerations(spec, f"{at}.tolerations")
    for here, row in numbered(spec, "hostAliases", at=f"{at}.hostAliases"):
        yield from address(f"{here}.ip", row.get("ip"))
    yield from subdomain(f"{at}.priorityClassName", spec.get("priorityClassName"))
    yield from subdomain(f"{at}.runtimeClassName", spec.get("runtimeClassName"))
    yield from one_of(
        f"{at}.preemptionPolicy", spec.get("preemptionPolicy"), ("Never", "PreemptLowerPriority")
    )
    yield from one_of(f"{at}.os", get(spec, "os", "name"), SYSTEMS)


_SYSCTL: Final = r"([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?"


def _security(spec: Raw, at: str) -> Causes:
    value = spec.get("securityContext")
    for name in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from identity(f"{at}.{name}", get(value, name))
    for index, group in enumerate(get(value, "supplementalGroups") or ()):
        yield from identity(f"{at}.supplementalGroups[{index}]", group)
    if spec.get("shareProcessNamespace") is True and spec.get("hostPID") is True:
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        yield invalid(f"{at}.shareProcessNamespace", True, detail)
    seen: set[str] = set()
    for here, row in numbered(value, "sysctls", at=f"{at}.sysctls"):
        name = row.get("name") or ""
        if not name:
            yield required(f"{here}.name")
        elif len(name) > 253 or not re.fullmatch(_SYSCTL, name):
            detail = f"must have at most 253 characters and match regex ^{_SYSCTL}$"
            yield invalid(f"{here}.name", name, detail)
        elif name in seen:
            yield duplicate(f"{here}.name", name)
        seen.add(name)
    policies = ("Always", "OnRootMismatch")
    yield from one_of(f"{at}.fsGroupChangePolicy", get(value, "fsGroupChangePolicy"), policies)
    yield from profile(get(value, "seccompProfile"), f"{at}.seccompProfile", "seccomp")
    yield from profile(get(value, "appArmorProfile"), f"{at}.appArmorProfile", "AppArmor")


MAX_NAMESERVERS: Final = 3


def _dns(spec: Raw, at: str) -> Causes:
    config, here = spec.get("dnsConfig"), f"{at}.dnsConfig"
    servers = get(config, "nameservers") or ()
    if spec.get("dnsPolicy") == "None":
        if config is None:
            yield required(here, "must provide `dnsConfig` when `dnsPolicy` is None")
        elif not servers:
            detail = "must provide at least one DNS nameserver when `dnsPolicy` is None"
            yield required(f"{here}.nameservers", detail)
    if len(servers) > MAX_NAMESERVERS:
        detail = f"must not have more than {MAX_NAMESERVERS} nameservers"
        yield invalid_list(f"{here}.nameservers", servers, detail)
    for index, server in enumerate(servers):
        yield from address(f"{here}.nameservers[{index}]", server)


def _gates(spec: Raw, at: str) -> Causes:
    for here, row in numbered(spec, "readinessGates", at=f"{at}.readinessGates"):
        yield from qualified(f"{here}.conditionType", row.get("conditionType"))
    seen: set[str] = set()
    for here, row in numbered(spec, "schedulingGates", at=f"{at}.schedulingGates"):
        name = row.get("name") or ""
        yield from qualified(f"{here}", name)
        if name in seen:
            yield duplicate(here, name)
        seen.add(name)


def template(value: Any, at: str) -> Causes:
    """A template of Pods."""
    metadata = get(value, "metadata")
    yield from labels(f"{at}.labels", get(metadata, "labels"))
    spec = get(value, "spec")
    spec = spec if isinstance(spec, Mapping) else {}
    yield from pod_spec(spec, f"{at}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{at}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


CHANGED: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod_change(new: Raw, old: Raw) -> Causes:
    """What may change of a Pod that is there, but through a subresource (``ValidatePodUpdate``)."""
    spec, before = get(new, "spec") or {}, get(old, "spec") or {}
    for name in ("containers", "initContainers"):
        if len(rows(spec, name)) != len(rows(before, name)):
            yield forbidden(f"spec.{name}", "pod updates may not add or remove containers")
            return
        for here, row in numbered(spec, name, at=f"spec.{name}"):
            if not row.get("image"):
                yield required(f"{here}.image")
    problems = [
        *_deadline_change(spec, before),
        *_gate_change(spec, before),
        *_toleration_change(spec, before),
    ]
    yield from problems
    if not problems and _fixed_part(spec, before) != _fixed_part(before, before):
        yield forbidden("spec", CHANGED)


def _deadline_change(spec: Raw, before: Raw) -> Causes:
    now, then, at = (
        spec.get("activeDeadlineSeconds"),
        before.get("activeDeadlineSeconds"),
        "spec.activeDeadlineSeconds",
    )
    if isinstance(now, int) and isinstance(then, int) and now > then:
        yield invalid(at, now, "must be less than or equal to previous value")
    elif now is None and then is not None:
        yield invalid(at, None, "must not update from a positive integer to nil value")


def _gate_change(spec: Raw, before: Raw) -> Causes:
    known = {row.get("name") for row in rows(before, "schedulingGates")}
    for here, row in numbered(spec, "schedulingGates", at="spec.schedulingGates"):
        if row.get("name") not in known:
            yield forbidden(
                here, f"only deletion is allowed, but found new scheduling gate '{row.get('name')}'"
            )


def _toleration_change(spec: Raw, before: Raw) -> Causes:
    def bare(row: Raw) -> dict[str, Any]:
        return {key: value for key, value in row.items() if key != "tolerationSeconds"}

    kept = [bare(row) for row in rows(spec, "tolerations")]
    if any(bare(row) not in kept for row in rows(before, "tolerations")):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        yield forbidden("spec.tolerations", detail)


_CHANGEABLE: Final = ("activeDeadlineSeconds", "tolerations", "schedulingGates", "ephemeralContainers")


def _fixed_part(spec: Raw, before: Raw) -> dict[str, Any]:
    """A Pod's spec without what may change."""
    found = {name: value for name, value in spec.items() if name not in _CHANGEABLE}
    for name in ("containers", "initContainers"):
        if name in found:
            found[name] = [{k: v for k, v in row.items() if k != "image"} for row in rows(spec, name)]
    seconds = before.get("terminationGracePeriodSeconds")
    if isinstance(seconds, int) and seconds < 0 and spec.get("terminationGracePeriodSeconds") == 1:
        found["terminationGracePeriodSeconds"] = seconds
    if rows(before, "schedulingGates"):
        # A Pod that waits for its gates may still be sent elsewhere.
        for name in ("nodeSelector", "affinity"):
            found.pop(name, None)
    return found
