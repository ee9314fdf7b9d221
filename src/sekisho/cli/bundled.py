"""``--image``: resources that are kept in images, beside those of files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from sekisho.manifest import Read

F = TypeVar("F", bound=Callable[..., Any])

SECONDS: Final = 60.0
"""How long one image may take: bundles of policies have some megabytes at most."""


def image_options(function: F) -> F:
    """Gator's options for images. ``--tempdir`` is taken and not needed: nothing is written."""
    image = click.option(
        "-i",
        "--image",
        "images",
        multiple=True,
        metavar="IMAGE",
        help="Image with resources: a reference, or oci:FOLDER[:TAG], oci-archive:FILE; repeatable.",
    )
    folder = click.option(
        "-d",
        "--tempdir",
        expose_value=False,
        metavar="DIR",
        help="For gator's sake: images are read in memory, so there is nothing to put there.",
    )
    return image(folder(function))


def read_images(images: Sequence[str]) -> Iterator[Read]:
    """The manifests in images, each named IMAGE/FILE. Raises DiagnosticError (OCI…)."""
    from sekisho import manifest
    from sekisho.diag import DiagnosticError, Source

    for text in images:
        for name, content in asyncio.run(_files(text)):
            shown = f"{text}/{name}"
            try:
                source = manifest.decode(shown, content)
            except DiagnosticError as error:
                yield manifest.Read(source=Source(shown, ""), problems=list(error.diagnostics))
            else:
                yield manifest.parse(source)


async def _files(text: str) -> list[tuple[str, bytes]]:
    from sekisho.diag import Deadline
    from sekisho.manifest.files import SUFFIXES
    from sekisho.oci.asking import Options, Registries
    from sekisho.oci.bundle import files
    from sekisho.oci.credentials import Files
    from sekisho.oci.places import is_local, open_local, open_place

    deadline = Deadline.after(SECONDS)
    if is_local(text):
        source, which = open_local(text)
        return [*await files(source, which, suffixes=SUFFIXES, deadline=deadline)]
    async with Registries(Options(keychain=Files())) as registries:
        source, which = open_place(text, registries)
        return [*await files(source, which, suffixes=SUFFIXES, deadline=deadline)]
