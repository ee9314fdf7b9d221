"""Files that stand for providers."""

from __future__ import annotations

import pytest

from sekisho.diag import DiagnosticError, Source
from sekisho.manifest import load
from sekisho.policy.external import Outcome, State
from sekisho.policy.external.table import Files, TableProviders, read_files

RECORDED = """
apiVersion: externaldata.gatekeeper.sh/v1beta1
kind: ProviderResponse
metadata: {name: p}
response:
  idempotent: true
  items: [{key: a, value: 1}, {key: b, error: unknown}]
"""


def read(text: str) -> Files:
    return read_files(load(Source("answers.yaml", text)))


def test_values_by_key() -> None:
    table = TableProviders(rows=read("p: {a: 1}\nq: {a: [2]}\n---\np: {b: x}\n").rows)
    outcomes = table.ask({"p": ["a", "b"], "q": ["a"]}).outcomes
    assert outcomes == {
        "p": {"a": Outcome(value=1), "b": Outcome(value="x")},
        "q": {"a": Outcome(value=[2])},
    }


def test_recorded_answers() -> None:
    table = TableProviders(rows=read(RECORDED).rows, help="do this")
    outcomes = table.ask({"p": ["a", "b", "c"]}).outcomes["p"]
    assert (outcomes["a"], outcomes["b"]) == (Outcome(value=1), Outcome(error="unknown"))
    assert outcomes["c"].state is State.UNASKED
    assert outcomes["c"].cause is not None
    assert outcomes["c"].cause.help == "do this"


def test_a_recorded_system_error_is_one_for_every_key() -> None:
    text = RECORDED.replace("  idempotent", "  systemError: down\n  idempotent")
    outcomes = TableProviders(rows=read(text).rows).ask({"p": ["a", "c"]}).outcomes["p"]
    assert {key: row.system_error for key, row in outcomes.items()} == {"a": "down", "c": "down"}
    assert outcomes["c"].state is State.MISSING


def test_providers_are_left_to_others() -> None:
    files = read("apiVersion: externaldata.gatekeeper.sh/v1beta1\nkind: Provider\nmetadata: {name: p}\n")
    assert (files.rows, [row.name for row in files.objects]) == ({}, ["p"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[p]", "it must be a mapping"),
        ("p: [a]", "the answers of a provider are a mapping"),
        (RECORDED.replace("metadata: {name: p}", ""), "needs the name of its provider"),
        (RECORDED.replace("{key: a, value: 1}", "{key: 1}"), "this recorded answer cannot be used: key has"),
        (RECORDED.replace("ProviderResponse", "ProviderRequest"), "it is no ProviderResponse"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(DiagnosticError, match="POL046") as found:
        read(text)
    assert message in found.value.diagnostics[0].message
