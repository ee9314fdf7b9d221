"""``http.send`` and ``net.lookup_ip_addr`` for opa's verbs, where the user allows hosts.

``rego`` opens no socket; here its capability set gets a transport that is the one client of ``web``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sekisho.rego.faults import BuiltinFault, NetworkFault

if TYPE_CHECKING:
    from sekisho.rego import Capabilities
    from sekisho.web import Client, Identity, Trust


def with_network(capabilities: Capabilities, hosts: Sequence[str]) -> Capabilities:
    """The capabilities, and these hosts to be asked; as they are where no host is named."""
    if not hosts:
        return capabilities
    from sekisho.cli.network.client import open_client

    network = _Network(open_client(frozenset(hosts)))
    return replace(capabilities, transport=network.send, resolver=network.resolve)


class _Network:
    """What ``rego.capabilities`` calls a transport, and a resolver."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, request: Mapping[str, Any], seconds: float) -> Any:
        """The answer to a request of ``http.send``.

        A host that is not allowed ends the evaluation (CLU011), since undefined could pass for 'allowed'.
        """
        from sekisho.lang.golang.gotext import from_octets
        from sekisho.web import Redirects, Request, WebError, codes

        if request.get("tls_insecure_skip_verify"):
            raise BuiltinFault("tls_insecure_skip_verify is not there: certificates are always verified")
        headers = dict(request.get("headers") or {})
        redirects = Redirects.ANYWHERE if request.get("enable_redirect") else Redirects.ANSWER
        try:
            answer = self._client.send(
                Request(
                    url=request["url"],
                    method=request["method"].upper(),
                    headers=headers,
                    body=_body(request),
                    trust=_trust(request, headers),
                    seconds=seconds,
                    connect_seconds=seconds,
                    redirects=redirects,
                    plain=True,
                    tries=1 + request.get("max_retry_attempts", 0),
                )
            )
        except WebError as error:
            if error.code is codes.NOT_ALLOWED:
                raise
            raise NetworkFault(error.message) from None
        return {
            "status": f"{answer.status} {answer.reason}",
            "status_code": answer.status,
            "headers": {name: list(values) for name, values in answer.headers.items()},
            "raw_body": from_octets(answer.body),
        }

    def resolve(self, host: str, seconds: float) -> list[str]:
        """The addresses of a host."""
        from sekisho.web import WebError, codes

        try:
            return self._client.resolve(host, seconds=seconds)
        except WebError as error:
            if error.code is codes.NOT_ALLOWED:
                raise
            raise BuiltinFault(error.message) from None


def _body(request: Mapping[str, Any]) -> bytes:
    """The body to send: ``raw_body`` as it is, or the JSON of ``body``."""
    from sekisho.lang.golang.gotext import to_octets
    from sekisho.rego.jsontext import marshal

    if "raw_body" in request:
        return to_octets(request["raw_body"])
    return marshal(request["body"]).encode() if "body" in request else b""


def _trust(request: Mapping[str, Any], headers: Mapping[str, str]) -> Trust:
    """Whom to trust: the CA that the request gives, with the system's if it says so, or these alone."""
    from sekisho.web import Trust

    host = next((value for name, value in headers.items() if name.lower() == "host"), "")
    return Trust(
        ca=_pem(request, "tls_ca_cert").replace("\\n", "\n"),
        system=request.get("tls_use_system_certs") is True,
        identity=_identity(request),
        name=request.get("tls_server_name") or host.partition(":")[0],
    )


def _identity(request: Mapping[str, Any]) -> Identity | None:
    from sekisho.diag import Secret
    from sekisho.web import Identity

    chain, key = _pem(request, "tls_client_cert"), _pem(request, "tls_client_key")
    return Identity(chain=chain, key=Secret(key)) if chain and key else None


def _pem(request: Mapping[str, Any], name: str) -> str:
    """PEM text from the request, or from the file or variable that it names; empty for none."""
    if text := request.get(name):
        return str(text)
    if path := request.get(f"{name}_file"):
        try:
            return Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise BuiltinFault(f"open {path}: {reason}") from None
    return os.environ.get(request.get(f"{name}_env_variable") or "", "")
