"""What Kubernetes' own evaluator said: ``data/recorded.json``, and the environments it was asked in.

The expressions are ours. The answers were recorded with a small Go program on k8s.io/apiserver v0.37.0
(``environment.MustBaseEnvSet(version)``, new expressions) and cel-go v0.29.2 (all extension libraries in
their newest versions, for the environment ``extensions``), with the variables below.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sekisho.cel import Environment, Options
from sekisho.cel.extensions.encoders import encoders
from sekisho.cel.extensions.lists import lists
from sekisho.cel.extensions.math import maths
from sekisho.cel.extensions.network import NETWORK, Address, Network
from sekisho.cel.extensions.optionals import OPTIONAL_LISTS
from sekisho.cel.extensions.regex import REGEX
from sekisho.cel.extensions.sets import SETS
from sekisho.cel.extensions.strings import strings
from sekisho.cel.kubernetes.authorizer import (
    AUTHORIZER_VARIABLES,
    Answer,
    Attributes,
    ResourceAttributes,
    authorizer_variables,
)
from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cel.kubernetes.formats import FormatValue
from sekisho.cel.kubernetes.quantity import QuantityValue
from sekisho.cel.kubernetes.semver import SemverValue
from sekisho.cel.kubernetes.urls import UrlValue
from sekisho.cel.standard import BINDINGS, OPTIONALS, TWO_VARIABLES
from sekisho.cel.times import timestamp_text
from sekisho.cel.types import DYN, INT, STRING, CelType, list_of
from sekisho.cel.values import Duration, OpaqueValue, Optional, Timestamp, UInt, Value, value_of_key
from sekisho.kube.review.request import UserInfo
from sekisho.kube.selectortext import parse_field_selector, parse_selector
from sekisho.lang.golang import gofloat

DATA = Path(__file__).parent / "data" / "recorded.json"

VARIABLES = {
    "x": DYN,
    "nothing": list_of(STRING),
    "mixed": list_of(DYN),
    "objects": DYN,
    "numbers": DYN,
    "nothing_numbers": list_of(INT),
}
VALUES = {
    "x": ["b", "a"],
    "nothing": [],
    "mixed": ["a", 1, 1.5, None, True, ["b", ["c"]], 1, {"k": "v"}],
    "objects": [{"name": "web", "size": 2}, {"name": "db", "size": 1}],
    "numbers": [2, 1.5],
    "nothing_numbers": [],
}


class Recorder:
    """An authorizer that gives back what it was asked as its reason. The verb says how it decides."""

    def authorize(self, asked: Attributes) -> Answer:
        parts = [f"path={asked.path}"] if asked.resource is None else list(_resource(asked.resource))
        user = asked.user
        parts += [f"verb={asked.verb}", f"user={user.username}", f"uid={user.uid}"]
        parts.append(f"groups={'|'.join(user.groups)}")
        return Answer(
            allowed=asked.verb in ("allow", "get"),
            reason=",".join(parts),
            error="authorizer is down" if asked.verb == "fail" else None,
        )


def _resource(asked: ResourceAttributes) -> Iterator[str]:
    yield f"group={asked.group}"
    yield "version=*"
    for name in ("resource", "subresource", "namespace", "name"):
        yield f"{name}={getattr(asked, name)}"
    for term in parse_field_selector(asked.field_selector).terms:
        yield f"field:{term}"
    for requirement in parse_selector(asked.label_selector).requirements:
        yield f"label:{requirement}"


ALICE = UserInfo(username="alice", uid="7", groups=("devs",))
REQUESTED = ResourceAttributes(
    group="apps", resource="deployments", subresource="scale", namespace="shop", name="web"
)
AUTHORIZER = authorizer_variables(Recorder(), ALICE, REQUESTED)


@cache
def environment(kind: str, version: str) -> Environment:
    """The environment that an answer was recorded in."""
    if kind == "extensions":
        libraries = (
            *(strings(), lists(), SETS, maths(), encoders(), REGEX, NETWORK),
            *(OPTIONALS, OPTIONAL_LISTS, BINDINGS, TWO_VARIABLES),
        )
        return Environment(libraries=libraries, variables=VARIABLES, options=Options(presence_cost=True))
    old = version == "1.26"
    variables = {**VARIABLES, **({} if old else AUTHORIZER_VARIABLES)}
    return kubernetes_environment(version or "1.37", variables=variables, patches=kind == "patches")


def rows() -> list[dict[str, Any]]:
    """The recorded answers."""
    found: list[dict[str, Any]] = json.loads(DATA.read_text(encoding="utf-8"))
    return found


def plain(value: Value) -> Any:
    """A value as the recording writes it: its type and its text."""
    match value:
        case None:
            return {"null": None}
        case bool():
            return {"bool": value}
        case UInt():
            return {"uint": str(int(value))}
        case int():
            return {"int": str(value)}
        case float():
            return {"double": _double(value)}
        case str():
            return {"string": value}
        case bytes():
            return {"bytes": base64.b64encode(value).decode()}
        case Timestamp():
            return {"timestamp": timestamp_text(value)}
        case Duration():
            return {"duration": str(value.ns)}
        case Optional():
            return {"optional": plain(value.value) if value.present else None}
        case CelType():
            return {"type": str(value)}
        case list() | tuple():
            return {"list": [plain(item) for item in value]}
        case dict():
            pairs = [[plain(value_of_key(key)), plain(item)] for key, item in value.items()]
            return {"map": sorted(pairs, key=json.dumps)}
        case OpaqueValue():
            return {_OPAQUE[type(value)]: str(value)} if type(value) in _OPAQUE else value.cel_type.name
    raise AssertionError(value)


_OPAQUE = {
    QuantityValue: "quantity",
    Address: "ip",
    Network: "cidr",
    UrlValue: "url",
    SemverValue: "semver",
    FormatValue: "format",
}


def _double(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return gofloat.shortest(value)
