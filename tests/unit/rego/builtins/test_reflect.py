"""opa.runtime and rego.metadata.*."""

import pytest

from sekisho.diag import DiagnosticError


def test_runtime_is_off_and_the_refusal_names_the_setting(call):
    with pytest.raises(DiagnosticError, match=r"REG701.*runtime"):
        call("opa.runtime")


def test_runtime_without_secrets(call, context):
    runtime = {
        "env": {"A": "b"},
        "config": {
            "services": {"s": {"url": "u", "credentials": {"token": "t"}}},
            "keys": {"k": {"algorithm": "HS256", "key": "s", "private_key": "p"}},
        },
    }
    assert call("opa.runtime", context=context(runtime=runtime)) == {
        "env": {"A": "b"},
        "config": {"services": {"s": {"url": "u"}}, "keys": {"k": {"algorithm": "HS256"}}},
    }
    assert "credentials" in runtime["config"]["services"]["s"]


@pytest.mark.parametrize("name", ["rego.metadata.chain", "rego.metadata.rule"])
def test_metadata_outside_of_rules(call, name):
    expected = f"eval_builtin_error: the {name} function must only be called within the scope of a rule"
    assert call(name) == expected
