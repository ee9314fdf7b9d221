"""Every call that the Sentry is to answer has a handler, and every handler is some call's."""

from __future__ import annotations

import inspect

import pytest

from sekisho.sandbox import filters
from sekisho.sandbox.sentry import dispatch
from sekisho.sandbox.table import Option, Profile, handlers, table

DEFAULT = [
    handlers(Profile.DEFAULT, options) for options in (frozenset(), frozenset({Option.SEALED_NETWORK}))
]


@pytest.mark.parametrize("names", DEFAULT, ids=["open", "sealed"])
def test_every_notified_call_has_a_handler(names: dict[int, str]) -> None:
    found = dispatch.resolve(names)
    assert found.keys() == names.keys()
    for handler in found.values():
        assert len(inspect.signature(handler).parameters) == 1


def test_what_is_loaded_is_what_the_table_says() -> None:
    assert filters.load_handlers() == DEFAULT[0]


def takes_a_call(item: object) -> bool:
    return inspect.isfunction(item) and [*inspect.signature(item).parameters] in (["call"], ["_call"])


def test_every_public_function_is_a_handler() -> None:
    every = [*DEFAULT, handlers(Profile.STRICT)]
    wanted = {name for names in every for name in names.values()}
    for family, modules in dispatch.FAMILIES.items():
        for module in modules:
            for name, item in vars(module).items():
                own = getattr(item, "__module__", "") == module.__name__
                if own and takes_a_call(item) and not name.startswith("_"):
                    assert f"{family}.{name}" in wanted


def test_only_rows_that_say_what_a_race_gains_are_continued() -> None:
    resumed = {row.default.handler for row in table().values() if row.default.resumes}
    names = handlers()
    for number, handler in dispatch.resolve(names).items():
        used = handler.__code__.co_names
        inner = {name for other in used if other.startswith("_") for name in names_of(handler, other)}
        if "CONTINUE" in used or "CONTINUE" in inner:
            assert names[number] in resumed


def names_of(handler: object, name: str) -> tuple[str, ...]:
    function = getattr(inspect.getmodule(handler), name, None)
    return function.__code__.co_names if inspect.isfunction(function) else ()
