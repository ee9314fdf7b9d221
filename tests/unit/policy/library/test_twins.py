"""The policies that are written in Rego and in CEL: both pass their suite, and so does a policy made of the CEL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from sekisho.cel.kubernetes.environment import kubernetes_environment
from sekisho.cli.policy.suitefiles import DiskFiles, find_suites
from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Request
from sekisho.policy import Ask, Engine
from sekisho.policy.code import CEL, PREFERRED, REGO, Choice
from sekisho.policy.compiler import compile_code
from sekisho.policy.constraint import GROUP
from sekisho.policy.library import entry, entry_names
from sekisho.policy.library.files import ROOT, load
from sekisho.policy.reviewfile import is_review
from sekisho.policy.template import load_template
from sekisho.policy.vap import Judge, Policies
from sekisho.policy.vap.translate import translate
from sekisho.policy.verify import Runner

TWINS = [name for name in entry_names() if len(entry(name).engines) > 1]
OLDEST = "1.30"
"""The oldest Kubernetes that their CEL is for: the one in which ValidatingAdmissionPolicies became stable."""

each_twin = pytest.mark.parametrize("name", TWINS)


def test_which_they_are() -> None:
    assert len(TWINS) == 16
    for name in TWINS:
        assert entry(name).engines == (CEL, REGO)
        assert entry(name).template.annotations[PREFERRED] == REGO


@each_twin
@pytest.mark.parametrize("engine", [CEL, REGO])
def test_suite(name: str, engine: str) -> None:
    (suite,) = find_suites((str(ROOT / "policies" / name / "suite.yaml"),))
    result = Runner(DiskFiles(), compile=compile_code, choice=Choice(engine=engine)).run(suite)
    assert [problem.message for problem in result.problems()] == []


@each_twin
def test_compiles_in_the_oldest_version(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    old = kubernetes_environment(OLDEST)
    monkeypatch.setattr("sekisho.policy.expressions.compiled.kubernetes_environment", lambda: old)
    load_template(entry(name).template, compile=compile_code, choice=Choice(engine=CEL))


@each_twin
def test_the_policy_that_is_made_of_it_says_the_same(name: str) -> None:
    given, said = list(objects_of(name)), 0
    for sample in entry(name).samples:
        constraint = entry(name).sample(sample)
        engine = Engine.build([entry(name).template, constraint], choice=Choice(first=CEL))
        made = translate(engine.templates, engine.constraints, ())
        assert [row["kind"] for row in made.objects] == [
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
        ]
        assert made.problems == ()
        built = Policies.build([*map(Object, made.objects), constraint])
        assert built.problems == ()
        for object in given:
            request = Request.of(object)
            want = engine.review_itself(request, Ask())
            got = Judge(built).judge(request).findings
            assert messages(got) == messages(want), object
            assert [row.diagnostic.at for row in got] == [row.diagnostic.at for row in want]
            said += len(want)
    assert said


def messages(findings: Sequence[Finding]) -> list[str]:
    return [finding.diagnostic.message for finding in findings]


def objects_of(name: str) -> Iterator[Object]:
    """All objects among a policy's samples."""
    base = ROOT / "policies"
    for file in sorted((base / name / "samples").rglob("*.yaml")):
        object = load(f"policies/{file.relative_to(base).as_posix()}")
        if object.gvk.group != GROUP and not is_review(object):
            yield object


PODS = {
    "three containers": (["a", "b", "c"], ["a", "b", "c"]),
    "four": (["a", "b", "c", "d"], ["a", "b", "c", "d"]),
    "five": (["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"]),
    "six": (["a", "b", "c", "d", "e", "f"], ["a", "b", "c", "d", "e; only f"]),
}


@pytest.mark.parametrize(("names", "told"), PODS.values(), ids=PODS)
def test_the_fifth_message_tells_the_rest(names: list[str], told: list[str]) -> None:
    template = load("policies/k8spspreadonlyrootfilesystem/template.yaml")
    constraint = entry("k8spspreadonlyrootfilesystem").sample("read-only-root")
    engine = Engine.build([template, constraint], choice=Choice(engine=CEL))
    containers = [{"name": name, "image": "x"} for name in names]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}}
    findings = engine.review(Request.of(Object({**pod, "spec": {"containers": containers}})), Ask())
    words = "only read-only root filesystem container is allowed: "
    assert messages(findings) == [words + row.replace("only ", words) for row in told]
    assert [row.diagnostic.at.path[:3] for row in findings] == [
        ("spec", "containers", index) for index in range(len(told))
    ]


@pytest.mark.parametrize(
    ("kind", "parameters", "wanted"),
    [
        ("K8sPSPFSGroup", {"rule": "MustRunAs", "ranges": [{"min": 1.0, "max": 5.0}]}, '"max": 5, "min": 1'),
        ("K8sPSPHostNetworkingPorts", {"hostNetwork": False, "min": 80.0}, '"hostNetwork": false, "min": 80'),
    ],
)
def test_whole_numbers_are_written_without_a_point(kind: str, parameters: object, wanted: str) -> None:
    # gator reads the numbers of constraints as doubles.
    raw = {"kind": kind, "apiVersion": f"{GROUP}/v1beta1", "metadata": {"name": "c"}}
    constraint = Object({**raw, "spec": {"parameters": parameters}})
    engine = Engine.build([entry(kind).template, constraint], choice=Choice(engine=CEL))
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"hostNetwork": True}}
    (message,) = messages(engine.review(Request.of(Object(pod)), Ask()))
    assert wanted in message


@each_twin
def test_null_is_as_good_as_nothing(name: str) -> None:
    fields = ("privileged", "allowPrivilegeEscalation", "capabilities", "procMount", "seccompProfile")
    empty = dict.fromkeys(fields, None)
    profile = {"type": "Localhost", "localhostProfile": None}
    lists = {"initContainers": None, "ephemeralContainers": None}
    spec = {
        **lists,
        "volumes": [{"name": "a", "hostPath": {"path": None}}],
        "securityContext": {"sysctls": None, "seccompProfile": None, "appArmorProfile": profile},
        "containers": [
            {"name": "a", "securityContext": None, "ports": None, "livenessProbe": None},
            {"name": "b", "securityContext": empty, "volumeMounts": None, "lifecycle": None},
            {"name": "c", "securityContext": {"seccompProfile": profile, "windowsOptions": None}},
        ],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "annotations": None, "labels": None}}
    template = entry(name).template
    engine = Engine.build(
        [template, *map(entry(name).sample, entry(name).samples)], choice=Choice(engine=CEL)
    )
    for message in messages(engine.review(Request.of(Object({**pod, "spec": spec})), Ask())):
        assert "resulted in error" not in message
