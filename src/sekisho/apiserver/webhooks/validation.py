"""What is wrong with a webhook configuration (``pkg/apis/admissionregistration/validation``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from sekisho.apiserver.causes import duplicate, invalid, invalids, not_supported, parted, required
from sekisho.apiserver.status import Cause
from sekisho.apiserver.types import Plain, Raw
from sekisho.apiserver.webhooks.config import client_causes
from sekisho.kube.names import dns_1035_label, dns_subdomain
from sekisho.kube.selectors import label_selector_problems

REVIEWS: Final = ("v1", "v1beta1")
SIDE_EFFECTS: Final = ("None", "NoneOnDryRun")
OPERATIONS: Final = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")

WORDS: Final[Mapping[str, Sequence[str]]] = {
    "failurePolicy": ("Fail", "Ignore"),
    "matchPolicy": ("Equivalent", "Exact"),
    "reinvocationPolicy": ("IfNeeded", "Never"),
}
"""Fields that are one of a few words."""

ANY: Final = "*"


class WebhookConfigurations(Plain):
    """Mutating and validating webhook configurations."""

    def validate(self, new: Raw, old: Raw | None) -> Iterable[Cause]:  # noqa: ARG002 - the protocol's shape
        """Each webhook has a name of its own, rules, somebody to ask, and no side effects."""
        names: set[str] = set()
        for index, hook in enumerate(new.get("webhooks") or ()):
            at = f"webhooks[{index}]"
            yield from _hook_causes(hook, at)
            name = hook.get("name") or ""
            if name and name in names:
                yield duplicate(f"{at}.name", name)
            names.add(name)


def _hook_causes(hook: Raw, at: str) -> Iterator[Cause]:
    yield from _name_causes(hook.get("name") or "", f"{at}.name")
    for index, rule in enumerate(hook.get("rules") or ()):
        yield from _rule_causes(rule, f"{at}.rules[{index}]")
    for field, allowed in WORDS.items():
        value = hook.get(field)
        if value is not None and value not in allowed:
            yield not_supported(f"{at}.{field}", value, allowed)
    effects = hook.get("sideEffects")
    if effects is None:
        yield required(f"{at}.sideEffects", f"must specify one of {', '.join(SIDE_EFFECTS)}")
    elif effects not in SIDE_EFFECTS:
        yield not_supported(f"{at}.sideEffects", effects, SIDE_EFFECTS)
    seconds = hook.get("timeoutSeconds")
    if seconds is not None and not 1 <= seconds <= 30:
        detail = "the timeout value must be between 1 and 30 seconds"
        yield invalid(f"{at}.timeoutSeconds", seconds, detail)
    for field in ("namespaceSelector", "objectSelector"):
        if hook.get(field) is not None:
            for path, message in label_selector_problems(hook[field], (field,)):
                cause = parted(message)
                where = ".".join([at, *map(str, path)]) if not cause.field else f"{at}.{cause.field}"
                yield Cause(reason=cause.reason, message=cause.message, field=where)
    yield from client_causes(hook.get("clientConfig") or {}, f"{at}.clientConfig")
    yield from _review_causes(hook.get("admissionReviewVersions") or (), f"{at}.admissionReviewVersions")


def _name_causes(name: str, at: str) -> Iterator[Cause]:
    if not name:
        yield required(at)
    elif wrong := dns_subdomain(name):
        yield from invalids(at, name, wrong)
    elif name.count(".") < 2:
        yield invalid(at, name, "should be a domain with at least three segments separated by dots")


def _rule_causes(rule: Raw, at: str) -> Iterator[Cause]:
    operations = rule.get("operations") or ()
    yield from _list_causes(operations, f"{at}.operations", "operations")
    for index, word in enumerate(operations):
        if word not in OPERATIONS:
            yield not_supported(f"{at}.operations[{index}]", word, OPERATIONS)
    yield from _list_causes(rule.get("apiGroups") or (), f"{at}.apiGroups", "API groups")
    versions = rule.get("apiVersions") or ()
    yield from _list_causes(versions, f"{at}.apiVersions", "API versions")
    for index, version in enumerate(versions):
        if not version:
            yield required(f"{at}.apiVersions[{index}]")
    yield from _resource_causes(rule.get("resources") or (), f"{at}.resources")
    scope = rule.get("scope")
    if scope is not None and scope not in ("*", "Cluster", "Namespaced"):
        yield not_supported(f"{at}.scope", scope, ("*", "Cluster", "Namespaced"))


def _list_causes(rows: Sequence[Any], at: str, what: str) -> Iterator[Cause]:
    if not rows:
        yield required(at)
    elif len(rows) > 1 and ANY in rows:
        yield invalid(at, list(rows), f"if '*' is present, must not specify other {what}")


def _resource_causes(rows: Sequence[str], at: str) -> Iterator[Cause]:
    if not rows:
        yield required(at)
    seen: set[str] = set()
    for index, row in enumerate(rows):
        plural, slash, sub = row.partition("/")
        if not row:
            yield required(f"{at}[{index}]")
        for wide in (f"{plural}/*", f"*/{sub}") if slash else ():
            if wide in seen and row != wide:
                yield invalid(f"{at}[{index}]", row, f"if '{wide}' is present, must not specify {row}")
        seen.add(row)
    if len(rows) > 1 and "*/*" in rows:
        yield invalid(at, list(rows), "if '*/*' is present, must not specify other resources")
    if ANY in rows and any(row and row != ANY and "/" not in row for row in rows):
        detail = "if '*' is present, must not specify other resources without subresources"
        yield invalid(at, list(rows), detail)


def _review_causes(rows: Sequence[str], at: str) -> Iterator[Cause]:
    one_of = ", ".join(REVIEWS)
    if not rows:
        yield required(at, f"must specify one of {one_of}")
        return
    for index, row in enumerate(rows):
        if row in rows[:index]:
            yield invalid(f"{at}[{index}]", row, "duplicate version")
        else:
            yield from invalids(f"{at}[{index}]", row, dns_1035_label(row))
    if not set(rows) & set(REVIEWS):
        yield invalid(at, list(rows), f"must include at least one of {one_of}")


STRATEGIES: Final = {
    ("admissionregistration.k8s.io", plural): WebhookConfigurations()
    for plural in ("mutatingwebhookconfigurations", "validatingwebhookconfigurations")
}
