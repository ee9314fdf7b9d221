"""External data for commands: answers from files first, then, where the user allows it, providers.

Every command that may need external data takes it in the same way: ``--external-data FILE``, more files from
``sekisho.yaml``, and ``--allow-network HOST``. The network is for the command line alone to open: a project
file comes with what is judged, and what is judged must not make this machine talk to anybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from sekisho.cli.network.client import network_option, open_client

if TYPE_CHECKING:
    from sekisho.cli.settings import Settings
    from sekisho.kube.object import Object
    from sekisho.policy.external import Providers
    from sekisho.policy.external.provider import Provider
    from sekisho.policy.external.table import Row
    from sekisho.web import Identity

F = TypeVar("F", bound=Callable[..., Any])

HELP: Final = "give its answers with --external-data FILE, or let it be asked with --allow-network HOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the command line says: files with external data, and hosts that may be asked."""

    files: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


NOTHING: Final = Chosen()


def provider_options(function: F) -> F:
    """``--external-data`` and ``--allow-network``; the command gets them as ``external``, a ``Chosen``."""

    @wraps(function)
    def wrapped(
        *args: Any, external_data: tuple[str, ...], allow_network: tuple[str, ...], **more: Any
    ) -> Any:
        return function(*args, external=Chosen(files=external_data, hosts=allow_network), **more)

    for option in reversed(
        (
            click.option(
                "--external-data",
                multiple=True,
                metavar="FILE",
                help="Answers of external data providers, by provider and key, or Providers; repeatable.",
            ),
            network_option("A host (HOST or HOST:PORT, * for all) whose providers may be asked; repeatable."),
        )
    ):
        wrapped = option(wrapped)
    return wrapped  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalData:
    """External data as it was chosen, with its ``files`` read. ``objects`` are the Providers in them."""

    files: tuple[str, ...]
    rows: Mapping[str, Row]
    objects: tuple[Object, ...]
    settings: Settings
    hosts: frozenset[str]

    @classmethod
    def read(cls, chosen: Chosen, settings: Settings | None = None) -> ExternalData:
        """Read the files. Raises DiagnosticError: SRC… for one that cannot be read, POL046 for its shape.

        Without ``settings`` those of the working directory count.
        """
        from sekisho.cli.settings import find_settings

        settings = settings or find_settings(Path.cwd())
        rows: Mapping[str, Row] = {}
        objects: tuple[Object, ...] = ()
        paths = (*settings.external_data, *chosen.files)
        if paths:
            from sekisho import manifest
            from sekisho.policy.external.table import read_files

            documents = [row for path in paths for row in manifest.load(manifest.read_source(path))]
            files = read_files(documents)
            rows, objects = files.rows, files.objects
        hosts = frozenset(chosen.hosts)
        return cls(files=paths, rows=rows, objects=objects, settings=settings, hosts=hosts)

    def providers(self, declared: Mapping[str, Provider]) -> Providers:
        """Who answers: the files, then the providers that are declared if the network may be used."""
        from sekisho.policy.external import Absent, Composed

        found: list[Providers] = []
        if self.rows:
            from sekisho.policy.external.table import TableProviders

            found.append(TableProviders(rows=self.rows, help=HELP))
        if self.hosts:
            from sekisho.policy.external.https import HttpsProviders

            client = open_client(self.hosts)
            identity = _identity(self.settings)
            found.append(HttpsProviders(declared, client, identity=identity, help=HELP))
        return Composed(tuple(found)) if found else Absent(help=HELP)

    def providers_of(self, objects: Sequence[Object]) -> Providers:
        """The same, with Providers from among objects, where nothing else reads them.

        Raises DiagnosticError (POL120) for those that are malformed.
        """
        from sekisho.diag import DiagnosticError, Level
        from sekisho.policy.external import declared

        found = declared((*objects, *self.objects))
        if found is None:
            return self.providers({})
        if errors := [row for row in found.problems if row.level is Level.ERROR]:
            raise DiagnosticError(errors)
        return self.providers(found.providers)


def _identity(settings: Settings) -> Identity | None:
    """The certificate to show to providers. Raises DiagnosticError (SRC…) where its files cannot be read."""
    if not settings.client_certificate:
        return None
    from sekisho import manifest
    from sekisho.diag import Secret
    from sekisho.web import Identity

    chain = manifest.read_source(settings.client_certificate).text
    key = manifest.read_source(settings.client_key or settings.client_certificate).text
    return Identity(chain=chain, key=Secret(key))
