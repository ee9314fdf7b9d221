"""A project's Binary Authorization policy (``projects/*/policy``, v1), every problem at its field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from sekisho.diag import DiagnosticError, Path
from sekisho.images import codes
from sekisho.images.google.patterns import BadPatternError, NamePattern, name_pattern
from sekisho.kube.decode import Anything, Choice, Field, ListOf, MapOf, Reading, Refused, Struct, Text
from sekisho.kube.object import Object


class Mode(Enum):
    """``evaluationMode``: what a rule asks of an image."""

    ALWAYS_ALLOW = "ALWAYS_ALLOW"
    ALWAYS_DENY = "ALWAYS_DENY"
    REQUIRE_ATTESTATION = "REQUIRE_ATTESTATION"


class Enforcement(Enum):
    """``enforcementMode``: what a refusal does."""

    BLOCK = "ENFORCED_BLOCK_AND_AUDIT_LOG"
    DRY_RUN = "DRYRUN_AUDIT_LOG_ONLY"


class Scope(Enum):
    """Which map of specific rules: field, how messages call its rules, and the form of its keys."""

    CLUSTER = "clusterAdmissionRules"
    NAMESPACE = "kubernetesNamespaceAdmissionRules"
    SERVICE_ACCOUNT = "kubernetesServiceAccountAdmissionRules"
    ISTIO = "istioServiceIdentityAdmissionRules"


TITLES: Final = {
    Scope.CLUSTER: "cluster",
    Scope.NAMESPACE: "namespace",
    Scope.SERVICE_ACCOUNT: "service account",
    Scope.ISTIO: "Istio service identity",
}

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = rf"{_LABEL}(?:\.{_LABEL})*"
KEYS: Final = {
    Scope.CLUSTER: (re.compile(rf"{_LABEL}\.[A-Za-z0-9-]+"), "location.cluster, such as us-east1-a.prod"),
    Scope.NAMESPACE: (re.compile(_LABEL), "a namespace"),
    Scope.SERVICE_ACCOUNT: (re.compile(rf"{_LABEL}:{_NAME}"), "namespace:serviceaccount"),
    Scope.ISTIO: (
        re.compile(rf"(?:spiffe://)?{_NAME}/ns/{_LABEL}/sa/{_NAME}"),
        "spiffe://DOMAIN/ns/NAMESPACE/sa/SERVICEACCOUNT",
    ),
}
"""Google documents ``[a-z.-]+`` for namespaces, without digits; what Kubernetes allows is taken."""

ATTESTOR: Final = re.compile(r"projects/[A-Za-z0-9.:-]+/attestors/[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An admission rule. ``attestors`` must all agree; there are some where attestations are asked."""

    mode: Mode
    enforcement: Enforcement
    attestors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an image is to run, as far as policies ask. ``cluster`` is ``location.cluster``."""

    namespace: str = ""
    service_account: str = ""
    cluster: str = ""
    trust_domain: str = "cluster.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy: who is exempt, and the rule for everybody else. At most one scope has rules."""

    default: Rule
    name: str = ""
    description: str = ""
    system_policy: bool = False
    allowlist: tuple[NamePattern, ...] = ()
    scope: Scope = Scope.CLUSTER
    specific: Mapping[str, Rule] = field(default_factory=dict)

    def rule_for(self, place: Place) -> tuple[Rule, str]:
        """The rule for a place, and what messages call it; a specific one replaces the default whole."""
        for key in _keys(self.scope, place):
            if key in self.specific:
                return self.specific[key], f"{TITLES[self.scope]} admission rule for {key}"
        return self.default, "default admission rule"


def _keys(scope: Scope, place: Place) -> tuple[str, ...]:
    account = place.service_account or "default"
    if scope is Scope.CLUSTER:
        return (place.cluster,)
    if scope is Scope.NAMESPACE:
        return (place.namespace,)
    if scope is Scope.SERVICE_ACCOUNT:
        return (f"{place.namespace}:{account}",)
    identity = f"{place.trust_domain}/ns/{place.namespace}/sa/{account}"
    return (f"spiffe://{identity}", identity)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A pattern of an allowlist."""

    def read(self, value: Any, path: Path, reading: Reading) -> NamePattern:
        text = Text().read(value, path, reading)
        try:
            return name_pattern(text)
        except BadPatternError as error:
            raise reading.refuse(codes.BAD_PATTERN, path, f"{text}: {error}") from None

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


def _check_rule(rule: Rule) -> Iterable[tuple[Path, str]]:
    at: Path = ("requireAttestationsBy",)
    if rule.mode is Mode.REQUIRE_ATTESTATION and not rule.attestors:
        yield at, "requireAttestationsBy: Required value: REQUIRE_ATTESTATION needs at least one attestor"
    if rule.mode is not Mode.REQUIRE_ATTESTATION and rule.attestors:
        yield at, f"requireAttestationsBy: Forbidden: {rule.mode.value} asks no attestor"
    for index, name in enumerate(rule.attestors):
        if not ATTESTOR.fullmatch(name):
            yield (*at, index), f"{name}: an attestor is projects/PROJECT/attestors/NAME"


RULE: Final = Struct(
    Rule,
    Field("mode", "evaluationMode", Choice({row.value: row for row in Mode})),
    Field("enforcement", "enforcementMode", Choice({row.value: row for row in Enforcement})),
    Field("attestors", "requireAttestationsBy", ListOf(Text()), ()),
    check=_check_rule,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    pattern: NamePattern


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """The policy field by field; ``_whole`` makes one map of rules of the four."""

    default: Rule
    name: str
    description: str
    evaluation: bool
    allowlist: tuple[_Entry, ...]
    etag: str
    updated: Any
    cluster: Mapping[str, Rule]
    namespace: Mapping[str, Rule]
    service_account: Mapping[str, Rule]
    istio: Mapping[str, Rule]

    def maps(self) -> dict[Scope, Mapping[str, Rule]]:
        return {
            Scope.CLUSTER: self.cluster,
            Scope.NAMESPACE: self.namespace,
            Scope.SERVICE_ACCOUNT: self.service_account,
            Scope.ISTIO: self.istio,
        }


_EVALUATION: Final[dict[str, Any]] = {
    "ENABLE": True,
    "DISABLE": False,
    "GLOBAL_POLICY_EVALUATION_MODE_UNSPECIFIED": False,
}

POLICY: Final = Struct(
    _Written,
    Field("default", "defaultAdmissionRule", RULE),
    Field("name", "name", Text(empty=True), ""),
    Field("description", "description", Text(empty=True), ""),
    Field("evaluation", "globalPolicyEvaluationMode", Choice(_EVALUATION), False),
    Field(
        "allowlist",
        "admissionWhitelistPatterns",
        ListOf(Struct(_Entry, Field("pattern", "namePattern", _Pattern()))),
        (),
    ),
    Field("etag", "etag", Text(empty=True), ""),
    Field("updated", "updateTime", Anything(), None),
    Field("cluster", Scope.CLUSTER.value, MapOf(RULE), {}),
    Field("namespace", Scope.NAMESPACE.value, MapOf(RULE), {}),
    Field("service_account", Scope.SERVICE_ACCOUNT.value, MapOf(RULE), {}),
    Field("istio", Scope.ISTIO.value, MapOf(RULE), {}),
)


def read_policy(object: Object) -> Policy:
    """The policy that a document is; raises DiagnosticError (IMG001-IMG003, KUB040-KUB043)."""
    reading = Reading(object)
    try:
        written = POLICY.read(object.raw, (), reading)
        maps = {scope: rules for scope, rules in written.maps().items() if rules}
        _check_maps(maps, reading)
    except Refused:
        raise DiagnosticError(reading.problems) from None
    if reading.problems:
        raise DiagnosticError(reading.problems)
    scope, specific = next(iter(maps.items()), (Scope.CLUSTER, {}))
    return Policy(
        default=written.default,
        name=written.name,
        description=written.description,
        system_policy=written.evaluation,
        allowlist=tuple(row.pattern for row in written.allowlist),
        scope=scope,
        specific=specific,
    )


def _check_maps(maps: Mapping[Scope, Mapping[str, Rule]], reading: Reading) -> None:
    if len(maps) > 1:
        first, *others = maps
        for other in others:
            message = (
                f"{other.value}: Forbidden: the policy has {first.value} already, and one kind is allowed"
            )
            reading.report(codes.TWO_RULE_MAPS, (other.value,), message, key=True)
    for scope, rules in maps.items():
        form, words = KEYS[scope]
        for key in rules:
            if not form.fullmatch(key):
                message = f"{scope.value}: {key}: a key is {words}"
                reading.report(codes.BAD_POLICY, (scope.value, key), message, key=True)
