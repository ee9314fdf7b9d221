"""Python code from nodes."""

from __future__ import annotations

import traceback
from typing import Any

from sekisho.lang.pyast import Writer, compile_module


def run(py: Writer, body: list[Any], **names: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {"__builtins__": {}, **names}
    exec(compile_module(body, "policy.rego"), scope)
    return scope


def test_a_function_with_a_loop() -> None:
    py = Writer()
    test = py.compare(py.name("x"), ">", py.const(1))
    body = [
        py.assign("out", py.list_of([])),
        py.loop(
            ("x",), py.name("xs"), [py.when(test, [py.do(py.method(py.name("out"), "append", py.name("x")))])]
        ),
        py.give(py.name("out")),
    ]
    scope = run(py, [py.function("f", ("xs",), body)])
    assert scope["f"]([1, 2, 3]) == [2, 3]


def test_a_block_that_is_left() -> None:
    py = Writer()
    body = [
        py.assign("x", py.const(1)),
        py.once([py.when(py.name("stop"), [py.leave()]), py.assign("x", py.const(2))]),
    ]
    assert run(py, body, stop=True)["x"] == 1
    assert run(py, body, stop=False)["x"] == 2


def test_an_attempt() -> None:
    py = Writer()
    get = py.method(py.name("value"), "get", py.const("k"))
    body = [py.attempt([py.assign("x", get)], "AttributeError", [py.assign("x", py.const(None))])]
    assert run(py, body, value={"k": 1}, AttributeError=AttributeError)["x"] == 1
    assert run(py, body, value=[], AttributeError=AttributeError)["x"] is None


def test_constants_of_different_types_are_different() -> None:
    py = Writer()
    scope = run(
        py, [py.assign("x", py.tuple_of([py.const(1), py.const(True), py.const(0), py.const(False)]))]
    )
    assert [type(value) for value in scope["x"]] == [int, bool, int, bool]


def test_tracebacks_point_into_the_policy() -> None:
    py = Writer()
    py.place(7, 3)
    body = [py.function("f", (), [py.give(py.call("boom"))])]

    def boom() -> None:
        raise ValueError

    try:
        run(py, body, boom=boom)["f"]()
    except ValueError as error:
        frame = traceback.extract_tb(error.__traceback__)[1]
        assert (frame.filename, frame.lineno) == ("policy.rego", 7)
