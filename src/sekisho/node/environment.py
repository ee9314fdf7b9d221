"""The environment of a container: literal values, references, and ``$(NAME)`` in them (EnvVar).

Pure: what is referred to is asked of a function.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sekisho.kube import quantity
from sekisho.node.problems import ConfigProblem

Json = dict[str, Any]
Raw = Mapping[str, Any]

Find = Callable[[str, str], Json | None]
"""A ConfigMap (``configmaps``) or Secret (``secrets``) of the Pod's namespace, by its name."""

_REFERENCE: Final = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_KEYED: Final = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a Pod may ask about itself: where it runs, and what there is to divide."""

    pod: Json
    address: str
    host_address: str
    find: Find
    processors: int = 1
    memory: int = 0


def resolved(container: Raw, facts: Facts) -> dict[str, str]:
    """The variables of a container, in their order. Raises ConfigProblem."""
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        found.update(_all_of(source, facts))
    for entry in container.get("env") or ():
        name = entry["name"]
        if entry.get("valueFrom"):
            value = _referred(entry["valueFrom"], container, facts)
            if value is not None:
                found[name] = value
        else:
            found[name] = expanded(entry.get("value") or "", found)
    return found


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced; one that is not known stays, ``$$`` is a dollar sign."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        return variables.get(found[1], found[0])

    return _REFERENCE.sub(value, text)


def _all_of(source: Raw, facts: Facts) -> dict[str, str]:
    prefix = source.get("prefix") or ""
    for field, plural in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
        reference = source.get(field)
        if reference:
            value = facts.find(plural, reference.get("name") or "")
            if value is None:
                if reference.get("optional"):
                    return {}
                raise _missing(plural, reference.get("name") or "")
            return {f"{prefix}{key}": data.decode("utf-8", "replace") for key, data in data_of(value).items()}
    return {}


def _referred(reference: Raw, container: Raw, facts: Facts) -> str | None:
    for field, plural in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        selector = reference.get(field)
        if selector:
            return _key(plural, selector, facts)
    if reference.get("fieldRef"):
        return field_of(reference["fieldRef"].get("fieldPath") or "", facts)
    if reference.get("resourceFieldRef"):
        return resource_of(reference["resourceFieldRef"], container, facts)
    return None


def _key(plural: str, selector: Raw, facts: Facts) -> str | None:
    name, key = selector.get("name") or "", selector["key"]
    value = facts.find(plural, name)
    if value is None:
        if selector.get("optional"):
            return None
        raise _missing(plural, name)
    data = data_of(value)
    if key not in data:
        if selector.get("optional"):
            return None
        kind = "ConfigMap" if plural == "configmaps" else "Secret"
        namespace = facts.pod["metadata"]["namespace"]
        raise ConfigProblem(
            "CreateContainerConfigError", f"couldn't find key {key} in {kind} {namespace}/{name}"
        )
    return data[key].decode("utf-8", "replace")


def _missing(plural: str, name: str) -> ConfigProblem:
    kind = "configmap" if plural == "configmaps" else "secret"
    return ConfigProblem("CreateContainerConfigError", f'{kind} "{name}" not found')


def data_of(value: Raw) -> dict[str, bytes]:
    """What a ConfigMap or a Secret holds."""
    if value.get("kind") == "Secret":
        return {key: _decoded(text) for key, text in (value.get("data") or {}).items()}
    plain = {key: str(text).encode() for key, text in (value.get("data") or {}).items()}
    return plain | {key: _decoded(text) for key, text in (value.get("binaryData") or {}).items()}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text or "")
    except (binascii.Error, ValueError):
        return b""


def field_of(path: str, facts: Facts) -> str:
    """A field of the Pod (ObjectFieldSelector). Raises ConfigProblem."""
    pod = facts.pod
    metadata, spec = pod["metadata"], pod["spec"]
    if (keyed := _KEYED.match(path)) is not None:
        return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))
    if path in ("metadata.labels", "metadata.annotations"):
        rows = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{_quoted(value)}"' for key, value in sorted(rows.items()))
    known = {
        "metadata.name": metadata.get("name"),
        "metadata.namespace": metadata.get("namespace"),
        "metadata.uid": metadata.get("uid"),
        "spec.nodeName": spec.get("nodeName"),
        "spec.serviceAccountName": spec.get("serviceAccountName"),
        "status.podIP": facts.address,
        "status.podIPs": facts.address,
        "status.hostIP": facts.host_address,
        "status.hostIPs": facts.host_address,
    }
    if path not in known:
        raise ConfigProblem("CreateContainerConfigError", f"unsupported fieldPath: {path}")
    return str(known[path] or "")


def _quoted(value: str) -> str:
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def resource_of(selector: Raw, container: Raw, facts: Facts) -> str:
    """An amount of a container (ResourceFieldSelector), in units of the divisor, rounded up."""
    section, _, name = (selector.get("resource") or "").partition(".")
    wanted = selector.get("containerName")
    rows: Sequence[Raw] = [
        *(facts.pod["spec"].get("initContainers") or ()),
        *facts.pod["spec"]["containers"],
    ]
    of = next((row for row in rows if row["name"] == wanted), container) if wanted else container
    amounts = (of.get("resources") or {}).get(section) or {}
    divisor = quantity.parse(str(selector.get("divisor") or "1")).nanos or quantity.NANO
    if name in amounts:
        amount = quantity.parse(str(amounts[name])).nanos
    elif section == "limits":
        there = {"cpu": facts.processors, "memory": facts.memory}.get(name, 0)
        amount = there * quantity.NANO
    else:
        amount = 0
    return str(-(-amount // divisor))
