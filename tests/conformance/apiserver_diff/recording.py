"""Requests and what a server answers to them, recorded and compared."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import yaml

MEDIA: Final = {
    "": "application/json",
    "apply": "application/apply-patch+yaml",
    "merge": "application/merge-patch+json",
    "patch": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
"""The words for media types in scenarios."""

AGENT: Final = "scenario/v1.0"
"""The User-Agent of all requests."""

FOLDER: Final = Path(__file__).parent / "scenarios"
DATA: Final = Path(__file__).parents[2] / "data" / "apiserver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request."""

    method: str
    path: str
    kind: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes back: the body as JSON where it is some, else as text."""

    code: int
    body: Any
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A request of a scenario and its answer. ``step`` counts from 1."""

    scenario: str
    step: int
    ask: Ask
    answer: Answer

    @property
    def label(self) -> str:
        """What reports call it."""
        return f"{self.scenario} {self.step}: {self.ask.method} {self.ask.path}"


class Server(Protocol):
    """A server, asked without being told more than the request."""

    def ask(self, ask: Ask) -> Answer:
        """Its answer."""


def scenarios(folder: Path = FOLDER) -> Iterator[tuple[str, list[Ask]]]:
    """The scenarios of a folder, in order."""
    for file in sorted(folder.glob("*.yaml")):
        for row in yaml.safe_load(file.read_text(encoding="utf-8")):
            yield row["name"], [_ask(step, row["name"]) for step in row["steps"]]


def _ask(step: dict[str, Any], name: str) -> Ask:
    method, _, path = step["do"].partition(" ")
    body = step["text"] if "text" in step else json.dumps(step["body"]) if "body" in step else ""
    kind = step.get("as", "")
    names = {"{ns}": f"d-{name}", "{name}": f"d-{name}"}
    for mark, word in names.items():
        path, body = path.replace(mark, word), body.replace(mark, word)
    has_body = "text" in step or "body" in step
    return Ask(method=method, path=path, kind=MEDIA.get(kind, kind) if has_body else "", body=body)


def namespace_of(scenario: str) -> Ask:
    """The request that makes a scenario's namespace."""
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"d-{scenario}"}}
    return Ask(method="POST", path="/api/v1/namespaces", kind=MEDIA[""], body=json.dumps(body))


def save(file: Path, about: dict[str, Any], pairs: list[Pair]) -> None:
    """Write a recording; the same pairs give the same bytes."""
    rows = [
        {
            "scenario": row.scenario,
            "step": row.step,
            "request": {
                "method": row.ask.method,
                "path": row.ask.path,
                "contentType": row.ask.kind,
                "body": row.ask.body,
            },
            "response": {
                "code": row.answer.code,
                "body": row.answer.body,
                "warnings": list(row.answer.warnings),
            },
        }
        for row in pairs
    ]
    text = json.dumps({**about, "pairs": rows}, sort_keys=True, separators=(",", ":"))
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
        out.write(text.encode())


def load(file: Path) -> list[Pair]:
    """The pairs of a recording."""
    rows = json.loads(gzip.decompress(file.read_bytes()))["pairs"]
    return [
        Pair(
            scenario=row["scenario"],
            step=row["step"],
            ask=Ask(
                method=row["request"]["method"],
                path=row["request"]["path"],
                kind=row["request"]["contentType"],
                body=row["request"]["body"],
            ),
            answer=Answer(
                code=row["response"]["code"],
                body=row["response"]["body"],
                warnings=tuple(row["response"]["warnings"]),
            ),
        )
        for row in rows
    ]


# Comparing.

VOLATILE: Final = frozenset(
    {
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "lastPhaseTransitionTime",
        "time",
        "continue",
    }
)
"""Fields whose values no two servers share; that they are there is compared."""


def normal(answer: Answer) -> dict[str, Any]:
    """An answer without what differs between any two servers: ids, times, versions, the order of owners."""
    return {"code": answer.code, "body": _normal(answer.body), "warnings": list(answer.warnings)}


UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
POINTER: Final = re.compile(r"0xc[0-9a-f]{6,}")
RECORD: Final = re.compile(r"ResourceVersion in record \(\d+\)")
SUFFIX: Final = re.compile(r"_[bcdfghjklmnpqrstvwxz2456789]{5}\b")
"""In the only generated name that is refused."""


def _text(text: str) -> str:
    """A text without what differs between any two servers."""
    for pattern, word in (
        (UUID, "<uid>"),
        (POINTER, "<pointer>"),
        (RECORD, "<record>"),
        (SUFFIX, "_<suffix>"),
    ):
        text = pattern.sub(word, text)
    return text


def _causes(details: dict[str, Any]) -> None:
    """Each cause once: the real server tells some twice."""
    rows = details.get("causes", [])
    details["causes"] = [row for at, row in enumerate(rows) if row not in rows[:at]]


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return [_normal(row) for row in value]
    if not isinstance(value, dict):
        return value
    out = {
        key: f"<{key}>" if key in VOLATILE and isinstance(row, str) and row else _normal(row)
        for key, row in value.items()
    }
    generated = out.get("generateName")
    if isinstance(generated, str) and str(out.get("name", "")).startswith(generated):
        out["name"] = f"{generated}<generated>"
    rows = out.get("managedFields")
    if isinstance(rows, list):
        out["managedFields"] = sorted(rows, key=_owner)
    if isinstance(out.get("details"), dict) and "causes" in out["details"]:
        _causes(out["details"])
    if out.get("reason") == "Conflict" and isinstance(out.get("details"), dict):
        causes = out["details"].get("causes", [])
        causes.sort(key=lambda row: (row.get("message"), row.get("field")))  # of several managers at random
    return out


def _owner(row: Any) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in ("operation", "manager", "apiVersion", "subresource"))


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where two values differ, a line each."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        lines = [f"{path}.{key}: is not there" for key in wanted if key not in found]
        lines += [f"{path}.{key}: should not be there" for key in found if key not in wanted]
        for key in wanted:
            if key in found:
                lines += differences(wanted[key], found[key], f"{path}.{key}")
        return lines
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        rows = enumerate(zip(wanted, found, strict=True))
        return [line for at, (one, other) in rows for line in differences(one, other, f"{path}[{at}]")]
    if wanted == found and isinstance(wanted, bool) == isinstance(found, bool):
        return []
    return [f"{path}: {_short(wanted)} expected, {_short(found)} found"]


def _short(value: Any, size: int = 300) -> str:
    text = json.dumps(value)
    return text if len(text) <= size else f"{text[:size]}…"
