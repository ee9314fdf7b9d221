"""What a policy may touch beyond its input and data. Nothing, unless the caller says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sekisho.rego.values import Value

Transport = Callable[[Mapping[str, Value], float], Value]
"""``http.send``'s transport: the request object and seconds left → the response object.

The request is checked already. The response has ``status`` ("200 OK"), ``status_code``, ``headers``
(lower-case names to arrays of strings) and ``raw_body`` (text); ``body`` is decoded by ``http.send``. Hosts
that a redirect leads to are the transport's to check. It raises ``faults.BuiltinFault`` for a
failure (``NetworkFault`` where nothing came back); ``rego`` itself opens no socket.
"""

Resolver = Callable[[str, float], list[str]]
"""``net.lookup_ip_addr``'s resolver: name and seconds left → addresses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The capability set of a compilation and its evaluations.

    ``builtins`` names the allowed built-ins (None: all of the table). ``functions`` are further built-ins
    that the embedder brings (``external_data``), as rows of the built-in table; whom they ask is said with
    each evaluation (``Options.services``). Gated built-ins work only
    when their provider is given: ``transport`` for http.send, ``resolver`` for net.lookup_ip_addr,
    ``runtime`` for opa.runtime. ``deprecated`` allows any, all, re_match, set_diff, cast_* in v1 sources.
    """

    builtins: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()
    functions: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    transport: Transport | None = None
    resolver: Resolver | None = None
    runtime: Mapping[str, Value] | None = None
    allow_net: frozenset[str] | None = None
    deprecated: bool = False


NONE = Capabilities()
