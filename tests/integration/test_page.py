"""``sekisho up``: audits by itself, and shows on its page what it found and refused."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.simulators.up import SEKISHO_UP, Up
from tests.unit.audit.worlds import config_map, constraint, namespace, template

from sekisho.audit.page import Status
from sekisho.cli.auditing.served import ServedPage
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Refused
from sekisho.diag import DiagnosticError
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.web import Request
from sekisho.web.asyncclient import AsyncClient

GUARDED = (*SEKISHO_UP, "--audit-interval", "1")
CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), "")


async def put(client: Client, row: Object) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                resource = await client.resource(row.gvk)
                break
            except Refused:
                await asyncio.sleep(0.05)
    await client.create(resource, dict(row.raw))


async def page(url: str) -> str:
    web = AsyncClient()
    try:
        response = await web.send(Request(url=url, plain=True))
    finally:
        await web.close()
    assert response.status == 200
    return response.body.decode()


async def until_shown(url: str, *texts: str) -> str:
    async with asyncio.timeout(40):
        while True:
            found = await page(url)
            if all(text in found for text in texts):
                return found
            await asyncio.sleep(0.2)


async def drive(up: Up, url: str) -> str:
    async with Client(kubeconfig.load(str(up.kubeconfig))) as client:
        await put(client, namespace("shop"))
        await put(client, config_map("before", "shop"))
        await put(client, template("NeedsOwner"))
        await put(client, constraint("NeedsOwner"))
        with pytest.raises(Refused, match="no owner"):
            await put(client, config_map("after", "shop"))
        found = await until_shown(url, "shop/before", "shop/after", "NeedsOwner/all")
        kind = await client.resource(GVK("constraints.gatekeeper.sh", "v1beta1", "NeedsOwner"))
        stored = await client.get(kind, "all")
        assert stored is not None
        named = {(row.get("namespace"), row["name"]) for row in stored["status"]["violations"]}
        assert ("shop", "before") in named
        reports = await client.resource(GVK("wgpolicyk8s.io", "v1alpha2", "PolicyReport"))
        assert await client.get(reports, "sekisho-audit", "shop") is not None
        return found


def dumped(url: str, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    return subprocess.run([*command, *flags, url], capture_output=True, text=True, timeout=90, check=False)


def test_a_guarded_cluster_is_audited_and_shown(tmp_path: Path) -> None:
    with Up.start(tmp_path / "data", module=GUARDED) as up:
        url = up.page
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        text = asyncio.run(drive(up, url))
        assert "CREATE ConfigMap shop/after" in text
        if CHROMIUM:
            shown = dumped(url, tmp_path / "profile", "--dump-dom")
            assert "shop/before" in shown.stdout
            assert "<h1>sekisho</h1>" in shown.stdout
            assert "Content Security Policy" not in shown.stderr
            picture = tmp_path / "page.png"
            dumped(url, tmp_path / "profile", f"--screenshot={picture}", "--window-size=1200,1600")
            assert picture.stat().st_size > 10_000


@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium here")
def test_a_browser_runs_nothing_of_what_objects_say(tmp_path: Path) -> None:
    from tests.unit.audit.page.test_page import HOSTILE, full

    hostile = " ".join([*HOSTILE[:6], "<script>document.title='owned'</script>"])

    async def main() -> subprocess.CompletedProcess[str]:
        served = await ServedPage.start(lambda: full(hostile))
        try:
            return await asyncio.to_thread(dumped, served.url, tmp_path / "profile", "--dump-dom")
        finally:
            await served.stop()

    shown = asyncio.run(main())
    assert "<h1>sekisho</h1>" in shown.stdout
    assert "<title>owned" not in shown.stdout
    assert "<script" not in shown.stdout
    assert "<iframe" not in shown.stdout


def test_a_port_that_is_taken_is_told() -> None:
    async def main() -> None:
        from datetime import UTC, datetime

        def source() -> Status:
            return Status(at=datetime.now(UTC))

        first = await ServedPage.start(source)
        port = int(first.url.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(DiagnosticError) as caught:
            await ServedPage.start(source, port=port)
        assert str(caught.value.diagnostics[0].code) == "CLI130"
        await first.stop()

    asyncio.run(main())


def test_only_the_loopbacks_names_are_answered() -> None:
    async def main() -> list[int]:
        from datetime import UTC, datetime

        served = await ServedPage.start(lambda: Status(at=datetime.now(UTC)))
        port = int(served.url.rsplit(":", 1)[1].strip("/"))
        codes = []
        for host in (f"localhost:{port}", f"rebound.example:{port}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            codes.append(int((await reader.read()).split()[1]))
            writer.close()
        await served.stop()
        return codes

    assert asyncio.run(main()) == [200, 421]
