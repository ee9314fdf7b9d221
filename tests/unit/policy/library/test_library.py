"""Every policy of the library is whole: template, samples, suite, page, and each says the same."""

from __future__ import annotations

import re
from pathlib import Path

import make_library
import pytest
import yaml

from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.diag import Source
from sekisho.policy.compiler import compile_code
from sekisho.policy.constraint import GATOR, load_constraint
from sekisho.policy.engine import Ask, Engine
from sekisho.policy.gator import gator_request
from sekisho.policy.library import Entry, bundle, bundle_names, entry, entry_names
from sekisho.policy.library.files import ROOT, load
from sekisho.policy.syncdata import ANNOTATION, sync_test
from sekisho.policy.template import load_template
from sekisho.policy.verify import Runner
from sekisho.rego.dialect import Dialect
from sekisho.rego.format import format_source

NAMES = entry_names()
POLICIES = ROOT / "policies"
DOCS = Path(__file__).parents[4] / "docs" / "library"

SEVERITIES = {"low", "medium", "high", "critical"}
CATEGORIES = {
    "access",
    "api",
    "availability",
    "images",
    "metadata",
    "network",
    "pod-security",
    "resources",
    "storage",
}

each_policy = pytest.mark.parametrize("name", NAMES)


@each_policy
def test_suite(name: str) -> None:
    (suite,) = find_suites((str(POLICIES / name / "suite.yaml"),))
    result = Runner(DiskFiles(), compile=compile_code).run(suite)
    assert [problem.message for problem in result.problems()] == []
    assert suite.warnings == ()


@each_policy
def test_metadata(name: str) -> None:
    found = entry(name)
    assert found.kind.lower() == name
    assert found.title
    assert found.description.endswith(".")
    assert found.severity in SEVERITIES
    assert found.category in CATEGORIES
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.version)
    for parameter in found.parameters:
        assert parameter.description.endswith("."), parameter.name


@each_policy
def test_template_is_complete(name: str) -> None:
    text = entry(name).text()
    assert make_library.completed(text, make_library.bundles()) == text, "run tools/make_library.py"


@each_policy
def test_template_compiles_without_remark(name: str) -> None:
    template = load_template(entry(name).template, compile=compile_code)
    assert template.warnings == ()


@each_policy
def test_rego_is_in_the_common_form(name: str) -> None:
    for text in rego_sources(entry(name)):
        assert formatted(text) == text, "run sekisho rego fmt"


@each_policy
def test_what_it_reads_of_the_inventory_is_what_it_requires(name: str) -> None:
    template = entry(name).template
    report = sync_test([template], omit_manifest=True, compile=compile_code)
    assert [warning.message for warning in report.warnings] == []
    assert bool(report.needs[0].reads) == (ANNOTATION in template.annotations)


@each_policy
def test_samples(name: str) -> None:
    found = entry(name)
    template = load_template(found.template, compile=compile_code)
    both = 0
    for sample in found.samples:
        constraint = load_constraint(found.sample(sample), template)
        assert constraint.object.name == sample
        files = {file.name for file in (POLICIES / name / "samples" / sample).iterdir()}
        assert {"constraint.yaml", "allowed.yaml"} <= files
        both += "disallowed.yaml" in files
    assert both >= 2, "two samples show what is allowed and what is not"


@each_policy
def test_suite_runs_every_sample(name: str) -> None:
    folder = POLICIES / name
    suite = yaml.safe_load((folder / "suite.yaml").read_text(encoding="utf-8"))
    used = {test["constraint"] for test in suite["tests"]}
    for test in suite["tests"]:
        for case in test["cases"]:
            used |= {case["object"], *case.get("inventory", ())}
            refuses = [row for row in case["assertions"] if row["violations"] not in (False, 0)]
            assert bool(refuses) == case["name"].startswith("disallowed"), case["name"]
    assert used == {
        file.relative_to(folder).as_posix() for file in (folder / "samples").rglob("*") if file.is_file()
    }


@each_policy
def test_page(name: str) -> None:
    assert (DOCS / f"{name}.md").is_file(), "run tools/make_docs.py"


@pytest.mark.parametrize("name", bundle_names())
def test_bundle(name: str) -> None:
    found = bundle(name)
    templates = {row.kind: load_template(row.template, compile=compile_code) for row in found.policies}
    names = [member.name for member in found.members]
    assert len(set(names)) == len(names)
    for member, constraint in zip(found.members, found.constraints(), strict=True):
        assert member.references, member.name
        assert member.name.startswith(f"{name}-")
        load_constraint(constraint, templates[member.kind])
    for row in found.policies:
        assert name in row.bundles


def test_libraries_are_in_the_common_form() -> None:
    for file in (ROOT / "lib").glob("*.rego"):
        text = file.read_text(encoding="utf-8")
        assert formatted(text) == text, file.name


def test_every_library_is_used() -> None:
    used = {lib for name in NAMES for lib in make_library.libraries(entry(name).text())}
    assert used == {file.stem for file in (ROOT / "lib").glob("*.rego")}


def rego_sources(found: Entry) -> list[str]:
    rows = found.template.get("spec", "targets", 0, "code")
    (source,) = [row["source"] for row in rows if row["engine"] == "Rego"]
    assert source["version"] == "v1"
    return [source["rego"], *source.get("libs", ())]


def formatted(text: str) -> str:
    return format_source(Source("library.rego", text), dialect=Dialect.V1)


@pytest.mark.parametrize(
    ("kind", "sample", "details"),
    [
        ("K8sRequiredLabels", "namespaces-say-what-they-are", {"missing_labels": ["owner", "tier"]}),
        (
            "K8sRequiredAnnotations",
            "services-say-who-runs-them",
            {"missing_annotations": ["example.com/runbook"]},
        ),
    ],
)
def test_details(kind: str, sample: str, details: object) -> None:
    found = entry(kind)
    constraint = load_constraint(found.sample(sample), load_template(found.template, compile=compile_code))
    object = load(f"policies/{found.name}/samples/{sample}/disallowed.yaml")
    (finding,) = Engine.of([constraint]).review_itself(gator_request(object), Ask(point=GATOR))
    assert finding.diagnostic.data["details"] == details
