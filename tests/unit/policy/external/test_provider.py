"""Provider resources: Gatekeeper's own cases (externaldata/cache_test.go), in our values."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.policy.external.made import CA, PAIR, encoded, provider

from sekisho.diag import DiagnosticError
from sekisho.kube.object import Object
from sekisho.policy.external import declared
from sekisho.policy.external.provider import load_provider

NOT_A_CERTIFICATE = encoded("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n")
URL = "https://provider.example:8090/validate"


def test_a_provider() -> None:
    found = load_provider(provider(URL, timeout=3))
    assert (found.name, found.url, found.seconds, found.ca) == ("p", URL, 3.0, CA.certificate)


def test_a_timeout_that_is_not_said_is_five_seconds() -> None:
    absent = provider(URL)
    del absent.raw["spec"]["timeout"]
    assert [load_provider(row).seconds for row in (provider(URL, timeout=0), absent)] == [5.0, 5.0]


@pytest.mark.parametrize("version", ["v1beta1", "v1alpha1"])
def test_versions(version: str) -> None:
    raw = {**provider(URL).raw, "apiVersion": f"externaldata.gatekeeper.sh/{version}"}
    assert load_provider(Object(raw)).name == "p"


def test_a_bundle_may_begin_with_text_and_have_line_ends() -> None:
    text = encoded(f"the CA of the test\n{CA.certificate}{PAIR.certificate}")
    lines = "\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    assert load_provider(provider(URL, ca=lines)).ca.count("BEGIN") == 2


@pytest.mark.parametrize(
    ("object", "message"),
    [
        (provider("http://test"), "only HTTPS scheme is supported for Providers"),
        (provider("gopher://test"), "only HTTPS scheme is supported for Providers"),
        (provider(""), "invalid provider url. value: "),
        (provider(" http://foo.com"), 'parse " http://foo.com": first path segment in URL cannot contain colon'),
        (provider("https:///path"), "invalid provider url. value: https:///path"),
        (provider(URL, ca=""), "caBundle should be set for HTTPS scheme"),
        (provider(URL, ca="!"), "failed to base64 decode caBundle: illegal base64 data at input byte 0"),
        (provider(URL, ca=encoded("hello")), "bad caBundle"),
        (provider(URL, ca=NOT_A_CERTIFICATE), "failed to parse caBundle: "),
        (provider(URL, ca=encoded(PAIR.key)), "failed to parse caBundle: "),
        (provider(URL, timeout=-1), "provider timeout should be a positive integer. value: -1"),
        (provider(URL, name=""), "provider name can not be empty. value "),
        (provider(URL, timeout="1"), "spec.timeout"),
        (provider(7), "spec.url"),
        (Object({**provider(URL).raw, "apiVersion": "externaldata.gatekeeper.sh/v2"}), 'there is no version "v2"'),
    ],
)  # fmt: skip
def test_what_is_refused(object: Object, message: str) -> None:
    with pytest.raises(DiagnosticError) as found:
        load_provider(object)
    (problem,) = found.value.diagnostics
    assert message in problem.message


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DiagnosticError) as found:
        load_provider(provider("http://test", timeout=-1, ca=""))
    paths: list[Any] = [row.at.path for row in found.value.diagnostics]  # type: ignore[union-attr]
    assert paths == [("spec", "timeout"), ("spec", "url"), ("spec", "caBundle")]


def test_the_last_of_two_holds() -> None:
    found = declared([provider(URL), provider(URL), provider("https://other.example/")])
    assert found is not None
    assert [row.code.id for row in found.problems] == ["POL121"]
    assert found.providers["p"].url == "https://other.example/"


def test_nothing_is_read_where_there_is_none() -> None:
    assert declared([Object({"apiVersion": "v1", "kind": "Pod"})]) is None
