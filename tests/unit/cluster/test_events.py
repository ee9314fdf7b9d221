"""How notes become few Events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sekisho.cluster.events import COMBINED, NOTE, Correlator, Note, Reference, Told, Type, _cut

START = datetime(2026, 1, 1, tzinfo=UTC)
POD = Reference(api_version="v1", kind="Pod", namespace="shop", name="cart", uid="u1")


class Watcher:
    """A correlator and its clock."""

    def __init__(self) -> None:
        self.correlator = Correlator()
        self.at = 0.0

    def tell(self, text: str = "pulled", **more: Any) -> Told | None:
        note = Note(**{"about": POD, "reason": "Pulled", "text": text, **more})
        now = START + timedelta(seconds=self.at)
        return self.correlator.observe(note, clock=self.at, now=now)[1]


def test_what_was_said_before_is_counted() -> None:
    watcher = Watcher()
    first = watcher.tell()
    watcher.at = 5
    second = watcher.tell()
    assert first is not None
    assert second is not None
    assert (first.new, second.new) == (True, False)
    assert (second.seen.count, second.seen.name) == (2, first.seen.name)
    assert (second.seen.first, second.seen.last) == (START, START + timedelta(seconds=5))


@pytest.mark.parametrize(
    "other",
    [
        {"reason": "Failed"},
        {"text": "other"},
        {"type": Type.WARNING},
        {"action": "Pull"},
        {"about": POD._replace(uid="u2")},
        {"about": POD._replace(path="spec.containers{a}")},
    ],
    ids=lambda row: next(iter(row)),
)
def test_another_note_is_another_event(other: dict[str, Any]) -> None:
    watcher = Watcher()
    watcher.tell()
    told = watcher.tell(**other)
    assert told is not None
    assert told.new


def test_a_newer_version_of_the_object_is_the_same_object() -> None:
    watcher = Watcher()
    watcher.tell(about=POD._replace(version="1"))
    told = watcher.tell(about=POD._replace(version="2"))
    assert told is not None
    assert told.seen.count == 2


def test_many_messages_of_one_reason_become_one_event() -> None:
    watcher = Watcher()
    told = [watcher.tell(f"try {number}") for number in range(12)]
    assert all(row is not None and row.new for row in told[:10])
    combined = [row for row in told[9:] if row is not None]
    assert [row.note.text for row in combined] == [f"{COMBINED}try {number}" for number in (9, 10, 11)]
    assert [row.new for row in combined] == [True, False, False]
    assert [row.seen.count for row in combined] == [1, 2, 3]


def test_after_a_pause_messages_stand_alone_again() -> None:
    watcher = Watcher()
    for number in range(11):
        watcher.tell(f"try {number}")
    watcher.at = 601
    told = watcher.tell("later")
    assert told is not None
    assert told.note.text == "later"


def test_a_source_that_goes_on_and_on_is_cut_off_and_let_in_every_five_minutes() -> None:
    watcher = Watcher()
    told = [watcher.tell() for _ in range(30)]
    assert [row is not None for row in told] == [True] * 25 + [False] * 5
    watcher.at = 299
    assert watcher.tell() is None
    watcher.at = 301
    last = watcher.tell()
    assert last is not None
    assert last.seen.count == 32
    assert watcher.tell(about=POD._replace(name="other", uid="u9")) is not None


def test_an_event_that_is_gone_is_begun_anew() -> None:
    watcher = Watcher()
    key, _ = watcher.correlator.observe(Note(about=POD, reason="R", text="t"), clock=0.0, now=START)
    watcher.correlator.forget(key)
    told = watcher.tell("t", reason="R")
    assert told is not None
    assert (told.new, told.seen.count) == (True, 1)


def test_names_are_valid_whatever_the_object_is_called() -> None:
    watcher = Watcher()
    plain = watcher.tell()
    odd = watcher.tell(about=POD._replace(name="system:node:a"))
    assert plain is not None
    assert odd is not None
    assert plain.seen.name == f"cart.{int(START.timestamp()) * 10**9:x}"
    assert odd.seen.name.startswith("event.")


def test_texts_are_cut_between_characters() -> None:
    cut = _cut("é" * 600, NOTE)
    assert len(cut.encode()) <= NOTE
    assert cut.endswith("é...")
    assert _cut("short", NOTE) == "short"


def test_references_are_of_objects() -> None:
    value = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "n", "name": "d", "uid": "u", "resourceVersion": "7"},
    }
    assert Reference.of(value).raw() == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "n",
        "name": "d",
        "uid": "u",
        "resourceVersion": "7",
    }
