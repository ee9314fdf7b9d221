"""What built-ins that leave the evaluation share: refusals that name the setting, and one answer a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.codes import GATED
from sekisho.rego.context import EvalContext
from sekisho.rego.faults import BuiltinFault
from sekisho.rego.values import Value, key


def refuse(name: str, setting: str) -> NoReturn:
    """Refuse a gated built-in: the evaluation ends, since undefined could pass for 'allowed'."""
    raise DiagnosticError(
        Diagnostic(
            code=GATED,
            message=f"{name} is off: the capability set has no {setting}",
            help=f"give the evaluation Capabilities({setting}=…), or let the policy do without {name}",
            data={"builtin": name, "setting": setting},
        ),
    )


def once(context: EvalContext, name: str, operand: Value, compute: Callable[[], Value]) -> Value:
    """The answer for this operand, computed at its first use in a query and kept; faults are kept too."""
    place = (name, key(operand))
    if place not in context.cache:
        try:
            context.cache[place] = compute()
        except BuiltinFault as fault:
            context.cache[place] = fault
    answer = context.cache[place]
    if isinstance(answer, BuiltinFault):
        raise answer
    return answer


def check_host(capabilities: Capabilities, host: str) -> None:
    """Refuse a host that the capability set does not allow, in OPA's words."""
    if capabilities.allow_net is not None and host not in capabilities.allow_net:
        raise BuiltinFault(f"unallowed host: {host}")
