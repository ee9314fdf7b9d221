"""Networking: Ingresses, NetworkPolicies, EndpointSlices and Endpoints."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

from sekisho.apiserver.causes import duplicate, forbidden, invalid, required
from sekisho.apiserver.validation import go
from sekisho.apiserver.validation.fields import (
    PROTOCOLS,
    Causes,
    Raw,
    address,
    fixed,
    get,
    label,
    network,
    numbered,
    one_of,
    parsed_network,
    port,
    port_name_problems,
    rows,
    selector,
    subdomain,
)
from sekisho.kube.names import dns_subdomain

PATH_TYPES: Final = ("Exact", "ImplementationSpecific", "Prefix")
_FORBIDDEN: Final = ("//", "/./", "/../", "%2f", "%2F")
_ENDINGS: Final = ("/..", "/.")


def ingress(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001 - all have one form
    """An Ingress."""
    spec = get(new, "spec") or {}
    if not rows(spec, "rules") and spec.get("defaultBackend") is None:
        detail = "either `defaultBackend` or `rules` must be specified"
        yield go.shown_as("spec", "[]networking.IngressRule(nil)", detail)
    if spec.get("defaultBackend") is not None:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    for at, row in numbered(spec, "rules", at="spec.rules"):
        yield from _host(row.get("host"), f"{at}.host")
        http = row.get("http")
        if http is not None and not rows(http, "paths"):
            yield required(f"{at}.http.paths")
        for here, path in numbered(http, "paths", at=f"{at}.http.paths"):
            yield from _path(path, here)
    for at, row in numbered(spec, "tls", at="spec.tls"):
        for index, host in enumerate(row.get("hosts") or ()):
            yield from _host(host, f"{at}.hosts[{index}]", names_only=True)
    if spec.get("ingressClassName") is not None:
        yield from subdomain("spec.ingressClassName", spec["ingressClassName"])


def _host(value: Any, at: str, *, names_only: bool = False) -> Causes:
    host = str(value or "")
    if not host:
        return
    if not names_only:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            yield invalid(at, host, "must be a DNS name, not an IP address")
            return
    if "*" in host:
        if not host.startswith("*.") or dns_subdomain(host[2:]):
            detail = (
                "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, "
                "which must consist of lower case alphanumeric characters, '-' or '.' and end with an "
                "alphanumeric character (e.g. '*.example.com', regex used for validation is "
                "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
            )
            yield invalid(at, host, detail)
        return
    yield from subdomain(at, host)


def _path(row: Raw, at: str) -> Causes:
    type, path = row.get("pathType"), row.get("path") or ""
    if type is None:
        yield required(f"{at}.pathType", "pathType must be specified")
    elif type in ("Exact", "Prefix"):
        if not path.startswith("/"):
            yield invalid(f"{at}.path", path, "must be an absolute path")
        elif path:
            for part in _FORBIDDEN:
                if part in path:
                    yield invalid(f"{at}.path", path, f"must not contain '{part}'")
            for part in _ENDINGS:
                if path.endswith(part):
                    yield invalid(f"{at}.path", path, f"cannot end with '{part}'")
    elif type == "ImplementationSpecific":
        if path and not path.startswith("/"):
            yield invalid(f"{at}.path", path, "must be an absolute path")
    else:
        yield from one_of(f"{at}.pathType", type, PATH_TYPES)
    yield from _backend(row.get("backend"), f"{at}.backend")


def _backend(value: Any, at: str) -> Causes:
    service, resource = get(value, "service"), get(value, "resource")
    if service is not None and resource is not None:
        yield invalid(at, "", "cannot set both resource and service backends")
    elif resource is not None:
        for name in ("kind", "name"):
            if not get(resource, name):
                yield required(f"{at}.resource.{name}")
    elif service is not None:
        name, number = get(service, "port", "name"), get(service, "port", "number")
        yield from label(f"{at}.service.name", get(service, "name"), needed=True)
        if name and number:
            yield invalid(at, "", "cannot set both port name & port number")
        elif name:
            yield from (invalid(f"{at}.service.port.name", name, text) for text in port_name_problems(name))
        elif number:
            yield from port(f"{at}.service.port.number", number)
        else:
            yield required(at, "port name or number is required")
    else:
        yield invalid(at, "", "resource or service backend is required")


POLICY_PROTOCOLS: Final = ("TCP", "UDP", "SCTP")
POLICY_TYPES: Final = ("Ingress", "Egress")


def network_policy(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001
    """A NetworkPolicy."""
    spec = get(new, "spec") or {}
    yield from selector("spec.podSelector", spec.get("podSelector"))
    for name, peers in (("ingress", "from"), ("egress", "to")):
        for at, row in numbered(spec, name, at=f"spec.{name}"):
            for here, one in numbered(row, "ports", at=f"{at}.ports"):
                yield from _policy_port(one, here)
            for here, one in numbered(row, peers, at=f"{at}.{peers}"):
                yield from _peer(one, here)
    types = spec.get("policyTypes") or []
    if len(types) > len(POLICY_TYPES):
        printed = go.strings(types, "networking.PolicyType")
        yield go.shown_as("spec.policyTypes", printed, "may not specify more than two policyTypes")
        return
    for index, type in enumerate(types):
        yield from one_of(f"spec.policyTypes[{index}]", type, POLICY_TYPES)


def _policy_port(row: Raw, at: str) -> Causes:
    yield from one_of(f"{at}.protocol", row.get("protocol"), POLICY_PROTOCOLS)
    number, end = row.get("port"), row.get("endPort")
    if number is None:
        if end is not None:
            yield invalid(f"{at}.endPort", end, "may not be specified when `port` is not specified")
        return
    if isinstance(number, str):
        yield from (invalid(f"{at}.port", number, text) for text in port_name_problems(number))
        if end is not None:
            yield invalid(f"{at}.endPort", end, "may not be specified when `port` is non-numeric")
        return
    yield from port(f"{at}.port", number)
    if isinstance(end, int):
        if end < number:
            yield invalid(f"{at}.endPort", number, "must be greater than or equal to `port`")
        elif end > 65_535:
            yield from port(f"{at}.endPort", end)


def _peer(row: Raw, at: str) -> Causes:
    given = [name for name in ("podSelector", "namespaceSelector") if row.get(name) is not None]
    for name in given:
        yield from selector(f"{at}.{name}", row[name])
    block = row.get("ipBlock")
    if block is not None:
        whole = parsed_network(get(block, "cidr"))
        yield from network(f"{at}.ipBlock.cidr", get(block, "cidr"))
        for index, text in enumerate(get(block, "except") or ()):
            here, part = f"{at}.ipBlock.except[{index}]", parsed_network(text)
            yield from network(here, text)
            if whole is not None and part is not None and not _inside(part, whole):
                yield invalid(here, text, "must be a strict subset of `cidr`")
        if given:
            yield forbidden(at, "may not specify both ipBlock and another peer")
    elif not given:
        yield required(at, "must specify a peer")


def _inside(part: Any, whole: Any) -> bool:
    return bool(part.version == whole.version and part != whole and part.subnet_of(whole))


ADDRESS_TYPES: Final = ("FQDN", "IPv4", "IPv6")


def endpoint_slice(new: Raw, old: Raw | None) -> Causes:
    """An EndpointSlice."""
    type = new.get("addressType")
    yield from one_of("addressType", type, ADDRESS_TYPES, needed=True)
    for at, row in numbered(new, "endpoints", at="endpoints"):
        found = row.get("addresses") or ()
        if not found:
            yield required(f"{at}.addresses", "must contain at least 1 address")
        for index, text in enumerate(found):
            here = f"{at}.addresses[{index}]"
            if type in ("IPv4", "IPv6"):
                yield from _of_family(text, here, type)
            elif type == "FQDN":
                yield from subdomain(here, text)
    yield from _ports(new, "ports", named=True)
    yield from fixed(new, old, "addressType")


def _of_family(text: Any, at: str, family: str) -> Causes:
    problems = [*address(at, text)]
    yield from problems
    if not problems and ipaddress.ip_address(text).version != int(family[-1]):
        yield invalid(at, text, f"must be an {family} address")


def _ports(value: Any, at: str, *, named: bool) -> Causes:
    names: set[str] = set()
    found = rows(value, "ports")
    for here, row in numbered(value, "ports", at=at):
        name = row.get("name") or ""
        if len(found) > 1 and not name and not named:
            yield required(f"{here}.name")
        elif name:
            yield from label(f"{here}.name", name)
        if named and len(found) > 1 and name in names:
            yield duplicate(f"{here}.name", name)
        names.add(name)
        if row.get("port") is not None or not named:
            yield from port(f"{here}.port", row.get("port"))
        yield from one_of(f"{here}.protocol", row.get("protocol"), PROTOCOLS, needed=True)


def endpoints(new: Raw, old: Raw | None) -> Causes:  # noqa: ARG001
    """An Endpoints object."""
    for at, row in numbered(new, "subsets", at="subsets"):
        if not rows(row, "addresses") and not rows(row, "notReadyAddresses"):
            yield required(at, "must specify `addresses` or `notReadyAddresses`")
        for name in ("addresses", "notReadyAddresses"):
            for here, one in numbered(row, name, at=f"{at}.{name}"):
                yield from _special(one.get("ip"), f"{here}.ip")
        yield from _ports(row, f"{at}.ports", named=False)


# Kubernetes refuses the loopback too; here it is where a webhook that is being developed listens.
_NOWHERE: Final = (
    ("is_unspecified", "may not be unspecified (0.0.0.0)"),
    ("is_link_local", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
)


def _special(text: Any, at: str) -> Causes:
    problems = [*address(at, text)]
    yield from problems
    if problems:
        yield invalid(at, text, "must be a valid IP address")
        return
    found = ipaddress.ip_address(text)
    for name, detail in _NOWHERE:
        if getattr(found, name):
            yield invalid(at, text, detail)
