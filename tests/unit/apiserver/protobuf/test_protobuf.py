"""Bodies in protobuf: what Go writes becomes what its JSON would be; what nobody writes becomes an error."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.apiserver.protobuf import read_object
from sekisho.apiserver.protobuf.message import fields_of
from sekisho.apiserver.status import ApiError


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes | str | float) -> bytes:
    """One field, as Go writes it."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def envelope(api_version: str, kind: str, raw: bytes) -> bytes:
    type = field(1, api_version) + field(2, kind)
    return b"k8s\0" + field(1, type) + field(2, raw) + field(3, "") + field(4, "")


def message(name: str, /, **values: Any) -> bytes:
    """A message by the names of its fields."""
    numbers = {row.name: number for number, row in fields_of(name).items()}
    out = b""
    for key, value in values.items():
        for row in value if isinstance(value, list) else [value]:
            out += field(numbers[key], row)
    return out


CORE = "k8s.io.api.core.v1"
META = "k8s.io.apimachinery.pkg.apis.meta.v1"
EXTENSIONS = "k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1"


def test_what_go_writes_for_fields_that_nobody_set_is_dropped() -> None:
    meta = message(
        f"{META}.ObjectMeta",
        name="a",
        generateName="",
        namespace="",
        selfLink="",
        uid="",
        resourceVersion="",
        generation=0,
        creationTimestamp=b"",
    )
    body = envelope("v1", "ConfigMap", field(1, meta) + field(2, field(1, "k") + field(2, "v")))
    assert read_object(body) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"k": "v"},
    }


@pytest.mark.parametrize(
    ("name", "values", "want"),
    [
        (f"{CORE}.ContainerPort", {"hostPort": 0, "containerPort": 0}, {"containerPort": 0}),
        ("k8s.io.api.apps.v1.DeploymentSpec", {"replicas": 0, "minReadySeconds": 0}, {"replicas": 0}),
        (
            f"{CORE}.PodSpec",
            {"hostNetwork": 0, "automountServiceAccountToken": 0},
            {"automountServiceAccountToken": False},
        ),
        (f"{CORE}.EmptyDirVolumeSource", {"medium": ""}, {}),
    ],
)
def test_a_zero_stays_where_json_has_it(name: str, values: dict[str, Any], want: dict[str, Any]) -> None:
    from sekisho.apiserver.protobuf.message import Decoder

    assert Decoder().message(name, message(name, **values)) == want


def time(seconds: int, nanos: int = 0) -> bytes:
    return field(1, seconds) + field(2, nanos)


@pytest.mark.parametrize(
    ("type", "raw", "want"),
    [
        ("Time", time(1_700_000_000, 999), "2023-11-14T22:13:20Z"),
        ("Time", time(-1), "1969-12-31T23:59:59Z"),
        ("MicroTime", time(1_700_000_000, 123_456_789), "2023-11-14T22:13:20.123456Z"),
        ("Duration", field(1, 0), "0s"),
        ("Duration", field(1, 90 * 60 * 10**9), "1h30m0s"),
        ("Duration", field(1, -1_500_000_000), "-1.5s"),
        ("Duration", field(1, 1_500), "1.5µs"),
        ("Duration", field(1, 61 * 10**9 + 1), "1m1.000000001s"),
        ("FieldsV1", field(1, b'{"f:a":{}}'), {"f:a": {}}),
    ],
)
def test_types_with_a_json_of_their_own(type: str, raw: bytes, want: Any) -> None:
    from sekisho.apiserver.protobuf.special import SPECIAL

    assert SPECIAL[f"{META}.{type}"](raw) == want


def test_ports_and_quantities() -> None:
    text = field(1, 1) + field(2, 0) + field(3, "http")
    number = field(1, 0) + field(2, 8_080) + field(3, "")
    ports = [
        message(f"{CORE}.ServicePort", name="", port=80, targetPort=row, nodePort=0) for row in (text, number)
    ]
    spec = message(f"{CORE}.ServiceSpec", ports=ports, selector=field(1, "a") + field(2, "b"))
    got = read_object(envelope("v1", "Service", field(2, spec)))
    assert got["spec"] == {
        "ports": [{"port": 80, "targetPort": "http"}, {"port": 80, "targetPort": 8_080}],
        "selector": {"a": "b"},
    }
    hard = field(1, "cpu") + field(2, field(1, "1500m"))
    quota = read_object(envelope("v1", "ResourceQuota", field(2, field(1, hard))))
    assert quota["spec"] == {"hard": {"cpu": "1500m"}}


def test_secrets_are_base64() -> None:
    got = read_object(envelope("v1", "Secret", field(2, field(1, "k") + field(2, b"\xff\x00"))))
    assert got["data"] == {"k": "/wA="}


def test_inlined_structs_stand_in_their_parent() -> None:
    volume = field(1, "v") + field(2, field(2, field(1, "")))
    spec = message(f"{CORE}.PodSpec", volumes=[volume])
    got = read_object(envelope("v1", "Pod", field(2, spec)))
    assert got["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_schemas_keep_their_keywords() -> None:
    inner = message(f"{EXTENSIONS}.JSONSchemaProps", type="string", **{"x-kubernetes-int-or-string": 1})
    items = field(1, inner)
    schema = message(
        f"{EXTENSIONS}.JSONSchemaProps", **{"$ref": "#/x"}, items=items, default=field(1, b'{"a":1}')
    )
    version = message(f"{EXTENSIONS}.CustomResourceDefinitionVersion", name="v1", schema=field(1, schema))
    spec = message(f"{EXTENSIONS}.CustomResourceDefinitionSpec", versions=[version])
    body = envelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", field(2, spec))
    got = read_object(body)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert got == {
        "$ref": "#/x",
        "items": {"type": "string", "x-kubernetes-int-or-string": True},
        "default": {"a": 1},
    }


def test_options_of_a_deletion() -> None:
    preconditions = message(f"{META}.Preconditions", uid="u")
    raw = message(
        f"{META}.DeleteOptions",
        gracePeriodSeconds=0,
        preconditions=preconditions,
        propagationPolicy="Foreground",
        dryRun=["All"],
    )
    assert read_object(envelope("policy/v1", "DeleteOptions", raw)) == {
        "apiVersion": "policy/v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
    }


def test_unknown_fields_are_skipped() -> None:
    raw = field(1, field(1, "a")) + field(999, "what") + field(998, 3) + field(997, 1.5)
    assert read_object(envelope("v1", "ConfigMap", raw))["metadata"] == {"name": "a"}


def nested(levels: int) -> bytes:
    raw = b""
    for _ in range(levels):
        raw = field(28, raw)  # "not" of a schema is a schema
    version = message(f"{EXTENSIONS}.CustomResourceDefinitionVersion", name="v1", schema=field(1, raw))
    return field(2, message(f"{EXTENSIONS}.CustomResourceDefinitionSpec", versions=[version]))


CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "does not appear to be a protobuf message"),
        (b'{"kind":"Pod"}', "does not appear to be a protobuf message"),
        (b"k8s\0", "does not name a kind"),
        (b"k8s\0\xff", "a number does not end"),
        (b"k8s\0\x0b", "there is no wire type 3"),
        (b"k8s\0\x00", "there is no field number 0"),
        (b"k8s\0" + b"\xff" * 20, "a number does not end"),
        (b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "longer than what holds it"),
        (b"k8s\0" + field(1, 3), "bytes were expected"),
        (envelope("v1", "Nothing", b""), 'no kind "Nothing" is registered'),
        (envelope("v1", "ConfigMap", field(1, 3)), "metadata: bytes were expected"),
        (envelope("v1", "ConfigMap", field(1, field(1, b"\xff"))), "metadata: name: a text is not UTF-8"),
        (envelope("v1", "ConfigMap", field(1, field(7, "x"))), "generation: a number was expected"),
        (envelope("v1", "ConfigMap", b"\x0a\x05ab"), "longer than what holds it"),
        (envelope(*CRD, nested(5_000)), "is limited to 200 levels"),
        (envelope("v1", "Pod", b"\x12\x00" * 300_000), "is limited to 250,000 fields"),
        (envelope("v1", "Event", field(7, time(1 << 62))), "a time is out of range"),
        (b"k8s\0" + field(1, field(1, "v1") + field(2, "Pod")) + field(3, "gzip"), "the content is encoded"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_bodies(body: bytes, text: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_object(body)
    assert caught.value.code == 400
    assert text in caught.value.message


@given(st.binary(max_size=300), st.sampled_from([("v1", "Pod"), ("apps/v1", "Deployment"), CRD]))
def test_any_bytes_are_an_object_or_an_error(raw: bytes, kind: tuple[str, str]) -> None:
    try:
        got = read_object(envelope(*kind, raw))
    except ApiError as error:
        got = error.to_json()
    json.dumps(got)
