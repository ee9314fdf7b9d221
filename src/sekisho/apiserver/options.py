"""The parameters of a write: ``fieldManager``, ``force``, ``dryRun``, ``fieldValidation``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sekisho.apiserver.route import Call
from sekisho.apiserver.status import Cause, invalid
from sekisho.kube.gvk import GVK
from sekisho.lang.golang.gotext import quote

KINDS: Final[Mapping[str, str]] = {
    "create": "CreateOptions",
    "update": "UpdateOptions",
    "patch": "PatchOptions",
    "delete": "DeleteOptions",
    "deletecollection": "DeleteOptions",
}
"""What the parameters of a verb are called."""

MAX_MANAGER: Final = 128
"""Bytes of a manager's name (apimachinery's FieldManagerMaxLength)."""

MODES: Final = ("", "Ignore", "Strict", "Warn")
"""What to do about unknown fields; the empty word means Warn."""


def check_options(call: Call, *, apply: bool = False) -> None:
    """Raise ApiError (422) for parameters that the request may not have. ``apply``: it is an apply patch."""
    verb = call.target.verb
    causes = [*_patch_causes(call, apply=apply)] if verb == "patch" else []
    causes += _manager_causes(call.query.get("fieldManager", ""))
    given = call.repeated.get("dryRun") or tuple(filter(None, [call.query.get("dryRun", "")]))
    if any(word != "All" for word in given):
        shown = ", ".join(map(quote, given))
        causes.append(_unsupported("dryRun", f"[]string{{{shown}}}", '"All"'))
    mode = call.query.get("fieldValidation", "")
    if mode not in MODES:
        causes.append(_unsupported("fieldValidation", quote(mode), ", ".join(map(quote, MODES))))
    if causes:
        raise invalid(GVK("meta.k8s.io", "", KINDS[verb]), "", causes)


def options_of(call: Call) -> dict[str, Any]:
    """The parameters as the options that admission sees."""
    options: dict[str, Any] = {
        "kind": KINDS.get(call.target.verb, "UpdateOptions"),
        "apiVersion": "meta.k8s.io/v1",
    }
    if dry_run(call):
        options["dryRun"] = ["All"]
    for name in ("fieldManager", "fieldValidation"):
        if call.query.get(name):
            options[name] = call.query[name]
    if "force" in call.query:
        options["force"] = call.flag("force")
    return options


def dry_run(call: Call) -> bool:
    """Whether nothing is to be stored."""
    return call.query.get("dryRun", "") == "All"


def _patch_causes(call: Call, *, apply: bool) -> Iterator[Cause]:
    if apply and not call.query.get("fieldManager"):
        message = "Required value: is required for apply patch"
        yield Cause(reason="FieldValueRequired", message=message, field="fieldManager")
    if not apply and "force" in call.query:
        message = "Forbidden: may not be specified for non-apply patch"
        yield Cause(reason="FieldValueForbidden", message=message, field="force")


def _manager_causes(manager: str) -> Iterator[Cause]:
    if len(manager.encode()) > MAX_MANAGER:
        message = f"Too long: may not be more than {MAX_MANAGER} bytes"
        yield Cause(reason="FieldValueTooLong", message=message, field="fieldManager")
    for index, char in enumerate(manager):
        if not char.isprintable():
            at = len(manager[:index].encode())
            message = (
                f"Invalid value: {quote(manager)}: invalid character U+{ord(char):04X} (at position {at})"
            )
            yield Cause(reason="FieldValueInvalid", message=message, field="fieldManager")


def _unsupported(field: str, given: str, supported: str) -> Cause:
    message = f"Unsupported value: {given}: supported values: {supported}"
    return Cause(reason="FieldValueNotSupported", message=message, field=field)
