"""Events written to the embedded server, in both forms, and without it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.cluster import Cluster, Settings
from sekisho.cluster import kubeconfig
from sekisho.cluster.client import Client, Selection
from sekisho.cluster.connection import NOBODY, Connection
from sekisho.cluster.events import Form, Note, Recorder, Reference, Source, Type
from sekisho.web import Trust

SOURCE = Source("sekisho.dev/audit", "audit-0")
POD = Reference(api_version="v1", kind="Pod", namespace="default", name="cart", uid="u1")


def note(text: str = "denied", **more: Any) -> Note:
    return Note(about=POD, reason="Denied", text=text, type=Type.WARNING, **more)


async def events(client: Client, form: Form, namespace: str = "default") -> list[dict[str, Any]]:
    resource = await client.resource(form.value)
    found, _ = await client.list_all(resource, Selection(namespace=namespace))
    about = "involvedObject" if form is Form.CORE else "regarding"
    return [row for row in found if row[about]["name"] == POD.name]


def test_events_are_written_and_counted_in_both_forms(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=tmp_path, port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            try:
                for form in Form:
                    async with Recorder(client, SOURCE, form=form) as recorder:
                        for text in ("denied", "denied", f"other {form.name}", "denied"):
                            assert recorder.record(note(f"{form.name} {text}"))
                        assert await recorder.flush(10)
                core = await events(client, Form.CORE)
                new = await events(client, Form.EVENTS)
                counts = {row["message"]: row.get("count") for row in core}
                assert counts["CORE denied"] == 3
                (row,) = (row for row in core if row["message"] == "CORE denied")
                assert (row["type"], row["source"]["component"]) == ("Warning", SOURCE.controller)
                (row,) = (row for row in new if row.get("note") == "EVENTS denied")
                assert row["series"]["count"] == 3
                assert row["reportingInstance"] == "audit-0"
                # Who deletes an Event, or lets it expire, is told of the next one all the same.
                async with Recorder(client, SOURCE) as recorder:
                    recorder.record(note("again"))
                    assert await recorder.flush(10)
                    (row,) = (row for row in await events(client, Form.CORE) if row.get("message") == "again")
                    resource = await client.resource(Form.CORE.value)
                    await client.delete(resource, row["metadata"]["name"], "default")
                    recorder.record(note("again"))
                    assert await recorder.flush(10)
                    (row,) = (row for row in await events(client, Form.CORE) if row.get("message") == "again")
                    assert row["count"] == 2
            finally:
                await cluster.stop()

    asyncio.run(main())


def test_a_server_that_refuses_is_not_asked_twice(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = await Cluster.start(Settings(folder=tmp_path, port=0))
        async with Client(kubeconfig.load(str(cluster.kubeconfig))) as client:
            try:
                async with Recorder(client, SOURCE) as recorder:
                    about = POD._replace(namespace="no-such-namespace")
                    recorder.record(Note(about=about, reason="R", text="t"))
                    assert await recorder.flush(10)
            finally:
                await cluster.stop()

    asyncio.run(main())


def test_recording_never_blocks_and_what_does_not_fit_is_counted() -> None:
    async def main() -> None:
        nowhere = Connection(server="http://127.0.0.1:9", trust=Trust(), credentials=lambda _: NOBODY)
        async with (
            Client(nowhere) as client,
            Recorder(client, SOURCE, queue=2, pause=60.0) as recorder,
        ):
            assert [recorder.record(note(str(number))) for number in range(4)] == [True, True, False, False]
            assert recorder.dropped == 2
            assert not await recorder.flush(0.05)

    asyncio.run(main())


@pytest.mark.parametrize("form", Form)
def test_a_server_that_is_away_is_tried_again_and_then_given_up(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sekisho.cluster.events.TRIES", 3)

    async def main() -> None:
        nowhere = Connection(server="http://127.0.0.1:9", trust=Trust(), credentials=lambda _: NOBODY)
        async with Client(nowhere) as client, Recorder(client, SOURCE, form=form, pause=0.01) as recorder:
            recorder.record(note())
            assert await recorder.flush(10)
            assert recorder.dropped == 1

    asyncio.run(main())
