"""Where Assign and AssignMetadata take the value that they set: the mutator, the object, or a provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sekisho.diag import Path
from sekisho.kube.fielderror import shown
from sekisho.kube.schema import ABSENT
from sekisho.policy import codes
from sekisho.policy.mutation.edit import Context, SetError, go_type
from sekisho.policy.mutation.external import FailurePolicy, Placeholder, Reference
from sekisho.policy.mutation.mutator import Reader

ASSIGN: Final[Path] = ("spec", "parameters", "assign")

METADATA: Final[Mapping[str, Callable[[Context], str]]] = {
    "name": lambda context: context.name,
    "namespace": lambda context: context.namespace,
}
"""The fields of ``fromMetadata``."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A setter that sets a value of the mutator's own."""

    constant: Any

    def value(self, old: Any, context: Context) -> Any:  # noqa: ARG002 - the protocol's shape
        """The value."""
        return self.constant

    def item(self, context: Context) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's shape
        """The value as an item."""
        if not isinstance(self.constant, dict):
            raise SetError(f"assign.value for keyed list is not an object: {shown(self.constant)}")
        return self.constant


@dataclass(frozen=True, slots=True)
class FromMetadata:
    """A setter that sets the object's name or namespace."""

    field: str

    def value(self, old: Any, context: Context) -> Any:  # noqa: ARG002 - the protocol's shape
        """The name or namespace, empty where there is none."""
        return METADATA[self.field](context)

    def item(self, context: Context) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's shape
        """Never an item: the loader refuses it."""
        raise SetError("cannot assign a metadata field to a list")


@dataclass(frozen=True, slots=True)
class External:
    """A setter that sets a placeholder, which a provider's answer replaces once all mutators are done."""

    reference: Reference
    by_user: bool

    def value(self, old: Any, context: Context) -> Any:
        """A placeholder with the key to ask for."""
        if self.by_user:
            return Placeholder(self.reference, context.username)
        if old is ABSENT:
            return Placeholder(self.reference, "")
        if isinstance(old, Placeholder):
            return Placeholder(self.reference, old.key)
        if not isinstance(old, str):
            message = f"value assigned to external data placeholder is not a string, got {go_type(old)}"
            raise SetError(message)
        return Placeholder(self.reference, old)

    def item(self, context: Context) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's shape
        """Never an item: the loader refuses it."""
        raise SetError("cannot assign external data response to a list")


Source = Constant | FromMetadata | External


def read_source(reader: Reader) -> Source | None:
    """The source in ``parameters.assign``; None where it is malformed, which is reported."""
    assign = reader.parameters.get("assign") or {}
    names = [name for name in _READ if assign.get(name) is not None]
    if len(names) != 1:
        how = "only set" if names else "set"
        message = f"assign must {how} one of `externalData`, `value` or `fromMetadata`: invalid assign field"
        path = (*ASSIGN, names[1]) if names else ASSIGN[: 3 if assign else 2]
        reader.report(codes.BAD_ASSIGN, path, message)
        return None
    return _READ[names[0]](reader, assign[names[0]])


def _constant(reader: Reader, raw: Any) -> Source:  # noqa: ARG001 - the table's shape
    return Constant(raw)


def _from_metadata(reader: Reader, raw: Mapping[str, Any]) -> Source | None:
    field = raw.get("field") or ""
    if field in METADATA:
        return FromMetadata(field)
    message = f"field {field} is not recognized: invalid fromMetadata field"
    path = (*ASSIGN, "fromMetadata", *(("field",) if field else ()))
    reader.report(codes.BAD_ASSIGN, path, message, f"the fields are {' and '.join(METADATA)}")
    return None


def _external(reader: Reader, raw: Mapping[str, Any]) -> Source | None:
    policy = FailurePolicy(raw["failurePolicy"])
    default = raw.get("default") or ""
    if policy is FailurePolicy.USE_DEFAULT and not default:
        message = "`default` must not be empty when `failurePolicy` is set to `UseDefault`"
        reader.report(codes.BAD_ASSIGN, (*ASSIGN, "externalData"), message)
        return None
    reference = Reference(provider=raw["provider"], failure=policy, default=default)
    return External(reference, by_user=raw["dataSource"] == "Username")


_READ: Final[Mapping[str, Callable[[Reader, Any], Source | None]]] = {
    "value": _constant,
    "fromMetadata": _from_metadata,
    "externalData": _external,
}
