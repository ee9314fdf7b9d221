"""Annotations that change a sandbox. They may tighten it, never loosen it."""

from __future__ import annotations

from sekisho.sandbox.errors import SandboxError
from sekisho.sandbox.spec import Network, SandboxSpec, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

PREFIX: Final = "sandbox.sekisho.dev/"


def _refuse(name: str, value: str, allowed: str) -> SandboxError:
    return SandboxError(
        "SBX127",
        f"annotation {PREFIX}{name}: {value!r} would loosen the sandbox, or means nothing",
        f"an annotation may only tighten: {allowed}",
    )


def _network(spec: SandboxSpec, value: str) -> SandboxSpec:
    if value != "none":
        raise _refuse("network", value, "none")
    joined = {kind: path for kind, path in spec.namespaces.joined.items() if kind != "network"}
    namespaces = replace(spec.namespaces, new=spec.namespaces.new | {"network"}, joined=joined)
    return replace(spec, network=Network(mode="none"), namespaces=namespaces)


def _egress(*, domain: bool) -> Callable[[SandboxSpec, str], SandboxSpec]:
    """Rules on a network that the container has anyway: its Pod's, or the machine's."""
    name = "egress-domains" if domain else "egress"

    def rule(spec: SandboxSpec, value: str) -> SandboxSpec:
        if "network" in spec.namespaces.new:
            raise _refuse(name, value, "there is no network to tighten: the container has loopback alone")
        from sekisho.sandbox.network import wanted

        try:
            rules = [wanted.rule(text, domain=domain) for text in value.split()]
        except ValueError as error:
            raise _refuse(name, value, str(error)) from None
        before = spec.network.egress if spec.network.mode == "rules" else ()
        servers, search = _names(spec)
        return replace(
            spec,
            network=Network(
                mode="rules",
                egress=(*before, *rules) if domain else (*rules, *before),
                nameservers=servers,
                search=search,
            ),
        )

    return rule


def _names(spec: SandboxSpec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The name servers of the file that the engine mounts for this container, and its domains to search."""
    source = next((mount.source for mount in spec.mounts if mount.destination == "/etc/resolv.conf"), "")
    if not source:
        return (), ()
    try:
        with open(source, encoding="utf-8", errors="replace") as file:
            rows = [line.split() for line in file]
    except OSError:
        return (), ()
    servers = tuple(row[1] for row in rows if len(row) > 1 and row[0] == "nameserver")
    search = next((tuple(row[1:]) for row in reversed(rows) if row and row[0] == "search"), ())
    return servers, search


def _root(spec: SandboxSpec, value: str) -> SandboxSpec:
    if value == "readonly":
        return replace(spec, root=replace(spec.root, readonly=True))
    if value == "memory" and not spec.root.readonly:
        return replace(spec, root=replace(spec.root, writes="memory"))
    raise _refuse("root", value, "readonly, or memory where the root can be written to")


def _least(name: str) -> Callable[[SandboxSpec, str], SandboxSpec]:
    def lower(spec: SandboxSpec, value: str) -> SandboxSpec:
        if not value.isdigit() or int(value) < 1:
            raise _refuse(name, value, "a number greater than zero")
        now = getattr(spec.limits, name)
        if now is not None and 0 <= now < int(value):
            raise _refuse(name, value, f"at most {now}")
        return replace(spec, limits=replace(spec.limits, **{name: int(value)}))

    return lower


KNOWN: Final[dict[str, tuple[Callable[[SandboxSpec, str], SandboxSpec], str]]] = {
    "network": (_network, "none: loopback alone"),
    "egress": (_egress(domain=False), "CIDR[:PORTS] rules, separated by spaces: all else is refused"),
    "egress-domains": (_egress(domain=True), "NAME[:PORTS] rules, likewise"),
    "root": (_root, "readonly, or memory: writes are kept in memory and lost at the end"),
    "memory": (_least("memory"), "bytes, at most the limit that is set"),
    "pids": (_least("pids"), "processes, at most the limit that is set"),
}
"""By name after the prefix: what it does, and its values."""


def apply(spec: SandboxSpec) -> SandboxSpec:
    """Apply the annotations. SandboxError SBX127 for one that would loosen, or that nobody knows."""
    for key, value in spec.annotations.items():
        if not key.startswith(PREFIX):
            continue
        name = key.removeprefix(PREFIX)
        if name not in KNOWN:
            raise _refuse(name, value, f"known are {', '.join(KNOWN)}")
        spec = KNOWN[name][0](spec, value)
    return spec
