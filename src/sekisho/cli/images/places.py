"""Where images are, for commands: a registry that is asked, or a layout in a folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from sekisho.oci.reference import Reference, parse_reference

if TYPE_CHECKING:
    from sekisho.diag import Deadline

SECONDS = 30.0
"""How long a command may ask a registry by default."""


class Opened(NamedTuple):
    """A place that is open: source (and sink), the image by its digest, and the name it goes by."""

    place: Any
    image: Reference


@asynccontextmanager
async def opened(text: str, *, writing: bool, deadline: Deadline) -> AsyncIterator[Opened]:
    """Open the place of an image and say which digest it means now; the tag counts for nothing afterwards.

    Raises DiagnosticError (OCI…).
    """
    from sekisho.oci.asking import Options, Registries
    from sekisho.oci.credentials import Files
    from sekisho.oci.layout import WritableLayout
    from sekisho.oci.places import is_local, open_local, open_place
    from sekisho.oci.push import Remote

    if is_local(text):
        place, which = open_local(text)
        if writing:
            form, _, rest = text.partition(":")
            if form != "oci":
                raise click.UsageError(f"{text}: signatures are written into registries and oci: folders")
            place = WritableLayout(Path(rest.partition("@")[0].partition(":")[0]))
        name = Reference(registry="localhost", repository="layout")
        yield Opened(place, await _resolved(place, which, name, deadline))
        return
    async with Registries(Options(keychain=Files())) as registries:
        name = parse_reference(text.removeprefix("docker://"))
        place, which = open_place(text, registries)
        if writing:
            place = Remote.of(registries, name)
        yield Opened(place, await _resolved(place, which, name, deadline))


async def _resolved(place: Any, which: str, name: Reference, deadline: Deadline) -> Reference:
    from sekisho.diag import Diagnostic, DiagnosticError
    from sekisho.oci import codes

    content = await place.manifest(which, deadline=deadline)
    if content is None:
        message = f"there is no {which or 'image'} in {place}"
        raise DiagnosticError(Diagnostic(code=codes.NOT_FOUND, message=message))
    return name.at(content.digest)
