"""Which libraries a version of Kubernetes has."""

from __future__ import annotations

import pytest

from sekisho.cel import compile
from sekisho.cel.kubernetes.authorizer import AUTHORIZER_VARIABLES
from sekisho.cel.kubernetes.environment import LATEST, kubernetes_environment, minor_of
from sekisho.cel.types import DYN
from sekisho.diag import DiagnosticError

SINCE = {
    "url": 0,
    "find": 0,
    "sum": 0,
    "charAt": 0,
    "check": 27,
    "quantity": 28,
    "optional.of": 28,
    "first": 28,
    "format": 29,
    "strings.quote": 29,
    "sets.contains": 29,
    "ip": 30,
    "cidr": 30,
    "format.named": 31,
    "fieldSelector": 31,
    "semver": 33,
    "lists.range": 34,
    "sort": 34,
    "includes": 37,
}


@pytest.mark.parametrize(("function", "since"), SINCE.items())
def test_a_function_is_there_from_its_version_on(function: str, since: int) -> None:
    for minor in range(25, LATEST + 3):
        functions = kubernetes_environment(f"1.{minor}").functions
        assert (function in functions) is (minor >= since), minor


@pytest.mark.parametrize("function", ["math.ceil", "base64.encode", "regex.replace", "jsonpatch.escapeKey"])
def test_what_kubernetes_does_not_have(function: str) -> None:
    assert function not in kubernetes_environment().functions


def test_mutating_policies_can_escape_keys() -> None:
    assert "jsonpatch.escapeKey" in kubernetes_environment(patches=True).functions


@pytest.mark.parametrize(
    ("version", "minor"), [("1.33", 33), ("v1.33", 33), ("1.33.4", 33), ("v1.28.0-gke.1", 28), ("1.0", 0)]
)
def test_versions(version: str, minor: int) -> None:
    assert minor_of(version) == minor


@pytest.mark.parametrize("version", ["", "1", "2.0", "1.x", "1.-3", "1.33rc", "1.9999", "1.²"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match="no version of Kubernetes"):
        kubernetes_environment(version)


def test_environments_of_one_version_share_their_tables() -> None:
    one = kubernetes_environment("1.33", variables={"object": DYN})
    other = kubernetes_environment("v1.33.1", variables=AUTHORIZER_VARIABLES)
    assert one.libraries is other.libraries
    assert "object" not in other.variables


@pytest.mark.parametrize("expression", ["[1, 'a']", "[1, 2u]", "{1: 'a', 'b': 'c'}", "[1].map(i, [i, 'a'])"])
def test_lists_and_maps_that_are_written_have_one_type(expression: str) -> None:
    with pytest.raises(DiagnosticError, match="expected type"):
        compile(expression, kubernetes_environment())


def test_only_the_values_of_a_template_may_differ() -> None:
    environment = kubernetes_environment()
    compile("'%s %s'.format([[1, 'a'], {'b': 2, 'c': true}])", environment)
    with pytest.raises(DiagnosticError, match="expected type 'int' but found 'string'"):
        compile("'%s'.format(['a']) == string([1, 'a'][0])", environment)
