"""Credentials in Docker's and Podman's files, and from helpers."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sekisho.diag import DiagnosticError
from sekisho.oci.credentials import Files, Login, files, nobody

PAIR = base64.b64encode(b"ann:p:w").decode()


def keychain(folder: Path, **config: Any) -> Files:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return Files([path])


def shown(login: Login | None) -> tuple[str, str, str] | None:
    if login is None:
        return None
    password = login.password.reveal() if login.password else ""
    return login.user, password, login.identity.reveal() if login.identity else ""


@pytest.mark.parametrize(
    ("key", "registry", "repository", "found"),
    [
        ("gcr.io", "gcr.io", "a/b", True),
        ("https://gcr.io", "gcr.io", "a/b", True),
        ("https://gcr.io/v2/", "gcr.io", "a/b", True),
        ("https://index.docker.io/v1/", "docker.io", "library/nginx", True),
        ("docker.io", "docker.io", "library/nginx", True),
        ("gcr.io/a", "gcr.io", "a/b", True),
        ("gcr.io/a/b", "gcr.io", "a/b", True),
        ("gcr.io/a", "gcr.io", "ab/c", False),
        ("gcr.io", "gcr.io.evil.example", "a", False),
        ("gcr.io:443", "gcr.io", "a", False),
        ("evil.example", "gcr.io", "a", False),
    ],
)
def test_an_entry_is_for_its_registry_alone(
    tmp_path: Path, key: str, registry: str, repository: str, found: bool
) -> None:
    ask = keychain(tmp_path, auths={key: {"auth": PAIR}})
    assert shown(ask(registry, repository)) == (("ann", "p:w", "") if found else None)


def test_the_nearest_entry_counts(tmp_path: Path) -> None:
    rows = {"gcr.io": {"username": "far", "password": "x"}, "gcr.io/a": {"username": "near", "password": "x"}}
    login = keychain(tmp_path, auths=rows)("gcr.io", "a/b")
    assert login is not None
    assert login.user == "near"


def test_an_identity_token_is_one(tmp_path: Path) -> None:
    login = keychain(tmp_path, auths={"gcr.io": {"auth": PAIR, "identitytoken": "t"}})("gcr.io", "a")
    assert shown(login) == ("ann", "p:w", "t")
    assert "p:w" not in repr(login)


def test_an_empty_entry_is_none(tmp_path: Path) -> None:
    assert keychain(tmp_path, auths={"gcr.io": {}})("gcr.io", "a") is None
    assert Files([tmp_path / "missing"])("gcr.io", "a") is None
    assert nobody("gcr.io", "a") is None


def helper(folder: Path, text: str) -> None:
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o700)


@pytest.fixture(autouse=True)
def _programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def test_a_helper_is_given_the_registry(tmp_path: Path) -> None:
    helper(tmp_path, 'read -r it; printf \'{"ServerURL":"%s","Username":"%s","Secret":"s"}\' "$it" "$it"')
    ask = keychain(tmp_path, credHelpers={"gcr.io": "test", "docker.io": "test"})
    assert shown(ask("gcr.io", "a")) == ("gcr.io", "s", "")
    assert shown(ask("docker.io", "library/a")) == ("https://index.docker.io/v1/", "s", "")
    assert ask("other.example", "a") is None


def test_a_helper_may_give_an_identity_token_or_know_nothing(tmp_path: Path) -> None:
    helper(tmp_path, 'printf \'{"Username":"<token>","Secret":"s"}\'')
    assert shown(keychain(tmp_path, credsStore="test")("gcr.io", "a")) == ("", "", "s")
    helper(tmp_path, "echo credentials not found in native keychain; exit 1")
    assert keychain(tmp_path, credsStore="test")("gcr.io", "a") is None


@pytest.mark.parametrize(
    ("script", "name"),
    [
        ("exit 3", "test"),
        ("echo secret", "test"),
        ('echo \'{"Username":1,"Secret":"secret"}\'', "test"),
        ("true", "none"),
        ("true", "../../tmp/evil"),
        ("true", "a b"),
    ],
)
def test_a_helper_that_fails_is_told_and_its_words_are_not(tmp_path: Path, script: str, name: str) -> None:
    helper(tmp_path, script)
    with pytest.raises(DiagnosticError) as caught:
        keychain(tmp_path, credsStore=name)("gcr.io", "a")
    (found,) = caught.value.diagnostics
    assert found.code.id == "OCI008"
    assert "secret" not in found.message


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "[" * 100_000, '{"auths": {"gcr.io": {"auth": "?"}}}', '{"auths": {"gcr.io": {"auth": 7}}}'],
)
def test_a_file_that_is_malformed_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(DiagnosticError) as caught:
        Files([path])("gcr.io", "a")
    assert caught.value.diagnostics[0].code.id == "OCI008"


def test_where_files_are() -> None:
    assert files({"HOME": "/h"}) == (Path("/h/.docker/config.json"),)
    rows = {"DOCKER_CONFIG": "/d", "XDG_RUNTIME_DIR": "/run/me"}
    assert files(rows) == (Path("/d/config.json"), Path("/run/me/containers/auth.json"))
    assert files({"REGISTRY_AUTH_FILE": "/a.json"}) == (Path("/a.json"),)
    assert files({}) == ()
