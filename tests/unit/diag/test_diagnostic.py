"""Diagnostics: fingerprints, paths as text, errors that carry them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sekisho.diag import (
    Blame,
    Code,
    Diagnostic,
    DiagnosticError,
    ObjectPath,
    ObjectRef,
    Path,
    Secret,
    Source,
    Span,
    path_text,
)

CODE = Code(id="TST001", title="a test", blame=Blame.INPUT, finding=True)
POD = ObjectRef(group_version="v1", kind="Pod", namespace="shop", name="web")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("spec", "containers", 0, "image"), "spec.containers[0].image"),
        (("metadata", "labels", "app.kubernetes.io/name"), 'metadata.labels["app.kubernetes.io/name"]'),
        (("a", ""), 'a[""]'),
    ],
)
def test_path_text(path: Path, text: str) -> None:
    assert path_text(path) == text


def test_a_fingerprint_survives_moved_lines() -> None:
    one = Diagnostic(code=CODE, message="m", at=ObjectPath(ref=POD, path=("spec",)))
    assert one.fingerprint() == replace(one, message="other words").fingerprint()
    assert one.fingerprint() != replace(one, at=ObjectPath(ref=POD, path=("status",))).fingerprint()
    assert one.fingerprint() != replace(one, policy="K/x").fingerprint()
    source = Source("a.yaml", "x\ny\n")
    at_one, at_two = Span(source, 0, 1), Span(source, 2, 3)
    two = Diagnostic(code=CODE, message="m", at=at_one)
    assert two.fingerprint() == replace(two, at=at_two).fingerprint()


def test_an_error_needs_a_diagnostic() -> None:
    with pytest.raises(AssertionError):
        DiagnosticError(())


def test_a_secret_does_not_print() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r}"
    assert secret.reveal() == "hunter2"
