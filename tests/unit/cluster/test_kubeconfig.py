"""kubeconfig: merging, contexts, credentials, and what is wrong with it."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sekisho.cluster import kubeconfig
from sekisho.cluster.connection import Impersonation
from sekisho.cluster.kubeconfig import Config, Wanted, connection, files, in_cluster
from sekisho.diag import DiagnosticError


def write(folder: Path, name: str = "config", **parts: Any) -> Path:
    whole = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dev",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443/"}}],
        "users": [{"name": "u", "user": {"token": "t0k3n"}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
        **parts,
    }
    path = folder / name
    path.write_text(yaml.safe_dump(whole))
    return path


def user(folder: Path, **fields: Any) -> Path:
    return write(folder, users=[{"name": "u", "user": fields}])


def code(path: Path) -> str:
    with pytest.raises(DiagnosticError) as caught:
        connection(Config.read([path])).credentials(False)
    return caught.value.diagnostics[0].code.id


def test_a_context_is_a_connection(tmp_path: Path) -> None:
    found = connection(Config.read([write(tmp_path)]))
    assert (found.server, found.namespace, found.context) == ("https://127.0.0.1:6443", "shop", "dev")
    token = found.credentials(False).token
    assert token is not None
    assert token.reveal() == "t0k3n"
    assert "t0k3n" not in repr(found.credentials(False))


def test_of_two_files_the_first_one_counts(tmp_path: Path) -> None:
    first = write(tmp_path, "a", users=[])
    second = write(tmp_path, "b", **{"current-context": "other"})
    config = Config.read([first, tmp_path / "missing", second])
    assert config.current == "dev"
    assert connection(config).credentials(False).token is not None


def test_which_files_count(tmp_path: Path) -> None:
    assert files("x") == (Path("x"),)
    assert files("", {"KUBECONFIG": "a::b"}) == (Path("a"), Path("b"))
    assert files("", {"HOME": "/home/me"}) == (Path("/home/me/.kube/config"),)
    assert files("", {}) == ()


def test_what_is_asked_for_wins(tmp_path: Path) -> None:
    config = Config.read([write(tmp_path)])
    wanted = Wanted(
        namespace="x", server="https://other", impersonate=Impersonation(user="eve", groups=("g",))
    )
    found = connection(config, wanted)
    assert (found.namespace, found.server) == ("x", "https://other")
    assert found.impersonate.headers() == [("Impersonate-User", "eve"), ("Impersonate-Group", "g")]


def test_paths_belong_to_their_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "token").write_text("from a file\n")
    found = connection(Config.read([user(tmp_path / "sub", tokenFile="token")]))
    token = found.credentials(False).token
    assert token is not None
    assert token.reveal() == "from a file"


@pytest.mark.parametrize(
    ("parts", "wanted", "expected"),
    [
        ({"current-context": ""}, Wanted(), "CLU021"),
        ({}, Wanted(context="no"), "CLU021"),
        ({}, Wanted(user="no"), "CLU021"),
        ({"users": []}, Wanted(), "CLU020"),
        ({"clusters": {}}, Wanted(), "CLU021"),
        ({"clusters": [{"cluster": {}}]}, Wanted(), "CLU020"),
        ({"clusters": [{"name": "c"}, {"name": "c"}]}, Wanted(), "CLU020"),
        ({"clusters": ["c"]}, Wanted(), "CLU020"),
        ({"clusters": [{"name": 7}]}, Wanted(), "CLU020"),
        ({"kind": "Pod"}, Wanted(), "CLU020"),
        ({"apiVersion": "v2"}, Wanted(), "CLU020"),
        ({"contexts": [{"name": "dev", "context": {"cluster": "c", "namespace": "No"}}]}, Wanted(), "CLU020"),
        (
            {"clusters": [{"name": "c", "cluster": {"server": "https://x", "proxy-url": "ftp://y"}}]},
            Wanted(),
            "CLU020",
        ),
        ({"clusters": [{"name": "c", "cluster": {"server": 7}}]}, Wanted(), "CLU020"),
        ({"clusters": [{"name": "c", "cluster": {}}]}, Wanted(), "CLU021"),
        (
            {
                "clusters": [
                    {"name": "c", "cluster": {"server": "https://x", "insecure-skip-tls-verify": True}}
                ]
            },
            Wanted(),
            "CLU020",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, parts: Any, wanted: Wanted, expected: str) -> None:
    if parts.get("clusters") == {}:
        parts = {"clusters": [], "contexts": [{"name": "dev", "context": {}}]}
    path = write(tmp_path, **parts)
    with pytest.raises(DiagnosticError) as caught:
        connection(Config.read([path]), wanted)
    assert caught.value.diagnostics[0].code.id == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"client-certificate-data": base64.b64encode(b"x").decode()}, "CLU020"),
        ({"client-certificate-data": "not base64!"}, "CLU020"),
        ({"client-certificate": "missing.pem"}, "CLU020"),
        ({"tokenFile": "missing"}, "CLU022"),
        ({"tokenFile": "/dev/null"}, "CLU022"),
        ({"client-certificate-data": "eA==", "client-certificate": "x"}, "CLU020"),
        ({"as-groups": ["g"]}, "CLU020"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "x"}}, "CLU020"),
        (
            {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1beta1",
                    "command": "x",
                    "interactiveMode": "Perhaps",
                }
            },
            "CLU020",
        ),
        ({"username": "a", "password": "b"}, "CLU020"),
        ({"auth-provider": {"name": "gcp"}}, "CLU020"),
        ({"exec": {"command": "x"}}, "CLU020"),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-program"}},
            "CLU022",
        ),
        (
            {
                "exec": {
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "command": "x",
                    "interactiveMode": "Always",
                }
            },
            "CLU020",
        ),
    ],
)
def test_credentials_that_cannot_be_had(tmp_path: Path, fields: Any, expected: str) -> None:
    assert code(user(tmp_path, **fields)) == expected


def plugin(folder: Path, answer: Any, *, status: int = 0) -> dict[str, Any]:
    script = folder / "plugin.py"
    text = answer if isinstance(answer, str) else json.dumps(answer)
    script.write_text(
        f"import os, sys\nopen({str(folder / 'runs')!r}, 'a').write('x')\n"
        f"assert 'ExecCredential' in os.environ['KUBERNETES_EXEC_INFO']\n"
        f"assert os.environ['WHO'] == 'me'\nsys.stdout.write({text!r})\nsys.exit({status})\n"
    )
    return {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(script)],
        "env": [{"name": "WHO", "value": "me"}],
        "interactiveMode": "Never",
    }


def credential(**status: Any) -> dict[str, Any]:
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}


def test_a_plugin_is_run_once_until_it_expires_or_is_refused(tmp_path: Path) -> None:
    path = user(tmp_path, exec=plugin(tmp_path, credential(token="abc")))
    provide = connection(Config.read([path])).credentials
    token = provide(False).token
    assert token is not None
    assert token.reveal() == "abc"
    provide(False)
    assert (tmp_path / "runs").read_text() == "x"
    provide(True)
    assert (tmp_path / "runs").read_text() == "xx"
    path = user(
        tmp_path, exec=plugin(tmp_path, credential(token="abc", expirationTimestamp="2020-01-01T00:00:00Z"))
    )
    provide = connection(Config.read([path])).credentials
    provide(False)
    provide(False)
    assert (tmp_path / "runs").read_text() == "xxxx"


def test_what_is_written_down_goes_before_a_plugin(tmp_path: Path) -> None:
    path = user(tmp_path, token="fixed", exec=plugin(tmp_path, credential(token="abc")))
    token = connection(Config.read([path])).credentials(False).token
    assert token is not None
    assert token.reveal() == "fixed"
    assert not (tmp_path / "runs").exists()


def test_a_token_stands_in_for_a_file_that_is_missing(tmp_path: Path) -> None:
    token = connection(Config.read([user(tmp_path, token="x", tokenFile="no")])).credentials(False).token
    assert token is not None
    assert token.reveal() == "x"


def test_a_plugin_is_told_of_the_cluster_if_it_wants(tmp_path: Path) -> None:
    script = "import json, os; print(os.environ['KUBERNETES_EXEC_INFO'], file=open('told', 'w'))"
    row = plugin(tmp_path, credential(token="abc"))
    told = {**row, "args": ["-c", f"{script}; exec(open({row['args'][0]!r}).read())"]}
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "a"}}
    cluster = {"server": "https://x", "tls-server-name": "api.internal", "extensions": [extension]}
    path = write(
        tmp_path,
        clusters=[{"name": "c", "cluster": cluster}],
        users=[{"name": "u", "user": {"exec": {**told, "provideClusterInfo": True}}}],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        connection(Config.read([path])).credentials(False)
    spec = json.loads((tmp_path / "told").read_text())["spec"]
    expected = {"server": "https://x", "tls-server-name": "api.internal", "config": {"audience": "a"}}
    assert spec == {"interactive": False, "cluster": expected}


def test_of_several_documents_the_first_counts(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(f"{path.read_text()}---\n[]\n")
    assert connection(Config.read([path])).context == "dev"


@pytest.mark.parametrize(
    "answer",
    [
        "secret",
        "[" * 100_000,
        {},
        credential(),
        credential(token=7),
        {**credential(token="x"), "apiVersion": "v1"},
    ],
)
def test_what_a_plugin_prints_is_never_shown(tmp_path: Path, answer: Any) -> None:
    path = user(tmp_path, exec=plugin(tmp_path, answer))
    with pytest.raises(DiagnosticError) as caught:
        connection(Config.read([path])).credentials(False)
    (found,) = caught.value.diagnostics
    assert found.code.id == "CLU022"
    assert "secret" not in found.message


def test_a_plugin_that_fails_is_told(tmp_path: Path) -> None:
    assert code(user(tmp_path, exec=plugin(tmp_path, "", status=3))) == "CLU022"


def test_a_pod_has_its_service_account(tmp_path: Path) -> None:
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert in_cluster(tmp_path, environment) is None
    for name, text in (("token", "t"), ("ca.crt", ""), ("namespace", "shop")):
        (tmp_path / name).write_text(text)
    found = in_cluster(tmp_path, environment)
    assert found is not None
    assert (found.server, found.namespace) == ("https://10.0.0.1:443", "shop")
    assert in_cluster(tmp_path, {}) is None


def test_without_anything_there_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "missing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(DiagnosticError) as caught:
        kubeconfig.load()
    assert caught.value.diagnostics[0].code.id == "CLU021"
