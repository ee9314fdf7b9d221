"""opa.runtime and rego.metadata.*: what a policy may ask of its surroundings and of itself."""

from __future__ import annotations

from functools import partial
from typing import Any, Final, NoReturn

from sekisho.rego.builtins import gate
from sekisho.rego.builtins.table import Support, row
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.types import ANY, STRING, Array, Function, Object
from sekisho.rego.values import Value

_SECRETS: Final = {"services": ("credentials",), "keys": ("key", "private_key")}
"""Parts of the runtime's ``config`` that no policy sees."""


def _runtime(context: EvalContext) -> Value:
    runtime = context.capabilities.runtime
    if runtime is None:
        gate.refuse("opa.runtime", "runtime")
    return gate.once(context, "opa.runtime", None, lambda: _purged(dict(runtime)))


def _purged(runtime: dict[str, Any]) -> Value:
    config = runtime.get("config")
    if type(config) is dict:
        config = dict(config)
        for part, secret in _SECRETS.items():
            if part in config:
                config[part] = _without(config[part], secret)
        runtime["config"] = config
    return runtime


def _without(entries: Value, secret: tuple[str, ...]) -> Value:
    if type(entries) is dict:
        return {name: _stripped(entry, secret) for name, entry in entries.items()}
    if type(entries) is list:
        return [_stripped(entry, secret) for entry in entries]
    return entries


def _stripped(entry: Value, secret: tuple[str, ...]) -> Value:
    return {k: v for k, v in entry.items() if k not in secret} if type(entry) is dict else entry


def _metadata(name: str) -> NoReturn:
    # The compiler puts the annotations in place of these calls; only a query can get here.
    raise BuiltinFault(f"the {name} function must only be called within the scope of a rule")


row(
    "opa.runtime",
    Function((), Object(dynamic=(STRING, ANY))),
    _runtime,
    context=True,
    deterministic=False,
    support=Support.GATED,
    note="needs Capabilities.runtime",
)
row("rego.metadata.chain", Function((), Array(dynamic=ANY)), partial(_metadata, "rego.metadata.chain"))
row("rego.metadata.rule", Function((), ANY), partial(_metadata, "rego.metadata.rule"))
