from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sekisho.diag import DiagnosticError, Path
from sekisho.kube.decode import (
    Anything,
    Boolean,
    Choice,
    Field,
    Integer,
    Labels,
    ListOf,
    MapOf,
    Struct,
    Text,
    Time,
    parse_time,
    resource,
)
from sekisho.kube.ladder import RUNGS, Rung
from sekisho.kube.object import Object
from sekisho.kube.selectors import Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    number: int
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    name: str
    namespace: str
    title: str
    rung: Rung
    count: int = 0
    on: bool = False
    when: datetime | None = None
    ports: tuple[Port, ...] = ()
    words: Mapping[str, str] | None = None
    selector: Selector | None = None
    extra: Any = None


def check(thing: Thing) -> Iterable[tuple[Path, str]]:
    if thing.on and thing.count == 0:
        yield ("spec", "count"), "on needs a count"


PORT = Struct(
    Port,
    Field("number", "number", Integer(minimum=1, maximum=9)),
    Field("title", "title", Text(empty=True), ""),
    check=lambda port: [(("title",), "no x")] if port.title == "x" else [],
)

THING = resource(
    "example.dev/v1",
    "Thing",
    Thing,
    Field("title", "spec.title", Text()),
    Field("rung", "spec.deep.rung", Choice(RUNGS)),
    Field("count", "spec.count", Integer(minimum=0, maximum=5), 0),
    Field("on", "spec.on", Boolean(), False),
    Field("when", "spec.when", Time(), None),
    Field("ports", "spec.ports", ListOf(PORT, 1), ()),
    Field("words", "spec.words", MapOf(Text()), None),
    Field("selector", "spec.selector", Labels(), None),
    Field("extra", "spec.free.extra", Anything(), None),
    check=check,
    namespaced=True,
)


def thing(**spec: Any) -> Object:
    spec = {"title": "t", "deep": {"rung": "warn"}, **spec}
    meta = {"name": "n", "namespace": "ns", "labels": {"any": "thing"}}
    return Object(
        {"apiVersion": "example.dev/v1", "kind": "Thing", "metadata": meta, "spec": spec, "status": {}}
    )


def test_a_whole_object() -> None:
    found = THING.decode(
        thing(
            count=3,
            on=True,
            when="2026-01-02T03:04:05Z",
            ports=[{"number": 1}, {"number": 2, "title": ""}],
            words={"a": "b"},
            selector={"matchLabels": {"a": "b"}},
            free={"extra": [1, None]},
        )
    )
    assert found.name == "n"
    assert found.namespace == "ns"
    assert found.rung is Rung.WARN
    assert found.when == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert found.ports == (Port(number=1), Port(number=2))
    assert found.words == {"a": "b"}
    assert found.selector is not None
    assert found.selector.matches({"a": "b"})
    assert found.extra == [1, None]


def test_defaults_stand_in_for_what_is_absent_or_null() -> None:
    assert THING.decode(thing()) == THING.decode(thing(count=None, free=None, ports=None))
    assert THING.decode(thing()).count == 0


@pytest.mark.parametrize(
    ("spec", "wanted"),
    [
        ({"title": None}, ["KUB042 spec.title: Required value"]),
        (
            {"title": ""},
            ['KUB043 spec.title: Invalid value: "": spec.title in body should be at least 1 chars long'],
        ),
        (
            {"title": 3},
            [
                'KUB041 spec.title: Invalid value: "integer": spec.title in body must be of type string: "integer"'
            ],
        ),
        ({"deep": None}, ["KUB042 spec.deep: Required value"]),
        (
            {"deep": []},
            ['KUB041 spec.deep: Invalid value: "array": spec.deep in body must be of type object: "array"'],
        ),
        ({"deep": {}}, ["KUB042 spec.deep.rung: Required value"]),
        (
            {"deep": {"rung": "block"}},
            [
                'KUB043 spec.deep.rung: Unsupported value: "block": supported values: "observe", "warn", "deny"'
            ],
        ),
        (
            {"count": -1},
            ["KUB043 spec.count: Invalid value: -1: spec.count in body should be greater than or equal to 0"],
        ),
        (
            {"count": 6},
            ["KUB043 spec.count: Invalid value: 6: spec.count in body should be less than or equal to 5"],
        ),
        (
            {"count": True},
            [
                'KUB041 spec.count: Invalid value: "boolean": spec.count in body must be of type integer: "boolean"'
            ],
        ),
        (
            {"on": 1},
            ['KUB041 spec.on: Invalid value: "integer": spec.on in body must be of type boolean: "integer"'],
        ),
        ({"on": True}, ["KUB043 on needs a count"]),
        (
            {"when": "soon"},
            ['KUB043 spec.when: Invalid value: "soon": spec.when in body must be of type date-time: "soon"'],
        ),
        (
            {"when": 1},
            [
                'KUB041 spec.when: Invalid value: "integer": spec.when in body must be of type string: "integer"'
            ],
        ),
        (
            {"ports": []},
            ["KUB043 spec.ports: Invalid value: []: spec.ports in body should have at least 1 items"],
        ),
        (
            {"ports": {}},
            [
                'KUB041 spec.ports: Invalid value: "object": spec.ports in body must be of type array: "object"'
            ],
        ),
        (
            {"ports": [{"number": 0}, {"number": 1}, {"numbr": 1}]},
            [
                "KUB043 spec.ports[0].number: Invalid value: 0: spec.ports[0].number in body should be greater than or equal to 1",
                'KUB040 unknown field "spec.ports[2].numbr"',
                "KUB042 spec.ports[2].number: Required value",
            ],
        ),
        ({"ports": [{"number": 1, "title": "x"}]}, ["KUB043 no x"]),
        (
            {"ports": [3]},
            [
                'KUB041 spec.ports[0]: Invalid value: "integer": spec.ports[0] in body must be of type object: "integer"'
            ],
        ),
        (
            {"words": []},
            ['KUB041 spec.words: Invalid value: "array": spec.words in body must be of type object: "array"'],
        ),
        (
            {"words": {"a": 1, "b": "c"}},
            [
                'KUB041 spec.words.a: Invalid value: "integer": spec.words.a in body must be of type string: "integer"'
            ],
        ),
        (
            {"selector": {"matchLabels": []}},
            [
                'KUB010 spec.selector.matchLabels: Invalid value: "array": spec.selector.matchLabels in body must be of type object: "array"'
            ],
        ),
        ({"titel": "x"}, ['KUB040 unknown field "spec.titel"']),
        ({"free": {"status": 1}}, ['KUB040 unknown field "spec.free.status"']),
    ],
)
def test_every_problem_is_reported_at_its_field(spec: dict[str, Any], wanted: list[str]) -> None:
    with pytest.raises(DiagnosticError) as caught:
        THING.decode(thing(**spec))
    assert [f"{problem.code} {problem.message}" for problem in caught.value.diagnostics] == wanted
    assert all(problem.at is not None for problem in caught.value.diagnostics)


def test_an_unknown_field_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(DiagnosticError) as caught:
        THING.decode(thing(titel="x"))
    assert caught.value.diagnostics[0].help == 'did you mean "title"?'
    with pytest.raises(DiagnosticError) as caught:
        THING.decode(thing(free={"zzz": 1}))
    assert caught.value.diagnostics[0].help == "known fields: extra"


def test_an_unknown_field_at_the_top_and_a_missing_name() -> None:
    with pytest.raises(DiagnosticError) as caught:
        THING.decode(Object({"apiVersion": "example.dev/v1", "kind": "Thing", "sepc": {}}))
    assert [problem.message for problem in caught.value.diagnostics] == [
        "metadata.name: Required value",
        'unknown field "sepc"',
        "spec: Required value",
    ]


def test_a_missing_name_alone() -> None:
    raw = {**thing().raw, "metadata": {}}
    with pytest.raises(DiagnosticError) as caught:
        THING.decode(Object(raw))
    assert [problem.message for problem in caught.value.diagnostics] == ["metadata.name: Required value"]


def test_kinds_are_told_apart() -> None:
    assert THING.is_(thing())
    assert not THING.is_(Object({"apiVersion": "example.dev/v2", "kind": "Thing"}))


def test_the_schema_is_that_of_the_rows() -> None:
    schema = THING.struct.schema()
    assert schema["required"] == ["spec"]
    spec = schema["properties"]["spec"]
    assert spec["required"] == ["deep", "title"]
    assert spec["properties"]["deep"] == {
        "type": "object",
        "properties": {"rung": {"type": "string", "enum": ["observe", "warn", "deny"]}},
        "required": ["rung"],
    }
    assert spec["properties"]["ports"]["minItems"] == 1
    assert spec["properties"]["ports"]["items"]["properties"]["number"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
    }
    assert spec["properties"]["ports"]["items"]["properties"]["title"] == {"type": "string"}
    assert spec["properties"]["on"] == {"type": "boolean"}
    assert spec["properties"]["words"] == {
        "type": "object",
        "additionalProperties": {"type": "string", "minLength": 1},
    }
    assert spec["properties"]["free"]["properties"]["extra"] == {"x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5Z", datetime(2026, 1, 2, 3, 4, 5, 500000, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456789Z", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2026-01-02T03:04:05+09:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=9)))),
        ("2026-01-02T03:04:05", None),
        ("2026-01-02", None),
        ("2026-02-30T00:00:00Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("２026-01-02T03:04:05Z", None),
        ("2026-01-02T03:04:05Z\n", None),
    ],
)
def test_times(text: str, wanted: datetime | None) -> None:
    assert parse_time(text) == wanted
