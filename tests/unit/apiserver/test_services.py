"""Addresses and ports of Services: given out once, kept, taken back; the rules of their fields."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apiserver.calling import Client, run

from sekisho.apiserver.services.pools import FIRST_PORT, LAST_PORT, NETWORK

PATH = "/api/v1/namespaces/default/services"
MERGE = "application/merge-patch+json"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def make(call: Client, name: str, **spec: Any) -> dict[str, Any]:
    code, made = await call("POST", PATH, service(name, **spec))
    assert code == 201, made
    found: dict[str, Any] = made["spec"]
    return found


def test_an_address_of_the_cluster(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        spec = await make(call, "a", selector={"x": "y"})
        assert ipaddress.ip_address(spec["clusterIP"]) in NETWORK
        del spec["clusterIPs"], spec["clusterIP"]
        assert spec == {
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
            "selector": {"x": "y"},
            "sessionAffinity": "None",
            "type": "ClusterIP",
        }

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("spec", "want"),
    [
        ({"clusterIP": "None", "selector": {"a": "b"}}, {"clusterIP": "None", "ipFamilies": ["IPv4"]}),
        ({"clusterIP": "None"}, {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "RequireDualStack"}),
        (
            {"ipFamilyPolicy": "PreferDualStack"},
            {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "PreferDualStack"},
        ),
        ({"type": "ExternalName", "externalName": "x.y"}, {"clusterIP": None, "ipFamilies": None}),
        ({"type": "NodePort"}, {"externalTrafficPolicy": "Cluster"}),
        (
            {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False},
            {"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]},
        ),
    ],
)
def test_what_a_service_is_given(tmp_path: Path, spec: dict[str, Any], want: dict[str, Any]) -> None:
    async def work(call: Client) -> None:
        found = await make(call, "a", **spec)
        assert {name: found.get(name) for name in want} == want

    run(tmp_path, work)


def test_ports_of_nodes(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        found = await make(
            call, "a", type="LoadBalancer", externalTrafficPolicy="Local",
            ports=[{"name": "a", "port": 1}, {"name": "b", "port": 2}],
        )  # fmt: skip
        ports = [row["nodePort"] for row in found["ports"]] + [found["healthCheckNodePort"]]
        assert len(set(ports)) == 3
        assert all(FIRST_PORT <= port <= LAST_PORT for port in ports)

    run(tmp_path, work)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"clusterIP": "10.96.0.1"},
            (
                'spec.clusterIPs: Invalid value: []string{"10.96.0.1"}: failed to allocate IP 10.96.0.1: provided IP '
                "is already allocated"
            ),
        ),
        (
            {"clusterIP": "1.2.3.4"},
            (
                'spec.clusterIPs: Invalid value: []string{"1.2.3.4"}: failed to allocate IP 1.2.3.4: the provided '
                "network does not match the current range"
            ),
        ),
        (
            {"clusterIP": "x"},
            (
                'spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or '
                "2001:db8::ffff)"
            ),
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30_001}]},
            "spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated",
        ),
        (
            {"type": "NodePort", "ports": [{"port": 80, "nodePort": 80}]},
            (
                "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of "
                "valid ports is 30000-32767"
            ),
        ),
        ({"ports": []}, "spec.ports: Required value"),
        (
            {"ports": [{"port": 80}, {"port": 81}]},
            "[spec.ports[0].name: Required value, spec.ports[1].name: Required value]",
        ),
        (
            {"ports": [{"port": 80, "nodePort": 30_099}]},
            "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
        ),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            (
                'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for '
                "dual-stack services"
            ),
        ),
        ({"type": "ExternalName"}, "spec.externalName: Required value"),
    ],
)
def test_what_a_service_may_not_be(tmp_path: Path, spec: dict[str, Any], message: str) -> None:
    async def work(call: Client) -> None:
        await make(call, "other", type="NodePort", ports=[{"port": 80, "nodePort": 30_001}])
        code, answer = await call("POST", PATH, service("a", **spec))
        assert (code, answer["message"]) == (422, f'Service "a" is invalid: {message}')

    run(tmp_path, work)


def test_what_was_given_stays_and_goes_with_the_type(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        first = await make(call, "a")
        code, answer = await call("PATCH", f"{PATH}/a", {"spec": {"clusterIP": "10.96.0.99"}}, MERGE)
        assert code == 422
        assert answer["message"].endswith('Invalid value: []string{"10.96.0.99"}: may not change once set')
        _, found = await call("PUT", f"{PATH}/a", service("a", selector={"x": "y"}))
        assert found["spec"]["clusterIPs"] == first["clusterIPs"]
        _, found = await call("PATCH", f"{PATH}/a", {"spec": {"type": "NodePort"}}, MERGE)
        port = found["spec"]["ports"][0]["nodePort"]
        _, found = await call("PUT", f"{PATH}/a", service("a", type="NodePort"))
        assert found["spec"]["ports"][0]["nodePort"] == port
        _, found = await call("PATCH", f"{PATH}/a", {"spec": {"type": "ClusterIP"}}, MERGE)
        assert "nodePort" not in found["spec"]["ports"][0]
        assert "externalTrafficPolicy" not in found["spec"]
        name = {"type": "ExternalName", "externalName": "a.b"}
        _, found = await call("PATCH", f"{PATH}/a", {"spec": name}, MERGE)
        assert "clusterIP" not in found["spec"]
        taken = await make(call, "b", clusterIP=first["clusterIP"])
        assert taken["clusterIP"] == first["clusterIP"]
        _, found = await call(
            "PATCH", f"{PATH}/a", {"spec": {"type": "ClusterIP", "externalName": None}}, MERGE
        )
        assert found["spec"]["clusterIP"] not in ("", first["clusterIP"])

    run(tmp_path, work)


def test_two_writes_at_one_time_get_different_things(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        rows = [call("POST", PATH, service(f"s{number}", clusterIP="10.96.0.50")) for number in range(5)]
        codes = [code for code, _ in await asyncio.gather(*rows)]
        assert sorted(codes) == [201, 422, 422, 422, 422]
        await call("DELETE", f"{PATH}/s{codes.index(201)}")
        assert (await make(call, "again", clusterIP="10.96.0.50"))["clusterIP"] == "10.96.0.50"

    run(tmp_path, work)


def test_a_write_that_fails_takes_nothing(tmp_path: Path) -> None:
    async def work(call: Client) -> None:
        code, _ = await call("POST", f"{PATH}?dryRun=All", service("a", clusterIP="10.96.0.50"))
        assert code == 201
        bad = service("a", clusterIP="10.96.0.50", sessionAffinity="Never")
        assert (await call("POST", PATH, bad))[0] == 422
        await make(call, "a", clusterIP="10.96.0.50")

    run(tmp_path, work)


def test_what_is_stored_is_known_after_a_restart(tmp_path: Path) -> None:
    async def first(call: Client) -> None:
        await make(call, "a", clusterIP="10.96.0.50")

    async def second(call: Client) -> None:
        code, _ = await call("POST", PATH, service("b", clusterIP="10.96.0.50"))
        assert code == 422

    run(tmp_path, first)
    run(tmp_path, second)
