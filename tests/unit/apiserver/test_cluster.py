"""A whole cluster behind TLS: who is let in, what is kept, what is refused."""

from __future__ import annotations

import asyncio
import base64
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.apiserver.store import Place
from sekisho.diag import DiagnosticError, Secret
from sekisho.web import Client, Identity, Request, Response, Trust, WebError
from sekisho.web.authority import Authority, Name


class Outside:
    """Somebody who reaches the server over the network."""

    def __init__(self, cluster: Cluster) -> None:
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        self.server = config["clusters"][0]["cluster"]["server"]
        self.ca = _pem(config["clusters"][0]["cluster"]["certificate-authority-data"])
        user = config["users"][0]["user"]
        self.admin = Identity(
            chain=_pem(user["client-certificate-data"]), key=Secret(_pem(user["client-key-data"]))
        )

    async def get(self, path: str, identity: Identity | None = None, **headers: str) -> Response:
        request = Request(
            url=self.server + path,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            trust=Trust(ca=self.ca, identity=identity),
        )

        def send() -> Response:
            with Client() as client:
                return client.send(request)

        return await asyncio.to_thread(send)


def _pem(text: str) -> str:
    return base64.b64decode(text).decode()


def run(folder: Path, work: Callable[[Cluster, Outside], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        cluster = await Cluster.start(Settings(folder=folder, port=0))
        try:
            return await work(cluster, Outside(cluster))
        finally:
            await cluster.stop()

    return asyncio.run(main())


def test_the_kubeconfig_lets_the_administrator_in(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        found = await outside.get("/api/v1/namespaces", outside.admin)
        assert found.status == 200
        names = [row["metadata"]["name"] for row in orjson.loads(found.body)["items"]]
        assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]

    run(tmp_path, work)


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        for name in ("kubeconfig", "token", "pki/ca.key", "pki/sa.key", "objects.sqlite"):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name

    run(tmp_path, work)


def test_strangers_see_what_is_public(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        assert (await outside.get("/readyz")).status == 200
        refused = await outside.get("/api/v1/namespaces")
        assert refused.status == 403
        assert orjson.loads(refused.body)["message"] == (
            'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group '
            '"" at the cluster scope'
        )

    run(tmp_path, work)


def test_tokens(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        token = (tmp_path / "token").read_text().strip()
        good = await outside.get("/api/v1/namespaces", Authorization=f"Bearer {token}")
        assert good.status == 200
        bad = await outside.get("/api/v1/namespaces", Authorization="Bearer wrong")
        assert (bad.status, orjson.loads(bad.body)["message"]) == (401, "Unauthorized")

    run(tmp_path, work)


def test_a_certificate_of_another_authority_ends_the_handshake(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        stranger = Authority.make("sekisho").issue_client(Name("kubernetes-admin", ("system:masters",)))
        with pytest.raises(WebError):
            await outside.get("/api/v1/namespaces", stranger)
        server = Authority.load(outside.ca, Secret((tmp_path / "pki/ca.key").read_text())).issue_server(
            ["localhost"]
        )
        with pytest.raises(WebError):
            await outside.get("/api/v1/namespaces", server)

    run(tmp_path, work)


def test_keys_and_objects_stay(tmp_path: Path) -> None:
    async def first(cluster: Cluster, outside: Outside) -> tuple[Identity, str]:
        row = cluster.api.store.get(Place("", "namespaces", "", "default"))
        assert row is not None
        return outside.admin, row.uid

    async def second(cluster: Cluster, outside: Outside) -> None:
        found = await outside.get("/api/v1/namespaces/default", admin)
        assert orjson.loads(found.body)["metadata"]["uid"] == uid

    admin, uid = run(tmp_path, first)
    run(tmp_path, second)


def test_a_second_server_on_one_folder_refuses_and_leaves_it_alone(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        before = cluster.kubeconfig.read_bytes()
        with pytest.raises(DiagnosticError) as caught:
            await Cluster.start(Settings(folder=tmp_path, port=0))
        assert [row.code.id for row in caught.value.diagnostics] == ["API001"]
        assert cluster.kubeconfig.read_bytes() == before

    run(tmp_path, work)


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    async def work(cluster: Cluster, outside: Outside) -> None:
        with pytest.raises(DiagnosticError) as caught:
            await Cluster.start(Settings(folder=tmp_path / "other", port=cluster.server.port))
        assert [row.code.id for row in caught.value.diagnostics] == ["API010"]

    run(tmp_path, work)
