"""Gator's own tests of ``sync test``, taken from its tables: pkg/gator/sync/test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sekisho import manifest
from sekisho.diag import DiagnosticError, Source
from sekisho.kube.gvk import GVK
from sekisho.kube.object import Object
from sekisho.policy.compiler import compile_code
from sekisho.policy.syncdata import sync_test
from tests.conformance.gator.golang import Call, Literal, function, table
from tests.conformance.gator.verifying import Outcome


def run_all(folder: Path, names: Mapping[str, Any]) -> Iterator[Outcome]:
    """Every case of the two tables."""
    source = (folder / "test_test.go").read_text(encoding="utf-8")
    for row in table(function(source, "TestTest"), names):
        yield Outcome(f"sync test: {row.get('name')}", _requirements(row))
    for row in table(function(source, "TestTest_Errors"), names):
        yield Outcome(f"sync test error: {row.get('name')}", _errors(row))


def _requirements(row: Literal) -> str | None:
    report = sync_test(_objects(row), omit_manifest=bool(row.get("omitManifest")), compile=compile_code)
    got = {name: [set(unmet) for unmet in rows] for name, rows in report.missing.items()}
    want = {
        name: [set(map(_gvk, requirement)) for requirement in rows]
        for name, rows in _entries(row.get("wantReqs"))
    }
    return None if got == want and not report.errors else f"got {got}, want {want}"


def _entries(value: Any) -> Iterable[tuple[str, Any]]:
    """The entries of a map; an empty one reads as a struct without fields."""
    return value.items() if isinstance(value, dict) else ()


def _errors(row: Literal) -> str | None:
    want = row.get("wantErrs") or {}
    try:
        report = sync_test(_objects(row), omit_manifest=bool(row.get("omitManifest")), compile=compile_code)
    except DiagnosticError as error:
        text = row.get("err").args[0] if isinstance(row.get("err"), Call) else None
        got = error.diagnostics[0].message
        return None if got == text else f"got {got}, want {text}"
    if row.get("err") is not None:
        return f"no error, want {row.get('err')}"
    got_names, want_names = set(report.errors), set(want if isinstance(want, dict) else ())
    return None if got_names == want_names and not report.missing else f"got {got_names}, want {want_names}"


def _objects(row: Literal) -> list[Object]:
    return [_object(value) for value in row.get("inputs") or ()]


def _object(value: Any) -> Object:
    if isinstance(value, str):
        (document,) = manifest.load(Source("input.yaml", value))
        return Object(document.value, document)
    made = value.args[1]  # toYAMLString(t, fakes.XFor(…))
    kinds = [_gvk(item).to_json() for item in made.args[-1]]
    if made.name == "fakes.ConfigFor":
        return _resource("config.gatekeeper.sh/v1alpha1", "Config", {"sync": {"syncOnly": kinds}})
    if made.name == "fakes.SyncSetFor":
        return _resource("syncset.gatekeeper.sh/v1alpha1", "SyncSet", {"gvks": kinds})
    groups: dict[str, dict[str, list[str]]] = {}
    for kind in kinds:
        groups.setdefault(kind["group"], {}).setdefault(kind["version"], []).append(kind["kind"])
    return _resource("gvkmanifest.gatekeeper.sh/v1alpha1", "GVKManifest", {"groups": groups})


def _resource(api_version: str, kind: str, spec: Any) -> Object:
    return Object({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "spec": spec})


def _gvk(value: Any) -> GVK:
    return GVK(value.get("Group", ""), value.get("Version", ""), value.get("Kind", ""))
