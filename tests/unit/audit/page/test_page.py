"""The status page: valid HTML whatever objects say, headers that allow nothing, and what it shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.unit.audit.worlds import config_map, constraint, namespace, snapshot, waiver

from sekisho.audit import World, scan
from sekisho.audit.live import Pass
from sekisho.audit.page import Decision, Health, Lowered, Page, Status, Violation, render, status_of
from sekisho.audit.page.model import SHOWN
from sekisho.kube.object import Object

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VOID = {"meta", "link", "br"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</td></table><iframe src=//evil>",
    "javascript:alert(1)",
    "\x00\x1b[31m\u202eevil\ud800",
]


class Tree(HTMLParser):
    """Reads a page as strictly as HTML is written: every element is closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if len({name for name, _ in attrs}) != len(attrs):
            self.problems.append(f"{tag} has an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"{tag} is closed where it is not open")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def ids(self) -> Iterator[str]:
        yield from (str(attrs["id"]) for _, attrs in self.elements if "id" in attrs)


def passed(objects: list[Object], rules: list[Object] = []) -> Pass:  # noqa: B006 - nobody changes it
    judging = snapshot([constraint("NeedsOwner")], objects, rules)
    ledger = scan(objects, judging, now=NOW)
    world = World.of(objects)
    return Pass(
        id="1",
        began=NOW,
        ended=NOW,
        seconds=1.5,
        snapshot=judging,
        ledger=ledger,
        objects=objects,
        world=world,
    )


def full(text: str) -> Status:
    """A status with the text wherever a text may be."""
    found = status_of(passed([namespace("shop"), config_map("a", "shop")]), now=NOW)
    violation = Violation(
        rung="deny", policy=text, kind=text, namespace=text, name=text, owner=text, message=text
    )
    lowered = Lowered(name=text, rung="warn", policies=(text,), namespaces=(text,), since=NOW, reason=text)
    decision = Decision(
        at=NOW,
        outcome="deny",
        operation=text,
        kind=text,
        namespace=text,
        name=text,
        user=text,
        lines=(text, text),
    )
    return Status(
        at=NOW,
        cluster=text,
        health=(Health(part=text, well=False, says=text),),
        audited=NOW,
        counts=found.counts,
        violations=(violation,),
        found=1,
        rollouts=(lowered,),
        decisions=(decision,),
        problems=(text,),
        policies={text: text},
    )


@pytest.mark.parametrize("status", [Status(at=NOW), full("text")], ids=["empty", "full"])
def test_the_page_is_well_formed(status: Status) -> None:
    tree = Tree(render(status))
    assert tree.problems == []
    assert [name for name, count in Counter(tree.ids()).items() if count > 1] == []
    names = [tag for tag, _ in tree.elements]
    assert [names.count(tag) for tag in ("html", "head", "body", "h1", "main", "title")] == [1] * 6
    ids = set(tree.ids())
    for _, attrs in tree.elements:
        target = attrs.get("href") or ""
        assert not target.startswith("#") or target[1:] in ids
        assert (attrs.get("aria-labelledby") or next(iter(ids))) in ids


@pytest.mark.parametrize("text", HOSTILE)
def test_what_objects_say_is_text_and_nothing_else(text: str) -> None:
    plain, hostile = Tree(render(full("text"))), Tree(render(full(text)).encode("utf-8", "replace").decode())
    assert hostile.problems == []
    shape = [(tag, sorted(attrs)) for tag, attrs in hostile.elements]
    assert shape == [(tag, sorted(attrs)) for tag, attrs in plain.elements]
    classes = {attrs.get("class") for _, attrs in hostile.elements}
    assert classes <= {attrs.get("class") for _, attrs in plain.elements}
    for _, attrs in hostile.elements:
        assert not any(name.startswith("on") for name in attrs)
        assert text not in (attrs.get("href") or "")


def test_there_are_no_scripts_and_nothing_is_fetched() -> None:
    tree = Tree(render(full("text")))
    assert not {"script", "iframe", "img", "form", "object", "embed"} & {tag for tag, _ in tree.elements}
    assert [attrs["href"] for tag, attrs in tree.elements if tag == "link"] == ["/style.css"]
    assert not any("style" in attrs for _, attrs in tree.elements)


def test_it_shows_who_violates_what() -> None:
    objects = [namespace("shop"), config_map("a", "shop"), config_map("b", "shop", "me")]
    status = status_of(passed(objects), now=NOW, policies={"NeedsOwner/all": "deny"})
    (violation,) = status.violations
    assert (violation.rung, violation.namespace, violation.name) == ("deny", "shop", "a")
    page = " ".join(Tree(render(status)).texts)
    for text in ("NeedsOwner/all", "shop/a", "no owner", "2026-06-01 00:00:00 UTC"):
        assert text in page


def test_waivers_are_shown_with_their_end() -> None:
    objects = [namespace("shop"), config_map("a", "shop")]
    status = status_of(passed(objects, [waiver(), waiver("old", expires="2026-05-01T00:00:00Z")]), now=NOW)
    assert [(row.name, row.days) for row in status.waivers] == [("old", None), ("w", 30)]
    assert [row.rung for row in status.violations] == ["waived"]
    page = " ".join(Tree(render(status)).texts)
    assert "ended" in page
    assert "30 days" in page


def test_only_so_many_violations_are_shown() -> None:
    objects = [namespace("shop"), *(config_map(f"m{at}", "shop") for at in range(SHOWN.value + 5))]
    status = status_of(passed(objects), now=NOW)
    assert (len(status.violations), status.found) == (SHOWN.value, SHOWN.value + 5)


def test_a_cluster_that_was_not_audited_yet_says_so() -> None:
    assert "not audited yet" in render(status_of(None, now=NOW))


REQUESTS: list[tuple[str, str, str, int]] = [
    ("GET", "/", "localhost:1", 200),
    ("HEAD", "/", "localhost:1", 200),
    ("GET", "/style.css", "localhost:1", 200),
    ("GET", "/%2e%2e/etc/passwd", "localhost:1", 404),
    ("GET", "/index.html", "localhost:1", 404),
    ("POST", "/", "localhost:1", 405),
    ("DELETE", "/", "localhost:1", 405),
    ("GET", "/", "evil.example", 421),
    ("GET", "/", "", 421),
]


@pytest.mark.parametrize(("method", "path", "host", "code"), REQUESTS)
def test_only_reading_is_answered(method: str, path: str, host: str, code: int) -> None:
    page = Page(lambda: Status(at=NOW), hosts=frozenset({"localhost:1"}))
    answer = page.answer(method, path, host)
    assert answer.code == code
    headers = dict(answer.headers)
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (method == "HEAD") <= (answer.body == b"")


def test_a_page_is_not_made_for_each_request() -> None:
    made: list[Any] = []

    def source() -> Status:
        made.append(1)
        return Status(at=NOW + timedelta(seconds=len(made)))

    page = Page(source)
    assert page.answer("GET", "/").body == page.answer("GET", "/").body
    assert len(made) == 1
