"""The policies of the library that are written in Rego and in CEL: both say the same of any pod.

``SEKISHO_PROPERTY=2000`` judges that many objects, each by every policy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from tests.property.twin_pods import Pods

from sekisho.kube.object import Object
from sekisho.kube.review import Finding, Operation, Request
from sekisho.policy import Ask, Engine
from sekisho.policy.code import CEL, REGO, Choice
from sekisho.policy.compiler import compile_code
from sekisho.policy.constraint import GROUP, load_constraint
from sekisho.policy.library import entry, entry_names
from sekisho.policy.library.entry import Entry
from sekisho.policy.template import Template, load_template

COUNT = int(os.environ.get("SEKISHO_PROPERTY", "150"))
IMPLIED = re.compile(r"((?:\[Implied by [^]]*\] )?)(.*)")
OPERATIONS = (*[Operation.CREATE] * 8, Operation.UPDATE, Operation.DELETE, Operation.NONE)


def test_both_say_the_same() -> None:
    pods = Pods(6)
    pairs = [both(found) for name in entry_names() if (found := entry(name)).engines == (CEL, REGO)]
    assert len(pairs) == 16
    told = dict.fromkeys((kind.kind for kind, _ in pairs), 0)
    for number in range(COUNT):
        object = pods.object()
        request = Request.of(object, operation=OPERATIONS[number % len(OPERATIONS)])
        for native, rego in pairs:
            raw = constraint(native.kind, pods)
            got, want = (judged(template, raw, request) for template in (native, rego))
            assert apart(got) == messages(want), (object.raw, raw.raw)
            told[native.kind] += len(want)
    assert all(told.values()), told


def both(found: Entry) -> tuple[Template, Template]:
    native, rego = (
        load_template(found.template, compile=compile_code, choice=Choice(engine=engine))
        for engine in (CEL, REGO)
    )
    return native, rego


def constraint(kind: str, pods: Pods) -> Object:
    spec = {"parameters": pods.parameters(kind)}
    return Object({
        "apiVersion": f"{GROUP}/v1beta1", "kind": kind, "metadata": {"name": "c"}, "spec": spec,
    })  # fmt: skip


def judged(template: Template, raw: Object, request: Request) -> Sequence[Finding]:
    engine = Engine.of([load_constraint(raw, template)])
    return engine.review(request, Ask(positions=False))


def messages(findings: Sequence[Finding]) -> list[str]:
    return sorted(finding.diagnostic.message for finding in findings)


def apart(findings: Sequence[Finding]) -> list[str]:
    """The messages, those of CEL that are told in one apart."""
    found: list[str] = []
    for finding in findings:
        match = IMPLIED.fullmatch(finding.diagnostic.message)
        assert match is not None
        implied, said = match.groups()
        found += (implied + part for part in said.split("; "))
    return sorted(found)
