"""Assign: sets any field outside of metadata, or an item of a list."""

from __future__ import annotations

from sekisho.kube.fielderror import shown
from sekisho.policy import codes
from sekisho.policy.mutation.edit import go_type
from sekisho.policy.mutation.location import Item, Location
from sekisho.policy.mutation.mutator import Mutator, Reader
from sekisho.policy.mutation.source import ASSIGN, Constant, External, FromMetadata, Source, read_source


def load(reader: Reader) -> Mutator:
    """The mutator in an Assign; raises DiagnosticError with everything that is wrong with it."""
    location = reader.location()
    reader.forbid_metadata(location, "assign")
    reader.forbid_key(location)
    source = read_source(reader)
    if source is not None and location.steps and isinstance(location.steps[-1], Item):
        _check_item(reader, location, source)
    tests, match, apply_to = reader.path_tests(location), reader.match(), reader.apply_to()
    reader.finish()
    assert source is not None, "a malformed source is reported"
    return Mutator(
        object=reader.object,
        location=location,
        tests=tests,
        setter=source,
        match=match,
        apply_to=apply_to,
        must_terminate=isinstance(source, External),
        warnings=reader.warnings(),
    )


def _check_item(reader: Reader, location: Location, source: Source) -> None:
    """An item is set as a whole, by an object that has the item's key."""
    step = location.steps[-1]
    assert isinstance(step, Item), "the caller looks at the last step"
    if isinstance(source, FromMetadata):
        reader.forbid("cannot assign a metadata field to a list")
    elif isinstance(source, External):
        reader.forbid("cannot assign external data response to a list")
    elif step.every:
        reader.forbid("can't append to a globbed list", "name the item: [name: sidecar]")
    else:
        _check_constant(reader, step, source)


def _check_constant(reader: Reader, step: Item, source: Constant) -> None:
    value, path = source.constant, (*ASSIGN, "value")
    if not isinstance(value, dict):
        message = f"invalid value: `{shown(value)}`, only objects can be added to keyed lists"
        reader.report(codes.BAD_ASSIGN, path, message, f"it is of type {go_type(value)}")
        return
    key = value.get(step.key)
    if type(key) is not type(step.value) or key != step.value:
        message = (
            f"adding object to list with different key {step.key}: "
            f"list key {shown(step.value)}, object key {shown(key)}"
        )
        reader.report(codes.BAD_ASSIGN, (*path, step.key) if step.key in value else path, message)
