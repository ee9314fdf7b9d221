"""Attempts to lock a cluster up, or its guard out, against ``sekisho serve`` beside an API server of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.simulators.serve import Serve, serve, until
from tests.simulators.up import Up
from tests.unit.admission.reviews import TEMPLATE, constraint

from sekisho.cluster.client import Client, Refused
from sekisho.cluster.kubeconfig import Wanted, load
from sekisho.kube.gvk import GVK

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

T = TypeVar("T")

NAME = "gatekeeper-validating-webhook-configuration"
CONFIGURATION = GVK("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration")
NAMESPACE = GVK("", "v1", "Namespace")
CONFIG_MAP = GVK("", "v1", "ConfigMap")
SECRET = GVK("", "v1", "Secret")
OWN = "sekisho-system"


@dataclass
class Guarded:
    """An API server, its guard, and an administrator."""

    kubeconfig: Path
    serve: Serve

    def run(self, work: Callable[[Client], Awaitable[T]]) -> T:
        return run(self.kubeconfig, work)

    def get(self, gvk: GVK, name: str, namespace: str = "") -> dict[str, Any] | None:
        async def work(client: Client) -> dict[str, Any] | None:
            return await client.get(await client.resource(gvk), name, namespace)

        return self.run(work)

    def create(self, value: dict[str, Any]) -> str:
        """Create an object; why it was refused, empty if it was not."""

        async def work(client: Client) -> str:
            group, _, version = value["apiVersion"].rpartition("/")
            try:
                await client.create(await client.resource(GVK(group, version, value["kind"])), value)
            except Refused as error:
                return str(error.status.get("message"))
            return ""

        return self.run(work)

    def delete(self, gvk: GVK, name: str, namespace: str = "") -> None:
        async def work(client: Client) -> None:
            await client.delete(await client.resource(gvk), name, namespace)

        self.run(work)


def run(kubeconfig: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    async def main() -> T:
        async with Client(load(str(kubeconfig), Wanted())) as client:
            return await work(client)

    return asyncio.run(main())


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("cluster")
    up = Up.start(folder / "data")
    port = free_port()
    policies = folder / "policies"
    policies.mkdir()
    try:

        async def begin(client: Client) -> None:
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OWN}}
            await client.create(await client.resource(NAMESPACE), namespace)

        run(up.kubeconfig, begin)
        arguments = (
            *("--kubeconfig", str(up.kubeconfig), "--webhook-url", f"https://127.0.0.1:{port}"),
            *("--webhook-failure-policy", "Fail", "--webhook-timeout", "10", "--only", "webhook,status"),
        )
        with serve(*arguments, workers=1, port=port) as running:
            found = Guarded(up.kubeconfig, running)
            until(lambda: found.get(CONFIGURATION, NAME))
            yield found
    finally:
        up.stop()


def test_a_configuration_that_is_deleted_is_put_back(guarded: Guarded) -> None:
    guarded.delete(CONFIGURATION, NAME)
    until(lambda: guarded.get(CONFIGURATION, NAME), 30)
    until(lambda: "restored 1.0" in guarded.serve.get("metrics", "/metrics")[1], 30)


def test_one_that_is_edited_is_mended(guarded: Guarded) -> None:
    async def edit(client: Client) -> None:
        resource = await client.resource(CONFIGURATION)
        value = await client.get(resource, NAME)
        assert value is not None
        value["webhooks"][0]["rules"] = []
        await client.replace(resource, value)

    guarded.run(edit)
    until(lambda: (guarded.get(CONFIGURATION, NAME) or {})["webhooks"][0].get("rules"), 30)


def test_a_policy_that_denies_everything_can_be_taken_away(guarded: Guarded) -> None:
    assert guarded.create(TEMPLATE) == ""
    kind = GVK("constraints.gatekeeper.sh", "v1beta1", "NeedsOwner")
    everything = constraint()
    until(lambda: _created(guarded, everything), 60)
    names = iter(f"refused-{number}" for number in range(1_000))
    until(lambda: "it needs an owner" in guarded.create(config_map(next(names))), 30)
    guarded.delete(kind, "owner")
    until(lambda: guarded.create(config_map("accepted")) == "", 30)


def _created(guarded: Guarded, value: dict[str, Any]) -> bool:
    try:
        return guarded.create(value) == ""
    except Refused:
        return False  # its kind is not served yet


def test_a_certificate_that_is_gone_is_made_anew_and_trusted(guarded: Guarded) -> None:
    before = (guarded.get(SECRET, "sekisho-webhook-server-cert", OWN) or {})["data"]["ca.crt"]
    guarded.delete(SECRET, "sekisho-webhook-server-cert", OWN)
    until(lambda: guarded.get(SECRET, "sekisho-webhook-server-cert", OWN), 30)
    after = (guarded.get(SECRET, "sekisho-webhook-server-cert", OWN) or {})["data"]["ca.crt"]
    assert after != before
    until(lambda: guarded.create(config_map("after-renewal")) == "", 30)


def test_all_workers_killed_and_the_cluster_goes_on(guarded: Guarded) -> None:
    for pid in guarded.serve.workers():
        os.kill(pid, signal.SIGKILL)
    until(lambda: guarded.serve.get("health", "/readyz")[0] == 200, 60)
    until(lambda: guarded.create(config_map("after-workers")) == "", 30)
