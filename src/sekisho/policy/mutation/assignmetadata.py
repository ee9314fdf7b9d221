"""AssignMetadata: adds a label or an annotation where there is none."""

from __future__ import annotations

from typing import Final

from sekisho.policy import codes
from sekisho.policy.mutation.location import Field, Location
from sekisho.policy.mutation.mutator import Mutator, Reader
from sekisho.policy.mutation.pathtests import PathTests
from sekisho.policy.mutation.source import ASSIGN, Constant, External, read_source

MAPS: Final = (Field("labels"), Field("annotations"))
DEPTH: Final = 2
"""Where the label's or the annotation's key stands in the location."""


def load(reader: Reader) -> Mutator:
    """The mutator in an AssignMetadata; raises DiagnosticError with everything that is wrong with it."""
    location = reader.location()
    name = reader.object.name
    if location.steps and not _allowed(location):
        reader.forbid(
            f"invalid location for assignmetadata {name}: {location}",
            "it is metadata.labels.NAME or metadata.annotations.NAME; other fields are for Assign",
        )
    source = read_source(reader)
    if isinstance(source, External) and not source.by_user:
        message = f"only username data source is supported for assignmetadata {name}"
        reader.report(codes.BAD_ASSIGN, (*ASSIGN, "externalData", "dataSource"), message)
    if isinstance(source, Constant) and not isinstance(source.constant, str):
        message = f'spec.parameters.assign.value field must be a string for AssignMetadata "{name}"'
        reader.report(codes.BAD_ASSIGN, (*ASSIGN, "value"), message)
    match = reader.match()
    reader.finish()
    assert source is not None, "a malformed source is reported"
    return Mutator(
        object=reader.object,
        location=location,
        tests=PathTests({DEPTH: False}),
        setter=source,
        match=match,
        apply_to=None,
        must_terminate=isinstance(source, External),
        warnings=reader.warnings(),
    )


def _allowed(location: Location) -> bool:
    steps = location.steps
    return (
        len(steps) == DEPTH + 1
        and steps[0] == Field("metadata")
        and steps[1] in MAPS
        and isinstance(steps[DEPTH], Field)
    )
