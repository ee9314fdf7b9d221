"""Loading, running and judging one compliance case."""

from __future__ import annotations

import json
import socket
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sekisho import rego
from sekisho.diag import Diagnostic, DiagnosticError, Span
from sekisho.lang.meter import Limits
from sekisho.rego.capabilities import Capabilities
from sekisho.rego.dialect import Dialect
from sekisho.rego.values import UNDEFINED, Number, Set, equal, sort_values, unkey

LIMITS = Limits(seconds=20)


def _addresses(name: str, _seconds: float) -> list[str]:
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(name, None)})


CAPABILITIES = Capabilities(resolver=_addresses, runtime={})
"""What opa itself has where it runs these cases; nothing is sent, but names of this machine are looked up."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case; ``ordinal`` tells cases of one note in one file apart, from 0."""

    file: str
    note: str
    ordinal: int
    body: dict[str, Any]

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies the case."""
        return self.file, self.note, self.ordinal

    @property
    def label(self) -> str:
        """The case as it is printed."""
        return f"{self.file}: {self.note}" + (f" #{self.ordinal}" if self.ordinal else "")


def load_cases(folder: Path) -> Iterator[Case]:
    """All cases of the JSON files in a folder."""
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=Number)
        seen: dict[str, int] = {}
        for body in document["cases"]:
            note = body["note"]
            ordinal = seen.get(note, 0)
            seen[note] = ordinal + 1
            yield Case(path.relative_to(folder).as_posix(), note, ordinal, body)


def load_expected(path: Path, dialect: str) -> dict[tuple[str, str, int], str]:
    """The reasons of the expected failures of one dialect."""
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))[dialect]
    return {(row["file"], row["note"], row["ordinal"]): row["reason"] for row in rows}


def run_case(case: Case, dialect: Dialect) -> str | None:
    """What is wrong, or None."""
    body = case.body
    modules = {f"test-{n}.rego": text for n, text in enumerate(body.get("modules") or ())}
    try:
        program = rego.compile(modules, dialect=dialect, limits=LIMITS, capabilities=CAPABILITIES)
        query = program.query(body["query"])
        rows = query.eval(_input(body), body.get("data") or {}, strict_errors=bool(body.get("strict_error")))
    except DiagnosticError as error:
        return _judge_error(error, body)
    except RecursionError:
        return "RecursionError"
    except Exception:  # noqa: BLE001 - a crash is a failure like any other here
        return traceback.format_exc(limit=-2)
    if "want_error" in body or "want_error_code" in body:
        return f"no error, want {body.get('want_error_code')} {body.get('want_error')!r}"
    return _judge_rows([row.get("bindings", {}) for row in rows], body)


def _input(body: dict[str, Any]) -> Any:
    if "input_term" in body:
        rows = rego.compile({}).query("x = " + body["input_term"]).eval()
        return rows[0]["bindings"]["x"]
    return body.get("input", UNDEFINED)


def _judge_error(error: DiagnosticError, body: dict[str, Any]) -> str | None:
    texts = [_printed(d) for d in error.diagnostics]
    code, text = body.get("want_error_code", ""), body.get("want_error", "")
    if not code and not text:
        return "unexpected " + "; ".join(texts)[:300]
    for found, printed in zip(error.diagnostics, texts, strict=True):
        if (not code or found.code.alias == code) and text in printed:
            return None
    return f"want {code} {text!r}, got {'; '.join(texts)[:300]}"


def _printed(found: Diagnostic) -> str:
    """A finding as OPA prints it."""
    at = f"{found.at.source.name}:{found.at.begins.line}: " if isinstance(found.at, Span) else ""
    return f"{at}{found.code.alias}: {found.message}"


def _judge_rows(rows: list[dict[str, Any]], body: dict[str, Any]) -> str | None:
    if "want_result" not in body:
        return None
    want = [_plain(row, body) for row in body["want_result"] or []]
    have = [_plain(row, body) for row in rows]
    left = list(have)
    for row in want:
        match = next((at for at, other in enumerate(left) if equal(row, other)), None)
        if match is None:
            return f"want {_text(want)}, got {_text(have)}"
        del left[match]
    return f"want {_text(want)}, got {_text(have)}" if left else None


def _plain(value: Any, body: dict[str, Any]) -> Any:
    if isinstance(value, Set):
        value = value.sorted()
    if isinstance(value, list):
        items = [_plain(item, body) for item in value]
        return sort_values(items) if body.get("sort_bindings") else items
    if isinstance(value, dict):
        return {_name(k): _plain(v, body) for k, v in value.items()}
    return value


def _name(form: Any) -> str:
    value = unkey(form)
    return (
        value if isinstance(value, str) else json.dumps(_plain(value, {}), default=str, separators=(",", ":"))
    )


def _text(rows: list[Any]) -> str:
    return json.dumps(rows, default=str)[:300]
