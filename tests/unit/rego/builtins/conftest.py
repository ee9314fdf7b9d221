"""How the tests of built-ins call them: by name, with a context of their own."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from sekisho.lang.meter import Limits, Meter
from sekisho.rego import builtins
from sekisho.rego.builtins.table import TABLE
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault

builtins.load()


def make_context(*, now_ns: int = 0, limits: Limits | None = None, **capabilities: Any) -> EvalContext:
    """A context with these capabilities, its random numbers seeded."""
    return EvalContext(
        now_ns=now_ns,
        meter=Meter(limits or Limits()),
        capabilities=Capabilities(**capabilities),
        seeded=random.Random(7),
    )


@pytest.fixture
def context() -> Callable[..., EvalContext]:
    """``make_context``."""
    return make_context


@pytest.fixture
def call() -> Callable[..., Any]:
    """``call(name, *operands, context=…)``: the value, or the fault's message as ``Fault``."""

    def run(name: str, *operands: Any, context: EvalContext | None = None) -> Any:
        builtin = TABLE[name]
        extra = (context or make_context(),) if builtin.context else ()
        try:
            return builtin.function(*extra, *operands)
        except BuiltinFault as fault:
            return f"{fault.kind}: {fault}"

    return run
