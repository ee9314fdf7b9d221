"""Where certificates are kept (a folder, a Secret), and who keeps them and the configurations fresh."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from sekisho.admission import codes
from sekisho.admission.certificates import ENTRIES, Kept, renewed
from sekisho.admission.registration import (
    GROUP,
    MUTATING,
    VALIDATING,
    Registered,
    bundle_of,
    configurations,
    mended,
)
from sekisho.cluster.client import Refused
from sekisho.diag import Diagnostic, DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.web import Identity
from sekisho.web.authority import server_context

if TYPE_CHECKING:
    from sekisho.cluster.client import Client

_LOG: Final = logging.getLogger(__name__)

LOOKS: Final = 5.0
"""Seconds between two looks at certificates and configurations: what others changed holds no longer."""

STALE: Final = 409
MODE: Final = 0o600

SECRETS: Final = GVK("", "v1", "Secret")
SECRET_NAME: Final = "sekisho-webhook-server-cert"  # noqa: S105 - the name of an object


class Store(Protocol):
    """Where certificates are kept."""

    async def load(self) -> Kept | None:
        """What is kept; None if nothing is, or not all of it."""

    async def save(self, kept: Kept) -> bool:
        """Keep this from now on; false if somebody else kept something in the meantime."""


class FolderStore:
    """Files in a folder. Without the authority's key they are somebody else's, and are only read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def load(self) -> Kept | None:
        """What is in the files."""
        return Kept.of(self._entries())

    def foreign(self) -> Identity | None:
        """The certificate that somebody else keeps there; None where there is none."""
        from sekisho.diag import Secret

        found = self._entries()
        if found.get("ca.key") or not (found.get("tls.crt") and found.get("tls.key")):
            return None
        return Identity(chain=found["tls.crt"], key=Secret(found["tls.key"]))

    async def save(self, kept: Kept) -> bool:
        """Write the files, each whole or not at all. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, value in kept.entries().items():
            fresh = self._folder / f".{name}.new"
            fresh.unlink(missing_ok=True)
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(value.reveal())
            fresh.replace(self._folder / name)
        return True

    def _entries(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in ENTRIES:
            with suppress(OSError, UnicodeDecodeError):
                found[name] = (self._folder / name).read_text(encoding="utf-8")
        return found


class SecretStore:
    """A Secret of the cluster, which all replicas share; of two that write at once one fails."""

    def __init__(self, client: Client, namespace: str, name: str = SECRET_NAME) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._last: dict[str, Any] | None = None

    async def load(self) -> Kept | None:
        """What is in the Secret. Raises DiagnosticError."""
        resource = await self._client.resource(SECRETS)
        self._last = await self._client.get(resource, self._name, self._namespace)
        entries: dict[str, str] = {}
        for name, value in ((self._last or {}).get("data") or {}).items():
            with suppress(ValueError):
                entries[name] = base64.b64decode(value, validate=True).decode()
        return Kept.of(entries)

    async def save(self, kept: Kept) -> bool:
        """Write the Secret. Raises DiagnosticError."""
        resource = await self._client.resource(SECRETS)
        data = {
            name: base64.b64encode(value.reveal().encode()).decode() for name, value in kept.entries().items()
        }
        metadata = {"name": self._name, "namespace": self._namespace}
        base = self._last or {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
        send = self._client.create if self._last is None else self._client.replace
        try:
            self._last = await send(resource, {**base, "data": {**(base.get("data") or {}), **data}})
        except Refused as error:
            if error.code != STALE:
                raise
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Whom to tell: ``show`` a new certificate to the workers, ``told`` of what others changed.

    ``ready`` says whether the webhooks are answered: before that nobody is made to ask them.
    """

    ready: Callable[[], bool]
    show: Callable[[Identity], None]
    told: Callable[[Diagnostic, Mapping[str, Any]], None]


class Keeper:
    """Keeps the certificate fresh, the bundle injected and the configurations as they should be.

    Without a client there are no configurations, and the folder's certificate is all there is.
    """

    def __init__(
        self,
        store: Store,
        registered: Registered,
        report: Report,
        *,
        client: Client | None = None,
        names: tuple[str, ...] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._registered = registered
        self._report = report
        self._client = client
        self._names = names or registered.server_names()
        self._now = now
        self._shown: Identity | None = None
        self._seen: set[str] = set()

    async def run(self) -> None:
        """Look again and again, until it is cancelled; a failure is told once and tried again."""
        failure = ""
        while True:
            try:
                await self.look()
                failure = ""
            except (DiagnosticError, OSError) as error:
                if str(error) != failure:
                    failure = str(error)
                    _LOG.error("certificates and webhook configurations: %s", failure)
            await asyncio.sleep(LOOKS)

    async def look(self) -> None:
        """One look: a certificate that is due is renewed, a configuration that was changed is mended."""
        foreign = self._store.foreign() if isinstance(self._store, FolderStore) else None
        if foreign is not None:
            self._show(foreign)
            return
        kept = await self._store.load()
        wanted = renewed(kept, self._names, self._now(), trusted=await self._trusted())
        if wanted is not kept and not await self._store.save(wanted):
            return  # somebody else did it: the next look shows what
        if self._report.ready():
            await self._mend(wanted.bundle)
        self._show(wanted.identity)

    def _show(self, identity: Identity) -> None:
        """Have a new certificate shown. Raises WebError (CLU009) where that cannot be: the last stays."""
        known = self._shown
        if known is None or known.chain != identity.chain or known.key.reveal() != identity.key.reveal():
            server_context(identity)  # what cannot be shown must not reach the workers
            self._shown = identity
            self._report.show(identity)

    async def _trusted(self) -> str:
        """What every configuration trusts; empty where they do not trust the same."""
        if self._client is None:
            return ""
        rows = {bundle_of(await self._get(wanted)) for wanted in configurations(self._registered)}
        return rows.pop() if len(rows) == 1 else ""

    async def _mend(self, bundle: str) -> None:
        if self._client is None:
            return
        for wanted in configurations(self._registered):
            actual = await self._get(wanted)
            change = mended(wanted, actual, bundle)
            if change is None:
                continue
            resource = await self._client.resource(_kind(wanted))
            send = self._client.create if actual is None else self._client.replace
            try:
                value = await send(resource, change.value)
            except Refused as error:
                if error.code != STALE:
                    raise
                continue  # it was changed just now: the next look sees what it is
            self._tell(wanted, value, change.why)

    def _tell(self, wanted: Mapping[str, Any], value: Mapping[str, Any], why: tuple[str, ...]) -> None:
        """Say what others changed; that there was no configuration at the first look is no news."""
        key = f"{wanted['kind']}/{wanted['metadata']['name']}"
        first = key not in self._seen
        self._seen.add(key)
        if why and not (first and why == ("it was deleted",)):
            message = f"{key} was put back: {'; '.join(why)}"
            self._report.told(Diagnostic(code=codes.PUT_BACK, message=message), value)

    async def _get(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        assert self._client is not None, "asked with a client only"
        resource = await self._client.resource(_kind(wanted))
        found = await self._client.get(resource, wanted["metadata"]["name"])
        if found is not None:
            self._seen.add(f"{wanted['kind']}/{wanted['metadata']['name']}")
        return found


def _kind(wanted: Mapping[str, Any]) -> GVK:
    assert wanted["kind"] in (VALIDATING, MUTATING), "a configuration"
    return GVK(GROUP, "v1", wanted["kind"])
