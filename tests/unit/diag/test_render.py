"""Renderers: carets, terminal safety, and forms that their readers accept."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from sekisho.diag import (
    Blame,
    Code,
    Diagnostic,
    Level,
    ObjectPath,
    ObjectRef,
    Report,
    Source,
    Span,
)
from sekisho.diag import (
    Path as ValuePath,
)
from sekisho.diag.render import FORMS, render
from sekisho.diag.render.text import excerpt, format_finding

CODE = Code(id="TST001", title="a test", blame=Blame.INPUT, alias="field_code", finding=True)
SOURCE = Source("dir/a b.yaml", "kind: Pod\nspec: 日本 x\n\tlast\n")
SARIF = Path(__file__).parent / "sarif-schema.json"


class Document:
    def locate(self, path: ValuePath, *, key: bool = False) -> Span | None:
        return Span(SOURCE, 16, 18)

    def embedded(self, path: ValuePath) -> Source | None:
        return None


def findings() -> list[Diagnostic]:
    ref = ObjectRef(group_version="v1", kind="Pod", namespace="shop", name="web")
    placed = Diagnostic(
        code=CODE,
        message="wrong\nin two lines <&>\x1b[31m",
        at=ObjectPath(ref=ref, path=("spec", "x", 0), origin=Document()),
        policy="K8sThing/name",
        help="mend it: 100%, now",
        data={"details": {"a": 1}},
    ).with_note("seen here", Span(SOURCE, 0, 4))
    live = Diagnostic(code=CODE, message="live", level=Level.WARNING, at=ObjectPath(ref=ref, path=("spec",)))
    bare = Diagnostic(code=CODE, message="nowhere", level=Level.NOTE)
    return [placed, live, bare]


def rendered(form: str, found: list[Diagnostic] | None = None) -> str:
    stream = io.StringIO()
    render(Report.of(findings() if found is None else found, judged="3 objects"), form, stream)
    return stream.getvalue()


def test_text() -> None:
    assert rendered("text").splitlines() == [
        "note TST001 (field_code): nowhere",
        "Pod shop/web .spec: warning TST001 (field_code): live",
        "dir/a b.yaml:2:7: error TST001 (field_code): wrong",
        "    in two lines <&>\\x1b[31m [K8sThing/name]",
        "    spec: 日本 x",
        "          ^^^^",
        "  = Pod shop/web spec.x[0]",
        "  note: dir/a b.yaml:1:1: seen here",
        "  help: mend it: 100%, now",
        "1 error, 1 warning, 1 note; 3 objects",
    ]


def test_no_control_character_reaches_the_terminal() -> None:
    text = rendered("text")
    assert "\x1b" not in text


def test_a_long_line_is_cut_around_the_finding() -> None:
    source = Source("x.json", '{"a":"' + "y" * 5000 + '","b":1}')
    at = source.text.index('"b"')
    shown, caret = excerpt(Span(source, at, at + 3))
    assert len(shown) < 200
    assert shown[caret.index("^") :].startswith('"b"')


def test_wide_characters_take_two_columns() -> None:
    at = SOURCE.text.index("x\n")
    shown, caret = excerpt(Span(SOURCE, at, at + 1))
    assert (shown, caret) == ("    spec: 日本 x", "               ^")


def test_tabs_become_spaces() -> None:
    at = SOURCE.text.index("last")
    assert excerpt(Span(SOURCE, at, at + 4)) == ["        last", "        ^^^^"]


def test_colour_marks_the_level() -> None:
    assert "\x1b[1;31merror TST001" in format_finding(findings()[0], colour=True)


def test_json() -> None:
    data = json.loads(rendered("json"))
    assert data["version"] == 1
    assert data["summary"] == {"errors": 1, "warnings": 1, "notes": 1, "suppressed": 0, "judged": "3 objects"}
    placed = next(row for row in data["findings"] if row["level"] == "error")
    assert (placed["file"], placed["line"], placed["column"]) == ("dir/a b.yaml", 2, 7)
    assert placed["path"] == "spec.x[0]"
    assert placed["notes"][0]["line"] == 1


def test_sarif_is_valid() -> None:
    for file in (SARIF, *filter(None, [os.environ.get("SEKISHO_SARIF_SCHEMA")])):
        schema = json.loads(Path(file).read_text(encoding="utf-8"))
        for found in (findings(), []):
            jsonschema_rs.validate(schema, json.loads(rendered("sarif", found)), validate_formats=True)


def test_sarif_regions_are_exact() -> None:
    run = json.loads(rendered("sarif"))["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["TST001"]
    result = next(row for row in run["results"] if row["level"] == "error")
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "dir/a%20b.yaml"
    assert location["region"] == {"startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 9}


def test_junit_is_xml() -> None:
    root = ET.fromstring(rendered("junit"))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert len(root.findall(".//failure")) == 1


def test_github_escapes_what_would_end_a_command() -> None:
    line = next(line for line in rendered("github").splitlines() if line.startswith("::error"))
    assert "title=TST001 K8sThing/name::wrong%0Ain two lines" in line
    assert "100%25, now" in line
    assert "file=dir/a b.yaml,line=2,col=7,endLine=2,endColumn=9" in line


def test_html_escapes_what_strangers_wrote() -> None:
    page = rendered("html")
    assert "&lt;&amp;&gt;" in page
    assert "<script" not in page


@pytest.mark.parametrize("form", FORMS)
def test_every_form_can_say_nothing(form: str) -> None:
    rendered(form, [])
