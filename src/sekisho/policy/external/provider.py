"""Provider resources: where a provider is, how long it may take, and whose certificate it has.

What Gatekeeper refuses is refused, in its words, and all of it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sekisho.diag import Diagnostic, DiagnosticError, Level, Path
from sekisho.kube.object import Object
from sekisho.kube.schema import validate
from sekisho.lang.faults import BuiltinFault
from sekisho.lang.golang import base64text, gourl
from sekisho.policy import codes, shapes
from sekisho.policy.external.kinds import is_provider
from sekisho.policy.external.wire import VERSIONS
from sekisho.web import certificates

DEFAULT_TIMEOUT: Final = 5
"""Seconds for a provider that does not say. Gatekeeper documents the same, but gives such a provider none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A provider. ``seconds`` is how long it may take, ``ca`` the PEM text of whom to trust."""

    name: str
    url: str
    ca: str
    seconds: float
    object: Object = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The providers among some objects by name, and what is wrong with the others."""

    providers: Mapping[str, Provider]
    problems: tuple[Diagnostic, ...] = ()

    @classmethod
    def build(cls, objects: Iterable[Object]) -> Declared:
        """Read them all; what is wrong is left out and told."""
        found: dict[str, Provider] = {}
        problems: list[Diagnostic] = []
        for object in objects:
            if not is_provider(object):
                continue
            try:
                provider = load_provider(object)
            except DiagnosticError as error:
                problems += error.diagnostics
                continue
            other = found.get(provider.name)
            if other is not None and other != provider:
                problems.append(_twice(object, other.object))
            found[provider.name] = provider
        return cls(providers=found, problems=tuple(problems))


def load_provider(object: Object) -> Provider:
    """The provider in an object; raises DiagnosticError (POL120, KUB1xx) with everything that is wrong."""
    problems = list(validate(object.raw, shapes.provider(), shapes.locate(object)))
    if not problems:
        problems = [*_problems(object)]
    if problems:
        raise DiagnosticError(problems)
    spec = object.get("spec")
    return Provider(
        name=object.name,
        url=spec["url"],
        ca=base64text.decode(spec["caBundle"]).decode("utf-8", "replace"),
        seconds=float(spec.get("timeout") or DEFAULT_TIMEOUT),
        object=object,
    )


def _problems(object: Object) -> Iterator[Diagnostic]:
    if object.gvk.version not in VERSIONS:
        message = f'there is no version "{object.gvk.version}" of Provider'
        yield _problem(object, ("apiVersion",), message, f"versions: {', '.join(VERSIONS)}")
    if not object.name:
        yield _problem(object, ("metadata", "name"), "provider name can not be empty. value ")
    spec = object.get("spec") or {}
    timeout = spec.get("timeout") or 0
    if timeout < 0:
        message = f"provider timeout should be a positive integer. value: {timeout}"
        yield _problem(object, ("spec", "timeout"), message)
    if problem := _url_problem(spec.get("url") or ""):
        yield _problem(object, ("spec", "url"), *problem)
    if problem := _bundle_problem(spec.get("caBundle") or ""):
        yield _problem(object, ("spec", "caBundle"), *problem)


def _url_problem(url: str) -> tuple[str, str] | None:
    """What is wrong with a URL, and what to do."""
    if not url:
        return "invalid provider url. value: ", ""
    try:
        parsed = gourl.parse(url)
    except BuiltinFault as fault:
        return str(fault), ""
    if parsed.scheme != "https":
        return "only HTTPS scheme is supported for Providers", ""
    if not parsed.hostname:
        return f"invalid provider url. value: {url}", "it has no host: https://HOST:PORT/PATH"
    return None


def _bundle_problem(text: str) -> tuple[str, str] | None:
    """What is wrong with a CA bundle, and what to do. Gatekeeper looks at the first block only."""
    help = "it is the PEM text of the provider's CA, in base64: base64 -w0 ca.crt"
    if not text:
        return "caBundle should be set for HTTPS scheme", help
    try:
        pem = base64text.decode(text).decode("utf-8", "replace")
    except BuiltinFault as fault:
        return f"failed to base64 decode caBundle: {fault}", help
    block = next(certificates.blocks(pem), None)
    if block is None:
        return "bad caBundle", help
    reason = certificates.check(block[1])
    return (f"failed to parse caBundle: {reason}", help) if reason else None


def _problem(object: Object, path: Path, message: str, help: str = "") -> Diagnostic:
    return Diagnostic(code=codes.BAD_PROVIDER, message=message, at=object.at(*path), help=help)


def _twice(object: Object, other: Object) -> Diagnostic:
    return Diagnostic(
        code=codes.SAME_PROVIDER,
        message="this Provider is given twice with different contents; the last one holds",
        level=Level.WARNING,
        at=object.at("metadata", "name"),
    ).with_note("the other one is here", other.at("metadata", "name"))
