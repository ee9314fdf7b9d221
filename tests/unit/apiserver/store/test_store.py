"""The store: what is acknowledged is kept, in order; what is stale is refused; what is damaged is not served."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sekisho.apiserver.store import Broken, Event, Op, Place, Row, Stale, Store, TooOld
from sekisho.diag import DiagnosticError

CM = ("", "configmaps")


def place(name: str, namespace: str = "shop") -> Place:
    return Place(*CM, namespace, name)


def value(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop", "uid": name}, "data": data}


def run(folder: Path, work: Callable[[Store], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        store = Store.open(folder, lambda _, value: {"data.a": (value.get("data") or {}).get("a", "")})
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(main())


async def put(store: Store, name: str, **data: str) -> Row:
    return await store.write(place(name), value(name, **data), base=store.get(place(name)))


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    async def write(store: Store) -> list[Row]:
        rows = [await put(store, "a", a="1"), await put(store, "b")]
        rows.append(await put(store, "a", a="2"))
        await store.delete(rows[1])
        return rows

    rows = run(tmp_path, write)
    assert [row.version for row in rows] == [1, 2, 3]

    async def read(store: Store) -> Any:
        (row,) = store.rows(CM)
        assert row.load()["data"] == {"a": "2"}
        assert row.fields == {"data.a": "2"}
        assert store.get(place("b")) is None
        return store.version, (await put(store, "c")).version

    assert run(tmp_path, read) == (4, 5)


def test_a_write_from_an_old_version_is_stale(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        first = await put(store, "a")
        await put(store, "a", a="2")
        with pytest.raises(Stale) as caught:
            await store.write(place("a"), value("a", a="3"), base=first)
        assert caught.value.row is not None
        assert caught.value.row.load()["data"] == {"a": "2"}
        with pytest.raises(Stale):
            await store.write(place("a"), value("a"), base=None)
        with pytest.raises(Stale):
            await store.delete(first)

    run(tmp_path, work)


def test_of_many_writers_from_one_version_one_wins(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        base = await put(store, "a")
        writes = (store.write(place("a"), value("a", a=str(number)), base=base) for number in range(20))
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert sum(isinstance(row, Row) for row in results) == 1
        assert sum(isinstance(row, Stale) for row in results) == 19

    run(tmp_path, work)


def test_watchers_are_told_in_order_from_where_they_begin(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await put(store, "a")
        watcher = store.hub.watch(CM, 0)
        second = await put(store, "b")
        await store.delete(second)
        events = await watcher.take()
        while len(events) < 3:
            events += await watcher.take()
        assert [(row.op, row.row.place.name, row.version) for row in events] == [
            (Op.ADDED, "a", 1),
            (Op.ADDED, "b", 2),
            (Op.DELETED, "b", 3),
        ]
        assert events[2].before is second
        watcher.close()
        assert await watcher.take() == []

    run(tmp_path, work)


def test_a_watch_may_begin_before_a_restart_but_not_before_compaction(tmp_path: Path) -> None:
    async def write(store: Store) -> None:
        for number in range(5):
            await put(store, "a", a=str(number))

    run(tmp_path, write)

    async def read(store: Store) -> list[Event]:
        events = await store.hub.watch(CM, 2).take()
        await store.compact(3)
        with pytest.raises(TooOld):
            store.hub.watch(CM, 2)
        store.hub.watch(CM, 3)
        return events

    assert [row.version for row in run(tmp_path, read)] == [3, 4, 5]

    async def again(store: Store) -> None:
        with pytest.raises(TooOld):
            store.hub.watch(CM, 2)
        assert [row.version for row in await store.hub.watch(CM, 3).take()] == [4, 5]

    run(tmp_path, again)


def test_a_watcher_that_does_not_keep_up_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sekisho.apiserver.store.hub.QUEUE", 3)

    async def work(store: Store) -> None:
        watcher = store.hub.watch(CM, 0)
        for number in range(6):
            await put(store, "a", a=str(number))
        assert watcher.ended
        assert len(await watcher.take()) == 3
        assert await watcher.take() == []

    run(tmp_path, work)


def test_of_two_servers_on_one_folder_the_second_refuses(tmp_path: Path) -> None:
    async def work(_: Store) -> None:
        with pytest.raises(DiagnosticError) as caught:
            Store.open(tmp_path, lambda *_: {})
        assert caught.value.diagnostics[0].code.id == "API001"

    run(tmp_path, work)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiagnosticError) as caught:
        run(tmp_path / "file" / "data", lambda _: asyncio.sleep(0))
    assert caught.value.diagnostics[0].code.id == "API003"


@pytest.mark.parametrize("damage", ["UPDATE ev SET body = x'7b7d' WHERE version = 1", "DELETE FROM ev"])
def test_a_body_that_is_not_what_was_written_is_never_served(tmp_path: Path, damage: str) -> None:
    run(tmp_path, lambda store: put(store, "a"))
    with sqlite3.connect(tmp_path / "objects.sqlite") as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(DiagnosticError) as caught:
        run(tmp_path, lambda _: asyncio.sleep(0))
    assert caught.value.diagnostics[0].code.id == "API002"


def test_a_file_that_is_no_database_is_never_served(tmp_path: Path) -> None:
    (tmp_path / "objects.sqlite").write_bytes(b"not a database" * 1000)
    with pytest.raises(DiagnosticError) as caught:
        run(tmp_path, lambda _: asyncio.sleep(0))
    assert caught.value.diagnostics[0].code.id == "API002"


def test_a_write_that_fails_did_not_happen_and_the_next_one_may_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(store: Store) -> None:
        write = store._database.write

        def full(batch: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(store._database, "write", full)
        with pytest.raises(Broken):
            await put(store, "a")
        assert store.get(place("a")) is None
        monkeypatch.setattr(store._database, "write", write)
        await put(store, "a")
        assert store.get(place("a")) is not None

    run(tmp_path, work)


def test_a_disk_that_is_full_is_told_as_that(tmp_path: Path) -> None:
    async def work(store: Store) -> None:
        await put(store, "a")
        connection = store._database._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(Broken) as caught:
            await put(store, "b", x="y" * 100_000)
        assert "database or disk is full" in caught.value.diagnostics[0].message
        connection.execute("PRAGMA max_page_count=1000000")
        await put(store, "b", x="y" * 100_000)

    run(tmp_path, work)


def test_a_file_that_was_emptied_is_never_served(tmp_path: Path) -> None:
    run(tmp_path, lambda store: put(store, "a"))
    (tmp_path / "objects.sqlite").write_bytes(b"")
    with pytest.raises(DiagnosticError) as caught:
        run(tmp_path, lambda _: asyncio.sleep(0))
    assert caught.value.diagnostics[0].code.id == "API002"
    (tmp_path / "objects.sqlite").unlink()
    run(tmp_path, lambda store: put(store, "a"))
