"""What a policy allows and hardly means: warnings about its patterns, rules and attestors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sekisho.diag import Code, Diagnostic, Level, Path
from sekisho.images import codes
from sekisho.images.google.policy import Mode, Policy, Rule

if TYPE_CHECKING:
    from sekisho.images.google.attestor import Attestor
    from sekisho.images.google.patterns import NamePattern
    from sekisho.kube.object import Object
    from sekisho.oci import Reference

ALLOWLIST = "admissionWhitelistPatterns"


def lint(
    policy: Policy, document: Object, attestors: Mapping[str, Attestor], seen: Sequence[Reference] | None
) -> Iterator[Diagnostic]:
    """Warnings about a policy. ``seen`` are images that run somewhere, None where nobody looked."""

    def warning(code: Code, path: Path, message: str, help: str = "") -> Diagnostic:
        at = document.at(*path)
        return Diagnostic(code=code, message=message, level=Level.WARNING, at=at, help=help)

    for index, pattern in enumerate(policy.allowlist):
        path: Path = (ALLOWLIST, index, "namePattern")
        if trap := _suffix_trap(pattern):
            help = f"write {pattern.text.rstrip('*')}/{pattern.wildcard}"
            yield warning(codes.SUFFIX_TRAP, path, f"{pattern.text} matches {trap} too", help)
        for other in policy.allowlist[:index]:
            if _covers(other, pattern):
                message = f"{pattern.text} matches nothing that {other.text} does not match"
                yield warning(codes.UNREACHABLE, path, message)
                break
        if seen is not None and not any(pattern.matches(image) for image in seen):
            yield warning(codes.UNUSED_PATTERN, path, f"{pattern.text} matches none of the images given")
    for path, rule in _rules(policy):
        for index, name in enumerate(rule.attestors):
            attestor = attestors.get(name)
            at = (*path, "requireAttestationsBy", index)
            if attestor is None:
                yield warning(codes.NO_ATTESTOR, at, f"{name} is not among the attestors given")
            elif not (attestor.keys or attestor.pgp_keys):
                yield warning(codes.NO_KEYS, at, f"{name} has no keys, so it never attests anything")
    if policy.default.mode is Mode.ALWAYS_ALLOW:
        message = "every image that no other rule is about may run"
        yield warning(codes.OPEN_DEFAULT, ("defaultAdmissionRule", "evaluationMode"), message)


def _rules(policy: Policy) -> Iterator[tuple[Path, Rule]]:
    yield ("defaultAdmissionRule",), policy.default
    for key, rule in policy.specific.items():
        yield (policy.scope.value, key), rule


def _suffix_trap(pattern: NamePattern) -> str:
    """A name of somebody else's that a pattern matches; empty if there is none.

    ``gcr.io/shop**`` goes on past the end of the project's name; so does ``gcr.io/shop*``, for images of that
    level, but who may push there owns the registry's top level anyway.
    """
    prefix = pattern.prefixes[0]
    if pattern.wildcard != "**" or prefix.endswith("/") or prefix.count("/") != 1:
        return ""
    return f"{prefix}-exploit/anything"


def _covers(wide: NamePattern, narrow: NamePattern) -> bool:
    """Whether whatever ``narrow`` matches ``wide`` matches too."""
    if wide.wildcard == "**":
        return all(any(row.startswith(prefix) for prefix in wide.prefixes) for row in narrow.prefixes)
    if wide.wildcard == "*" and narrow.wildcard != "**":
        return all(
            any(row.startswith(prefix) and "/" not in row[len(prefix) :] for prefix in wide.prefixes)
            for row in narrow.prefixes
        )
    return not wide.wildcard and not narrow.wildcard and wide.prefixes == narrow.prefixes
