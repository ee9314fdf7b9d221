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
    return replace(spec, network=Network(mode="none"))


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
