"""Every call that the Sentry is to answer has a handler, and every handler is some call's."""

from __future__ import annotations

import inspect

import pytest

from sekisho.sandbox import filters
from sekisho.sandbox.sentry import dispatch
from sekisho.sandbox.sentry.call import Call
from sekisho.sandbox.table import Option, Profile, handlers

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


def test_every_public_function_is_a_handler() -> None:
    wanted = {name for names in DEFAULT for name in names.values()}
    for family, modules in dispatch.FAMILIES.items():
        for module in modules:
            for name, item in vars(module).items():
                takes_call = (
                    inspect.isfunction(item)
                    and item.__module__ == module.__name__
                    and "call" in str(next(iter(inspect.signature(item).parameters), ""))
                )
                only = [*inspect.signature(item).parameters] if takes_call else []
                if not name.startswith("_") and only in (["call"], ["_call"]):
                    assert f"{family}.{name}" in wanted, name
                    assert inspect.signature(item).parameters[only[0]].annotation in (Call, "Call")
