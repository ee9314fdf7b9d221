"""Where an image is, as people write it: a reference, or a folder or archive behind the name of its form.

The forms are those of skopeo and podman: ``docker://REFERENCE`` or a bare reference, ``oci:FOLDER[:TAG]``,
``oci-archive:FILE[:TAG]``, ``docker-archive:FILE[:NAME:TAG]``; for a tag a digest may stand, after @.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from sekisho.oci.asking import Registries
from sekisho.oci.dockerarchive import DockerArchive
from sekisho.oci.layout import Layout
from sekisho.oci.reference import parse_reference
from sekisho.oci.registry import Repository
from sekisho.oci.source import Source
from sekisho.oci.tarfiles import Archive, Folder

DOCKER: Final = "docker://"
LATEST: Final = "latest"
"""The tag of a reference that has none."""


class Place(NamedTuple):
    """A source, and which of its images: a tag or a digest; empty for the only one."""

    source: Source
    which: str


_FORMS: Final[dict[str, Callable[[Path], Source]]] = {
    "oci": lambda path: Layout.opened(Folder(path)),
    "oci-archive": lambda path: Layout.opened(Archive(path)),
    "docker-archive": lambda path: DockerArchive(Archive(path)),
}


def is_local(text: str) -> bool:
    """Whether a text names a folder or an archive."""
    return text.partition(":")[0] in _FORMS and not text.startswith(DOCKER)


def open_local(text: str) -> Place:
    """The folder or archive of a text that is one. Raises DiagnosticError (OCI006, OCI007, OCI009)."""
    form, _, rest = text.partition(":")
    path, at, digest = rest.partition("@sha")
    which = f"sha{digest}" if at else ""
    if not at:
        path, _, which = rest.partition(":")
    return Place(_FORMS[form](Path(path)), which)


def open_place(text: str, registries: Registries) -> Place:
    """The place of a text. Raises DiagnosticError (OCI001, and those of ``open_local``)."""
    if is_local(text):
        return open_local(text)
    reference = parse_reference(text.removeprefix(DOCKER))
    return Place(Repository.of(registries, reference), reference.digest or reference.tag or LATEST)
