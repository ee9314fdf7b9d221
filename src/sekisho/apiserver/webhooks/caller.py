"""Asking a webhook: an object over HTTPS, an object back.

A Service is found through its EndpointSlices or Endpoints, or is asked at its external name or cluster
address: there need be no network of a cluster between this server and a webhook. Its certificate has to be
for ``NAME.NAMESPACE.svc`` all the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

from sekisho.apiserver.store import Place, Store
from sekisho.diag import Limit
from sekisho.web import Redirects, Request, Trust, WebError

if TYPE_CHECKING:
    from sekisho.web.asyncclient import AsyncClient

Raw = Mapping[str, Any]

HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json"}
ANSWER: Final = Limit("the answer of a webhook", 3_145_728, "bytes", "what a request may have, too")
NAME_LABEL: Final = "kubernetes.io/service-name"


class Refused(Exception):
    """There is no answer that can be used. The text is for the client; ``timeout``: it came too late."""

    def __init__(self, message: str, *, timeout: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.timeout = timeout


class Caller(Protocol):
    """Asks webhooks."""

    async def post(self, client: Raw, body: Any, *, seconds: float) -> Any:
        """The JSON that a webhook answers. ``client`` is its ``clientConfig``. Raises Refused."""


class WebhookClient:
    """Asks webhooks over the network. Services are those of a store. Close it in its loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._client: AsyncClient | None = None

    async def post(self, client: Raw, body: Any, *, seconds: float) -> Any:
        """The JSON that a webhook answers. Raises Refused."""
        url, trust = self._target(client)
        request = Request(
            url=url,
            method="POST",
            headers=HEADERS,
            body=orjson.dumps(body),
            trust=trust,
            seconds=seconds,
            limit=ANSWER,
            redirects=Redirects.ANSWER,
        )
        try:
            answer = await self._sender().send(request)
            if answer.status != 200:
                raise Refused(f"the server answered with the status {answer.status} {answer.reason}".rstrip())
            return answer.json()
        except WebError as error:
            from sekisho.web.codes import TIMEOUT

            raise Refused(error.message, timeout=error.code is TIMEOUT) from None

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _sender(self) -> AsyncClient:
        from sekisho.web.asyncclient import AsyncClient

        if self._client is None:
            self._client = AsyncClient()
        return self._client

    def _target(self, client: Raw) -> tuple[str, Trust]:
        bundle = _bundle(client.get("caBundle"))
        if url := client.get("url"):
            return url, Trust(ca=bundle)
        service = client["service"]
        name, namespace = service["name"], service["namespace"]
        path = "/" + (service.get("path") or "").lstrip("/")
        host, port = self._address(namespace, name, service.get("port") or 443)
        shown = f"[{host}]" if ":" in host else host
        return f"https://{shown}:{port}{path}", Trust(ca=bundle, name=f"{name}.{namespace}.svc")

    def _address(self, namespace: str, name: str, port: int) -> tuple[str, int]:
        row = self._store.get(Place("", "services", namespace, name))
        if row is None:
            raise Refused(f'service "{name}" not found')
        spec = row.load().get("spec") or {}
        if spec.get("type") == "ExternalName":
            return spec.get("externalName") or "", port
        its = next((item for item in spec.get("ports") or () if item.get("port") == port), None)
        if its is None:
            raise Refused(f'no service port {port} found for service "{name}"')
        for address in self._endpoints(namespace, name, its):
            return address
        cluster_ip = spec.get("clusterIP")
        if cluster_ip and cluster_ip != "None":
            return cluster_ip, port
        raise Refused(f'no endpoints available for service "{name}"')

    def _endpoints(self, namespace: str, name: str, port: Raw) -> Iterator[tuple[str, int]]:
        """The addresses behind a port of a Service, those of EndpointSlices first."""
        for row in self._store.rows(("discovery.k8s.io", "endpointslices"), namespace):
            if row.labels.get(NAME_LABEL) != name:
                continue
            slice = row.load()
            number = _port(slice.get("ports") or (), port)
            for endpoint in slice.get("endpoints") or () if number else ():
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    yield from ((address, number) for address in endpoint.get("addresses") or ())
        found = self._store.get(Place("", "endpoints", namespace, name))
        for subset in (found.load().get("subsets") or ()) if found else ():
            number = _port(subset.get("ports") or (), port)
            for address in subset.get("addresses") or () if number else ():
                yield address["ip"], number


def _port(ports: Any, wanted: Raw) -> int:
    """The number of the port with the name of the Service's, 0 without one."""
    name = wanted.get("name") or ""
    return next((row.get("port") or 0 for row in ports if (row.get("name") or "") == name), 0)


def _bundle(text: Any) -> str:
    """A ``caBundle`` as PEM, empty for that of the system. Raises Refused."""
    if not text or not str(text).strip():
        return ""
    try:
        return base64.b64decode(text).decode("ascii")
    except (binascii.Error, ValueError):
        raise Refused("the caBundle is not PEM in base64") from None
