"""Configuration: keys, secrets of known types, quotas, limits."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import orjson

from sekisho.apiserver.causes import duplicate, forbidden, invalid, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.validation import go
from sekisho.apiserver.validation.containers import (
    ALL_STANDARD,
    HUGE,
    STANDARD,
    resource_amount,
    resource_name,
)
from sekisho.apiserver.validation.fields import Causes, Raw, amount, config_key, get, numbered, same
from sekisho.kube.quantity import QuantityError, parse

MAX_SECRET: Final = 1024 * 1024
"""Bytes of a Secret or ConfigMap: more does not fit into etcd."""


IMMUTABLE: Final = "field is immutable when `immutable` is set"


def _unchanged(new: Raw, old: Raw | None, *names: str) -> Causes:
    """What is immutable stays as it is."""
    if old is None or old.get("immutable") is not True:
        return
    if new.get("immutable") is not True:
        yield forbidden("immutable", IMMUTABLE)
    for name in names:
        if new.get(name) != old.get(name):
            yield forbidden(name, IMMUTABLE)


def config_map(new: Raw, old: Raw | None) -> Causes:
    """A ConfigMap."""
    data, binary = get(new, "data") or {}, get(new, "binaryData") or {}
    size = 0
    for key, value in data.items():
        yield from config_key(f"data[{key}]", key)
        if key in binary:
            yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(str(value).encode())
    for key, value in binary.items():
        yield from config_key(f"binaryData[{key}]", key)
        size += len(str(value)) * 3 // 4
    if size > MAX_SECRET:
        yield _too_long("")
    yield from _unchanged(new, old, "data", "binaryData")


def _too_long(at: str) -> Cause:
    return Cause(
        reason="FieldValueTooLong",
        message=f"Too long: may not be more than {MAX_SECRET} bytes",
        field=at,
    )


NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
JSONS: Final = {
    "kubernetes.io/dockercfg": ".dockercfg",
    "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
}
ACCOUNT: Final = "kubernetes.io/service-account.name"


def secret(new: Raw, old: Raw | None) -> Causes:
    """A Secret."""
    data, type = get(new, "data") or {}, get(new, "type")
    for key in data:
        yield from config_key(f"data[{key}]", key)
    if sum(len(str(value)) for value in data.values()) * 3 // 4 > MAX_SECRET:
        yield _too_long("data")
    for key in NEEDED.get(str(type), ()):
        if key not in data:
            yield required(f"data[{key}]")
    if type == "kubernetes.io/basic-auth" and not {"username", "password"} & data.keys():
        yield required("data[username]")
        yield required("data[password]")
    if type == "kubernetes.io/service-account-token" and not (get(new, "metadata", "annotations") or {}).get(
        ACCOUNT
    ):
        yield required(f"metadata.annotations[{ACCOUNT}]")
    if str(type) in JSONS:
        yield from _json(data, JSONS[str(type)])
    if not same(new, old, "type"):
        yield invalid("type", type or "", "field is immutable")
    yield from _unchanged(new, old, "data")


def _json(data: Mapping[str, Any], key: str) -> Causes:
    if key not in data:
        yield required(f"data[{key}]")
        return
    try:
        text = base64.b64decode(str(data[key]))
        value = orjson.loads(text)
    except (binascii.Error, ValueError):
        first = base64.b64decode(str(data[key]), validate=False)[:1].decode("utf-8", "replace")
        detail = (
            f"invalid character '{first}' looking for beginning of value"
            if first
            else "unexpected end of JSON input"
        )
        yield invalid(f"data[{key}]", "<secret contents redacted>", detail)
        return
    if not isinstance(value, dict):
        yield invalid(f"data[{key}]", "<secret contents redacted>", "must be a JSON object")


SCOPES: Final = (
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
)
_OF_PODS: Final = frozenset(
    {
        "pods",
        "cpu",
        "memory",
        "requests.cpu",
        "requests.memory",
        "requests.ephemeral-storage",
        "limits.cpu",
        "limits.memory",
        "limits.ephemeral-storage",
    }
)
_CONFLICTS: Final = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})
_COUNTED: Final = (
    ALL_STANDARD
    - {"storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage"}
    - {name for name in ALL_STANDARD if name.startswith("requests.")}
)


def quota(new: Raw, old: Raw | None) -> Causes:
    """A ResourceQuota."""
    yield from _amounts(get(new, "spec", "hard") or {}, "spec.hard")
    scopes = get(new, "spec", "scopes") or []
    printed = go.strings(scopes, "core.ResourceQuotaScope")
    hard = get(new, "spec", "hard") or {}
    for scope in scopes:
        if scope not in SCOPES:
            yield go.shown_as("spec.scopes", printed, "unsupported scope")
        for name in hard:
            if scope in SCOPES and not _applies(scope, name):
                yield go.shown_as("spec.scopes", printed, "unsupported scope applied to resource")
    if any(pair <= set(scopes) for pair in _CONFLICTS):
        yield go.shown_as("spec.scopes", printed, "conflicting scopes")
    if not same(new, old, "spec", "scopes"):
        yield go.shown_as("spec.scopes", printed, "field is immutable")


def _applies(scope: str, name: str) -> bool:
    if scope == "BestEffort":
        return name == "pods"
    return name in _OF_PODS or name.startswith((f"requests.{HUGE}", HUGE))


def _amounts(hard: Mapping[str, Any], at: str) -> Causes:
    for name, value in hard.items():
        here = f"{at}[{name}]"
        yield from resource_name(name, here, known=_of_quota, what="quota")
        yield from resource_amount(value, here, whole=name in _COUNTED)


def _of_quota(name: str) -> bool:
    if name.startswith(("count/", "requests.", HUGE)):
        return True
    return name in ALL_STANDARD or name in STANDARD


LIMIT_TYPES: Final = ("Pod", "Container", "PersistentVolumeClaim")


def limits(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001
    """A LimitRange."""
    seen: set[str] = set()
    for at, row in numbered(new, "spec", "limits", at="spec.limits"):
        type = row.get("type") or ""
        if type not in LIMIT_TYPES and "/" not in type:
            yield invalid(f"{at}.type", type, "must be a standard limit type or fully qualified")
        if type in seen:
            yield duplicate(f"{at}.type", type)
        seen.add(type)
        yield from _limit(row, at, type)


_PARTS: Final = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")


def _limit(row: Raw, at: str, type: str) -> Causes:
    parts = {name: row.get(name) or {} for name in _PARTS}
    for name in ("max", "min"):
        yield from _names(parts[name], f"{at}.{name}", type)
    if type == "Pod":
        for name in ("default", "defaultRequest"):
            if parts[name]:
                yield forbidden(f"{at}.{name}", "may not be specified when `type` is 'Pod'")
    else:
        for name in ("default", "defaultRequest"):
            yield from _names(parts[name], f"{at}.{name}", type)
    yield from _names(parts["maxLimitRequestRatio"], f"{at}.maxLimitRequestRatio", type)
    if type == "PersistentVolumeClaim" and "storage" not in parts["min"] and "storage" not in parts["max"]:
        detail = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{at}.limits", detail)
    for name in dict.fromkeys(key for part in parts.values() for key in part):
        yield from _order(name, {part: parts[part].get(name) for part in _PARTS}, at)


def _names(part: Mapping[str, Any], at: str, type: str) -> Causes:
    for name, value in part.items():
        if type == "Container":
            known = STANDARD
            yield from resource_name(
                name,
                f"{at}[{name}]",
                known=lambda text, of=known: text in of or text.startswith(HUGE),
                what="containers",
            )
            yield from resource_amount(value, f"{at}[{name}]", whole=False)


_WORDS: Final = {"max": "max", "min": "min", "default": "default", "defaultRequest": "default request"}
_ORDERS: Final = (
    ("min", "max", "min", "min"),
    ("defaultRequest", "min", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
    ("default", "min", "default", "min"),
    ("default", "max", "default", "max"),
)
"""Two values that are in order, which of them is at fault, and which is printed (not always that one)."""


def _order(name: str, values: Mapping[str, Any], at: str) -> Causes:
    """Least, default request, default and most are in order."""
    for one, other, blamed, printed in _ORDERS:
        low, high = (other, one) if other == "min" else (one, other)
        less, more = amount(values[low]), amount(values[high])
        if values[low] is None or values[high] is None or less is None or more is None or less <= more:
            continue
        relation = f"{_WORDS[low]} value {_canonical(values[low])} is greater than {_WORDS[high]} value"
        shown = go.quantity(values[printed])
        yield go.shown_as(f"{at}.{blamed}[{name}]", shown, f"{relation} {_canonical(values[high])}")


def _canonical(value: Any) -> str:
    try:
        return parse(str(value)).canonical()
    except QuantityError:
        return str(value)
