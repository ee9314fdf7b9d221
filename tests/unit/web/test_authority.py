"""Certificates of our own authority: what they say, and what is refused."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from sekisho.diag import Secret
from sekisho.web import WebError
from sekisho.web.authority import Authority, Name, name_of, server_context

CA = Authority.make("test")


def der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)


def test_a_client_certificate_names_a_user_and_groups() -> None:
    issued = CA.issue_client(Name("ann", ("ops", "system:masters")))
    assert name_of(der(issued.chain)) == ("ann", ("ops", "system:masters"))


def test_what_is_no_certificate_names_nobody() -> None:
    assert name_of(b"no certificate") == ("", ())


def test_a_server_certificate_has_names_and_addresses() -> None:
    issued = x509.load_pem_x509_certificate(CA.issue_server(["localhost", "127.0.0.1", "::1"]).chain.encode())
    known = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert known.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(row) for row in known.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_openssl_verifies_what_is_issued(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text(CA.certificate)
    for purpose, pem in (
        ("sslserver", CA.issue_server(["localhost"]).chain),
        ("sslclient", CA.issue_client(Name("ann")).chain),
    ):
        (tmp_path / "leaf").write_text(pem)
        command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", "ca", "leaf"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_an_authority_can_be_kept() -> None:
    again = Authority.load(CA.certificate, CA.key)
    assert name_of(der(again.issue_client(Name("bob")).chain)).user == "bob"


@pytest.mark.parametrize(
    ("certificate", "key"),
    [
        (CA.certificate, Secret("nothing")),
        ("nothing", CA.key),
        (CA.certificate, Authority.make("other").key),
    ],
)
def test_a_broken_authority_is_refused(certificate: str, key: Secret[str]) -> None:
    with pytest.raises(WebError) as caught:
        Authority.load(certificate, key)
    assert caught.value.code.id == "CLU009"
    assert "PRIVATE" not in str(caught.value)


def test_a_server_without_a_usable_key_does_not_start() -> None:
    server = CA.issue_server(["localhost"])
    other = CA.issue_server(["localhost"])
    from sekisho.web import Identity

    with pytest.raises(WebError):
        server_context(Identity(chain=server.chain, key=other.key))
    with pytest.raises(WebError):
        server_context(server, clients="nothing")
