"""What decided, of the variables."""

from __future__ import annotations

from typing import Any

import pytest

import sekisho.cel as cel
from sekisho.cel.standard import OPTIONALS, TWO_VARIABLES
from sekisho.cel.types import DYN
from sekisho.diag import path_text

POD = {
    "spec": {
        "containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "x:latest"}, {"name": "c"}],
        "hostNetwork": True,
        "tags": ["one", "two"],
    },
    "metadata": {"labels": {"app": "web"}},
}
ENVIRONMENT = cel.Environment(libraries=(OPTIONALS, TWO_VARIABLES), variables={"pod": DYN, "params": DYN})


def reads(expression: str, **params: Any) -> list[str]:
    program = cel.compile(expression, ENVIRONMENT)
    return [
        path_text((read.variable, *read.path)) + ("?" if read.missing else "")
        for read in program.reads({"pod": POD, "params": params})
    ]


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("pod.spec.hostNetwork", ["pod.spec.hostNetwork"]),
        ("!has(pod.spec.hostPID)", ["pod.spec.hostPID?"]),
        ("pod.spec.hostNetwork && has(pod.spec.hostPID)", ["pod.spec.hostPID?"]),
        ("pod.spec.hostNetwork == false && pod.metadata.labels.app == 'web'", ["pod.spec.hostNetwork"]),
        ("pod.spec.hostNetwork || pod.metadata.labels.app == 'web'", ["pod.spec.hostNetwork"]),
        (
            "pod.spec.hostNetwork == false || pod.metadata.labels.app == 'x'",
            ["pod.spec.hostNetwork", "pod.metadata.labels.app"],
        ),
        (
            "pod.spec.containers.all(c, !c.image.endsWith(':latest'))",
            ["pod.spec.containers[1].image"],
        ),
        ("pod.spec.containers.exists(c, c.name == 'b')", ["pod.spec.containers[1].name"]),
        ("pod.spec.tags.all(t, t != 'two')", ["pod.spec.tags[1]"]),
        ("pod.metadata.labels.all(k, k == 'team')", ["pod.metadata.labels.app"]),
        ("pod.metadata.labels.all(k, v, v == 'x')", ["pod.metadata.labels.app"]),
        ("'team' in pod.metadata.labels", ["pod.metadata.labels.team?"]),
        ("size(pod.spec.containers) < 3", ["pod.spec.containers"]),
        ("pod.spec.containers[1].image == 'x'", ["pod.spec.containers[1].image"]),
        ("pod.spec.?hostPID.orValue(false)", ["pod.spec.hostPID?"]),
        (
            "pod.spec.hostNetwork ? pod.spec.tags[0] : pod.spec.tags[1]",
            ["pod.spec.hostNetwork", "pod.spec.tags[0]"],
        ),
        ("size(pod.spec.containers) <= params.limit", ["pod.spec.containers", "params.limit"]),
    ],
)
def test_reads(expression: str, paths: list[str]) -> None:
    assert reads(expression, limit=2) == paths


def test_an_error_is_told_with_what_was_read() -> None:
    explained = cel.compile("pod.spec.containers.all(c, c.image != '')", ENVIRONMENT).explain({"pod": POD})
    assert explained.error is not None
    assert explained.error.message == "no such key: image"
    assert explained.reads[-1].path == ("spec", "containers", 2, "image")
    assert explained.reads[-1].missing


def test_steps_are_the_parts_of_the_text() -> None:
    explained = cel.compile("pod.spec.hostNetwork && 1 + 1 == 3", ENVIRONMENT).explain({"pod": POD})
    text = explained.steps[0].span.source.text
    assert [(text[s.span.start : s.span.end], s.value) for s in explained.steps] == [
        ("pod.spec.hostNetwork && 1 + 1 == 3", False),
        ("pod.spec.hostNetwork", True),
        ("1 + 1 == 3", False),
        ("1 + 1", 2),
    ]
