"""What hostile clients send: paths, bodies of every media type, heads and chunks."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

MAPS = "/api/v1/namespaces/default/configmaps"

KINDS = (
    ("v1", "ConfigMap", MAPS),
    ("v1", "Pod", "/api/v1/namespaces/default/pods"),
    ("v1", "Service", "/api/v1/namespaces/default/services"),
    ("v1", "Namespace", "/api/v1/namespaces"),
    ("v1", "Secret", "/api/v1/namespaces/default/secrets"),
    ("v1", "ServiceAccount", "/api/v1/namespaces/default/serviceaccounts"),
    ("apps/v1", "Deployment", "/apis/apps/v1/namespaces/default/deployments"),
    ("apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/default/statefulsets"),
    ("batch/v1", "CronJob", "/apis/batch/v1/namespaces/default/cronjobs"),
    ("policy/v1", "PodDisruptionBudget", "/apis/policy/v1/namespaces/default/poddisruptionbudgets"),
    ("networking.k8s.io/v1", "Ingress", "/apis/networking.k8s.io/v1/namespaces/default/ingresses"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "/apis/rbac.authorization.k8s.io/v1/clusterroles"),
    (
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    ),
    (
        "authorization.k8s.io/v1",
        "SubjectAccessReview",
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    ),
    ("authentication.k8s.io/v1", "TokenReview", "/apis/authentication.k8s.io/v1/tokenreviews"),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    ),
    (
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    ),
)

NAMES = (
    *("a", "b", "c") * 6,
    *("kube-root-ca.crt", "default", "A", "..", "%2e%2e", "%00", "a%2Fb", "x" * 300, "é", "%ff"),
)

SUBRESOURCES = (*("",) * 16, "/status", "/scale", "/eviction", "/token", "/log", "/exec", "/no", "/binding")

QUERIES = (
    *("",) * 40,
    "?dryRun=All",
    "?dryRun=no",
    "?fieldValidation=Strict",
    "?fieldManager=" + "m" * 200,
    "?limit=-1",
    "?limit=99999999999999999999",
    "?limit=x",
    "?limit=1&continue=bm8",
    "?limit=1&continue=%ff%00",
    "?labelSelector=a%20in%20(",
    "?labelSelector=" + "a%3Db," * 500,
    "?labelSelector=!!a",
    "?fieldSelector=metadata.name%3D%3D%3D",
    "?fieldSelector=no.such%3Da",
    "?resourceVersion=-1",
    "?resourceVersion=x&resourceVersionMatch=Exact",
    "?resourceVersion=99999999999999999999&resourceVersionMatch=NotOlderThan",
    "?gracePeriodSeconds=-1",
    "?gracePeriodSeconds=%C2%B2",
    "?gracePeriodSeconds=99999999999999999999",
    "?propagationPolicy=Never",
    "?timeoutSeconds=1e9",
    "?pretty=true&&&=&x=%",
    "?force=maybe&fieldManager=%0a",
)

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    10**19,
    10**400,
    1e308,
    "",
    "a",
    "\u0000",
    "é" * 300,
    "\ud800",
    [],
    {},
    [None],
    [[]],
    {"": None},
    {"a": {"b": {"c": []}}},
    [{"name": None}, {"name": "x"}, {"name": "x"}],
    "9999999999999999999999Ei",
    "2026-13-45T99:99:99Z",
    {"$patch": "delete"},
    {"$retainKeys": 5},
    [{"$patch": "replace"}],
)

METADATA = (
    *("name", "namespace", "labels", "annotations", "ownerReferences", "finalizers", "generateName", "uid"),
    *("resourceVersion", "managedFields", "creationTimestamp", "deletionTimestamp", "generation"),
)

FIELDS = (
    *("spec", "data", "status", "rules", "roleRef", "subjects", "immutable", "type", "stringData", "items"),
    *("apiVersion", "kind", "metadata", "aggregationRule", "binaryData", "$setElementOrder/containers"),
)

SPEC = (
    *("containers", "replicas", "selector", "template", "ports", "schedule", "jobTemplate", "volumes"),
    *("group", "names", "versions", "scope", "conversion", "resourceAttributes", "user", "token", "groups"),
    *("minAvailable", "maxUnavailable", "strategy", "initContainers", "tolerations", "clusterIP", "rules"),
    *("validations", "matchConstraints", "paramKind", "variables", "matchConditions", "audiences", "extra"),
)

RIGHT: dict[str, dict[str, Any]] = {
    "ConfigMap": {"data": {"a": "b"}, "spec": {}},
    "Secret": {"stringData": {"a": "b"}, "spec": {}},
    "Service": {"spec": {"ports": [{"port": 80}]}},
    "Deployment": {
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        }
    },
    "PodDisruptionBudget": {"spec": {"minAvailable": 1, "selector": {}}},
    "ClusterRole": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
    "RoleBinding": {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "a"},
        "subjects": [{"kind": "User", "name": "u", "apiGroup": "rbac.authorization.k8s.io"}],
    },
    "SubjectAccessReview": {"spec": {"user": "u", "resourceAttributes": {"verb": "get", "resource": "pods"}}},
    "TokenReview": {"spec": {"token": "a.b.c"}},
}
"""What makes an object of a kind right, before something in it goes wrong."""

DEEP = (
    b"[" * 200_000,
    b'{"a":' * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"kind":"ConfigMap","apiVersion":"v1","data":' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"metadata":' * 800 + b"{}" + b"}" * 800,
    b"- " * 50_000,
    b"a: " * 20_000,
    b"{" * 20_000,
    b"a: &a [" + b"x," * 100 + b"]\n" + b"".join(b"b%d: &b%d [*a,*a,*a]\n" % (at, at) for at in range(50)),
    b"a: &x {b: *x}\n",
    b'{"a": ' + b"9" * 100_000 + b"}",
    b'{"a": -1e99999}',
    b'{"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "n"}, "x": ' + b"7" * 5000 + b"}",
    b'{"a": NaN, "b": Infinity}',
    b'"\\ud800"',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"null",
    b"[]",
    b"",
    b" ",
    b'{"a":1,"a":2}',
    b"{}{}",
    b"--- \n---\n---\n",
    b"!!python/object/apply:os.system [id]",
    b"? [a, b]\n: c\n",
    b"1: 2\nnull: 3\n",
)

HEADS = (
    b"\r\n" * 500,
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\x00\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://other/api HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET //x:y@:99999999/%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % at for at in range(5000)) + b"\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\x00\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a.b.c\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nImpersonate-User: a\r\nImpersonate-Extra-%zz: b\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nImpersonate-Group: a\r\n\r\n",
    b"GET /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nAccept: application/json;as=Table;v=v9;g=,*/*;q=x\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"GET /api HTTP/1.1\r\nHost: x\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n\x80\x03\x00\x01",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00",
    b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nContent-Length: 4\r\n\r\nxxxx",
    b"\xff" * 5000,
)

CHUNKS = (
    b"-1\r\n{}\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n{}\r\n",
    b"0x2\r\n{}\r\n0\r\n\r\n",
    b"2;" + b"e" * 20_000 + b"\r\n{}\r\n0\r\n\r\n",
    b"2\n{}\n0\n\n",
    b"2\r\n{}{}\r\n0\r\n\r\n",
    b"zz\r\n{}\r\n",
    b"1\r\n{\r\n" * 5000,
    b"0\r\n" + b"Trailer: x\r\n" * 5000 + b"\r\n",
    b"2\r\n{}\r\n0\r\n\r\nGARBAGE",
    b"",
)


def path(rng: random.Random, method: str, kind: tuple[str, str, str] | None = None) -> str:
    """A path of a kind that the method may have, or hardly."""
    if kind is None and rng.random() < 0.05:
        return rng.choice(("/", "/api", "/apis/x", "/openapi/v3/apis/x/y", "/version/a", "//", "/readyz/no"))
    _, _, base = kind or rng.choice(KINDS)
    if method != "POST" or rng.random() < 0.2:
        base += f"/{rng.choice(NAMES)}{rng.choice(SUBRESOURCES)}"
    return (base + rng.choice(QUERIES)).encode("utf-8").decode("latin-1")


def body(rng: random.Random, content_type: str, kind: tuple[str, str, str] | None = None) -> bytes:
    """A body of a media type: an object gone wrong, a patch gone wrong, or no such thing at all."""
    act = rng.random()
    if act < 0.08:
        return rng.choice(DEEP)
    if "protobuf" in content_type:
        return _protobuf(rng)
    if "json-patch" in content_type and act < 0.8:
        return text(_json_patch(rng))
    sent = text(thing(rng, kind))
    return bitten(rng, sent) if act > 0.85 else sent


def text(value: Any) -> bytes:
    """A value as JSON, with what only a hostile client would put into it."""
    return json.dumps(value).encode("utf-8")


def thing(rng: random.Random, of: tuple[str, str, str] | None = None) -> dict[str, Any]:
    """An object that is almost right."""
    api_version, kind, _ = of or rng.choice(KINDS)
    value: dict[str, Any] = {"apiVersion": api_version, "kind": kind, "metadata": {"name": rng.choice("abc")}}
    value |= {key: json.loads(json.dumps(part)) for key, part in RIGHT.get(kind, {}).items()}
    container: dict[str, Any] = {"name": "c", "image": "i"}
    spec = value.setdefault(
        "spec", {"containers": [container], "template": {"spec": {"containers": [container]}}}
    )
    for _ in range(rng.choice((0, 1, 1, 1, 2, 4))):
        target, names = rng.choice(
            ((value, FIELDS), (value["metadata"], METADATA), (spec, SPEC), (container, SPEC))
        )
        if isinstance(target, dict):
            target[rng.choice(names)] = _value(rng)
        if not isinstance(value["metadata"], dict) or not isinstance(value["spec"], dict):
            break
    return value


def _value(rng: random.Random, depth: int = 0) -> Any:
    act = rng.random()
    if act < 0.6 or depth > 3:
        return copy.deepcopy(rng.choice(VALUES))  # what is put together is changed later
    if act < 0.8:
        return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {rng.choice((*SPEC, *METADATA)): _value(rng, depth + 1) for _ in range(rng.randrange(4))}


def _json_patch(rng: random.Random) -> Any:
    def step() -> Any:
        pointer = rng.choice(
            (
                "",
                "/",
                "/metadata/name",
                "/data/a",
                "/spec/containers/0",
                "/spec/containers/-",
                "/a/~2",
                "x",
                "/metadata",
            )
        )
        row = {
            "op": rng.choice(("add", "remove", "replace", "move", "copy", "test", "no", "")),
            "path": pointer,
        }
        row |= {rng.choice(("value", "from", "path", "op")): _value(rng)}
        return row if rng.random() < 0.9 else _value(rng)

    return [step() for _ in range(rng.randrange(1, 6))] if rng.random() < 0.9 else _value(rng)


def _protobuf(rng: random.Random) -> bytes:
    """An envelope (k8s, 0, runtime.Unknown) with fields that lie about their lengths and types."""

    def field(number: int, content: bytes) -> bytes:
        return bytes((number << 3 | 2,)) + _varint(len(content)) + content

    api_version, kind, _ = rng.choice(KINDS)
    raw = field(1, field(1, b"a")) + field(2, field(1, b"k") + field(2, b"v"))
    for _ in range(rng.randrange(4)):
        raw += field(rng.randrange(1, 16), rng.randbytes(rng.randrange(40)))
    if rng.random() < 0.2:
        for _ in range(3000):
            raw = field(rng.choice((1, 2)), raw)[:200_000]
    unknown = field(1, field(1, api_version.encode()) + field(2, kind.encode())) + field(2, raw)
    sent = b"k8s\x00" + unknown
    return bitten(rng, sent) if rng.random() < 0.6 else sent


def _varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found, number = found + bytes((number & 127 | 128,)), number >> 7
    return found + bytes((number,))


def bitten(rng: random.Random, sent: bytes) -> bytes:
    """Bytes with a few of them changed, gone or doubled."""
    data = bytearray(sent)
    for _ in range(rng.randrange(1, 6)):
        if not data:
            break
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randrange(1, 8)]
            case 2:
                data[at:at] = data[at : at + 16]
            case _:
                data = data[:at]
    return bytes(data)
