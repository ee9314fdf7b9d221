"""The options of a connection as the object that admission is asked about (core/v1 Pod*Options)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sekisho.apiserver.route import Call
from sekisho.kube.gvk import GVK

FLAGS: Final = ("stdin", "stdout", "stderr", "tty")
DIGITS: Final = 5
"""Of a port; what has more is refused by who forwards."""
STREAMS: Final = (*FLAGS, "container")
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "PodAttachOptions": STREAMS,
    "PodExecOptions": (*STREAMS, "command"),
    "PodPortForwardOptions": ("ports",),
}


def with_options(call: Call, options: Mapping[str, Any]) -> Call:
    """The call that has these options, as admission may have changed them."""
    names = FIELDS[options["kind"]]
    query = {name: text for name, text in call.query.items() if name not in names}
    repeated = {name: texts for name, texts in call.repeated.items() if name not in names}
    for name in names:
        value = options.get(name)
        if value in (None, False, ""):
            continue
        texts = tuple(map(_text, value if isinstance(value, list) else [value]))
        query, repeated = query | {name: texts[0]} if texts else query, repeated | {name: texts}
    return replace(call, query=query, repeated=repeated)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def connect_options(call: Call, kind: GVK) -> dict[str, Any]:
    """The options of a call, without what it leaves out; a command is always there."""
    found: dict[str, Any] = {"kind": kind.kind, "apiVersion": kind.api_version}
    for name in FIELDS[kind.kind]:
        value: Any = call.query.get(name)
        if name in FLAGS:
            value = call.flag(name)
        elif name == "command":
            found[name] = list(call.repeated.get(name, ())) or None
            continue
        elif name == "ports":
            texts = (part for text in call.repeated.get(name, ()) for part in text.split(","))
            value = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) <= DIGITS]
        if value:
            found[name] = value
    return found
