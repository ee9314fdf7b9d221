"""What holds for any mutators and any object: the input stays, the patch makes the result, the result is final."""

from __future__ import annotations

import copy

from tests.property.gator_expand import Generator

from sekisho.diag import DiagnosticError
from sekisho.kube import patch
from sekisho.kube.object import Object
from sekisho.policy.match import Subject
from sekisho.policy.mutation import Mutators, Occasion

CASES = 1_500
NAMESPACE = Object({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})


def test_mutation() -> None:
    generator = Generator(11)
    mutated = refused = 0
    for _ in range(CASES):
        rows = generator.case()
        *rules, widget, _ = rows
        spec = widget["spec"]
        object = Object({**widget, "kind": "Gadget", "spec": spec["spec"]})
        system = Mutators.build(Object(rule) for rule in rules)
        kept = copy.deepcopy((object.raw, rules))
        subject = Subject(object=object, namespace=NAMESPACE)
        try:
            result = system.mutate(subject, Occasion())
        except DiagnosticError:
            refused += 1
            continue
        finally:
            assert (object.raw, rules) == kept
        assert patch.apply(object.raw, result.patch) == result.object.raw
        assert result.mutated is bool(result.changes) is bool(result.patch)
        again = system.mutate(Subject(object=result.object, namespace=NAMESPACE), Occasion())
        assert not again.mutated
        mutated += result.mutated
    assert mutated > CASES / 5
    assert refused > CASES / 50
