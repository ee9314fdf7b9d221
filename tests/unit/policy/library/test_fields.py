"""Which field each violation of the samples points at, by policy, constraint and case.

``fields.yaml`` is for Rego, ``fields_cel.yaml`` for CEL.

``SEKISHO_UPDATE=1`` writes what came out; read the difference before you commit.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.diag import ObjectPath
from sekisho.kube.object import Object
from sekisho.kube.review import Request
from sekisho.policy.code import CEL, REGO, Choice
from sekisho.policy.compiler import compile_code
from sekisho.policy.constraint import GATOR, load_constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.gator import gator_request
from sekisho.policy.library import entry, entry_names
from sekisho.policy.library.files import ROOT
from sekisho.policy.reviewfile import is_review, review_request
from sekisho.policy.template import load_template

NAMED = {REGO: "fields.yaml", CEL: "fields_cel.yaml"}
FILES = {engine: Path(__file__).with_name(name) for engine, name in NAMED.items()}
UPDATE = os.environ.get("SEKISHO_UPDATE") == "1"

Fields = dict[str, dict[str, list[str]]]
KNOWN: dict[str, dict[str, Fields]] = {
    engine: yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else {}
    for engine, file in FILES.items()
}


@pytest.mark.parametrize(
    ("engine", "name"), [(engine, name) for name in entry_names() for engine in entry(name).engines]
)
def test_fields(engine: str, name: str) -> None:
    got, known = fields_of(name, engine), KNOWN[engine]
    if UPDATE:
        known[name] = got
        kept = {name: known[name] for name in entry_names() if name in known}
        FILES[engine].write_text(yaml.safe_dump(kept, width=200, allow_unicode=True), encoding="utf-8")
    assert got == known[name]


def fields_of(name: str, engine: str) -> Fields:
    """The paths of the violations of each case that has any."""
    folder = ROOT / "policies" / name
    files = DiskFiles()
    template = load_template(entry(name).template, compile=compile_code, choice=Choice(engine=engine))

    def object(path: str) -> Object:
        (document,) = files.documents(str(folder / path), lists=False)
        return Object(document.value, document)

    found: Fields = {}
    (suite,) = find_suites((str(folder / "suite.yaml"),))
    for test in suite.tests:
        constraint = load_constraint(object(test.constraint), template)
        for case in test.cases:
            engine = Engine.of([constraint], inventory=[object(path) for path in case.inventory])
            findings = engine.review_itself(request_of(object(case.object)), Ask(point=GATOR))
            if findings:
                paths = [path_of(finding.diagnostic.at) for finding in findings]
                found.setdefault(test.name, {})[case.name] = paths
    return found


def request_of(object: Object) -> Request:
    return review_request(object) if is_review(object) else gator_request(object)


def path_of(at: object) -> str:
    assert isinstance(at, ObjectPath)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at.path).lstrip(".")
